//! Exec and exit: a number may go over to another thread, and a start with it.

use rustc_hash::FxHashMap;

use crate::event::{
    id::{BootTime, FilesAddress, Moment, Tgid, Tid},
    text::Comm,
};
use crate::ledger::{
    Ledger,
    arena::Key,
    thread::{GoneHow, Thread},
};

impl Ledger {
    pub(in crate::ledger) fn exec(
        &mut self,
        at: BootTime,
        tgid: Tgid,
        old_tid: Tid,
        start: BootTime,
        files: Option<FilesAddress>,
        comm: Comm,
    ) {
        let caller = self.thread_on_demand(old_tid, tgid, at);
        let process = self.threads[caller].process;
        let mut leader_owes_gone = false;
        for other in self.processes[process].threads.clone() {
            if other == caller {
                continue;
            }
            let record = &self.threads[other];
            leader_owes_gone |= record.name.tid.0 == tgid.0;
            let died = Moment {
                earliest: record.exiting.unwrap_or_else(|| record.last_seen()).min(at),
                latest: at,
            };
            self.thread_gone(other, died, GoneHow::ExecOfAnother);
        }
        self.by_tid.remove(&old_tid.0);
        if let Some(other) = self.by_tid.insert(tgid.0, caller)
            && other != caller
        {
            // Not of this process, whose other threads are dead.
            self.thread_gone(other, Moment::exact(at), GoneHow::NumberReused);
        }
        let epoch = self.processes[process].epoch.saturating_add(1);
        self.processes[process].epoch = epoch;
        self.processes[process].futexes = FxHashMap::default();
        self.void_entries(process);
        let record = &mut self.threads[caller];
        record.name.tid = Tid(tgid.0);
        record.name.start = Some(start);
        // The process's count: the leader's number and start come back on another thread each
        // time, and its own count would give two of them one name.
        record.name.epoch = epoch;
        record.comm = comm;
        record.exiting = None;
        if let Some(live) = &mut record.live {
            live.leader_owes_gone = leader_owes_gone;
            live.spans = Vec::new();
            live.deletes = Vec::new();
            live.activity = None;
        }
        self.exec_table(caller, files, at);
        self.touch_thread(caller, at);
    }

    pub(in crate::ledger) fn gone(&mut self, at: BootTime, tid: Tid, tgid: Tgid, start: BootTime) {
        let Some(thread) = self.thread_of_start(tid, tgid, start, at) else {
            return;
        };
        let record = &mut self.threads[thread];
        if let Some(live) = &mut record.live
            && live.leader_owes_gone
            && record.exiting.is_none()
        {
            // The replaced leader's last switch, with the number and start it left behind.
            live.leader_owes_gone = false;
            return;
        }
        self.thread_gone(thread, Moment::exact(at), GoneHow::Exited);
    }

    /// The live thread an exit names. One of another start is not it.
    pub(in crate::ledger) fn thread_of_start(
        &mut self,
        tid: Tid,
        tgid: Tgid,
        start: BootTime,
        at: BootTime,
    ) -> Option<Key<Thread>> {
        let Some(&thread) = self.by_tid.get(&tid.0) else {
            let gone_before = self
                .by_tgid
                .get(&tgid.0)
                .and_then(|&process| self.departed(process, tid))
                .is_some();
            if gone_before {
                return None;
            }
            let thread = self.thread_on_demand(tid, tgid, at);
            self.threads[thread].name.start = Some(start);
            return Some(thread);
        };
        let record = &self.threads[thread];
        let ticks = record.live.as_ref().and_then(|live| live.start_ticks);
        match record.name.start {
            None if ticks.is_some_and(|ticks| ticks != start.ticks()) => None,
            Some(known) if known != start => None,
            Some(_) => Some(thread),
            None => {
                self.threads[thread].name.start = Some(start);
                Some(thread)
            }
        }
    }
}
