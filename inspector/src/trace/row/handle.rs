//! Rows of handles.

use crate::{
    event::handle::{HandleChange, HandleEvent, HandleKind, Named, Replaces, Unsettled},
    trace::field::{fields, variants},
};

fields!(HandleEvent {
    tid,
    tgid,
    call,
    change
});

variants!(HandleChange {
    1 Born { fd, kind, cloexec, file },
    2 Duplicated { from, to, cloexec, replaces, file },
    3 Received { fd, cloexec, file },
    4 Shared { fd },
    5 Closed { fd, entry_seen, returned, references },
    6 RangeClosed { first, last, entry_seen, returned },
    7 CloexecSet { first, last, on },
    8 CloseRefused { fd },
    9 BirthRefused { errno },
    10 Unsettled { why },
});

fields!(Replaces { entry });

fields!(Named {
    tid,
    tgid,
    call,
    fd,
    name,
    is_cut
});

variants!(Unsettled {
    1 CompatCall,
    2 X32Call,
    3 Ancillary,
    4 Memory,
    5 Filtered,
});

variants!(HandleKind {
    1 Opened,
    2 File,
    3 Directory,
    4 Device,
    5 Socket,
    6 Pipe,
    7 Eventfd,
    8 Timerfd,
    9 Signalfd,
    10 Epoll,
    11 Inotify,
    12 Fanotify,
    13 Memfd,
    14 MemfdSecret,
    15 Pidfd,
    16 Userfaultfd,
    17 PerfEvent,
    18 Bpf,
    19 IoUring,
    20 FsContext,
    21 Mount,
    22 Landlock,
    23 Mqueue,
    24 Seccomp,
    25 Unknown,
});
