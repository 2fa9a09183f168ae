//! What each cpu sent and what it could not send.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::record::kind;

/// Value of the per-cpu map `COUNTERS`. For each kind, produced = received + lost.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Counters {
    /// Records a program wanted to send, by kind.
    pub produced: [u64; kind::COUNT],
    /// Of these, those the ring had no room for.
    pub lost: [u64; kind::COUNT],
    /// Sum of `lost`.
    pub lost_total: u64,
    /// `CLOCK_BOOTTIME` of the first loss; 0 = none.
    pub first_loss_ns: u64,
    /// Of the last.
    pub last_loss_ns: u64,
    /// Map updates that failed, by [`full`].
    pub full: [u64; full::COUNT],
}

/// Maps whose failed updates are counted.
pub mod full {
    /// What each thread waits in.
    pub const WAITS: usize = 0;
    /// Sums by futex word.
    pub const FUTEXES: usize = 1;
    /// Wakers by futex word.
    pub const FUTEX_WAKERS: usize = 2;
    /// How many there are.
    pub const COUNT: usize = 3;
    /// The maps' names.
    pub const NAMES: [&str; COUNT] = ["WAITS", "FUTEXES", "FUTEX_WAKERS"];
}
