//! Whether the records fit together: what was read from a file may say anything, and no event that
//! follows may find a record missing that another one names.
//!
//! Everything here is true of every ledger that was made by events. What may name a record that
//! was forgotten, and is asked so, is not looked at.

mod handles;

use super::{
    Ledger,
    arena::{Arena, Key},
    counters::Counters,
    entry::{Entry, Stage, giving::OwedOwn, span::OpenSpan},
    own::Owner,
    resource::Resource,
    scan::Drift,
    tally::Tally,
    thread::{LiveThread, Thread},
};

/// What does not fit.
type Unsound = &'static str;

/// Sums at and above this were never counted: ten million a second for half a year.
pub(super) const MOST_COUNTED: u64 = 1 << 48;

fn ensure(holds: bool, unsound: Unsound) -> Result<(), Unsound> {
    if holds { Ok(()) } else { Err(unsound) }
}

/// How many refer to each record.
struct Counts(Vec<u32>);

impl Counts {
    fn of<T>(arena: &Arena<T>) -> Self {
        Self(vec![0; arena.cells()])
    }

    /// One more refers to a record; whether it is there.
    fn add<T>(&mut self, arena: &Arena<T>, key: Key<T>) -> bool {
        let is_there = arena.get(key).is_some();
        if is_there {
            self.0[key.index()] += 1;
        }
        is_there
    }

    fn get<T>(&self, key: Key<T>) -> u32 {
        self.0[key.index()]
    }
}

impl Ledger {
    /// Whether its records fit together.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn check_sound(&self) -> Result<(), &'static str> {
        self.check_sums()?;
        self.check_threads()?;
        self.check_processes()?;
        self.check_tables()?;
        self.check_descriptors()?;
        self.check_descriptions()?;
        self.check_entries()?;
        self.check_past()
    }

    fn check_sums(&self) -> Result<(), Unsound> {
        let mut sums = counter_sums(&self.counters).into_iter();
        let mut drift = drift_sums(&self.drift).into_iter();
        let mut tallies = self.processes.iter().map(|(_, process)| &process.tally);
        let are_counted = sums.all(|sum| sum < MOST_COUNTED)
            && drift.all(|sum| sum < MOST_COUNTED)
            && self.tally.is_sound()
            && tallies.all(Tally::is_sound)
            && self.findings.is_sound();
        ensure(are_counted, "the sums were never counted")
    }

    /// Live threads stand where their processes, their tables and their numbers say.
    fn check_threads(&self) -> Result<(), Unsound> {
        let live = || self.threads.iter().filter(|(_, one)| one.live.is_some());
        for (_, thread) in self.threads.iter() {
            let is_one = thread.live.is_some() != thread.gone.is_some();
            ensure(is_one, "a thread is neither alive nor gone")?;
        }
        for (&tid, &thread) in &self.by_tid {
            let record = self.live_thread(thread);
            let is_it = record.is_some_and(|(record, _)| record.name.tid.0 == tid);
            ensure(is_it, "a number is no live thread's")?;
        }
        ensure(
            live().count() == self.by_tid.len(),
            "a live thread has no number",
        )?;
        let mut listed = 0;
        for (key, process) in self.processes.iter() {
            for (place, &thread) in (0..).zip(&process.threads) {
                let is_it = self.live_thread(thread).is_some_and(|(record, live)| {
                    record.process == key && live.in_process == place
                });
                ensure(is_it, "a process lists a thread that is not its own")?;
                listed += 1;
            }
        }
        ensure(
            listed == self.by_tid.len(),
            "a live thread is in no process",
        )?;
        let mut listed = 0;
        for (key, table) in self.tables.iter() {
            for (place, &thread) in (0..).zip(&table.users) {
                let is_it = self
                    .live_thread(thread)
                    .is_some_and(|(_, live)| live.table == key && live.in_table == place);
                ensure(is_it, "a table lists a user that is not its own")?;
                listed += 1;
            }
        }
        ensure(listed == self.by_tid.len(), "a live thread uses no table")
    }

    fn live_thread(&self, key: Key<Thread>) -> Option<(&Thread, &LiveThread)> {
        let record = self.threads.get(key)?;
        Some((record, record.live.as_deref()?))
    }

    fn check_processes(&self) -> Result<(), Unsound> {
        let mut records = Counts::of(&self.processes);
        let threads = self.threads.iter().map(|(_, thread)| thread.process);
        let tables = self.tables.iter().map(|(_, table)| table.process);
        let entries = self.entries.iter().map(|(_, entry)| entry.process);
        for process in threads.chain(tables).chain(entries) {
            let is_there = records.add(&self.processes, process);
            ensure(is_there, "a process is missing")?;
        }
        for (key, process) in self.processes.iter() {
            let is_counted = process.records == records.get(key);
            ensure(is_counted, "a process's records are counted wrong")?;
            let is_alive = process.dead.is_none();
            ensure(
                is_alive || process.threads.is_empty(),
                "a dead process has threads",
            )?;
            let named = self.by_tgid.get(&process.tgid.0) == Some(&key);
            ensure(is_alive == named, "a live process has no number")?;
            for (map, keys) in &process.maps {
                for (name, history) in keys {
                    let entry = self.entries.get(history.latest);
                    let is_it = entry.is_some_and(|entry| {
                        entry.process == key && entry.map == *map && entry.key == *name
                    });
                    ensure(is_it, "a key's entry is another's")?;
                }
            }
        }
        let there = |(&tgid, &process)| {
            let record = self.processes.get(process);
            record.is_some_and(|record| record.tgid.0 == tgid)
        };
        ensure(self.by_tgid.iter().all(there), "a number is no process's")
    }

    /// Entries know what they own, and the other way round; who may still speak of them pins them.
    fn check_entries(&self) -> Result<(), Unsound> {
        let mut pins = Counts::of(&self.entries);
        let live = self.threads.iter().filter_map(|(_, one)| one.live.as_ref());
        let pinned = live.flat_map(|live| {
            let spans = live.spans.iter().flat_map(OpenSpan::pinned);
            spans.chain(live.deletes.iter().copied())
        });
        let owed = self.owed_owns.iter().map(OwedOwn::pinned);
        for entry in pinned.chain(owed) {
            let is_there = pins.add(&self.entries, entry);
            ensure(is_there, "an entry is missing that a mark speaks of")?;
        }
        let mut owned = 0;
        for (key, entry) in self.entries.iter() {
            ensure(entry.pins == pins.get(key), "an entry's pins are others")?;
            let sums = [entry.born_after_delete, entry.forgotten];
            let are_counted = sums.into_iter().all(|sum| sum < MOST_COUNTED);
            ensure(are_counted, "the sums were never counted")?;
            for (place, &resource) in (0..).zip(&entry.resources) {
                let is_it = self
                    .owner(resource)
                    .is_some_and(|owner| owner.entry == key && owner.place == place);
                ensure(is_it, "an entry lists what it does not own")?;
                owned += 1;
            }
        }
        let of_threads = self.threads.iter().filter_map(|(_, one)| one.owner);
        let of_handles = self.descriptors.iter().filter_map(|(_, one)| one.owner);
        let owners = of_threads.chain(of_handles).map(|owner: Owner| owner.entry);
        ensure(
            owners.count() == owned,
            "an owner does not list what it owns",
        )
    }

    /// What is dead, and only that, is forgotten one day, once.
    fn check_past(&self) -> Result<(), Unsound> {
        let mut threads = Counts::of(&self.threads);
        let mut handles = Counts::of(&self.descriptors);
        for resource in self.past.resources() {
            let is_first = match resource {
                Resource::Thread(key) => {
                    threads.add(&self.threads, key)
                        && threads.get(key) == 1
                        && self.threads[key].gone.is_some()
                }
                Resource::Handle(key) => {
                    handles.add(&self.descriptors, key)
                        && handles.get(key) == 1
                        && self.descriptors[key].closed().is_some()
                }
            };
            ensure(is_first, "what is to be forgotten is not dead")?;
        }
        let mut entries = Counts::of(&self.entries);
        for key in self.past.entries() {
            let is_first = entries.add(&self.entries, key)
                && entries.get(key) == 1
                && self.entries[key].stage == Stage::Finished;
            ensure(is_first, "what is to be forgotten is not finished")?;
        }
        // One that is finished twice would be forgotten twice.
        let fits = |(key, entry): (Key<Entry>, &Entry)| match entry.stage {
            Stage::Current | Stage::HoldsLiving => entries.get(key) == 0,
            Stage::Finished => entries.get(key) == 1,
        };
        let all = self.entries.iter().all(fits);
        ensure(all, "what is finished is never forgotten")
    }
}

fn counter_sums(counters: &Counters) -> [u64; 18] {
    let Counters {
        events,
        threads,
        threads_unseen,
        threads_forgotten,
        handles,
        handles_unseen,
        handles_forgotten,
        entries,
        entries_forgotten,
        tables,
        closes_of_unseen,
        closes_refused,
        births_refused,
        ambiguous,
        parted,
        wrong_tables,
        marks_without_begin,
        owns_of_nothing,
        deletes_of_nothing,
        nonsense,
    } = *counters;
    [
        events,
        threads,
        threads_unseen,
        threads_forgotten,
        handles,
        handles_unseen,
        handles_forgotten,
        entries,
        entries_forgotten,
        u64::from(tables),
        closes_of_unseen,
        closes_refused,
        births_refused,
        ambiguous,
        parted.max(wrong_tables),
        marks_without_begin.max(owns_of_nothing),
        deletes_of_nothing,
        nonsense,
    ]
}

fn drift_sums(drift: &Drift) -> [u64; 8] {
    let Drift {
        audits,
        observed,
        threads_missed,
        threads_left,
        handles_missed,
        handles_left,
        handles_other,
        most,
    } = *drift;
    [
        audits,
        observed,
        threads_missed,
        threads_left,
        handles_missed,
        handles_left,
        handles_other,
        most,
    ]
}
