//! Births of threads and processes.

use crate::event::{
    id::{BootTime, FilesAddress, Moment, Tgid, Tid},
    text::Comm,
    thread::CloneFlags,
};
use crate::ledger::{
    Ledger,
    arena::Key,
    identity::{Origin, ThreadName},
    process::Process,
    thread::{GoneHow, Thread},
};

/// A birth, as the kernel announces it.
pub(super) struct Birth {
    pub(super) parent: Tid,
    pub(super) parent_tgid: Tgid,
    pub(super) name: ThreadName,
    pub(super) flags: CloneFlags,
    pub(super) files: Option<FilesAddress>,
    pub(super) comm: Comm,
}

impl Ledger {
    pub(super) fn thread_born(&mut self, at: BootTime, birth: &Birth) {
        if !birth.flags.thread() && birth.name.tgid == birth.parent_tgid {
            // A process within its own: nothing true can be made of it.
            self.counters.nonsense += 1;
            return;
        }
        let parent = self.thread_on_demand(birth.parent, birth.parent_tgid, at);
        let tid = birth.name.tid;
        if let Some(&there) = self.by_tid.get(&tid.0) {
            let record = &self.threads[there];
            if there != parent && record.is_met_early(at, &birth.name) {
                self.adopt(there, at, birth);
                self.own_thread_at_birth(there, parent);
                self.touch_thread(parent, at);
                return;
            }
            if there == parent {
                // A task that creates itself: nothing true can be made of it.
                self.counters.nonsense += 1;
                return;
            }
            let from = record.last_seen();
            let died = Moment {
                earliest: from.min(at),
                latest: at,
            };
            self.thread_gone(there, died, GoneHow::NumberReused);
        }
        let process = if birth.flags.thread() {
            self.process_on_demand(birth.name.tgid, at)
        } else {
            self.process_born(birth.name.tgid, at)
        };
        let parents_table = self.table_of(parent);
        let table = if birth.flags.shares_files() {
            self.shared_table(parents_table, birth.files, process, at)
        } else {
            self.table_awaiting_read(birth.files, process, Some(parents_table), at)
        };
        let thread = Thread {
            name: birth.name,
            process,
            comm: birth.comm,
            origin: Origin::Announced,
            born: Moment::exact(at),
            parent: Some(birth.parent),
            exiting: None,
            gone: None,
            gone_how: GoneHow::Exited,
            owner: None,
            live: None,
        };
        let thread = self.add_thread(thread, table, at, false);
        self.own_thread_at_birth(thread, parent);
        self.touch_thread(parent, at);
    }

    /// The birth of a thread that was already met: in a table read or in its own first events.
    fn adopt(&mut self, thread: Key<Thread>, at: BootTime, birth: &Birth) {
        let record = &mut self.threads[thread];
        record.name.start = birth.name.start;
        record.comm = birth.comm;
        record.origin = Origin::Announced;
        record.born = Moment::exact(at);
        record.parent = Some(birth.parent);
        if let Some(live) = &mut record.live {
            live.provisional = false;
        }
        self.counters.threads_unseen = self.counters.threads_unseen.saturating_sub(1);
        let table = self.table_of(thread);
        self.learn_files(table, birth.files);
    }

    pub(in crate::ledger) fn process_born(&mut self, tgid: Tgid, at: BootTime) -> Key<Process> {
        if let Some(&there) = self.by_tgid.get(&tgid.0) {
            // The number is free again, so every thread of the old process is dead.
            for thread in self.processes[there].threads.clone() {
                let died = Moment {
                    earliest: self.threads[thread].last_seen().min(at),
                    latest: at,
                };
                self.thread_gone(thread, died, GoneHow::NumberReused);
            }
            if self.by_tgid.get(&tgid.0) == Some(&there) {
                self.process_dies(there, Moment::exact(at));
            }
        }
        self.add_process(Process::new(tgid, Moment::exact(at), Origin::Announced))
    }
}
