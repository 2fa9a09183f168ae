//! What a run's time axis shows: live threads and handles, when deletes ended, when events were lost.
//!
//! A run of any length takes the same room: where there are too many points, each two next to each
//! other become one.

#[cfg(test)]
mod tests;

use crate::{
    event::{Batch, What, id::BootTime, loss::Layer, mark::Declared},
    ledger::Ledger,
};

/// Most points of a sort.
const MOST: usize = 1024;
/// Time between two samples, until there are too many.
const STEP_NS: u64 = 20_000_000;

/// How many threads and handles lived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When they were counted first.
    pub at: BootTime,
    /// Live threads: the most there were until the next sample's time, as far as they were counted.
    pub threads: u32,
    /// Open handles, likewise.
    pub handles: u32,
}

/// Deletes that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletes {
    /// When the first of them did.
    pub at: BootTime,
    /// How many there were before the next point.
    pub count: u64,
}

/// A stretch in which events were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Not before.
    pub from: BootTime,
    /// Not after.
    pub until: BootTime,
    /// How many.
    pub count: u64,
}

/// The points of the axis, each sort in the order in which they were told.
#[derive(Clone, Debug)]
pub struct Moments {
    samples: Vec<Sample>,
    deletes: Vec<Deletes>,
    lost: Vec<Lost>,
    step_ns: u64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            samples: Vec::new(),
            deletes: Vec::new(),
            lost: Vec::new(),
            step_ns: STEP_NS,
        }
    }
}

impl Moments {
    /// Notes what a batch tells, once the ledger has taken it in.
    pub fn take(&mut self, batch: &Batch, ledger: &Ledger) {
        for event in &batch.events {
            match &event.what {
                What::Mark(mark) if mark.what == Declared::DeleteEnd => self.deleted(event.at),
                // What no probe watches has no count and no end: it is told with the probes.
                What::Gap(gap) if !matches!(gap.layer, Layer::Unwatched(_)) => {
                    self.lost(gap.from, gap.until, gap.total());
                }
                _ => {}
            }
        }
        let now = ledger.now();
        let last = self.samples.last();
        if last.is_none_or(|last| now.since_ns(last.at) >= self.step_ns) {
            let (threads, handles) = live(ledger);
            // Before anything was met there is nothing to count: no zero stands for that.
            if last.is_some() || threads > 0 || handles > 0 {
                self.add(now, threads, handles);
            }
        }
    }

    /// So many live at this time.
    pub fn add(&mut self, at: BootTime, threads: u32, handles: u32) {
        if self.samples.len() >= MOST {
            self.step_ns *= 2;
            halve(&mut self.samples, |one, next| Sample {
                at: one.at,
                threads: one.threads.max(next.threads),
                handles: one.handles.max(next.handles),
            });
        }
        self.samples.push(Sample {
            at,
            threads,
            handles,
        });
    }

    /// A delete ended.
    pub fn deleted(&mut self, at: BootTime) {
        if self.deletes.len() >= MOST {
            halve(&mut self.deletes, |one, next| Deletes {
                at: one.at.min(next.at),
                count: one.count + next.count,
            });
        }
        self.deletes.push(Deletes { at, count: 1 });
    }

    /// So many events were lost between these times.
    pub fn lost(&mut self, from: BootTime, until: BootTime, count: u64) {
        if count == 0 {
            return;
        }
        if self.lost.len() >= MOST {
            halve(&mut self.lost, |one, next| Lost {
                from: one.from.min(next.from),
                until: one.until.max(next.until),
                count: one.count.saturating_add(next.count),
            });
        }
        self.lost.push(Lost { from, until, count });
    }

    /// Live threads and handles.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Ends of deletes.
    pub fn deletes(&self) -> &[Deletes] {
        &self.deletes
    }

    /// Losses.
    pub fn losses(&self) -> &[Lost] {
        &self.lost
    }
}

/// Live threads and open handles, now.
pub fn live(ledger: &Ledger) -> (u32, u32) {
    let threads: usize = ledger
        .processes()
        .map(|(_, process)| process.live_threads())
        .sum();
    let live = ledger.tables().filter(|(_, table)| table.dead.is_none());
    let handles = live.map(|(_, table)| table.open).sum();
    (u32::try_from(threads).unwrap_or(u32::MAX), handles)
}

/// Each two become one.
fn halve<T: Copy>(points: &mut Vec<T>, joined: impl Fn(T, T) -> T) {
    let pairs = points.chunks(2).map(|pair| match *pair {
        [one, next] => joined(one, next),
        _ => pair[0],
    });
    *points = pairs.collect();
}
