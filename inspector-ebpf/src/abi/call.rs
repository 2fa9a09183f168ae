//! Descriptor-changing system calls of x86-64: what is known of each, and their record.
//!
//! Both sides read one [table](CALLS) of them. The programs only need each number's [`class`] (what
//! to look at and when to emit); the user side also reads the kind of handle a call makes and where
//! its close-on-exec flag stands.

mod table;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use self::table::CALLS;
use super::record::Header;

/// A descriptor-changing call returned ([`super::record::kind::CALL`]).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct CallRecord {
    /// The header; its time is the call's exit.
    pub header: Header,
    /// `CLOCK_BOOTTIME` at the call's entry, for the closing classes; 0 = not seen.
    pub entry_ns: u64,
    /// What the call returned.
    pub ret: i64,
    /// The first four arguments, as passed (registers at exit).
    pub args: [u64; 4],
    /// By class: the two new descriptors (`PAIR`: first | second << 32); `open_how.flags`
    /// (`OPENAT2`); the pidfd (`CLONE`, `ret` is then the child); the fifth argument otherwise.
    pub extra: u64,
    /// Kernel address of the `struct file` behind the number that closes (read at the call's
    /// entry) or that pidfd_getfd returned; for close_range of the `files_struct`; 0 = not read. Births go without: it would cost each of
    /// them a helper call, and what their calls make is new.
    pub file: u64,
    /// References to `file` at a close's entry, this descriptor's included; 0 = not read.
    pub refs: u32,
    /// System call number of the 64-bit table.
    pub nr: u16,
    /// [`flags`].
    pub flags: u16,
}

/// Bits of [`CallRecord::flags`].
pub mod flags {
    /// `extra` could not be read from the caller's memory: the new descriptors are not known.
    pub const EXTRA_UNREADABLE: u16 = 1;
}

/// Most bytes of ancillary data one record carries: 253 descriptors (`SCM_MAX_FD`) and other
/// small messages beside them.
pub const CONTROL_BYTES: usize = 1216;

/// Ancillary data of one received message ([`super::record::kind::PASSED`]); the user side
/// parses the `cmsghdr`s.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PassedRecord {
    /// The header; its time is the call's exit.
    pub header: Header,
    /// `msg_controllen` after the call, bytes.
    pub control_len: u64,
    /// `MSG_CMSG_CLOEXEC` and the other flags of the call.
    pub call_flags: u64,
    /// System call number of the 64-bit table (recvmsg, recvmmsg, sendmsg, sendmmsg).
    pub nr: u32,
    /// Bytes of `control` that are valid; less than `control_len` = truncated or unreadable.
    pub copied: u32,
    /// The control buffer.
    pub control: [u8; CONTROL_BYTES],
}

/// What a program does at a call's exit.
pub mod class {
    /// Not ours.
    pub const NONE: u8 = 0;
    /// Returns a new descriptor; also emitted for EMFILE and ENFILE.
    pub const BIRTH: u8 = 1;
    /// Writes two new descriptors to the caller's memory (argument [`super::Call::flags_arg`]
    /// tells the flags, [`super::pair_arg`] the address).
    pub const PAIR: u8 = 2;
    /// openat2: its flags lie in the caller's memory.
    pub const OPENAT2: u8 = 3;
    /// dup: returns a duplicate of argument 0.
    pub const DUP: u8 = 4;
    /// dup2, dup3: the same, onto argument 1, which it may close: entry time wanted.
    pub const DUP_ONTO: u8 = 5;
    /// fcntl: by command.
    pub const FCNTL: u8 = 6;
    /// ioctl: by request.
    pub const IOCTL: u8 = 7;
    /// close: entry time wanted.
    pub const CLOSE: u8 = 8;
    /// close_range: entry time wanted.
    pub const CLOSE_RANGE: u8 = 9;
    /// recvmsg, sendmsg: ancillary data of one message.
    pub const MSG: u8 = 10;
    /// recvmmsg, sendmmsg: of several.
    pub const MMSG: u8 = 11;
    /// clone, clone3 with CLONE_PIDFD.
    pub const CLONE: u8 = 12;
    /// unshare: CLONE_FILES gives the caller a table of its own.
    pub const UNSHARE: u8 = 13;
    /// bpf: only some commands return a descriptor.
    pub const BPF: u8 = 14;
    /// seccomp: only with SECCOMP_FILTER_FLAG_NEW_LISTENER.
    pub const SECCOMP: u8 = 15;
    /// signalfd: a descriptor is born only where argument 0 is −1.
    pub const SIGNALFD: u8 = 16;
    /// landlock_create_ruleset: a version query returns no descriptor.
    pub const LANDLOCK: u8 = 17;
    /// pidfd_getfd: a duplicate of another process's descriptor.
    pub const GETFD: u8 = 18;
    /// An x32 call with a number of its own (no 64-bit row has this class).
    pub const X32: u8 = 19;
}

/// Handle kinds as a call can know them at birth.
pub mod handle {
    /// What open made is known only to the file system: a regular file, directory, device, FIFO.
    pub const OPENED: u8 = 0;
    /// A socket.
    pub const SOCKET: u8 = 1;
    /// One end of a pipe.
    pub const PIPE: u8 = 2;
    /// eventfd.
    pub const EVENTFD: u8 = 3;
    /// timerfd.
    pub const TIMERFD: u8 = 4;
    /// signalfd.
    pub const SIGNALFD: u8 = 5;
    /// epoll instance.
    pub const EPOLL: u8 = 6;
    /// inotify instance.
    pub const INOTIFY: u8 = 7;
    /// fanotify group.
    pub const FANOTIFY: u8 = 8;
    /// memfd.
    pub const MEMFD: u8 = 9;
    /// memfd_secret.
    pub const MEMFD_SECRET: u8 = 10;
    /// pidfd.
    pub const PIDFD: u8 = 11;
    /// userfaultfd.
    pub const USERFAULTFD: u8 = 12;
    /// perf event.
    pub const PERF_EVENT: u8 = 13;
    /// BPF map, program, link, BTF or token.
    pub const BPF: u8 = 14;
    /// io_uring instance.
    pub const IO_URING: u8 = 15;
    /// File-system context of fsopen or fspick.
    pub const FS_CONTEXT: u8 = 16;
    /// Mount object of fsmount or open_tree.
    pub const MOUNT: u8 = 17;
    /// Landlock ruleset.
    pub const LANDLOCK: u8 = 18;
    /// POSIX message queue.
    pub const MQUEUE: u8 = 19;
    /// seccomp user-notification listener.
    pub const SECCOMP: u8 = 20;
    /// Whatever the source descriptor is: duplicates and received descriptors.
    pub const SAME: u8 = 254;
    /// The call makes no handle.
    pub const NONE: u8 = 255;
}

/// Where a call's close-on-exec flag is found.
pub mod cloexec {
    /// Never set at birth.
    pub const NEVER: u8 = 0;
    /// Always set at birth.
    pub const ALWAYS: u8 = 1;
    /// Bit `O_CLOEXEC` (0x80000) of the flags argument.
    pub const O_CLOEXEC: u8 = 2;
    /// Bit 0 of the flags argument.
    pub const BIT0: u8 = 3;
    /// Bit 3 of the flags argument (`PERF_FLAG_FD_CLOEXEC`), which is the fifth: in `extra`.
    pub const PERF: u8 = 4;
    /// Decided by the class.
    pub const BY_CLASS: u8 = 5;
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Number in the 64-bit table.
    pub nr: u16,
    /// The kernel's name of the call.
    pub name: &'static str,
    /// [`class`].
    pub class: u8,
    /// [`handle`].
    pub handle: u8,
    /// [`cloexec`].
    pub cloexec: u8,
    /// Which argument holds the flags that `cloexec` speaks of.
    pub flags_arg: u8,
}

/// Numbers at and above this are of no class.
pub const CALL_SLOTS: usize = 512;

/// [`class`] by number: what the programs look up.
pub const CLASSES: [u8; CALL_SLOTS] = classes();

const fn classes() -> [u8; CALL_SLOTS] {
    let mut by_number = [class::NONE; CALL_SLOTS];
    let mut row = 0;
    while row < CALLS.len() {
        by_number[CALLS[row].nr as usize] = CALLS[row].class;
        row += 1;
    }
    by_number
}

/// The argument that points at the two new descriptors of a `PAIR` call: 3 for socketpair, 0 for
/// the pipes.
pub const fn pair_arg(nr: u16) -> usize {
    if nr == 53 { 3 } else { 0 }
}

/// The row of a number, if it is in the table.
pub fn find(nr: u16) -> Option<&'static Call> {
    CALLS
        .binary_search_by_key(&nr, |call| call.nr)
        .ok()
        .map(|row| &CALLS[row])
}

/// i386 numbers (`int $0x80`) that may change a descriptor table. A 64-bit program that uses one
/// makes its table unsettled until an audit. Source: `syscall_32.tbl` of Linux 6.18.
pub const COMPAT_TOUCHES_TABLE: &[u16] = &[
    5, 6, 8, 41, 42, 54, 55, 63, 102, 120, 221, 254, 277, 291, 295, 310, 319, 321, 322, 323, 327,
    328, 329, 330, 331, 332, 336, 337, 338, 342, 345, 354, 356, 357, 359, 360, 364, 370, 372, 374,
    375, 425, 427, 428, 430, 432, 433, 434, 435, 436, 437, 438, 444, 447, 467,
];
