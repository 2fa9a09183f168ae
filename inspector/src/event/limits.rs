//! What limits a process, and what else /proc tells of it: read with a baseline, polls and audits.

use super::{id::Tgid, text::Text};

/// What one reading told. What could not be read is `None`: not known, and never 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Descriptors of a table (`RLIMIT_NOFILE`), what holds now.
    pub nofile: Option<Ceiling>,
    /// The same, as far as the process may raise it itself.
    pub nofile_hard: Option<Ceiling>,
    /// Threads of its user (`RLIMIT_NPROC`), what holds now.
    pub nproc: Option<Ceiling>,
    /// The limit of its cgroup, or of the one above it that has the least room left.
    pub pids: Option<CgroupPids>,
    /// Threads of the whole host (`kernel.threads-max`).
    pub threads_max: Option<u64>,
    /// The highest pid and one (`kernel.pid_max`).
    pub pid_max: Option<u64>,
    /// Threads of the whole host, now.
    pub host_threads: Option<u64>,
    /// Its number in its own pid namespace, where that is another than the reader's.
    pub inner_pid: Option<u32>,
    /// Its start in clock ticks since boot.
    pub start_ticks: Option<u64>,
    /// Its command line, the arguments parted by NUL, and its first 4 KiB at most.
    pub command: Option<Text>,
    /// Its parent process.
    pub parent: Option<Tgid>,
    /// Its real user, whose threads `nproc` counts.
    pub uid: Option<u32>,
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Ceiling {
    /// This much.
    At(u64),
    /// There is none.
    Unlimited,
}

impl Ceiling {
    /// The number, where it is one.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::At(number) => Some(number),
            Self::Unlimited => None,
        }
    }
}

/// How many threads a cgroup may have (`pids.max`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CgroupPids {
    /// Whose limit it is: its path below the cgroup root.
    pub cgroup: Text,
    /// The limit.
    pub max: u64,
    /// Threads in it and below it, now.
    pub current: Option<u64>,
}
