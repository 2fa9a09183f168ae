//! Changes of descriptor tables, call by call.

use super::{
    id::{BootTime, CallNumber, Fd, FileAddress, Tgid, Tid},
    text::Text,
};

/// A thread's call changed its table (or failed to, in a way worth knowing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandleEvent {
    /// The calling thread.
    pub tid: Tid,
    /// Its process.
    pub tgid: Tgid,
    /// The call.
    pub call: CallNumber,
    /// What it changed.
    pub change: HandleChange,
}

/// What a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleChange {
    /// A new descriptor of a new open file description.
    Born {
        /// The number.
        fd: Fd,
        /// What it is.
        kind: HandleKind,
        /// Whether it closes on exec.
        cloexec: bool,
        /// The description's address.
        file: Option<FileAddress>,
    },
    /// A new descriptor of the description behind `from` (dup, dup2, dup3, F_DUPFD). Where `to`
    /// was open it closes at `entry`.
    Duplicated {
        /// The source.
        from: Fd,
        /// The new number.
        to: Fd,
        /// Whether it closes on exec.
        cloexec: bool,
        /// Entry of dup2 and dup3, where seen; only these replace an open number.
        replaces: Option<Replaces>,
        /// The description's address.
        file: Option<FileAddress>,
    },
    /// A descriptor of a description that exists elsewhere arrived (SCM_RIGHTS, pidfd_getfd).
    Received {
        /// The number.
        fd: Fd,
        /// Whether it closes on exec.
        cloexec: bool,
        /// The description's address.
        file: Option<FileAddress>,
    },
    /// The description behind `fd` was sent (SCM_RIGHTS): others may hold it from now on.
    Shared {
        /// The number.
        fd: Fd,
    },
    /// The number was closed; the event's time is the call's entry if `entry_seen`.
    Closed {
        /// The number.
        fd: Fd,
        /// Whether the entry was seen; else the event's time is the exit.
        entry_seen: bool,
        /// The call's exit.
        returned: BootTime,
        /// References to the description at the entry, this one included. 1 = this close
        /// released it. More = other descriptors, or calls in progress on it.
        references: Option<u32>,
    },
    /// Every open number in `first..=last` was closed (close_range).
    RangeClosed {
        /// First number.
        first: Fd,
        /// Last number.
        last: Fd,
        /// Whether the entry was seen; else the event's time is the exit.
        entry_seen: bool,
        /// The call's exit.
        returned: BootTime,
    },
    /// The close-on-exec flag of every open number in `first..=last` was set or cleared.
    CloexecSet {
        /// First number.
        first: Fd,
        /// Last number.
        last: Fd,
        /// The flag.
        on: bool,
    },
    /// A close of a number that was not open (EBADF).
    CloseRefused {
        /// The number.
        fd: Fd,
    },
    /// A birth failed for want of descriptors.
    BirthRefused {
        /// EMFILE (24): the process's limit; ENFILE (23): the system's.
        errno: u16,
    },
    /// The table changed in a way that can't be followed; it is unknown until an audit.
    Unsettled {
        /// How.
        why: Unsettled,
    },
}

/// The name by which a call opened what a descriptor refers to. It follows the descriptor's birth,
/// and may come when that is closed already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The calling thread.
    pub tid: Tid,
    /// Its process.
    pub tgid: Tgid,
    /// The call.
    pub call: CallNumber,
    /// The number it returned.
    pub fd: Fd,
    /// The name as the program gave it: relative ones are to its folder, or to the call's.
    pub name: Text,
    /// Whether more of it may follow that was cut off.
    pub is_cut: bool,
}

/// How a dup2 or dup3 was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Replaces {
    /// The call's entry, if seen: when an open `to` closes.
    pub entry: Option<BootTime>,
}

/// Why a table can't be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unsettled {
    /// An i386 call.
    CompatCall,
    /// An x32 call with a number of its own.
    X32Call,
    /// Ancillary data that could not be read whole.
    Ancillary,
    /// Numbers that could not be read from the caller's memory.
    Memory,
    /// A close that failed with an error no file gives: seccomp or ptrace kept it from the
    /// kernel, or the file gave it after all.
    Filtered,
}

/// What a handle is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum HandleKind {
    /// From open and its family, not looked at closer yet: file, directory, device or FIFO.
    Opened,
    /// Regular file.
    File,
    /// Directory.
    Directory,
    /// Character or block device.
    Device,
    /// Socket.
    Socket,
    /// Pipe or FIFO.
    Pipe,
    /// eventfd.
    Eventfd,
    /// timerfd.
    Timerfd,
    /// signalfd.
    Signalfd,
    /// epoll instance.
    Epoll,
    /// inotify instance.
    Inotify,
    /// fanotify group.
    Fanotify,
    /// memfd.
    Memfd,
    /// memfd_secret.
    MemfdSecret,
    /// pidfd.
    Pidfd,
    /// userfaultfd.
    Userfaultfd,
    /// perf event.
    PerfEvent,
    /// BPF object.
    Bpf,
    /// io_uring.
    IoUring,
    /// File-system context.
    FsContext,
    /// Mount object.
    Mount,
    /// Landlock ruleset.
    Landlock,
    /// POSIX message queue.
    Mqueue,
    /// seccomp listener.
    Seccomp,
    /// Not known.
    Unknown,
}

impl HandleKind {
    /// The word for it, everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::File => "file",
            Self::Directory => "directory",
            Self::Device => "device",
            Self::Socket => "socket",
            Self::Pipe => "pipe",
            Self::Eventfd => "eventfd",
            Self::Timerfd => "timerfd",
            Self::Signalfd => "signalfd",
            Self::Epoll => "epoll",
            Self::Inotify => "inotify",
            Self::Fanotify => "fanotify",
            Self::Memfd => "memfd",
            Self::MemfdSecret => "memfd_secret",
            Self::Pidfd => "pidfd",
            Self::Userfaultfd => "userfaultfd",
            Self::PerfEvent => "perf_event",
            Self::Bpf => "bpf",
            Self::IoUring => "io_uring",
            Self::FsContext => "fs_context",
            Self::Mount => "mount",
            Self::Landlock => "landlock",
            Self::Mqueue => "mqueue",
            Self::Seccomp => "seccomp",
            Self::Unknown => "unknown",
        }
    }
}
