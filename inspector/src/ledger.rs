//! What is true of the observed processes, as far as events tell: who lives, who holds what,
//! what belongs to which entry, and what is not known.
//!
//! The ledger is a function of the events it was given, in their order: it does no I/O, reads no
//! clock, logs nothing and cannot fail. Every sequence of events is accepted; what makes no sense
//! is counted.
//!
//! Memory: an open handle takes 216 bytes with its open file description, 4 in its table and about
//! 24 in the map of addresses; a closed one 200. A live thread takes 480 bytes and about 16 in maps
//! and lists; a dead one 152. A million dead and 200,000 live resources together took 286 MB. The
//! test `weights` holds these figures; `cargo bench -p inspector --bench ledger` prints them.

#![forbid(unsafe_code)]

pub mod arena;
mod calls;
mod change;
mod copy;
pub mod counters;
pub mod entry;
pub mod finding;
pub mod handle;
pub mod identity;
pub mod loss;
mod order;
pub mod own;
pub mod process;
pub mod release;
pub mod resource;
pub mod retain;
pub mod scan;
mod slots;
mod sound;
pub mod table;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod thread;
pub mod view;
pub mod wait;

use rustc_hash::FxHashMap;

use self::{
    arena::{Arena, Key, Numbers},
    calls::CallWait,
    counters::Counters,
    entry::{Entry, giving::OwedOwn},
    finding::Findings,
    handle::{Description, Descriptor},
    loss::Losses,
    process::Process,
    resource::Change,
    retain::{Past, Retain},
    scan::Drift,
    table::Table,
    tally::Tally,
    thread::Thread,
};
use crate::event::{Event, SourceEnd, What, id::BootTime};

/// The ledger.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Ledger {
    rules: LedgerRules,
    processes: Arena<Process>,
    threads: Arena<Thread>,
    tables: Arena<Table>,
    descriptors: Arena<Descriptor>,
    descriptions: Arena<Description>,
    entries: Arena<Entry>,
    /// Live threads by number.
    by_tid: FxHashMap<u32, Key<Thread>>,
    /// Live processes by number.
    by_tgid: FxHashMap<u32, Key<Process>>,
    /// The latest table of each kernel address.
    by_files: FxHashMap<u64, Key<Table>>,
    /// The latest description of each kernel address, until its release.
    by_file: FxHashMap<u64, Key<Description>>,
    /// Descriptions that a call in progress may hold.
    call_waits: Vec<CallWait>,
    /// `own` marks of numbers that a poll has not found yet.
    owed_owns: Vec<OwedOwn>,
    past: Past,
    changes: Vec<Change>,
    losses: Losses,
    drift: Drift,
    findings: Findings,
    counters: Counters,
    tally: Tally,
    /// The latest time of any event.
    now: BootTime,
    /// Everything before this was delivered.
    delivered: BootTime,
    end: Option<SourceEnd>,
    /// A rule of order broken on purpose, to see that the tests notice.
    #[cfg(test)]
    #[serde(skip)]
    forgets_overtaking: bool,
}

/// What the user decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LedgerRules {
    /// How long after a delete's end a resource may live before it counts as retained.
    pub grace_ns: u64,
    /// How much of the past is kept.
    pub retain: Retain,
}

impl Default for LedgerRules {
    fn default() -> Self {
        Self {
            grace_ns: 1_000_000_000,
            retain: Retain::default(),
        }
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new(rules: LedgerRules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// Writes what has this ledger's keys in it: each as the number of its record.
    pub(crate) fn numbered<R>(&self, write: impl FnOnce() -> R) -> R {
        Numbers::default()
            .and(&self.processes)
            .and(&self.threads)
            .and(&self.tables)
            .and(&self.descriptors)
            .and(&self.descriptions)
            .and(&self.entries)
            .rule(write)
    }

    /// Other rules from now on.
    pub(crate) fn set_rules(&mut self, rules: LedgerRules) {
        self.rules = rules;
    }

    /// Takes note of one event.
    pub fn apply(&mut self, event: &Event) {
        let at = event.at;
        self.counters.events += 1;
        self.now = self.now.max(at);
        match &event.what {
            What::Thread(thread) => self.thread_event(at, thread),
            What::Handle(handle) => self.handle_event(at, handle),
            What::Table(read) => self.table_read(at, read),
            What::Wait(wait) => self.wait_event(at, wait),
            What::Mark(mark) => self.mark(at, mark),
            What::Scan(scan) => self.scan(scan),
            What::Named(named) => self.named(at, named),
            What::Targets(targets) => self.targets(targets),
            What::Gap(gap) => self.gap(gap),
            What::Tick => {
                self.delivered = self.delivered.max(at);
                self.check_calls(at);
            }
            What::End(end) => self.end = Some(end.as_ref().clone()),
        }
        self.forget_beyond();
    }
}
