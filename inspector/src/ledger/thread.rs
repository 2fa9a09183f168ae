//! Lives of threads: birth, exec, exit, and which number means whom meanwhile.

mod birth;
mod exit;

use self::birth::Birth;
use super::{
    Ledger,
    arena::Key,
    entry::{Entry, span::OpenSpan},
    identity::{Origin, ThreadName},
    own::Owner,
    process::{Departed, Process},
    resource::Resource,
    table::Table,
    wait::Activity,
};
use crate::event::{
    ThreadEvent,
    id::{BootTime, Moment, Tgid, Tid},
    text::Comm,
};

/// A thread.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Thread {
    /// Who it is.
    pub name: ThreadName,
    /// Its process.
    pub process: Key<Process>,
    /// Its name in words.
    pub comm: Comm,
    /// How the ledger came to know of it.
    pub origin: Origin,
    /// When it was born.
    pub born: Moment,
    /// Who created it.
    pub parent: Option<Tid>,
    /// When it entered its exit.
    pub exiting: Option<BootTime>,
    /// When it left the cpu for the last time.
    pub gone: Option<Moment>,
    /// How that is known.
    pub gone_how: GoneHow,
    /// The entry it belongs to.
    pub owner: Option<Owner>,
    /// What only a live thread has.
    pub(super) live: Option<Box<LiveThread>>,
}

/// How the ledger knows that a thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum GoneHow {
    /// Its last switch was seen.
    Exited,
    /// Its process executed a program on another thread.
    ExecOfAnother,
    /// Its number was given to another thread.
    NumberReused,
    /// A scan no longer found it.
    NotFound,
}

/// What only a live thread has.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct LiveThread {
    /// The table it uses.
    pub(super) table: Key<Table>,
    /// Its place among the process's live threads.
    pub(super) in_process: u32,
    /// Its place among the table's users.
    pub(super) in_table: u32,
    /// Its own last event.
    pub(super) last: BootTime,
    /// The one before, of an earlier time.
    pub(super) last_but_one: BootTime,
    /// Open store spans, innermost last.
    pub(super) spans: Vec<OpenSpan>,
    /// Entries whose delete it began and has not ended.
    pub(super) deletes: Vec<Key<Entry>>,
    /// What it waits in.
    pub(super) activity: Option<Activity>,
    /// The leader it replaced at an exec has not left the cpu yet.
    pub(super) leader_owes_gone: bool,
    /// No event announced its birth yet.
    pub(super) provisional: bool,
    /// Its start, where only a scan told it.
    pub(super) start_ticks: Option<u64>,
}

impl Ledger {
    pub(super) fn thread_event(&mut self, at: BootTime, event: &ThreadEvent) {
        match *event {
            ThreadEvent::Born {
                parent,
                parent_tgid,
                child,
                tgid,
                start,
                flags,
                files,
                comm,
            } => {
                let name = ThreadName {
                    tid: child,
                    tgid,
                    start: Some(start),
                    epoch: 0,
                };
                let birth = Birth {
                    parent,
                    parent_tgid,
                    name,
                    flags,
                    files,
                    comm,
                };
                self.thread_born(at, &birth);
            }
            ThreadEvent::Renamed { tid, tgid, comm } => {
                let thread = self.thread_on_demand(tid, tgid, at);
                self.threads[thread].comm = comm;
                self.touch_thread(thread, at);
            }
            ThreadEvent::Exec {
                tgid,
                old_tid,
                start,
                files,
                comm,
            } => self.exec(at, tgid, old_tid, start, files, comm),
            ThreadEvent::Exiting { tid, tgid, start } => {
                if let Some(thread) = self.thread_of_start(tid, tgid, start, at) {
                    self.threads[thread].exiting.get_or_insert(at);
                    self.touch_thread(thread, at);
                    self.changed(Resource::Thread(thread));
                }
            }
            ThreadEvent::Gone { tid, tgid, start } => self.gone(at, tid, tgid, start),
        }
    }

    /// The live thread of this number; one that nothing announced is created, in the table of
    /// its process.
    pub(super) fn thread_on_demand(&mut self, tid: Tid, tgid: Tgid, at: BootTime) -> Key<Thread> {
        if let Some(&thread) = self.by_tid.get(&tid.0) {
            if self.threads[thread].name.tgid == tgid {
                return thread;
            }
            let died = Moment {
                earliest: self.threads[thread].last_seen().min(at),
                latest: at,
            };
            self.thread_gone(thread, died, GoneHow::NumberReused);
        }
        let process = self.process_on_demand(tgid, at);
        let sibling = self.processes[process].threads.first().copied();
        let table = match sibling {
            Some(sibling) => self.table_of(sibling),
            None => self.provisional_table(process, at),
        };
        let name = ThreadName {
            tid,
            tgid,
            start: None,
            epoch: 0,
        };
        let thread = Thread {
            name,
            process,
            comm: Comm::default(),
            origin: Origin::Unseen,
            born: Moment {
                earliest: BootTime(0),
                latest: at,
            },
            parent: None,
            exiting: None,
            gone: None,
            gone_how: GoneHow::Exited,
            owner: None,
            live: None,
        };
        self.counters.threads_unseen += 1;
        self.add_thread(thread, table, at, true)
    }

    fn add_thread(
        &mut self,
        mut thread: Thread,
        table: Key<Table>,
        at: BootTime,
        provisional: bool,
    ) -> Key<Thread> {
        thread.live = Some(Box::new(LiveThread {
            table,
            in_process: 0,
            in_table: 0,
            last: at,
            last_but_one: BootTime(0),
            spans: Vec::new(),
            deletes: Vec::new(),
            activity: None,
            leader_owes_gone: false,
            provisional,
            start_ticks: None,
        }));
        let (tid, process) = (thread.name.tid, thread.process);
        let thread = self.threads.insert(thread);
        self.counters.threads += 1;
        self.by_tid.insert(tid.0, thread);
        let record = &mut self.processes[process];
        record.records += 1;
        let place = place(record.threads.len());
        record.threads.push(thread);
        self.live_mut(thread).in_process = place;
        self.join_table(thread, table);
        thread
    }

    /// The thread is dead: it leaves its process and its table.
    pub(super) fn thread_gone(&mut self, thread: Key<Thread>, died: Moment, how: GoneHow) {
        let Some(live) = self.threads[thread].live.as_ref() else {
            return;
        };
        let last = self.threads[thread].exiting.unwrap_or(live.last);
        self.close_spans(thread);
        self.leave_table(
            thread,
            Moment {
                earliest: last.min(died.earliest),
                latest: died.latest,
            },
        );
        let record = &mut self.threads[thread];
        let live = record.live.take().expect("checked above");
        record.gone = Some(died);
        record.gone_how = how;
        let (tid, process) = (record.name.tid, record.process);
        if self.by_tid.get(&tid.0) == Some(&thread) {
            self.by_tid.remove(&tid.0);
        }
        let siblings = &mut self.processes[process].threads;
        siblings.swap_remove(live.in_process as usize);
        if let Some(&moved) = siblings.get(live.in_process as usize) {
            self.live_mut(moved).in_process = live.in_process;
        }
        self.processes[process].remember_departed(Departed {
            tid,
            thread,
            at: died.latest,
        });
        self.changed(Resource::Thread(thread));
        if self.processes[process].threads.is_empty() {
            self.process_dies(process, died);
        }
        self.retire(Resource::Thread(thread));
    }

    /// A thread of this number that died lately, the latest first.
    pub(super) fn departed(&self, process: Key<Process>, tid: Tid) -> Option<Departed> {
        let departed = &self.processes[process].departed;
        departed
            .iter()
            .rev()
            .find(|departed| {
                departed.tid == tid
                    && self
                        .threads
                        .get(departed.thread)
                        .is_some_and(|thread| thread.name.tid == tid && thread.gone.is_some())
            })
            .copied()
    }

    /// The table a live thread uses.
    pub(super) fn table_of(&self, thread: Key<Thread>) -> Key<Table> {
        self.threads[thread]
            .live
            .as_ref()
            .expect("only live threads are found by number")
            .table
    }

    pub(super) fn live_mut(&mut self, thread: Key<Thread>) -> &mut LiveThread {
        self.threads[thread]
            .live
            .as_mut()
            .expect("only live threads are found by number")
    }

    /// The thread did something itself at this time.
    pub(super) fn touch_thread(&mut self, thread: Key<Thread>, at: BootTime) {
        if let Some(live) = &mut self.threads[thread].live
            && live.last < at
        {
            live.last_but_one = live.last;
            live.last = at;
        }
    }
}

impl LiveThread {
    /// Its last event before a time: a call that returned then began later. One call may tell
    /// several events of one time.
    pub(super) fn before(&self, at: BootTime) -> BootTime {
        if self.last < at {
            self.last
        } else {
            self.last_but_one.min(at)
        }
    }
}

impl Thread {
    /// Whether it is the thread whose birth is told only now: its table's read or a scan came
    /// first.
    fn is_met_early(&self, at: BootTime, name: &ThreadName) -> bool {
        let Some(live) = &self.live else { return false };
        let is_start = match (live.start_ticks, name.start) {
            (Some(ticks), Some(start)) => start.ticks() == ticks,
            _ => at <= self.born.latest.plus_ns(EARLY_NS),
        };
        live.provisional
            && self.name.tgid == name.tgid
            && match self.name.start {
                Some(known) => Some(known) == name.start,
                None => is_start,
            }
    }

    /// The last time it was known to live.
    pub fn last_seen(&self) -> BootTime {
        let last = self
            .live
            .as_ref()
            .map_or(self.born.latest, |live| live.last);
        last.max(self.born.latest)
            .max(self.exiting.unwrap_or_default())
    }

    /// What it was last seen doing, while it lives.
    pub fn activity(&self) -> Option<&Activity> {
        self.live.as_ref()?.activity.as_ref()
    }
}

/// How long before its birth a thread's own table may be read: both happen in one call.
const EARLY_NS: u64 = 1_000_000;

/// A place in a list of live threads.
pub(super) fn place(index: usize) -> u32 {
    u32::try_from(index).expect("the kernel's tids end long before 2^32")
}
