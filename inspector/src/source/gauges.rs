//! How a source fares while it runs: what it writes beside its events, for whoever watches the
//! watching.
//!
//! Readings say how fast and how full, never what happened: none of it is an event, is recorded or
//! reaches the ledger. What was lost is told there, by gaps.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::event::loss::Count;

/// What a source shows of itself: written by its thread, a few times a look and never a record;
/// read by anybody at any time.
#[derive(Debug, Default)]
pub struct Gauges(Mutex<Reading>);

/// How a source fares, as it wrote last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Records so far by kind, no more than 200 ms old; a poll's are its scans. What waits in the
    /// ring was produced, and has neither arrived nor been lost.
    pub records: Vec<(&'static str, Count)>,
    /// The kernel's ring; `None` = the source has none.
    pub ring: Option<RingReading>,
    /// Audits of all targets, whether asked for or owed to a loss.
    pub audits: Rounds,
    /// What descriptors point at, as it is looked up after their births.
    pub targets: TargetsReading,
    /// A polling source's readings of all targets; those asked for by `Drain` count too.
    pub polls: Rounds,
}

/// How the kernel's ring fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingReading {
    /// What it holds, in bytes.
    pub size_bytes: u64,
    /// What the last drain took out, in bytes of the ring: what had gathered in it, and what came
    /// while it was emptied. A drain takes a batch at most, and leaves the rest to the next.
    pub drained_bytes: u64,
    /// The most that any drain took out, in bytes of the ring.
    pub most_drained_bytes: u64,
    /// Drains so far.
    pub drains: u64,
    /// Records taken out and decoded so far, damaged ones included.
    pub decoded: u64,
    /// Nanoseconds spent on these: reading the ring, decoding and counting.
    pub decoding_ns: u64,
    /// Of these records, those that could not be decoded.
    pub damaged: u64,
}

impl RingReading {
    /// Nanoseconds a record; `None` = none came yet.
    pub fn ns_per_record(&self) -> Option<u64> {
        self.decoding_ns.checked_div(self.decoded)
    }
}

/// How the look-ups of what new descriptors point at fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetsReading {
    /// Descriptors looked up.
    pub read: u64,
    /// Births that were left out because too many came at once: what their descriptors point at
    /// is not known until an audit.
    pub dropped: u64,
    /// Births that wait.
    pub waiting: usize,
    /// Sockets whose state no table has told yet.
    pub sockets_waiting: usize,
}

/// Something done again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// How many times so far.
    pub count: u64,
    /// Nanoseconds the last one took.
    pub last_ns: u64,
}

/// What one drain took out of the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drained {
    records: u64,
    bytes: u64,
    damaged: u64,
}

impl Drained {
    /// Counts a record of so many bytes.
    pub(super) fn add(&mut self, record_bytes: usize, damaged: bool) {
        self.records += 1;
        self.bytes += in_ring(record_bytes);
        self.damaged += u64::from(damaged);
    }

    /// How many records it has taken.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// How many of them could not be decoded.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }
}

/// Bytes that a record takes in the ring: the kernel puts eight before it and rounds up to eight
/// (`__bpf_ringbuf_reserve`).
fn in_ring(record_bytes: usize) -> u64 {
    (record_bytes as u64 + 8).next_multiple_of(8)
}

impl Gauges {
    /// What it shows now.
    pub fn read(&self) -> Reading {
        self.lock().clone()
    }

    pub(super) fn ring_is(&self, size_bytes: u64) {
        self.lock().ring = Some(RingReading {
            size_bytes,
            ..RingReading::default()
        });
    }

    pub(super) fn drained(&self, drained: Drained, took: Duration) {
        let mut reading = self.lock();
        let ring = reading.ring.get_or_insert_default();
        ring.drained_bytes = drained.bytes;
        ring.most_drained_bytes = ring.most_drained_bytes.max(drained.bytes);
        ring.drains += 1;
        ring.decoded += drained.records;
        ring.decoding_ns = ring
            .decoding_ns
            .saturating_add(crate::duration::as_ns(took));
        ring.damaged += drained.damaged;
    }

    pub(super) fn records(&self, records: Vec<(&'static str, Count)>) {
        self.lock().records = records;
    }

    pub(super) fn audited(&self, took: Duration) {
        self.lock().audits.add(took);
    }

    pub(super) fn targets(&self, reading: TargetsReading) {
        self.lock().targets = reading;
    }

    pub(super) fn polled(&self, took: Duration) {
        self.lock().polls.add(took);
    }

    /// No writer leaves a reading half-written that a panic could show.
    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rounds {
    fn add(&mut self, took: Duration) {
        self.count += 1;
        self.last_ns = crate::duration::as_ns(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(records: &[usize]) -> Drained {
        let mut drained = Drained::default();
        for &bytes in records {
            drained.add(bytes, false);
        }
        drained
    }

    #[test]
    fn a_record_takes_its_header_and_whole_words() {
        assert_eq!([0, 1, 8, 9, 32].map(in_ring), [8, 16, 16, 24, 40]);
    }

    #[test]
    fn drains_add_up_and_the_fullest_is_remembered() {
        let gauges = Gauges::default();
        gauges.ring_is(4096);
        assert_eq!(gauges.read().ring.unwrap().ns_per_record(), None);
        gauges.drained(drained(&[100, 100, 60]), Duration::from_nanos(900));
        let mut last = drained(&[32]);
        last.add(5, true);
        gauges.drained(last, Duration::from_nanos(100));
        let ring = gauges.read().ring.unwrap();
        assert_eq!(
            ring,
            RingReading {
                size_bytes: 4096,
                drained_bytes: 40 + 16,
                most_drained_bytes: 112 + 112 + 72,
                drains: 2,
                decoded: 5,
                decoding_ns: 1000,
                damaged: 1,
            }
        );
        assert_eq!(ring.ns_per_record(), Some(200));
    }

    #[test]
    fn rounds_are_counted_and_the_last_is_timed() {
        let gauges = Gauges::default();
        for ns in [7, 3] {
            gauges.audited(Duration::from_nanos(ns));
        }
        gauges.polled(Duration::from_nanos(5));
        let reading = gauges.read();
        let rounds = |count, last_ns| Rounds { count, last_ns };
        assert_eq!(
            (reading.audits, reading.polls),
            (rounds(2, 3), rounds(1, 5))
        );
        assert_eq!(reading.ring, None);
    }
}
