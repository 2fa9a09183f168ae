//! The header every ring record starts with, and the record kinds.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// First 32 bytes of every record.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Header {
    /// `CLOCK_BOOTTIME` in nanoseconds, read just before the ring reserve. Within one cpu and
    /// within one thread it never runs backwards; across cpus ring order and time order differ.
    pub time_ns: u64,
    /// Records this cpu had failed to send so far, all kinds. A step between two records of one
    /// cpu is a gap that lies between their times.
    pub lost_before: u64,
    /// Process (thread group) of the current task, in the initial pid namespace.
    pub tgid: u32,
    /// Current task, in the initial pid namespace.
    pub tid: u32,
    /// One of [`kind`].
    pub kind: u16,
    /// The cpu that wrote the record.
    pub cpu: u16,
    /// Bytes of the whole record, header included.
    pub len: u32,
}

/// Record kinds; also the index of the per-kind counters in [`super::loss::Counters`].
pub mod kind {
    /// A descriptor-changing system call returned: [`super::super::call::CallRecord`].
    pub const CALL: u16 = 0;
    /// Ancillary data was received: [`super::super::call::PassedRecord`].
    pub const PASSED: u16 = 1;
    /// A thread or process was born: [`super::super::thread::BornRecord`].
    pub const BORN: u16 = 2;
    /// A thread changed its name: [`super::super::thread::RenamedRecord`].
    pub const RENAMED: u16 = 3;
    /// A process executed a program: [`super::super::thread::ExecRecord`].
    pub const EXEC: u16 = 4;
    /// A thread started to exit: [`super::super::thread::ExitRecord`].
    pub const EXITING: u16 = 5;
    /// A thread left the cpu for the last time: [`super::super::thread::ExitRecord`].
    pub const GONE: u16 = 6;
    /// A piece of a descriptor table's bitmaps: [`super::super::table::TableRecord`].
    pub const TABLE: u16 = 7;
    /// A wait longer than the threshold ended: [`super::super::wait::WaitRecord`].
    pub const WAIT: u16 = 8;
    /// A mark site was passed: [`super::super::mark::MarkRecord`].
    pub const MARK: u16 = 9;
    /// A table changed in a way the programs cannot follow:
    /// [`super::super::table::UnsettledRecord`].
    pub const UNSETTLED: u16 = 10;
    /// The name by which something was opened: [`super::super::name::NameRecord`].
    pub const NAME: u16 = 11;
    /// How many kinds there are.
    pub const COUNT: usize = 12;

    /// The word for each kind, as screens and reports print it.
    pub const NAMES: [&str; COUNT] = [
        "call",
        "passed",
        "born",
        "renamed",
        "exec",
        "exiting",
        "gone",
        "table",
        "wait",
        "mark",
        "unsettled",
        "name",
    ];
}
