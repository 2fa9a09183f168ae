//! Records become the events they tell, and no bytes make the decoder fail otherwise than by
//! saying so.

use inspector_ebpf::abi::{
    call::{CALLS, CONTROL_BYTES, class, flags},
    table::{TABLE_WORDS, piece, why},
};
use proptest::prelude::*;
use zerocopy::{FromZeros, IntoBytes};

use super::*;
use crate::event::{
    TableRead,
    handle::{HandleKind, Replaces},
    id::FileAddress,
    table::TableWhy,
};

const TID: u32 = 42;
const EXIT: u64 = 2_000;
const ENTRY: u64 = 1_000;

fn header(kind: u16) -> Header {
    let mut header = Header::new_zeroed();
    (header.kind, header.tid, header.tgid, header.time_ns) = (kind, TID, 40, EXIT);
    header
}

/// A call's record; `args` from the first on.
fn call(nr: u16, ret: i64, args: &[u64]) -> CallRecord {
    let mut record = CallRecord::new_zeroed();
    record.header = header(kind::CALL);
    (record.nr, record.ret) = (nr, ret);
    record.args[..args.len()].copy_from_slice(args);
    record
}

fn events(record: &(impl IntoBytes + zerocopy::Immutable)) -> Vec<Event> {
    let mut out = Vec::new();
    Decoder::default()
        .decode(record.as_bytes(), &mut out)
        .expect("a whole record");
    out
}

/// The changes that a record tells, each with its time.
fn changes(record: &(impl IntoBytes + zerocopy::Immutable)) -> Vec<(u64, HandleChange)> {
    let change = |event: Event| match event.what {
        What::Handle(handle) => {
            assert_eq!((handle.tid, handle.tgid), (Tid(TID), Tgid(40)));
            (event.at.0, handle.change)
        }
        other => panic!("{other:?}"),
    };
    events(record).into_iter().map(change).collect()
}

fn born(fd: u32, kind: HandleKind, cloexec: bool) -> (u64, HandleChange) {
    let born = HandleChange::Born {
        fd: Fd(fd),
        kind,
        cloexec,
        file: None,
    };
    (EXIT, born)
}

#[test]
fn births_know_their_kind_and_flag() {
    let cases = [
        (call(257, 5, &[0, 0, 0x8_0000]), HandleKind::Opened, true),
        (call(257, 5, &[0, 0, 0]), HandleKind::Opened, false),
        (call(283, 5, &[1, 0x8_0000]), HandleKind::Timerfd, true),
        (call(319, 5, &[0, 1]), HandleKind::Memfd, true),
        (call(434, 5, &[1, 0]), HandleKind::Pidfd, true),
        (call(43, 5, &[3]), HandleKind::Socket, false),
    ];
    for (record, kind, cloexec) in cases {
        assert_eq!(changes(&record), [born(5, kind, cloexec)]);
    }
    let mut perf = call(298, 5, &[]);
    perf.extra = 8;
    assert_eq!(changes(&perf), [born(5, HandleKind::PerfEvent, true)]);
}

#[test]
fn a_pair_is_two_births_and_unread_numbers_leave_the_table_unsettled() {
    let mut pair = call(293, 0, &[0, 0x8_0000]);
    pair.extra = 3 | 4 << 32;
    let pipes = [
        born(3, HandleKind::Pipe, true),
        born(4, HandleKind::Pipe, true),
    ];
    assert_eq!(changes(&pair), pipes);
    pair.flags = flags::EXTRA_UNREADABLE;
    let why = Unsettled::Memory;
    assert_eq!(changes(&pair), [(EXIT, HandleChange::Unsettled { why })]);
}

#[test]
fn a_close_counts_at_its_entry_where_that_was_seen() {
    let mut close = call(3, 0, &[7]);
    let closed = |entry_seen, references| HandleChange::Closed {
        fd: Fd(7),
        entry_seen,
        returned: BootTime(EXIT),
        references,
    };
    assert_eq!(changes(&close), [(EXIT, closed(false, None))]);
    (close.entry_ns, close.refs) = (ENTRY, 2);
    assert_eq!(changes(&close), [(ENTRY, closed(true, Some(2)))]);
    // EIO: the number is free all the same.
    close.ret = -5;
    assert_eq!(changes(&close), [(ENTRY, closed(true, Some(2)))]);
    close.ret = -9;
    let refused = HandleChange::CloseRefused { fd: Fd(7) };
    assert_eq!(changes(&close), [(EXIT, refused)]);
    close.ret = -1;
    let why = Unsettled::Filtered;
    assert_eq!(changes(&close), [(EXIT, HandleChange::Unsettled { why })]);
    // An entry after its exit is nonsense, and does not make a death in the future.
    (close.ret, close.entry_ns) = (0, EXIT + 1);
    assert_eq!(changes(&close)[0].0, EXIT);
}

#[test]
fn duplicates_name_their_source_and_what_they_replace() {
    let mut onto = call(292, 9, &[4, 9, 0x8_0000]);
    onto.entry_ns = ENTRY;
    let duplicated = |to: u32, cloexec, replaces| HandleChange::Duplicated {
        from: Fd(4),
        to: Fd(to),
        cloexec,
        replaces,
        file: None,
    };
    let entry = Some(BootTime(ENTRY));
    let replaces = Some(Replaces { entry });
    assert_eq!(changes(&onto), [(EXIT, duplicated(9, true, replaces))]);
    // dup2 of a number onto itself changes nothing.
    assert_eq!(changes(&call(33, 4, &[4, 4])), []);
    let fcntl = call(72, 6, &[4, 1030]);
    assert_eq!(changes(&fcntl), [(EXIT, duplicated(6, true, None))]);
    let mut getfd = call(438, 6, &[4, 4]);
    getfd.file = 0xffff_8000;
    let received = HandleChange::Received {
        fd: Fd(6),
        cloexec: true,
        file: std::num::NonZeroU64::new(0xffff_8000).map(FileAddress),
    };
    assert_eq!(changes(&getfd), [(EXIT, received)]);
}

#[test]
fn want_of_descriptors_is_told() {
    let refused = HandleChange::BirthRefused { errno: 24 };
    assert_eq!(changes(&call(257, -24, &[])), [(EXIT, refused)]);
}

/// A control buffer of one message that holds these descriptors.
fn passed(nr: u32, fds: &[u32]) -> PassedRecord {
    let mut record = PassedRecord::new_zeroed();
    record.header = header(kind::PASSED);
    record.nr = nr;
    let len = 16 + 4 * fds.len();
    record.control[..8].copy_from_slice(&(len as u64).to_ne_bytes());
    record.control[8..12].copy_from_slice(&1_u32.to_ne_bytes());
    record.control[12..16].copy_from_slice(&1_u32.to_ne_bytes());
    for (place, fd) in record.control[16..].chunks_mut(4).zip(fds) {
        place.copy_from_slice(&fd.to_ne_bytes());
    }
    (record.control_len, record.copied) = (len as u64, u32::try_from(len).unwrap());
    record
}

#[test]
fn messages_bring_descriptors_and_take_them() {
    let received = |fd| HandleChange::Received {
        fd: Fd(fd),
        cloexec: false,
        file: None,
    };
    let both = [(EXIT, received(5)), (EXIT, received(6))];
    assert_eq!(changes(&passed(47, &[5, 6])), both);
    let shared = HandleChange::Shared { fd: Fd(5) };
    assert_eq!(changes(&passed(46, &[5])), [(EXIT, shared)]);
    let mut cut = passed(47, &[5, 6]);
    cut.control_len = CONTROL_BYTES as u64 + 1;
    let why = Unsettled::Ancillary;
    assert_eq!(
        changes(&cut).last(),
        Some(&(EXIT, HandleChange::Unsettled { why }))
    );
}

fn piece(first_fd: u32, words: &[u64], flags: u32) -> TableRecord {
    let mut record = TableRecord::new_zeroed();
    record.header = header(kind::TABLE);
    (record.owner_tid, record.owner_tgid) = (50, 50);
    (record.first_fd, record.why, record.flags) = (first_fd, why::FORK, flags);
    record.words = u32::try_from(words.len()).unwrap();
    record.open[..words.len()].copy_from_slice(words);
    record.cloexec[0] = 1;
    record
}

fn table(pieces: &[TableRecord]) -> Option<TableRead> {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    for piece in pieces {
        decoder.decode(piece.as_bytes(), &mut out).unwrap();
    }
    let [event] = <[Event; 1]>::try_from(out).ok()?;
    match event.what {
        What::Table(table) => Some(*table),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_table_is_whole_when_no_piece_of_it_is_lost() {
    let full = [u64::MAX; TABLE_WORDS];
    let (first, last) = (piece(0, &full, 0), piece(1024, &[0b101], piece::LAST));
    assert_eq!(table(&[first]), None);
    let whole = table(&[first, last]).expect("its last piece came");
    assert_eq!(
        (whole.owner, whole.by, whole.why),
        (Tid(50), Tid(TID), TableWhy::Fork)
    );
    assert_eq!(whole.open.len(), 1026);
    assert_eq!(whole.open[0], (Fd(0), true));
    assert_eq!(whole.open[1025], (Fd(1026), false));
    assert!(whole.complete);
    for pieces in [
        &[last][..],
        &[first, piece(2048, &[1], piece::LAST)],
        &[piece(0, &[1], piece::LAST | piece::TRUNCATED)],
        &[piece(0, &[1], piece::LAST | piece::UNREADABLE)],
    ] {
        assert!(!table(pieces).expect("its last piece came").complete);
    }
}

#[test]
fn the_table_of_calls_is_in_order_and_flags_are_where_they_say() {
    assert!(CALLS.is_sorted_by_key(|call| call.nr));
    for call in CALLS {
        assert!(call.flags_arg <= 4, "{}", call.name);
        assert_ne!(call.class, class::NONE, "{}", call.name);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(
        kind in 0..20_u16,
        mut bytes in prop::collection::vec(any::<u8>(), 0..1400),
    ) {
        if let Some(place) = bytes.get_mut(24..26) {
            place.copy_from_slice(&kind.to_ne_bytes());
        }
        let mut out = Vec::new();
        let _either = Decoder::default().decode(&bytes, &mut out);
        // At most as many events as 4-byte numbers fit into the record.
        prop_assert!(out.len() <= bytes.len());
    }
}
