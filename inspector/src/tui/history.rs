//! Live threads and handles over time, and when deletes ended: what the header's chart shows.

use std::collections::VecDeque;

use crate::event::BootTime;

/// Time of one sample.
pub const STEP_NS: u64 = 500_000_000;
/// Samples kept: an hour.
const SAMPLES: usize = 7200;
/// Deletes kept.
const DELETES: usize = 20_000;

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was taken.
    pub at: BootTime,
    /// Live threads.
    pub threads: u32,
    /// Open handles.
    pub handles: u32,
}

/// The samples so far, oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    samples: VecDeque<Sample>,
    deletes: VecDeque<BootTime>,
}

impl History {
    /// Whether a step has passed since the last sample.
    pub fn is_due(&self, now: BootTime) -> bool {
        self.samples
            .back()
            .is_none_or(|last| now.since_ns(last.at) >= STEP_NS)
    }

    /// Adds a sample.
    pub fn add(&mut self, sample: Sample) {
        if self.samples.len() >= SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// Notes that a delete ended.
    pub fn deleted(&mut self, at: BootTime) {
        if self.deletes.len() >= DELETES {
            self.deletes.pop_front();
        }
        self.deletes.push_back(at);
    }

    /// Forgets everything: another run begins.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The last `columns` steps up to `now`, oldest first: the sample of each, where one was
    /// taken, and how many deletes ended in it. A step begins at a whole multiple of
    /// [`STEP_NS`], so that a chart moves by whole columns.
    pub fn columns(&self, now: BootTime, columns: usize) -> Vec<(Option<Sample>, usize)> {
        let mut found = vec![(None, 0); columns];
        let last = now.0 / STEP_NS;
        let column = |at: BootTime| {
            let age = last.checked_sub(at.0 / STEP_NS)?;
            columns.checked_sub(1 + usize::try_from(age).ok()?)
        };
        for sample in self.samples.iter().rev() {
            match column(sample.at) {
                Some(column) => found[column].0 = Some(*sample),
                None if sample.at < now => break,
                None => {}
            }
        }
        for &at in self.deletes.iter().rev() {
            match column(at) {
                Some(column) => found[column].1 += 1,
                None if at < now => break,
                None => {}
            }
        }
        // A step in which nobody sampled shows what was before it.
        for index in 1..columns {
            if found[index].0.is_none() {
                found[index].0 = found[index - 1].0;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_what_was_and_when_deletes_ended() {
        let mut history = History::default();
        let sample = |step: u64, threads| Sample {
            at: BootTime(step * STEP_NS + 1),
            threads,
            handles: 0,
        };
        history.add(sample(10, 1));
        history.add(sample(12, 3));
        history.deleted(BootTime(12 * STEP_NS + 7));
        history.deleted(BootTime(12 * STEP_NS + 9));
        let columns = history.columns(BootTime(13 * STEP_NS + 5), 5);
        let threads: Vec<_> = columns
            .iter()
            .map(|(sample, deletes)| (sample.map(|sample| sample.threads), *deletes))
            .collect();
        assert_eq!(
            threads,
            [
                (None, 0),
                (Some(1), 0),
                (Some(1), 0),
                (Some(3), 2),
                (Some(3), 0)
            ]
        );
        assert!(
            history
                .columns(BootTime(1_000 * STEP_NS), 2)
                .iter()
                .all(|(_, n)| *n == 0)
        );
        assert!(history.columns(BootTime(13 * STEP_NS), 0).is_empty());
    }
}
