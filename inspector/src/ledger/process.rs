//! A process: its threads, its keys, and how it is observed.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{
    Ledger,
    arena::Key,
    entry::{Entry, span::OpenSpanId},
    identity::Origin,
    tally::Tally,
    thread::Thread,
    wait::FutexWord,
};
use crate::event::{
    id::{BootTime, Moment, Tgid, Tid},
    limits::Limits,
    mark::{self, MapId},
};

/// A process. It is dead when its last thread is gone, whichever that is.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Process {
    /// Its number.
    pub tgid: Tgid,
    /// When it was born, or first seen.
    pub born: Moment,
    /// How the ledger came to know of it.
    pub origin: Origin,
    /// When its last thread was gone.
    pub dead: Option<Moment>,
    /// Programs it has executed since it was first seen.
    pub epoch: u32,
    /// How it is observed.
    pub watch: Watch,
    /// The time at which a scan of it last began.
    pub scanned: Option<BootTime>,
    /// What /proc last told of it beside its threads and handles.
    pub facts: Option<Facts>,
    /// Births and closes in the tables it was the first to use.
    pub tally: Tally,
    /// Its live threads.
    pub(super) threads: Vec<Key<Thread>>,
    /// Threads that died lately: a scan may still list them, a mark still name them.
    pub(super) departed: VecDeque<Departed>,
    /// What was stored under each key.
    pub(super) maps: FxHashMap<MapId, FxHashMap<mark::Key, KeyHistory>>,
    /// Generations at and below this may have been used by forgotten entries.
    pub(super) forgotten_generations: u32,
    /// Open spans that carry an id.
    pub(super) spans: FxHashMap<u64, OpenSpanId>,
    /// What is known of its futex words, by their addresses in its memory. An exec gives it
    /// another memory.
    pub(super) futexes: FxHashMap<u64, FutexWord>,
    /// Threads, tables and entries that refer to this record.
    pub(super) records: u32,
}

/// What /proc told of a process, and when.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// When it was read.
    pub at: BootTime,
    /// What was told.
    pub limits: Box<Limits>,
}

/// How a process is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Watch {
    /// By events: it is as the ledger says up to the last tick.
    Events,
    /// By polls: it was as the ledger says when the last poll began.
    Polls {
        /// Start of the last poll.
        until: BootTime,
    },
}

/// A thread that died lately.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Departed {
    pub(super) tid: Tid,
    pub(super) thread: Key<Thread>,
    pub(super) at: BootTime,
}

/// What was stored under one key.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct KeyHistory {
    /// The latest entry.
    pub(super) latest: Key<Entry>,
    /// Its generation.
    pub(super) generation: u32,
}

/// How many departed threads a process remembers.
const DEPARTED: usize = 4096;

impl Process {
    /// A process that was just found.
    pub(super) fn new(tgid: Tgid, born: Moment, origin: Origin) -> Self {
        Self {
            tgid,
            born,
            origin,
            dead: None,
            epoch: 0,
            watch: Watch::Events,
            scanned: None,
            tally: Tally::default(),
            facts: None,
            threads: Vec::new(),
            departed: VecDeque::new(),
            maps: FxHashMap::default(),
            forgotten_generations: 0,
            spans: FxHashMap::default(),
            futexes: FxHashMap::default(),
            records: 0,
        }
    }

    /// How many of its threads live.
    pub fn live_threads(&self) -> usize {
        self.threads.len()
    }

    pub(super) fn remember_departed(&mut self, departed: Departed) {
        if self.departed.len() >= DEPARTED {
            self.departed.pop_front();
        }
        self.departed.push_back(departed);
    }
}

impl Ledger {
    /// The live process of this number; one that nothing announced is created.
    pub(super) fn process_on_demand(&mut self, tgid: Tgid, at: BootTime) -> Key<Process> {
        if let Some(&process) = self.by_tgid.get(&tgid.0) {
            return process;
        }
        self.add_process(Process::new(tgid, Moment::exact(at), Origin::Unseen))
    }

    pub(super) fn add_process(&mut self, process: Process) -> Key<Process> {
        let tgid = process.tgid;
        let key = self.processes.insert(process);
        self.by_tgid.insert(tgid.0, key);
        key
    }

    /// The process's last thread is gone.
    pub(super) fn process_dies(&mut self, process: Key<Process>, died: Moment) {
        let record = &mut self.processes[process];
        record.dead = Some(died);
        record.departed = VecDeque::new();
        record.futexes = FxHashMap::default();
        let tgid = record.tgid.0;
        if self.by_tgid.get(&tgid) == Some(&process) {
            self.by_tgid.remove(&tgid);
        }
        self.void_entries(process);
        self.forget_process_if_unused(process);
    }

    /// One record less refers to the process.
    pub(super) fn release_process(&mut self, process: Key<Process>) {
        let record = &mut self.processes[process];
        record.records = record.records.saturating_sub(1);
        self.forget_process_if_unused(process);
    }

    fn forget_process_if_unused(&mut self, process: Key<Process>) {
        let record = &self.processes[process];
        if record.records == 0 && record.dead.is_some() {
            self.processes.remove(process);
        }
    }
}
