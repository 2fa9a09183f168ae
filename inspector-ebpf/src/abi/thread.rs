//! Births, names, execs and deaths of threads.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::record::Header;

/// A task was born; the header's task is its creator ([`super::record::kind::BORN`]).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct BornRecord {
    /// The header: time of `task_newtask`, in the creator's context.
    pub header: Header,
    /// The child's `task->start_boottime`, nanoseconds.
    pub start_ns: u64,
    /// Clone flags as the kernel normalized them.
    pub clone_flags: u64,
    /// Kernel address of the child's `files_struct`; 0 = not read.
    pub files: u64,
    /// The child, in the initial pid namespace.
    pub child_tid: u32,
    /// The child's process.
    pub child_tgid: u32,
    /// The child's name, NUL-padded.
    pub comm: [u8; 16],
}

/// A thread was renamed ([`super::record::kind::RENAMED`]); the header's task did it.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct RenamedRecord {
    /// The header.
    pub header: Header,
    /// The renamed thread (any thread of the process may write /proc/self/task/TID/comm).
    pub tid: u32,
    /// Zero.
    pub pad: u32,
    /// The new name, NUL-padded.
    pub comm: [u8; 16],
}

/// A process executed a program; the header's tid is the one after it
/// ([`super::record::kind::EXEC`]).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct ExecRecord {
    /// The header.
    pub header: Header,
    /// `task->start_boottime` after the exec: the leader's, when another thread called exec.
    pub start_ns: u64,
    /// Kernel address of the `files_struct` after the exec; 0 = not read.
    pub files: u64,
    /// The tid of the caller before the exec.
    pub old_tid: u32,
    /// Zero.
    pub pad: u32,
    /// The new name, NUL-padded.
    pub comm: [u8; 16],
}

/// A thread starts to exit, or is gone ([`super::record::kind::EXITING`], `GONE`).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct ExitRecord {
    /// The header.
    pub header: Header,
    /// `task->start_boottime`, nanoseconds.
    pub start_ns: u64,
    /// Kernel address of its `files_struct`; 0 = not read, or already let go.
    pub files: u64,
}
