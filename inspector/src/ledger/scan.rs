//! Readings of /proc: the baseline, polls, and audits.
//!
//! A scan is not atomic. Only what had no event since the scan began is compared with it. An
//! audit counts what differs before anything is healed (*drift*); what no event announced is
//! `unseen`.

mod compare;
mod targets;

use super::{
    Ledger,
    arena::Key,
    handle::{Descriptor, State},
    identity::Origin,
    process::{Facts, Process, Watch},
    resource::Change,
    thread::{GoneHow, Thread},
};
use crate::event::{
    Scan,
    id::{BootTime, Moment},
    scan::{ScanRole, SeenThread},
};

/// What audits found before they healed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Drift {
    /// Audits so far.
    pub audits: u64,
    /// Of these, those that corrected nothing.
    pub observed: u64,
    /// Live threads the ledger did not hold, all audits together.
    pub threads_missed: u64,
    /// Threads the ledger held that were gone.
    pub threads_left: u64,
    /// Open descriptors the ledger did not hold.
    pub handles_missed: u64,
    /// Descriptors the ledger held that were closed.
    pub handles_left: u64,
    /// Numbers that meant something else.
    pub handles_other: u64,
    /// The most differences one audit found.
    pub most: u64,
}

impl Drift {
    /// All differences together.
    pub fn total(&self) -> u64 {
        self.threads_missed
            + self.threads_left
            + self.handles_missed
            + self.handles_left
            + self.handles_other
    }
}

/// What a scan is told to do.
#[derive(Clone, Copy)]
struct Reading {
    began: BootTime,
    ended: BootTime,
    /// What is found new is of this origin, born in this interval.
    origin: Origin,
    born: Moment,
    /// What is missing died since then.
    since: Option<BootTime>,
    counts_drift: bool,
    heals: bool,
}

impl Ledger {
    pub(super) fn scan(&mut self, scan: &Scan) {
        let reading = Reading::of(scan);
        let before = self.drift.total();
        let Some(threads) = &scan.threads else {
            self.process_not_found(scan, &reading);
            self.end_audit(&reading, before);
            return;
        };
        let known = self.by_tgid.get(&scan.tgid.0).copied();
        let process = known.unwrap_or_else(|| {
            self.add_process(Process::new(scan.tgid, reading.born, reading.origin))
        });
        if let ScanRole::Poll { .. } = scan.role {
            self.processes[process].watch = Watch::Polls { until: scan.began };
        }
        if let Some(limits) = &scan.limits {
            let at = scan.ended;
            self.processes[process].facts = Some(Facts {
                at,
                limits: limits.clone(),
            });
        }
        self.compare_threads(process, threads, &reading);
        let mut told = Vec::with_capacity(scan.tables.len());
        for table in &scan.tables {
            self.compare_table(scan, table, &reading, &mut told);
        }
        if reading.heals {
            let scanned = &mut self.processes[process].scanned;
            *scanned = (*scanned).max(Some(scan.began));
        }
        self.end_audit(&reading, before);
    }

    fn end_audit(&mut self, reading: &Reading, before: u64) {
        if reading.counts_drift {
            self.drift.audits += 1;
            self.drift.observed += u64::from(!reading.heals);
            self.drift.most = self.drift.most.max(self.drift.total() - before);
        }
        self.changes.push(Change::Everything);
    }

    fn process_not_found(&mut self, scan: &Scan, reading: &Reading) {
        let Some(&process) = self.by_tgid.get(&scan.tgid.0) else {
            return;
        };
        if let ScanRole::Poll { .. } = scan.role {
            self.processes[process].watch = Watch::Polls { until: scan.began };
        }
        for thread in self.processes[process].threads.clone() {
            self.thread_not_found(thread, reading);
        }
    }

    fn compare_threads(&mut self, process: Key<Process>, seen: &[SeenThread], reading: &Reading) {
        for seen in seen {
            match self.by_tid.get(&seen.tid.0) {
                Some(&thread) if self.threads[thread].process == process => {
                    self.recognize(thread, seen, reading);
                }
                _ => {
                    let died_meanwhile = self.departed(process, seen.tid).is_some_and(|departed| {
                        departed.at >= reading.began
                            && self.is_start(departed.thread, seen.start_ticks)
                    });
                    if !died_meanwhile {
                        self.thread_missed(process, seen, reading);
                    }
                }
            }
        }
        let mut listed: Vec<u32> = seen.iter().map(|seen| seen.tid.0).collect();
        listed.sort_unstable();
        for thread in self.processes[process].threads.clone() {
            let tid = self.threads[thread].name.tid.0;
            if listed.binary_search(&tid).is_err() {
                self.thread_not_found(thread, reading);
            }
        }
    }

    fn recognize(&mut self, thread: Key<Thread>, seen: &SeenThread, reading: &Reading) {
        if !self.is_start(thread, seen.start_ticks) {
            if self.threads[thread].born.latest < reading.began {
                // Another thread has the number now.
                let process = self.threads[thread].process;
                self.thread_not_found(thread, reading);
                self.thread_missed(process, seen, reading);
            }
            return;
        }
        let record = &mut self.threads[thread];
        let is_provisional = record.live.as_ref().is_some_and(|live| live.provisional);
        if !is_provisional || !reading.heals {
            return;
        }
        if record.comm.bytes().is_empty() {
            record.comm = seen.comm;
        }
        if record.origin == Origin::Unseen {
            record.origin = reading.origin;
            if reading.origin != Origin::Unseen {
                self.counters.threads_unseen = self.counters.threads_unseen.saturating_sub(1);
            }
        }
        self.learn_ticks(thread, seen.start_ticks);
    }

    fn learn_ticks(&mut self, thread: Key<Thread>, ticks: u64) {
        self.live_mut(thread).start_ticks = Some(ticks);
        let born = &mut self.threads[thread].born;
        let start = BootTime(ticks.saturating_mul(10_000_000));
        born.earliest = born.earliest.max(start.min(born.latest));
    }

    fn is_start(&self, thread: Key<Thread>, ticks: u64) -> bool {
        let record = &self.threads[thread];
        let known = record.name.start.map(BootTime::ticks);
        known
            .or_else(|| record.live.as_ref()?.start_ticks)
            .is_none_or(|known| known == ticks)
    }

    fn thread_missed(&mut self, process: Key<Process>, seen: &SeenThread, reading: &Reading) {
        if reading.counts_drift {
            self.drift.threads_missed += 1;
        }
        if !reading.heals {
            return;
        }
        let tgid = self.processes[process].tgid;
        // The scan before would have found it.
        let scanned = self.processes[process].scanned.unwrap_or_default();
        let thread = self.thread_on_demand(seen.tid, tgid, reading.began);
        let record = &mut self.threads[thread];
        record.comm = seen.comm;
        record.origin = reading.origin;
        record.born = reading.born.not_before(scanned);
        self.learn_ticks(thread, seen.start_ticks);
        if reading.origin != Origin::Unseen {
            self.counters.threads_unseen = self.counters.threads_unseen.saturating_sub(1);
        }
    }

    fn thread_not_found(&mut self, thread: Key<Thread>, reading: &Reading) {
        let record = &self.threads[thread];
        // Threads that are exiting are not listed; their last switch is still to come, unless it
        // is among what was lost.
        let is_exiting =
            record.exiting.is_some() && reading.since.is_none() && !self.thread_tainted(thread);
        if record.born.latest >= reading.began || record.last_seen() >= reading.began || is_exiting
        {
            return;
        }
        if reading.counts_drift {
            self.drift.threads_left += 1;
        }
        if reading.heals {
            let died = Moment {
                earliest: record.last_seen().max(reading.since.unwrap_or_default()),
                latest: reading.ended,
            };
            self.thread_gone(thread, died, GoneHow::NotFound);
        }
    }
}

fn record_born(record: &Descriptor) -> BootTime {
    match record.state {
        State::Ambiguous { since } => since,
        _ => record.born.latest,
    }
}

impl Reading {
    fn of(scan: &Scan) -> Self {
        let (origin, since, earliest) = match scan.role {
            ScanRole::Baseline | ScanRole::Poll { since: None } => {
                (Origin::BeforeAttach, None, BootTime(0))
            }
            ScanRole::Poll { since: Some(since) } => (Origin::Polled, Some(since), since),
            ScanRole::Audit { .. } => (Origin::Unseen, None, BootTime(0)),
        };
        Self {
            began: scan.began,
            ended: scan.ended,
            origin,
            born: Moment {
                earliest: earliest.min(scan.ended),
                latest: scan.ended,
            },
            since,
            counts_drift: matches!(scan.role, ScanRole::Audit { .. }),
            heals: scan.role != ScanRole::Audit { heal: false },
        }
    }

    /// When something last known alive at `alive` died, if this scan no longer found it.
    fn died(&self, alive: BootTime) -> Moment {
        Moment {
            earliest: self.since.unwrap_or(alive).min(self.ended),
            latest: self.ended,
        }
    }
}

impl Descriptor {
    /// When an event last said something about it.
    pub(super) fn last_change(&self) -> BootTime {
        match self.state {
            State::Open => self.born.latest,
            State::Ambiguous { since } | State::Rival { since } => since,
            State::Closing { replaced } => replaced,
            State::Closed { returned, .. } => returned,
        }
    }
}
