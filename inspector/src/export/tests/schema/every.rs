//! Events of every kind, with and without what may be unknown.

use std::{net::SocketAddr, num::NonZeroU64};

use crate::event::{
    Event, Gap, HandleEvent, Mark, Named, Scan, SourceEnd, TableRead, Targets, ThreadEvent,
    WaitEvent, What,
    handle::{HandleChange, HandleKind, Replaces, Unsettled},
    id::{BootTime, CallNumber, Fd, FileAddress, FilesAddress, Tgid, Tid},
    limits::{Ceiling, CgroupPids, Limits},
    loss::{Count, DAMAGED, Layer},
    mark::{Declared, Key, MapId, Owned},
    scan::{ScanRole, SeenHandle, SeenTable, SeenThread},
    table::TableWhy,
    target::{
        InetSocket, Many, SeenTarget, SocketState, TargetDetail, Timer, Transport, UnixFlow,
        UnixSocket, UnixState,
    },
    text::{Comm, Text},
    thread::CloneFlags,
    wait::{Blocked, WaitSums, Waker, Waking},
};

/// All of them.
pub(in crate::export::tests) fn every() -> Vec<Event> {
    let kinds = [threads(), handles(), waits(), marks(), readings(), ends()];
    let at = BootTime(7);
    let events = kinds.into_iter().flatten();
    events.map(|what| Event { at, what }).collect()
}

const TID: Tid = Tid(101);
const TGID: Tgid = Tgid(100);
const START: BootTime = BootTime(5);

fn files() -> Option<FilesAddress> {
    NonZeroU64::new(0xffff_8881_0000_0000).map(FilesAddress)
}

fn file() -> Option<FileAddress> {
    NonZeroU64::new(u64::MAX).map(FileAddress)
}

fn threads() -> Vec<What> {
    let comm = Comm::from_bytes(b"one\xff");
    let (tid, tgid, start) = (TID, TGID, START);
    let born = |files| ThreadEvent::Born {
        parent: Tid(100),
        parent_tgid: TGID,
        child: TID,
        tgid,
        start,
        flags: CloneFlags(0x1_0500),
        files,
        comm,
    };
    let exec = |files| ThreadEvent::Exec {
        tgid,
        old_tid: TID,
        start,
        files,
        comm,
    };
    [
        born(files()),
        born(None),
        ThreadEvent::Renamed { tid, tgid, comm },
        exec(files()),
        exec(None),
        ThreadEvent::Exiting { tid, tgid, start },
        ThreadEvent::Gone { tid, tgid, start },
    ]
    .map(What::Thread)
    .to_vec()
}

fn handles() -> Vec<What> {
    let (fd, cloexec, returned) = (Fd(3), true, BootTime(8));
    let (first, last) = (Fd(3), Fd(u32::MAX));
    let duplicated = |replaces| HandleChange::Duplicated {
        from: Fd(3),
        to: Fd(4),
        cloexec,
        replaces,
        file: file(),
    };
    let closed = |references| HandleChange::Closed {
        fd,
        entry_seen: true,
        returned,
        references,
    };
    let born = |kind, file| HandleChange::Born {
        fd,
        kind,
        cloexec,
        file,
    };
    let mut changes = vec![
        born(HandleKind::Socket, file()),
        born(HandleKind::PerfEvent, None),
        duplicated(None),
        duplicated(Some(Replaces { entry: None })),
        duplicated(Some(Replaces { entry: Some(START) })),
        HandleChange::Received {
            fd,
            cloexec,
            file: None,
        },
        HandleChange::Shared { fd },
        closed(None),
        closed(Some(2)),
        HandleChange::RangeClosed {
            first,
            last,
            entry_seen: false,
            returned,
        },
        HandleChange::CloexecSet {
            first,
            last,
            on: true,
        },
        HandleChange::CloseRefused { fd },
        HandleChange::BirthRefused { errno: 24 },
    ];
    let why = [
        Unsettled::CompatCall,
        Unsettled::X32Call,
        Unsettled::Ancillary,
        Unsettled::Memory,
        Unsettled::Filtered,
    ];
    changes.extend(why.map(|why| HandleChange::Unsettled { why }));
    let call = CallNumber(283);
    let (tid, tgid) = (TID, TGID);
    let mut all: Vec<_> = changes
        .into_iter()
        .map(|change| {
            What::Handle(HandleEvent {
                tid,
                tgid,
                call,
                change,
            })
        })
        .collect();
    let name = Text::from(&b"/tmp/\x1b"[..]);
    all.push(What::Named(Box::new(Named {
        tid,
        tgid,
        call,
        fd,
        name,
        is_cut: true,
    })));
    for why in [TableWhy::Fork, TableWhy::Exec, TableWhy::Unshare] {
        all.push(What::Table(Box::new(TableRead {
            owner: tid,
            tgid,
            by: tid,
            files: files(),
            why,
            open: vec![(Fd(0), false), (Fd(7), true)],
            complete: false,
        })));
    }
    all
}

fn waits() -> Vec<What> {
    let (tid, tgid) = (TID, TGID);
    let wait = Blocked {
        since: Some(START),
        call: Some(202),
        args: [u64::MAX, 128, 0, 0],
    };
    let unknown = Blocked {
        since: None,
        call: None,
        args: [0; 4],
    };
    let by = |how| Some(Waker { at: START, how });
    let sums = WaitSums::default();
    let sample = |blocked, ran, waker| WaitEvent::Sample {
        tid,
        tgid,
        blocked,
        ran,
        waker,
        sums,
    };
    let ended = |wait, waker| WaitEvent::Ended {
        tid,
        tgid,
        wait,
        waker,
    };
    let all = [
        ended(wait, by(Waking::Thread(Tid(1)))),
        ended(unknown, None),
        sample(None, Some(START), by(Waking::Interrupt)),
        sample(Some(wait), None, None),
        WaitEvent::Futex {
            tgid,
            address: u64::MAX,
            sums,
            wakers: vec![(Waking::Thread(tid), 3), (Waking::Interrupt, 1)],
        },
    ];
    all.map(|wait| What::Wait(Box::new(wait))).to_vec()
}

fn marks() -> Vec<What> {
    let policy = Some(Text::from(&b"stop"[..]));
    let all = [
        Declared::StoreBegin { span: None },
        Declared::StoreBegin { span: Some(9) },
        Declared::StoreEnd { span: Some(9) },
        Declared::Own(Owned::Handle(Fd(3))),
        Declared::Own(Owned::Thread(TID)),
        Declared::DeleteBegin { policy: None },
        Declared::DeleteBegin { policy },
        Declared::DeleteUnlink,
        Declared::DeleteEnd,
    ];
    let mark = |what| {
        What::Mark(Box::new(Mark {
            tid: TID,
            tgid: TGID,
            map: MapId(1),
            key: Key::whole(b"tick\x07"),
            what,
        }))
    };
    all.map(mark).to_vec()
}

fn readings() -> Vec<What> {
    let scan = |role, threads, handles, limits| {
        What::Scan(Box::new(Scan {
            role,
            tgid: TGID,
            began: START,
            ended: BootTime(6),
            threads,
            tables: vec![SeenTable {
                users: vec![TID],
                handles,
            }],
            limits,
        }))
    };
    let thread = SeenThread {
        tid: TID,
        start_ticks: 3,
        comm: Comm::from_bytes(b"one"),
        state: b'S',
    };
    let handle = |cloexec| SeenHandle {
        fd: Fd(3),
        kind: HandleKind::File,
        cloexec,
        target: Text::from(&b"/x"[..]),
    };
    let limits = Limits {
        nofile: Some(Ceiling::At(1024)),
        nproc: Some(Ceiling::Unlimited),
        pids: Some(CgroupPids {
            cgroup: Text::from(&b"/a"[..]),
            max: 9,
            current: None,
        }),
        command: Some(Text::from(&b"lab\0--x\0"[..])),
        parent: Some(Tgid(1)),
        uid: Some(0),
        ..Limits::default()
    };
    vec![
        scan(ScanRole::Baseline, None, Err(13), None),
        scan(
            ScanRole::Poll { since: None },
            Some(vec![thread]),
            Ok(vec![handle(None), handle(Some(true))]),
            Some(Box::new(limits)),
        ),
        scan(
            ScanRole::Audit { heal: true },
            Some(Vec::new()),
            Ok(Vec::new()),
            Some(Box::default()),
        ),
        What::Targets(Box::new(targets())),
    ]
}

fn targets() -> Targets {
    let local: SocketAddr = "[::1]:80".parse().unwrap();
    let socket = |transport, peer| {
        TargetDetail::Inet(InetSocket {
            transport,
            local,
            peer,
            state: SocketState(10),
        })
    };
    let unix = |flow, path, state| TargetDetail::Unix(UnixSocket { flow, path, state });
    let many = Many {
        read: 3,
        more: true,
    };
    let details = [
        None,
        Some(socket(Transport::Tcp, Some(local))),
        Some(socket(Transport::Udp, None)),
        Some(unix(UnixFlow::Stream, None, UnixState::Connected)),
        Some(unix(
            UnixFlow::Packets,
            Some(Text::from(&b"@x"[..])),
            UnixState::Listening,
        )),
        Some(unix(UnixFlow::Datagram, None, UnixState::Unconnected)),
        Some(TargetDetail::Timer(Timer {
            clock: 1,
            left_ns: None,
            every_ns: 0,
            unread: 1,
        })),
        Some(TargetDetail::Epoll { members: many }),
        Some(TargetDetail::Eventfd { count: u64::MAX }),
        Some(TargetDetail::Pidfd { pid: None }),
        Some(TargetDetail::Inotify { watches: many }),
    ];
    Targets {
        tgid: TGID,
        reader: TID,
        began: START,
        ended: START,
        read: details
            .map(|detail| SeenTarget {
                fd: Fd(3),
                kind: HandleKind::Unknown,
                target: Text::from(&b"socket:[1]"[..]),
                detail,
            })
            .to_vec(),
    }
}

fn ends() -> Vec<What> {
    let gap = |layer, cpu, kind| {
        What::Gap(Box::new(Gap {
            layer,
            cpu,
            lost: vec![(kind, 3)],
            from: START,
            until: BootTime(u64::MAX),
        }))
    };
    let count = Count {
        produced: 3,
        received: 2,
        lost: 1,
    };
    let end = |error| {
        What::End(Box::new(SourceEnd {
            error,
            counts: vec![("call", count)],
        }))
    };
    vec![
        gap(Layer::Ring, Some(0), "call"),
        gap(Layer::Map("WAITS"), None, "update"),
        gap(Layer::Missed, None, "call"),
        gap(Layer::Unwatched("exit"), None, "gone"),
        gap(Layer::Damaged, None, DAMAGED),
        What::Tick,
        end(None),
        end(Some("refused".to_owned())),
    ]
}
