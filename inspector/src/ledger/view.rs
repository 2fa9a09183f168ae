//! What screens, reports and verdicts read of the ledger.

use rustc_hash::FxHashMap;

use super::{
    Ledger, LedgerRules,
    arena::Key,
    counters::Counters,
    entry::Entry,
    finding::Findings,
    handle::{Description, Descriptor},
    loss::Losses,
    process::{Process, Watch},
    scan::Drift,
    table::Table,
    tally::Tally,
    thread::Thread,
    wait::FutexWord,
};
use crate::event::{
    SourceEnd,
    id::{BootTime, Fd, Tgid, Tid},
};

impl Ledger {
    /// The rules it was made with.
    pub fn rules(&self) -> LedgerRules {
        self.rules
    }

    /// Live threads and open handles of all processes.
    pub fn live(&self) -> (u32, u32) {
        let threads = u32::try_from(self.by_tid.len()).unwrap_or(u32::MAX);
        let handles = self.tables.iter().map(|(_, table)| table.open);
        (threads, handles.fold(0, u32::saturating_add))
    }

    /// The latest time of any event.
    pub fn now(&self) -> BootTime {
        self.now
    }

    /// Everything before this was delivered.
    pub fn delivered(&self) -> BootTime {
        self.delivered
    }

    /// How the source ended, once it has.
    pub fn end(&self) -> Option<&SourceEnd> {
        self.end.as_ref()
    }

    /// Sums over everything.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Births by call and closes by cause.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What was lost.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// What audits found.
    pub fn drift(&self) -> &Drift {
        &self.drift
    }

    /// Numbers closed twice, closes of another entry's number, births refused.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Every process, live and dead.
    pub fn processes(&self) -> impl Iterator<Item = (Key<Process>, &Process)> {
        self.processes.iter()
    }

    /// Every thread, live and dead.
    pub fn threads(&self) -> impl Iterator<Item = (Key<Thread>, &Thread)> {
        self.threads.iter()
    }

    /// Every table, live and dead.
    pub fn tables(&self) -> impl Iterator<Item = (Key<Table>, &Table)> {
        self.tables.iter()
    }

    /// Every descriptor, open and closed.
    pub fn handles(&self) -> impl Iterator<Item = (Key<Descriptor>, &Descriptor)> {
        self.descriptors.iter()
    }

    /// Every entry, live and deleted.
    pub fn entries(&self) -> impl Iterator<Item = (Key<Entry>, &Entry)> {
        self.entries.iter()
    }

    /// A process.
    pub fn process(&self, key: Key<Process>) -> Option<&Process> {
        self.processes.get(key)
    }

    /// A thread.
    pub fn thread(&self, key: Key<Thread>) -> Option<&Thread> {
        self.threads.get(key)
    }

    /// A table.
    pub fn table(&self, key: Key<Table>) -> Option<&Table> {
        self.tables.get(key)
    }

    /// A descriptor.
    pub fn handle(&self, key: Key<Descriptor>) -> Option<&Descriptor> {
        self.descriptors.get(key)
    }

    /// An open file description.
    pub fn description(&self, key: Key<Description>) -> Option<&Description> {
        self.descriptions.get(key)
    }

    /// An entry.
    pub fn entry(&self, key: Key<Entry>) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The live thread of a number.
    pub fn thread_by_tid(&self, tid: Tid) -> Option<Key<Thread>> {
        self.by_tid.get(&tid.0).copied()
    }

    /// The live process of a number.
    pub fn process_by_tgid(&self, tgid: Tgid) -> Option<Key<Process>> {
        self.by_tgid.get(&tgid.0).copied()
    }

    /// The live threads of a process, in no particular order.
    pub fn threads_of(&self, process: Key<Process>) -> &[Key<Thread>] {
        self.processes
            .get(process)
            .map_or(&[], |process| &process.threads)
    }

    /// The main thread of each process, as long as its record is kept: that of the latest program,
    /// where an exec on another thread replaced one.
    pub fn leaders(&self) -> FxHashMap<Key<Process>, &Thread> {
        let mut leaders: FxHashMap<_, &Thread> = FxHashMap::default();
        let is_main = |thread: &Thread| thread.name.tid.0 == thread.name.tgid.0;
        for (_, thread) in self.threads.iter().filter(|(_, thread)| is_main(thread)) {
            let leader = leaders.entry(thread.process).or_insert(thread);
            if leader.name.epoch <= thread.name.epoch {
                *leader = thread;
            }
        }
        leaders
    }

    /// The futex words that threads of live processes waited on, by process and address, in no
    /// particular order.
    pub fn futexes(&self) -> impl Iterator<Item = (Tgid, u64, &FutexWord)> {
        self.by_tgid.iter().flat_map(|(&tgid, &process)| {
            let words = self.processes[process].futexes.iter();
            words.map(move |(&address, word)| (Tgid(tgid), address, word))
        })
    }

    /// A live process's futex word; `None` = no wait on it was seen to end.
    pub fn futex(&self, tgid: Tgid, address: u64) -> Option<&FutexWord> {
        let process = self.by_tgid.get(&tgid.0)?;
        self.processes[*process].futexes.get(&address)
    }

    /// The table a live thread uses.
    pub fn table_used_by(&self, thread: Key<Thread>) -> Option<Key<Table>> {
        Some(self.threads.get(thread)?.live.as_ref()?.table)
    }

    /// The open descriptor of a number.
    pub fn open_handle(&self, table: Key<Table>, fd: Fd) -> Option<Key<Descriptor>> {
        self.tables.get(table)?;
        self.open_at(table, fd)
    }

    /// The open descriptors of a table, by number.
    pub fn open_handles(&self, table: Key<Table>) -> Vec<(Fd, Key<Descriptor>)> {
        let Some(table) = self.tables.get(table) else {
            return Vec::new();
        };
        let mut handles = table.slots.within(Fd(0), Fd(u32::MAX));
        handles.retain(|&(_, key)| self.descriptors[key].is_open());
        handles
    }

    /// Up to when a process is known to be as the ledger says.
    pub fn known_until(&self, process: Key<Process>) -> BootTime {
        match self.processes.get(process).map(|process| process.watch) {
            Some(Watch::Polls { until }) => until,
            Some(Watch::Events) | None => self.delivered,
        }
    }

    /// Live threads, open handles, and dead ones of both that are kept.
    pub fn kept(&self) -> Kept {
        let threads_live = self
            .threads
            .iter()
            .filter(|(_, t)| t.live.is_some())
            .count();
        let handles_open = self
            .descriptors
            .iter()
            .filter(|(_, d)| d.closed().is_none())
            .count();
        Kept {
            threads_live,
            handles_open,
            threads_dead: self.threads.len() - threads_live,
            handles_closed: self.descriptors.len() - handles_open,
            entries: self.entries.len(),
        }
    }

    /// Bytes of the ledger's records; what single records allocate beside their cell (a live
    /// thread's activity, a key's text, a table's numbers, a process's futex words) is counted for
    /// tables only.
    pub fn bytes(&self) -> usize {
        self.processes.bytes()
            + self.threads.bytes()
            + self.tables.bytes()
            + self.descriptors.bytes()
            + self.descriptions.bytes()
            + self.entries.bytes()
            + self.past.bytes()
            + self
                .tables
                .iter()
                .map(|(_, table)| table.slots.bytes())
                .sum::<usize>()
    }
}

/// How many records there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Live threads.
    pub threads_live: usize,
    /// Dead threads.
    pub threads_dead: usize,
    /// Open and closing handles.
    pub handles_open: usize,
    /// Closed handles.
    pub handles_closed: usize,
    /// Entries.
    pub entries: usize,
}
