//! Lives of threads and processes.

use super::{
    id::{BootTime, FilesAddress, Tgid, Tid},
    text::Comm,
};

/// What happened to a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadEvent {
    /// `parent` created `child`. A process is born where `flags` lack `CLONE_THREAD`.
    Born {
        /// The creating thread.
        parent: Tid,
        /// Its process.
        parent_tgid: Tgid,
        /// The new thread.
        child: Tid,
        /// The new thread's process: the parent's for a thread, its own for a process.
        tgid: Tgid,
        /// `task->start_boottime`.
        start: BootTime,
        /// Flags of clone.
        flags: CloneFlags,
        /// The child's table, where the kernel let us read it.
        files: Option<FilesAddress>,
        /// The name it was born with.
        comm: Comm,
    },
    /// A thread was given another name.
    Renamed {
        /// The thread.
        tid: Tid,
        /// Its process.
        tgid: Tgid,
        /// The name.
        comm: Comm,
    },
    /// A process replaced its program: every other thread of it is dead, the caller is its
    /// leader now, and its table is private. The table's content follows as a `TableRead`.
    Exec {
        /// The process, and the leader's tid from now on.
        tgid: Tgid,
        /// The caller's tid before; other than `tgid` when it was not the leader. That number
        /// never exits.
        old_tid: Tid,
        /// `start_boottime` from now on (the old leader's).
        start: BootTime,
        /// The table.
        files: Option<FilesAddress>,
        /// The new name.
        comm: Comm,
    },
    /// The thread entered its exit. Its descriptors are still open.
    Exiting {
        /// The thread.
        tid: Tid,
        /// Its process.
        tgid: Tgid,
        /// Its start.
        start: BootTime,
    },
    /// The thread left the cpu for the last time; its share of the table is gone.
    Gone {
        /// The thread.
        tid: Tid,
        /// Its process.
        tgid: Tgid,
        /// Its start.
        start: BootTime,
    },
}

/// Flags of a clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CloneFlags(pub u64);

impl CloneFlags {
    const VM: u64 = 0x100;
    const FILES: u64 = 0x400;
    const VFORK: u64 = 0x4000;
    const THREAD: u64 = 0x1_0000;

    /// The child is a thread of the same process.
    pub fn thread(self) -> bool {
        self.0 & Self::THREAD != 0
    }

    /// The child shares its creator's table.
    pub fn shares_files(self) -> bool {
        self.0 & Self::FILES != 0
    }

    /// The child shares its creator's memory.
    pub fn shares_memory(self) -> bool {
        self.0 & Self::VM != 0
    }

    /// The creator waits until the child execs or exits.
    pub fn vfork(self) -> bool {
        self.0 & Self::VFORK != 0
    }
}
