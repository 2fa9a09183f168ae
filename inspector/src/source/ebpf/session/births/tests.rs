//! The queue of births, and a look at what this very program has open.

use std::{
    fs::File,
    net::TcpListener,
    os::fd::{AsRawFd, RawFd},
};

use super::*;
use crate::event::{HandleEvent, handle::HandleKind, id::CallNumber, target::TargetDetail};

fn own() -> (Tgid, Tid) {
    let pid = std::process::id();
    let tid = rustix::thread::gettid().as_raw_nonzero().get();
    (Tgid(pid), Tid(tid.unsigned_abs()))
}

fn event(at: u64, change: HandleChange) -> Event {
    let (tgid, tid) = own();
    Event {
        at: BootTime(at),
        what: What::Handle(HandleEvent {
            tid,
            tgid,
            call: CallNumber(0),
            change,
        }),
    }
}

fn born(at: u64, fd: RawFd) -> Event {
    event(
        at,
        HandleChange::Born {
            fd: number(fd),
            kind: HandleKind::Opened,
            cloexec: true,
            file: None,
        },
    )
}

fn closed(at: u64, fd: RawFd) -> Event {
    event(
        at,
        HandleChange::Closed {
            fd: number(fd),
            entry_seen: true,
            returned: BootTime(at),
            references: None,
        },
    )
}

fn number(fd: RawFd) -> Fd {
    Fd(u32::try_from(fd).unwrap())
}

#[test]
fn what_is_still_open_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let file = File::create(&path).unwrap();
    let fd = file.as_raw_fd();
    let mut births = Births::default();
    births.note(&[
        born(1, 9_000),
        closed(2, 9_000),
        born(3, fd),
        born(4, 9_001),
    ]);
    let told = births.look_up(Path::new(PROC));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].reader, own().1);
    let [seen] = &told[0].read[..] else {
        panic!("{told:?}")
    };
    assert_eq!((seen.fd, seen.kind), (number(fd), HandleKind::File));
    assert_eq!(seen.target.bytes(), path.as_os_str().as_encoded_bytes());
    assert_eq!(births.look_up(Path::new(PROC)), []);
    assert_eq!(births.reading().read, 1);
}

#[test]
fn what_is_young_waits() {
    let mut births = Births::default();
    births.note(&[born(boot_time().0, 0)]);
    assert_eq!(births.look_up(Path::new(PROC)), []);
    assert_eq!(births.reading().waiting, 1);
}

#[test]
fn a_flood_leaves_out_the_oldest_and_counts_them() {
    let mut births = Births::default();
    let most = RawFd::try_from(MOST).unwrap();
    let events: Vec<_> = (0..most + 10).map(|fd| born(1, fd)).collect();
    births.note(&events);
    assert_eq!(births.reading().dropped, 10);
    assert_eq!(births.reading().waiting, MOST);
    // Those that are closed at once push nobody out.
    let mut births = Births::default();
    for at in 0..50_000 {
        births.note(&[born(at, 7), closed(at, 7)]);
    }
    assert_eq!((births.dropped, births.order.len()), (0, MOST));
    let due = births.due(BootTime(u64::MAX));
    assert!(due.is_empty() && births.order.is_empty());
}

#[test]
fn a_look_reads_so_many_and_leaves_the_rest_to_the_next() {
    let mut births = Births::default();
    births.note(&(0..300).map(|fd| born(1, fd)).collect::<Vec<_>>());
    let looks = [LINKS, LINKS, 300 - 2 * LINKS, 0];
    for expected in looks {
        let due = births.due(BootTime(u64::MAX));
        assert_eq!(due.values().map(Vec::len).sum::<usize>(), expected);
    }
}

#[test]
fn a_socket_is_looked_for_until_it_is_in_a_table() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let fd = listener.as_raw_fd();
    let mut births = Births::default();
    births.note(&[born(1, fd)]);
    let told = births.look_up(Path::new(PROC));
    assert_eq!(told[0].read[0].detail, None);
    assert_eq!(births.reading().sockets_waiting, 1);
    let told = births.look_for_sockets(Path::new(PROC));
    let Some(TargetDetail::Inet(socket)) = &told[0].read[0].detail else {
        panic!("{told:?}")
    };
    assert_eq!((socket.local.port(), socket.state.word()), (port, "LISTEN"));
    assert_eq!(births.reading().sockets_waiting, 0);
}
