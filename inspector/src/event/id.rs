//! The kernel's bare numbers and times, each in a type of its own.

use std::fmt;

/// Nanoseconds since boot, suspended time included (`CLOCK_BOOTTIME`).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct BootTime(pub u64);

impl BootTime {
    /// Nanoseconds from `earlier` to `self`; 0 when `earlier` is later.
    pub fn since_ns(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `self` + `ns`.
    #[must_use]
    pub fn plus_ns(self, ns: u64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// The clock ticks of /proc/PID/stat's field 22 (10 ms each) that a task with this start
    /// time shows.
    pub fn ticks(self) -> u64 {
        self.0 / 10_000_000
    }
}

/// A moment known to lie between two times, both included; equal when it is known exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Moment {
    /// Not before.
    pub earliest: BootTime,
    /// Not after.
    pub latest: BootTime,
}

impl Moment {
    /// A moment known exactly.
    pub fn exact(at: BootTime) -> Self {
        Self {
            earliest: at,
            latest: at,
        }
    }

    /// The part of it that is not before a time.
    #[must_use]
    pub fn not_before(self, time: BootTime) -> Self {
        Self {
            earliest: self.earliest.max(time.min(self.latest)),
            ..self
        }
    }

    /// Whether it is known exactly.
    pub fn is_exact(self) -> bool {
        self.earliest == self.latest
    }
}

/// A thread's number (the kernel's `pid`), in the initial pid namespace.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Tid(pub u32);

/// A process's number (the kernel's `tgid`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Tgid(pub u32);

/// A number in a descriptor table.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Fd(pub u32);

/// Kernel address of a `files_struct`: tells whether two threads share a table. Reused after the
/// table's death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct FilesAddress(pub std::num::NonZeroU64);

/// Kernel address of a `struct file`: tells whether two live descriptors share an open file
/// description. Reused after its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct FileAddress(pub std::num::NonZeroU64);

/// Number of a system call in the 64-bit table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct CallNumber(pub u16);

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Tgid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
