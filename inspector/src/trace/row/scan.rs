//! Rows of what /proc told.

use crate::{
    event::{
        limits::{Ceiling, CgroupPids, Limits},
        scan::{Scan, ScanRole, SeenHandle, SeenTable, SeenThread},
        target::{
            InetSocket, Many, SeenTarget, SocketState, TargetDetail, Targets, Timer, Transport,
            UnixFlow, UnixSocket, UnixState,
        },
    },
    trace::field::{fields, newtypes, variants},
};

fields!(Scan {
    role,
    tgid,
    began,
    ended,
    threads,
    tables,
    limits
});

variants!(ScanRole {
    1 Baseline,
    2 Poll { since },
    3 Audit { heal },
});

fields!(SeenThread {
    tid,
    start_ticks,
    comm,
    state
});

fields!(SeenTable { users, handles });

fields!(SeenHandle {
    fd,
    kind,
    cloexec,
    target
});

fields!(Limits {
    nofile,
    nofile_hard,
    nproc,
    pids,
    threads_max,
    pid_max,
    host_threads,
    inner_pid,
    start_ticks,
    command,
    parent,
    uid,
});

variants!(Ceiling {
    1 At(number),
    2 Unlimited,
});

fields!(CgroupPids {
    cgroup,
    max,
    current
});

fields!(Targets {
    tgid,
    reader,
    began,
    ended,
    read
});

fields!(SeenTarget {
    fd,
    kind,
    target,
    detail
});

variants!(TargetDetail {
    1 Inet(socket),
    2 Unix(socket),
    3 Timer(timer),
    4 Epoll { members },
    5 Eventfd { count },
    6 Pidfd { pid },
    7 Inotify { watches },
});

fields!(InetSocket {
    transport,
    local,
    peer,
    state
});

variants!(Transport {
    1 Tcp,
    2 Udp,
});

newtypes!(SocketState);

fields!(UnixSocket { flow, path, state });

variants!(UnixFlow {
    1 Stream,
    2 Datagram,
    3 Packets,
});

variants!(UnixState {
    1 Listening,
    2 Connected,
    3 Unconnected,
});

fields!(Timer {
    clock,
    left_ns,
    every_ns,
    unread
});

fields!(Many { read, more });
