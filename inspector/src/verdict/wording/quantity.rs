//! Durations and moments in words.

use std::fmt::{self, Display, Formatter};

use crate::event::id::{BootTime, Moment};
use crate::verdict::Latency;

impl Display for Latency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (least, most) = (self.least_ns, self.most_ns);
        if least == most {
            Duration(least).fmt(f)
        } else if least == 0 {
            write!(f, "at most {}", Duration(most))
        } else {
            let unit = Unit::of(most);
            write!(f, "between {} and {}", unit.number(least), Duration(most))
        }
    }
}

/// Nanoseconds, in the unit that suits them.
#[derive(Clone, Copy, Debug)]
pub struct Duration(pub u64);

struct Unit {
    ns: u64,
    word: &'static str,
}

impl Unit {
    fn of(ns: u64) -> Self {
        let (unit_ns, word) = match ns {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            1_000_000..10_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        Self { ns: unit_ns, word }
    }

    /// One decimal below ten of the unit, none above.
    fn number(&self, ns: u64) -> String {
        let tenths = (ns % self.ns) * 10 / self.ns;
        let whole = ns / self.ns;
        if whole < 10 && tenths > 0 {
            format!("{whole}.{tenths}")
        } else {
            whole.to_string()
        }
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = Unit::of(self.0);
        write!(f, "{} {}", unit.number(self.0), unit.word)
    }
}

/// A time, seen from a delete's end (or as seconds since boot where there is none).
pub(super) struct Seen(pub(super) Moment, pub(super) Option<BootTime>);

impl Display for Seen {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(moment, end) = *self;
        let Some(end) = end else {
            let ns = moment.latest.0;
            return write!(
                f,
                "at {}.{:06} s",
                ns / 1_000_000_000,
                ns % 1_000_000_000 / 1_000
            );
        };
        if moment.earliest >= end {
            write!(f, "{} after the delete", Latency::from(end, moment))
        } else if moment.latest <= end {
            let latency = Latency {
                least_ns: end.since_ns(moment.latest),
                most_ns: end.since_ns(moment.earliest),
            };
            if moment.earliest.0 == 0 && !moment.is_exact() {
                write!(
                    f,
                    "at least {} before the delete's end",
                    Duration(latency.least_ns)
                )
            } else {
                write!(f, "{latency} before the delete's end")
            }
        } else {
            write!(f, "around the delete's end")
        }
    }
}
