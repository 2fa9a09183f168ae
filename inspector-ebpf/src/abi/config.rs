//! Constants the loader writes before the programs are verified, and the size of `TARGETS`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Offsets in kernel structures, from the running kernel's BTF. aya's programs get no CO-RE field
/// relocations, so the loader looks these up. [`ABSENT`] = this kernel has no such field.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Offsets {
    /// `task_struct.pid`.
    pub task_pid: u32,
    /// `task_struct.tgid`.
    pub task_tgid: u32,
    /// `task_struct.start_boottime`.
    pub task_start_boottime: u32,
    /// `task_struct.comm`.
    pub task_comm: u32,
    /// `task_struct.files`.
    pub task_files: u32,
    /// `task_struct.thread_info.status`.
    pub task_status: u32,
    /// `task_struct.stack`.
    pub task_stack: u32,
    /// `files_struct.fdt`.
    pub files_fdt: u32,
    /// `fdtable.max_fds`.
    pub fdt_max_fds: u32,
    /// `fdtable.fd`.
    pub fdt_fd: u32,
    /// `fdtable.open_fds`.
    pub fdt_open_fds: u32,
    /// `fdtable.close_on_exec`.
    pub fdt_close_on_exec: u32,
    /// `file.f_ref` (6.13 and newer: counts from 0) or [`ABSENT`].
    /// Upstream 90ee6ed776c0 ("fs: port files to file_ref").
    pub file_ref: u32,
    /// `file.f_count` (older: counts from 1) or [`ABSENT`].
    pub file_count: u32,
}

/// This kernel has no such field.
pub const ABSENT: u32 = u32::MAX;

/// Everything the loader tells the programs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Config {
    /// Kernel structure offsets.
    pub offsets: Offsets,
    /// 1 = children of a target are targets too.
    pub follow_forks: u32,
    /// Wake the reader when this many bytes wait in the ring; 0 = never, it polls.
    pub wakeup_bytes: u32,
    /// 1 = the probe set has waits: the exit of every call of a target ends one.
    pub waits: u32,
    /// 1 = the names by which files are opened are sent.
    pub names: u32,
    /// A wait is sent when it lasted longer, nanoseconds.
    pub wait_threshold_ns: u64,
}

/// Numbers of tasks are below this: `PID_MAX_LIMIT` of 64-bit kernels (`include/linux/threads.h`).
/// The map `TARGETS` has a bit for each, in words of 64.
pub const PID_LIMIT: u32 = 4 * 1024 * 1024;
