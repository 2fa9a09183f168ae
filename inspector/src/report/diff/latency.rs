//! How long after their deletes' ends resources went.

use crate::verdict::{How, Verdict};

/// Latencies in nanoseconds. One that is known only to lie between two counts as the longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies(Vec<u64>);

/// What latencies come to, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many there are.
    pub count: usize,
    /// Half of them are at most this.
    pub p50_ns: u64,
    /// 99 of 100 are at most this.
    pub p99_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Latencies {
    /// What went before its delete's end took no time; what went before its delete, or is still
    /// there, has no latency.
    pub(super) fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Gone(How::After(after)) | Verdict::Late { after } => {
                self.0.push(after.most_ns);
            }
            Verdict::Gone(How::DuringDelete | How::BeforeEnd) => self.0.push(0),
            _ => {}
        }
    }

    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
    }

    /// `None` = there is none.
    pub fn summary(&self) -> Option<Summary> {
        let max_ns = *self.0.last()?;
        let count = self.0.len();
        // The smallest that so many of 100 are not above.
        let of_100 = |percent: usize| self.0[(count * percent).div_ceil(100).max(1) - 1];
        Some(Summary {
            count,
            p50_ns: of_100(50),
            p99_ns: of_100(99),
            max_ns,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Latency, Retained};

    #[test]
    fn quantiles_are_of_those_that_went() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.summary(), None);
        latencies.add(&Verdict::Retained(Retained::Open));
        latencies.add(&Verdict::Gone(How::BeforeDelete));
        assert_eq!(latencies.summary(), None);
        for ns in (1..=200).rev() {
            latencies.add(&Verdict::Gone(How::After(Latency {
                least_ns: 0,
                most_ns: ns,
            })));
        }
        latencies.sort();
        let summary = latencies.summary().unwrap();
        assert_eq!(
            (
                summary.count,
                summary.p50_ns,
                summary.p99_ns,
                summary.max_ns
            ),
            (200, 100, 198, 200)
        );
    }
}
