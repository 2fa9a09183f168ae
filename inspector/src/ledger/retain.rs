//! What the ledger forgets: the oldest dead resources and deleted entries beyond the number the
//! user wants kept.
//!
//! Live resources are never forgotten, nor are entries that own one: a leak does not age. A dead
//! resource is kept, whatever the number, while the entry it belongs to is being deleted or its
//! grace runs: its verdict has not fallen yet.

use std::collections::VecDeque;

use super::{
    Ledger,
    arena::Key,
    entry::{Entry, Stage},
    resource::{Change, Resource},
};

/// How much of the past is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Retain {
    /// Dead threads and handles together; deleted entries, as many again.
    pub dead: usize,
}

impl Retain {
    /// Where nobody but a recording asks what is known: its keyframes take no more of the past, and
    /// what there is of it is copied for each.
    pub const RECORDED: Self = Self { dead: 8_192 };
}

impl Default for Retain {
    /// 200,000: some 40 MB.
    fn default() -> Self {
        Self { dead: 200_000 }
    }
}

/// What is dead, oldest first.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Past {
    resources: VecDeque<Resource>,
    entries: VecDeque<Key<Entry>>,
}

/// How long after a delete's grace its dead resources are still kept for the verdict.
const SLACK_NS: u64 = 1_000_000_000;
/// How many kept ones are passed over in one step, so that a step stays short.
const MOST_PASSED: usize = 8;

impl Past {
    /// Dead resources, oldest first.
    pub(super) fn resources(&self) -> impl Iterator<Item = Resource> {
        self.resources.iter().copied()
    }

    /// Finished entries, oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = Key<Entry>> {
        self.entries.iter().copied()
    }

    pub(super) fn bytes(&self) -> usize {
        self.resources.capacity() * size_of::<Resource>()
            + self.entries.capacity() * size_of::<Key<Entry>>()
    }
}

impl Ledger {
    /// The resource is dead.
    pub(super) fn retire(&mut self, resource: Resource) {
        self.past.resources.push_back(resource);
        if let Some(owner) = self.owner(resource) {
            self.let_go(owner.entry);
        }
    }

    /// An entry that was kept for what lives of it may be forgotten when nothing does any more.
    pub(super) fn let_go(&mut self, entry: Key<Entry>) {
        if self.entries[entry].stage == Stage::HoldsLiving && !self.holds_living(entry) {
            self.entries[entry].stage = Stage::Finished;
            self.past.entries.push_back(entry);
        }
    }

    /// Whether anything that the entry owns lives.
    pub(super) fn holds_living(&self, entry: Key<Entry>) -> bool {
        let resources = self.entries[entry].resources();
        resources.iter().any(|&resource| match resource {
            Resource::Thread(thread) => self.threads[thread].live.is_some(),
            Resource::Handle(handle) => self.descriptors[handle].is_open(),
        })
    }

    /// The entry's delete began, or its process's memory is gone.
    pub(super) fn finish_entry(&mut self, entry: Key<Entry>) {
        let record = &mut self.entries[entry];
        if record.stage == Stage::Current {
            record.stage = Stage::Finished;
            self.past.entries.push_back(entry);
        }
    }

    /// Forgets what is beyond the number kept. Called between events: nothing that was just
    /// looked up goes away under the reader.
    pub(super) fn forget_beyond(&mut self) {
        let most = self.rules.retain.dead;
        let mut passed = 0;
        while self.past.resources.len() > most && passed < MOST_PASSED {
            let Some(resource) = self.past.resources.pop_front() else {
                break;
            };
            if self.awaits_verdict(resource) {
                passed += 1;
                self.past.resources.push_back(resource);
            } else {
                self.forget(resource);
            }
        }
        let mut passed = 0;
        while self.past.entries.len() > most && passed < MOST_PASSED {
            let Some(entry) = self.past.entries.pop_front() else {
                break;
            };
            if self.awaits_verdicts(entry) {
                passed += 1;
                self.past.entries.push_back(entry);
            } else if self.holds_living(entry) {
                self.entries[entry].stage = Stage::HoldsLiving;
            } else {
                self.forget_entry(entry);
            }
        }
    }

    /// Forgets entries that were deleted and all of whose resources are dead, but for the latest
    /// `kept` of those of which something is amiss, and as many of the others.
    pub(crate) fn forget_settled(
        &mut self,
        kept: usize,
        is_any_amiss: impl Fn(&Self, Key<Entry>) -> bool,
    ) {
        let all = std::mem::take(&mut self.past.entries);
        let (mut amiss_left, mut good_left) = (kept, kept);
        let mut stay = VecDeque::new();
        for entry in all.into_iter().rev() {
            // Where all went in time, the verdicts have fallen, and the grace changes none.
            let (left, may_change) = if is_any_amiss(self, entry) {
                (&mut amiss_left, self.awaits_verdicts(entry))
            } else {
                (&mut good_left, self.may_gain(entry))
            };
            if *left == 0 && !may_change && !self.holds_living(entry) {
                self.forget_entry(entry);
            } else {
                *left = left.saturating_sub(1);
                stay.push_front(entry);
            }
        }
        self.past.entries = stay;
    }

    /// Forgets dead resources that no entry owns, but for the latest `kept`.
    pub(crate) fn forget_unowned(&mut self, kept: usize) {
        let all = std::mem::take(&mut self.past.resources);
        let mut beyond = all.len().saturating_sub(kept);
        for resource in all {
            if beyond > 0 && self.owner(resource).is_none() {
                self.forget(resource);
            } else {
                self.past.resources.push_back(resource);
            }
            beyond = beyond.saturating_sub(1);
        }
    }

    fn awaits_verdict(&self, resource: Resource) -> bool {
        self.owner(resource).is_some_and(|owner| {
            let entry = &self.entries[owner.entry];
            self.delete_is_fresh(entry) || (entry.delete.is_some() && entry.pins > 0)
        })
    }

    /// Whether its verdicts may still fall, or somebody may still speak of it.
    fn awaits_verdicts(&self, entry: Key<Entry>) -> bool {
        let record = &self.entries[entry];
        record.pins > 0 || self.delete_is_fresh(record)
    }

    /// Whether the birth of something that it owns may still be told.
    fn may_gain(&self, entry: Key<Entry>) -> bool {
        let record = &self.entries[entry];
        let end = record.delete.as_ref().and_then(|delete| delete.end);
        record.pins > 0 || end.is_some_and(|end| end >= self.known_until(record.process))
    }

    fn delete_is_fresh(&self, entry: &Entry) -> bool {
        let end = entry.delete.as_ref().and_then(|delete| delete.end);
        end.is_some_and(|end| self.now < end.plus_ns(self.rules.grace_ns).plus_ns(SLACK_NS))
    }

    fn forget(&mut self, resource: Resource) {
        if let Some(owner) = self.owner(resource) {
            let entry = &mut self.entries[owner.entry];
            entry.forgotten += 1;
            if entry.delete.is_some() {
                self.changes.push(Change::Forgotten(resource));
            }
            self.disown(resource);
        }
        match resource {
            Resource::Thread(thread) => {
                if let Some(record) = self.threads.remove(thread) {
                    self.counters.threads_forgotten += 1;
                    self.release_process(record.process);
                }
            }
            Resource::Handle(handle) => {
                self.unlist(handle);
                if let Some(record) = self.descriptors.remove(handle) {
                    self.counters.handles_forgotten += 1;
                    self.tables[record.table].slots.clear(record.fd, handle);
                    self.release_description(record.description);
                    self.release_table(record.table);
                }
            }
        }
    }

    fn forget_entry(&mut self, entry: Key<Entry>) {
        for resource in self.entries[entry].resources.clone() {
            self.changes.push(Change::Forgotten(resource));
            self.disown(resource);
        }
        let Some(record) = self.entries.remove(entry) else {
            return;
        };
        self.counters.entries_forgotten += 1;
        self.changes.push(Change::ForgottenEntry(entry));
        let process = &mut self.processes[record.process];
        if let Some(keys) = process.maps.get_mut(&record.map)
            && keys
                .get(&record.key)
                .is_some_and(|history| history.latest == entry)
        {
            keys.remove(&record.key);
            if keys.is_empty() {
                process.maps.remove(&record.map);
            }
            process.forgotten_generations = process.forgotten_generations.max(record.generation);
        }
        self.release_process(record.process);
    }
}
