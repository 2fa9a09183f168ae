//! What a system call costs a process that nobody watches, before and while the probes are there.
//!
//! The programs run at every system call of the host, and leave at once where the caller is not
//! watched. This process is not watched either: what its own calls take is what all others pay.

use std::{hint::black_box, time::Instant};

/// The cost of the cheapest system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toll {
    /// In nanoseconds, before anything was attached.
    pub before_ns: u64,
    /// In nanoseconds, with the programs attached.
    pub after_ns: u64,
}

impl Toll {
    /// What watching adds to each system call, in nanoseconds.
    pub fn added_ns(self) -> u64 {
        self.after_ns.saturating_sub(self.before_ns)
    }
}

/// Slices that are timed, each by itself; the fastest counts, for what disturbs only slows down.
const SLICES: u32 = 20;
/// Calls of a slice.
const CALLS: u32 = 1_000;

/// Nanoseconds that one cheap system call takes now. Measuring takes a few milliseconds.
pub fn measure() -> u64 {
    let slice = |_| {
        let started = Instant::now();
        for _ in 0..CALLS {
            black_box(rustix::process::getppid());
        }
        started.elapsed() / CALLS
    };
    let fastest = (0..SLICES).map(slice).min().unwrap_or_default();
    crate::duration::as_ns(fastest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_some_time_and_measuring_it_not_much() {
        let started = Instant::now();
        let ns = measure();
        assert!((1..100_000).contains(&ns), "{ns}");
        assert!(started.elapsed().as_secs() < 2);
    }

    #[test]
    fn what_got_faster_costs_nothing() {
        let toll = |before_ns, after_ns| Toll {
            before_ns,
            after_ns,
        };
        assert_eq!(toll(75, 120).added_ns(), 45);
        assert_eq!(toll(75, 74).added_ns(), 0);
    }
}
