//! What a system call's exit says about the caller's descriptor table.

use inspector_ebpf::abi::call::{self, Call, CallRecord, class, cloexec, flags, handle};

use crate::event::{
    BootTime, HandleEvent, What,
    handle::{HandleChange, HandleKind, Replaces, Unsettled},
    id::{CallNumber, Fd, FileAddress, Tgid, Tid},
};

const O_CLOEXEC: u64 = 0x8_0000;
const PERF_FLAG_FD_CLOEXEC: u64 = 8;
const F_SETFD: u64 = 2;
const F_DUPFD_CLOEXEC: u64 = 1030;
const FD_CLOEXEC: u64 = 1;
const FIOCLEX: u64 = 0x5451;
const FIONCLEX: u64 = 0x5450;
const CLOSE_RANGE_CLOEXEC: u64 = 4;
const EPERM: i64 = 1;
const EBADF: i64 = 9;
const EACCES: i64 = 13;
const ENOSYS: i64 = 38;

/// Passes on the events of one call. A call outside the table, or one that changed nothing, has
/// none.
pub(super) fn decode(record: &CallRecord, push: &mut impl FnMut(BootTime, What)) {
    let Some(call) = call::find(record.nr) else {
        return;
    };
    let exit = BootTime(record.header.time_ns);
    let entry =
        (record.entry_ns != 0).then_some(BootTime(record.entry_ns.min(record.header.time_ns)));
    let mut change = |at: BootTime, change: HandleChange| {
        push(
            at,
            What::Handle(HandleEvent {
                tid: Tid(record.header.tid),
                tgid: Tgid(record.header.tgid),
                call: CallNumber(record.nr),
                change,
            }),
        );
    };
    if is_refused_birth(call, record.ret) {
        let errno = u16::try_from(-record.ret).unwrap_or(u16::MAX);
        return change(exit, HandleChange::BirthRefused { errno });
    }
    if record.flags & flags::EXTRA_UNREADABLE != 0 {
        return change(
            exit,
            HandleChange::Unsettled {
                why: Unsettled::Memory,
            },
        );
    }
    let at_death = entry.unwrap_or(exit);
    match call.class {
        class::PAIR => {
            for number in [record.extra & 0xffff_ffff, record.extra >> 32] {
                let (kind, file) = (kind(call.handle), None);
                let cloexec = born_cloexec(call, record);
                change(
                    exit,
                    HandleChange::Born {
                        fd: fd(number),
                        kind,
                        cloexec,
                        file,
                    },
                );
            }
        }
        class::DUP_ONTO => {
            let (from, to) = (fd(record.args[0]), fd(record.args[1]));
            if from != to {
                let cloexec = born_cloexec(call, record);
                let replaces = Some(Replaces { entry });
                change(
                    exit,
                    HandleChange::Duplicated {
                        from,
                        to,
                        cloexec,
                        replaces,
                        // The record's is the one that closed.
                        file: None,
                    },
                );
            }
        }
        class::DUP => change(exit, duplicated(record, false)),
        class::FCNTL if record.args[1] == F_SETFD => {
            let fd = fd(record.args[0]);
            let on = record.args[2] & FD_CLOEXEC != 0;
            change(
                exit,
                HandleChange::CloexecSet {
                    first: fd,
                    last: fd,
                    on,
                },
            );
        }
        class::FCNTL => change(exit, duplicated(record, record.args[1] == F_DUPFD_CLOEXEC)),
        class::IOCTL if matches!(record.args[1] & 0xffff_ffff, FIOCLEX | FIONCLEX) => {
            let fd = fd(record.args[0]);
            let on = record.args[1] & 0xffff_ffff == FIOCLEX;
            change(
                exit,
                HandleChange::CloexecSet {
                    first: fd,
                    last: fd,
                    on,
                },
            );
        }
        class::CLOSE => {
            let fd = fd(record.args[0]);
            match -record.ret {
                EBADF => change(exit, HandleChange::CloseRefused { fd }),
                EPERM | EACCES | ENOSYS => {
                    change(
                        exit,
                        HandleChange::Unsettled {
                            why: Unsettled::Filtered,
                        },
                    );
                }
                _ => change(
                    at_death,
                    HandleChange::Closed {
                        fd,
                        entry_seen: entry.is_some(),
                        returned: exit,
                        references: (record.refs != 0).then_some(record.refs),
                    },
                ),
            }
        }
        class::CLOSE_RANGE => {
            let (first, last) = (fd(record.args[0]), fd(record.args[1]));
            if record.args[2] & CLOSE_RANGE_CLOEXEC != 0 {
                change(
                    exit,
                    HandleChange::CloexecSet {
                        first,
                        last,
                        on: true,
                    },
                );
            } else {
                let entry_seen = entry.is_some();
                change(
                    at_death,
                    HandleChange::RangeClosed {
                        first,
                        last,
                        entry_seen,
                        returned: exit,
                    },
                );
            }
        }
        class::GETFD => change(
            exit,
            HandleChange::Received {
                fd: returned(record),
                cloexec: true,
                file: file(record),
            },
        ),
        class::CLONE => {
            let (fd, kind) = (fd(record.extra), HandleKind::Pidfd);
            change(
                exit,
                HandleChange::Born {
                    fd,
                    kind,
                    cloexec: true,
                    file: None,
                },
            );
        }
        _ => change(
            exit,
            HandleChange::Born {
                fd: returned(record),
                kind: kind(call.handle),
                cloexec: born_cloexec(call, record),
                file: file(record),
            },
        ),
    }
}

fn is_refused_birth(call: &Call, ret: i64) -> bool {
    ret < 0 && !matches!(call.class, class::CLOSE | class::CLOSE_RANGE)
}

fn duplicated(record: &CallRecord, cloexec: bool) -> HandleChange {
    HandleChange::Duplicated {
        from: fd(record.args[0]),
        to: returned(record),
        cloexec,
        replaces: None,
        file: file(record),
    }
}

/// Descriptors are ints: the kernel looks at the low 32 bits of a register only.
fn fd(word: u64) -> Fd {
    Fd(u32::try_from(word & 0xffff_ffff).unwrap_or(u32::MAX))
}

fn returned(record: &CallRecord) -> Fd {
    Fd(u32::try_from(record.ret).unwrap_or(u32::MAX))
}

fn file(record: &CallRecord) -> Option<FileAddress> {
    super::address::hidden(record.file).map(FileAddress)
}

fn born_cloexec(call: &Call, record: &CallRecord) -> bool {
    let flags = if call.class == class::OPENAT2 {
        record.extra
    } else {
        record
            .args
            .get(usize::from(call.flags_arg))
            .copied()
            .unwrap_or(record.extra)
    };
    match call.cloexec {
        cloexec::ALWAYS => true,
        cloexec::O_CLOEXEC => flags & O_CLOEXEC != 0,
        cloexec::BIT0 => flags & 1 != 0,
        cloexec::PERF => flags & PERF_FLAG_FD_CLOEXEC != 0,
        _ => false,
    }
}

/// The kind a call makes, by the ABI's code.
fn kind(code: u8) -> HandleKind {
    match code {
        handle::OPENED => HandleKind::Opened,
        handle::SOCKET => HandleKind::Socket,
        handle::PIPE => HandleKind::Pipe,
        handle::EVENTFD => HandleKind::Eventfd,
        handle::TIMERFD => HandleKind::Timerfd,
        handle::SIGNALFD => HandleKind::Signalfd,
        handle::EPOLL => HandleKind::Epoll,
        handle::INOTIFY => HandleKind::Inotify,
        handle::FANOTIFY => HandleKind::Fanotify,
        handle::MEMFD => HandleKind::Memfd,
        handle::MEMFD_SECRET => HandleKind::MemfdSecret,
        handle::PIDFD => HandleKind::Pidfd,
        handle::USERFAULTFD => HandleKind::Userfaultfd,
        handle::PERF_EVENT => HandleKind::PerfEvent,
        handle::BPF => HandleKind::Bpf,
        handle::IO_URING => HandleKind::IoUring,
        handle::FS_CONTEXT => HandleKind::FsContext,
        handle::MOUNT => HandleKind::Mount,
        handle::LANDLOCK => HandleKind::Landlock,
        handle::MQUEUE => HandleKind::Mqueue,
        handle::SECCOMP => HandleKind::Seccomp,
        _ => HandleKind::Unknown,
    }
}
