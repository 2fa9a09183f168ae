//! What a target holds, by kind and pattern, how fast each of these grows, and what its threads
//! are in: counted about once a second, for the screen that comes before any delete is declared.

pub mod group;
mod groups;
pub mod limits;
pub mod pattern;
pub mod series;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;

use self::{group::Group, groups::Groups, series::Series};
use crate::{
    event::BootTime,
    ledger::{Ledger, arena::Key, process::Process},
    verdict::growth::Growth,
};

/// How often everything is counted.
const STEP_NS: u64 = 1_000_000_000;

/// The accumulator.
#[derive(Clone, Debug, Default)]
pub struct Triage {
    groups: Groups,
    growth: Growth,
    processes: FxHashMap<Key<Process>, Counts>,
    sampled: Option<BootTime>,
}

/// What a process had, over time.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Open handles of its largest table: the limit is a table's.
    pub handles: Series,
    /// Live threads.
    pub threads: Series,
}

impl Triage {
    /// Counts everything, if a second has passed since it was done last.
    pub fn look(&mut self, ledger: &Ledger) {
        let now = ledger.now();
        if now == BootTime(0) {
            // Before the first event there is no time: what followed would seem to be hours later.
            return;
        }
        if self
            .sampled
            .is_some_and(|last| now.since_ns(last) < STEP_NS)
        {
            return;
        }
        if self.sampled.is_some() && live_processes(ledger).next().is_none() {
            // What there was at the end stands.
            return;
        }
        self.sampled = Some(now);
        self.groups.look(ledger);
        self.growth.sample(ledger);
        self.suspect();
        self.processes.retain(|&key, _| {
            ledger
                .process(key)
                .is_some_and(|process| process.dead.is_none())
        });
        for (key, _) in live_processes(ledger) {
            let counts = self.processes.entry(key).or_default();
            counts.threads.add(now, ledger.threads_of(key).len());
            counts.handles.add(now, 0);
        }
        for (_, table) in ledger.tables().filter(|(_, table)| table.dead.is_none()) {
            if let Some(counts) = self.processes.get_mut(&table.process) {
                let open = counts.handles.last().max(table.open as usize);
                counts.handles.add(now, open);
            }
        }
    }

    /// Marks the groups that grow and are part of what is a suspect: the one that grew most, where
    /// they are part of several.
    fn suspect(&mut self) {
        let suspects = self.growth.suspects();
        for group in self.groups.all_mut() {
            let mut of_it = suspects.iter();
            let suspect = of_it.find(|(part, _)| group.grows() && group.is_part_of(&part.name));
            group.suspect = suspect.map(|(_, suspect)| *suspect);
        }
    }

    /// Every kind and pattern that was ever seen.
    pub fn groups(&self) -> &[Group] {
        self.groups.all()
    }

    /// The number of the group that grows fastest, where one grows.
    pub fn fastest(&self) -> Option<usize> {
        let growing = (0..).zip(self.groups()).filter(|(_, group)| group.grows());
        let rate = |group: &Group| group.per_minute.unwrap_or(0.0);
        growing
            .max_by(|(_, one), (_, other)| rate(one).total_cmp(&rate(other)))
            .map(|(number, _)| number)
    }

    /// What a live process had.
    pub fn counts(&self, process: Key<Process>) -> Option<&Counts> {
        self.processes.get(&process)
    }

    /// Whether it was watched long enough to tell what grows.
    pub fn has_rates(&self) -> bool {
        let mut groups = self.groups().iter();
        groups.any(|group| group.per_minute.is_some())
    }
}

/// Every live process.
pub fn live_processes(ledger: &Ledger) -> impl Iterator<Item = (Key<Process>, &Process)> {
    ledger
        .processes()
        .filter(|(_, process)| process.dead.is_none())
}
