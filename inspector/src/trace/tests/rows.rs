//! Rows of every kind come back as they were.

use std::collections::BTreeSet;

use proptest::{
    prelude::Rng as _,
    test_runner::{RngAlgorithm, TestRng},
};

use crate::{
    event::{Event, What},
    pipeline::story::Cast,
    trace::{
        field::{BadRow, Context},
        row,
    },
};

fn back(events: &[Event]) -> Vec<Event> {
    let (mut rows, mut context) = (Vec::new(), Context::default());
    for event in events {
        row::put(event, &mut context, &mut rows);
    }
    let (mut rest, mut context) = (&rows[..], Context::default());
    let mut read = Vec::new();
    while !rest.is_empty() {
        read.push(row::get(&mut rest, &mut context).unwrap().unwrap());
    }
    read
}

#[test]
fn the_events_of_a_story_come_back() {
    let mut cast = Cast::default();
    let batches = cast.batches(super::STORY);
    let events: Vec<_> = batches.flat_map(|batch| batch.events).collect();
    assert_eq!(back(&events), events);
}

#[test]
fn unknown_kinds_and_trailing_fields_are_passed_over() {
    let tick = Event {
        at: crate::event::BootTime(7),
        what: What::Tick,
    };
    let (mut rows, mut context) = (Vec::new(), Context::default());
    row::put(&tick, &mut context, &mut rows);
    // A field more than this version knows.
    rows[1] += 1;
    rows.push(99);
    // A kind that it does not know.
    rows.extend([200, 2, 0, 1]);
    let (mut rest, mut context) = (&rows[..], Context::default());
    assert_eq!(row::get(&mut rest, &mut context), Ok(Some(tick)));
    assert_eq!(row::get(&mut rest, &mut context), Ok(None));
    assert!(rest.is_empty());
}

/// The variants that stand in rows, but for those that hardly ever come by chance.
const VARIANTS: &str = "
    Thread Born Renamed Exec Exiting Gone Handle Duplicated Received Shared Closed RangeClosed
    CloexecSet CloseRefused BirthRefused Unsettled CompatCall Ancillary Memory
    Opened File Directory Device Socket Pipe Eventfd Timerfd Signalfd Epoll Inotify Fanotify Memfd
    MemfdSecret Pidfd PerfEvent Bpf IoUring FsContext Mount Landlock Mqueue Seccomp
    Unknown Table Fork Unshare Wait Ended Sample Futex Interrupt Mark StoreBegin StoreEnd Own
    DeleteBegin DeleteUnlink DeleteEnd Named Scan Baseline Poll Audit At Unlimited Targets Inet Unix
    Timer Tcp Udp Stream Datagram Listening Connected Unconnected Gap Ring Map Missed
    Unwatched Damaged Recorder Tick End Ok Err Some None";

/// Bytes as fields are made of: small numbers and very large ones, names, addresses, any.
fn bytes_of_a_field(random: &mut TestRng) -> Vec<u8> {
    let byte = random.next_u32() as u8;
    match random.next_u32() % 16 {
        0..=2 => vec![byte % 2],
        3..=6 => vec![byte % 4],
        7 => vec![byte % 8],
        8 => vec![byte % 26],
        9 => vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        10 => vec![0xff, 0xff, 0xff, 0xff, 0x0f],
        11 => b"\x04call".into(),
        12 => b"\x0c127.0.0.1:80".into(),
        13 => b"\x0d[::1%7]:65535".into(),
        14 => vec![0x80 | byte, 0x80 | byte.rotate_left(3), byte % 128],
        _ => vec![byte],
    }
}

fn row_of(number: u8, body: &[u8]) -> Vec<u8> {
    let len = body.len() as u16;
    let mut bytes = vec![number, len as u8 | 0x80, (len >> 7) as u8];
    bytes.extend(body);
    bytes
}

/// A row of random fields: another one is tried where one makes no sense.
fn any_row(number: u8, start: Context, random: &mut TestRng) -> Option<(Vec<u8>, Event)> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for _ in 0..600 {
        let bytes = row_of(number, &fields.concat());
        match row::get(&mut &bytes[..], &mut start.clone()) {
            Ok(event) => return Some((bytes, event?)),
            Err(BadRow::Short) => {}
            Err(BadRow::Range | BadRow::Unknown) => drop(fields.pop()),
        }
        fields.push(bytes_of_a_field(random));
    }
    None
}

#[test]
fn any_row_comes_back() {
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let mut words = BTreeSet::new();
    let mut rows_of_kind = [0; row::KINDS.len()];
    for run in 0..6_600 {
        let (number, _) = row::KINDS[run % row::KINDS.len()];
        let start = Context {
            at: [0, 7, u64::MAX][run % 3],
            address: [0, 64, u64::MAX][run / 3 % 3],
        };
        let Some((bytes, event)) = any_row(number, start, &mut random) else {
            continue;
        };
        let mut again = Vec::new();
        row::put(&event, &mut start.clone(), &mut again);
        let back = row::get(&mut &again[..], &mut start.clone());
        assert_eq!(back.as_ref(), Ok(&Some(event.clone())), "{bytes:?}");
        rows_of_kind[row::kind(&event.what)] += 1;
        let text = format!("{event:?}");
        let is_part = |character: char| !character.is_alphanumeric();
        words.extend(text.split(is_part).map(str::to_owned));
    }
    let lacking: Vec<_> = VARIANTS
        .split_whitespace()
        .filter(|&word| !words.contains(word))
        .collect();
    assert!(lacking.is_empty(), "never came: {lacking:?}");
    assert!(
        rows_of_kind.iter().all(|&rows| rows > 50),
        "{rows_of_kind:?}"
    );
}

#[test]
fn any_bytes_at_all_are_no_harm() {
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[6; 32]);
    for _ in 0..100_000 {
        let mut bytes = vec![0; random.next_u32() as usize % 200];
        random.fill_bytes(&mut bytes);
        let (mut rest, mut context) = (&bytes[..], Context::default());
        while !rest.is_empty() && row::get(&mut rest, &mut context).is_ok() {}
    }
}

#[test]
fn huge_texts_come_back() {
    let named = |len: usize| Event {
        at: crate::event::BootTime(u64::MAX),
        what: What::Named(Box::new(crate::event::Named {
            tid: crate::event::id::Tid(u32::MAX),
            tgid: crate::event::id::Tgid(0),
            call: crate::event::id::CallNumber(u16::MAX),
            fd: crate::event::id::Fd(u32::MAX),
            name: vec![0xff; len].into(),
            is_cut: true,
        })),
    };
    let events: Vec<_> = [0, 1, 100, 127, 128, 200, 1 << 14, 1 << 20]
        .map(named)
        .into();
    assert_eq!(back(&events), events);
}

#[test]
fn rare_variants_come_back() {
    use crate::event::{
        HandleEvent, Targets,
        handle::{HandleChange, HandleKind, Unsettled},
        id::{CallNumber, Fd, Tgid, Tid},
        target::{SeenTarget, TargetDetail, UnixFlow, UnixSocket, UnixState},
    };
    let at = crate::event::BootTime(1);
    let (tid, tgid) = (Tid(1), Tgid(1));
    let call = CallNumber(3);
    let change = |change| {
        What::Handle(HandleEvent {
            tid,
            tgid,
            call,
            change,
        })
    };
    let unsettled = [
        Unsettled::CompatCall,
        Unsettled::X32Call,
        Unsettled::Ancillary,
        Unsettled::Memory,
        Unsettled::Filtered,
    ];
    let mut events: Vec<_> = unsettled
        .map(|why| change(HandleChange::Unsettled { why }))
        .into();
    let socket = |flow| {
        TargetDetail::Unix(UnixSocket {
            flow,
            path: None,
            state: UnixState::Connected,
        })
    };
    let flows = [UnixFlow::Stream, UnixFlow::Datagram, UnixFlow::Packets];
    events.push(What::Targets(Box::new(Targets {
        tgid,
        reader: tid,
        began: at,
        ended: at,
        read: flows
            .map(|flow| SeenTarget {
                fd: Fd(3),
                kind: HandleKind::Userfaultfd,
                target: (&b"socket:[1]"[..]).into(),
                detail: Some(socket(flow)),
            })
            .into(),
    })));
    let events: Vec<_> = events.into_iter().map(|what| Event { at, what }).collect();
    assert_eq!(back(&events), events);
}
