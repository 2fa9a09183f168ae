//! Waits of threads, and who ended them.

use super::id::{BootTime, Tgid, Tid};

/// What is known of waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitEvent {
    /// A wait longer than the threshold ended (at the event's time).
    Ended {
        /// The thread.
        tid: Tid,
        /// Its process.
        tgid: Tgid,
        /// What it waited in.
        wait: Blocked,
        /// Who woke it.
        waker: Option<Waker>,
    },
    /// A thread's state, read from the kernel's map.
    Sample {
        /// The thread.
        tid: Tid,
        /// Its process.
        tgid: Tgid,
        /// What it is blocked in; `None` = it runs or is runnable.
        blocked: Option<Blocked>,
        /// When it last got a cpu after a block.
        ran: Option<BootTime>,
        /// Who woke it last.
        waker: Option<Waker>,
        /// Sums over its ended waits.
        sums: WaitSums,
    },
    /// A futex word's sums, read from the kernel's map.
    Futex {
        /// The process.
        tgid: Tgid,
        /// The word's address.
        address: u64,
        /// Sums over the waits on it.
        sums: WaitSums,
        /// Who woke its waiters, and how often.
        wakers: Vec<(Waking, u64)>,
    },
}

/// The call a thread blocked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Blocked {
    /// The first block within the call; `None` = before the attach.
    pub since: Option<BootTime>,
    /// System call number; `None` = a fault or a stop.
    pub call: Option<u16>,
    /// Its first four arguments; for futex: address, operation, value, timeout's address.
    pub args: [u64; 4],
}

/// A wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waker {
    /// When.
    pub at: BootTime,
    /// How.
    pub how: Waking,
}

/// How a wake-up came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Waking {
    /// A thread's system call.
    Thread(Tid),
    /// An interrupt (timer, network): whose back it rode on proves nothing.
    Interrupt,
}

/// Sums over waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WaitSums {
    /// How many.
    pub count: u64,
    /// Nanoseconds in them.
    pub total_ns: u64,
    /// By log2 of microseconds: bucket n holds [2^(n−1), 2^n) µs, bucket 0 below 1 µs.
    pub histogram: [u32; 32],
}
