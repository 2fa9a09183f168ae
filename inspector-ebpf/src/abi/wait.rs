//! What threads wait in, for how long, and who woke them.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::record::Header;

/// A system call in which a thread blocked ended, after more than the threshold
/// ([`super::record::kind::WAIT`]).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct WaitRecord {
    /// The header; its time is the end of the wait (the call's exit).
    pub header: Header,
    /// The wait that ended.
    pub blocked: Blocked,
    /// Who woke the thread last in it.
    pub waker: Waker,
}

/// A call a thread blocked in.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Blocked {
    /// `CLOCK_BOOTTIME` of the first block within the call; 0 = none, [`BEFORE_ATTACH`] = before
    /// anybody looked.
    pub since_ns: u64,
    /// System call number (64-bit table), or [`NOT_A_CALL`] for a fault or a stop.
    pub nr: u64,
    /// The first four arguments: for futex the word's address, the operation, the value and the
    /// timeout's address.
    pub args: [u64; 4],
}

/// [`Blocked::since_ns`] of a wait that was under way when its thread was first looked at. It is
/// in no sum: how long it lasted is not known.
pub const BEFORE_ATTACH: u64 = 1;

/// `orig_ax` where a thread blocked outside any system call.
pub const NOT_A_CALL: u64 = u64::MAX;

/// Who woke a thread.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Waker {
    /// `CLOCK_BOOTTIME` of the wake-up; 0 = none seen.
    pub time_ns: u64,
    /// The task that ran then.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// One of [`waker`].
    pub kind: u32,
    /// Zero.
    pub pad: u32,
}

/// How a wake-up came about.
pub mod waker {
    /// None seen.
    pub const NONE: u32 = 0;
    /// The task woke it from its own system call.
    pub const TASK: u32 = 1;
    /// An interrupt (timer, network) on that task's back: supports no claim about it.
    pub const INTERRUPT: u32 = 2;
}

/// Value of the map `WAITS`, by tid: what the thread is in now, and its sums.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct ThreadWaits {
    /// The call it last blocked in; ended when `blocked.since_ns` is 0.
    pub blocked: Blocked,
    /// The last wake-up.
    pub waker: Waker,
    /// Its process.
    pub tgid: u32,
    /// 1 = off the cpu and not runnable now.
    pub off_cpu: u32,
    /// Last time it got a cpu after a block, `CLOCK_BOOTTIME`; 0 = not seen.
    pub ran_ns: u64,
    /// Calls that blocked and ended.
    pub count: u64,
    /// Nanoseconds in them, from the first block to the call's exit.
    pub total_ns: u64,
    /// Ends by log2 of microseconds: bucket n holds [2^(n−1), 2^n) µs, bucket 0 below 1 µs, the
    /// last one the rest.
    pub histogram: [u32; BUCKETS],
}

/// Buckets of a wait histogram.
pub const BUCKETS: usize = 32;

/// Key of the map `FUTEXES`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FutexKey {
    /// The word's address in the waiter.
    pub address: u64,
    /// The waiter's process.
    pub tgid: u32,
    /// Zero.
    pub pad: u32,
}

/// Value of the map `FUTEXES`: one futex word's waits.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FutexWaits {
    /// Waits that ended.
    pub count: u64,
    /// Nanoseconds in them.
    pub total_ns: u64,
    /// As [`ThreadWaits::histogram`].
    pub histogram: [u32; BUCKETS],
}

/// Key of the map `FUTEX_WAKERS`: who woke waiters of a word. A wake-up that comes before the
/// waiter has left the cpu ends no wait, and is not counted.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FutexWakerKey {
    /// The word, as the waiter sees it.
    pub word: FutexKey,
    /// The waking task; 0 = interrupts.
    pub tid: u32,
    /// One of [`waker`].
    pub kind: u32,
}
