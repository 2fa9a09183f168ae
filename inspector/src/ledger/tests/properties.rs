//! Any sequence of events at all: nothing panics, what was met adds up, and what the judge told
//! step by step is what a fresh look says.

use proptest::prelude::*;
use std::{collections::BTreeMap, num::NonZeroU64};

use crate::{
    event::{
        Batch, Event, Gap, HandleEvent, Mark, Scan, SourceEnd, TableRead, Targets, ThreadEvent,
        WaitEvent, What,
        handle::{HandleChange, HandleKind, Replaces, Unsettled},
        id::{BootTime, CallNumber, Fd, FileAddress, FilesAddress, Tgid, Tid},
        loss::Layer,
        mark::{Declared, Key, MapId, Owned},
        scan::{ScanRole, SeenHandle, SeenTable, SeenThread},
        table::TableWhy,
        target::{SeenTarget, TargetDetail},
        text::{Comm, Text},
        thread::CloneFlags,
        wait::{Blocked, WaitSums},
    },
    ledger::{
        Ledger, LedgerRules,
        identity::{Origin, ResourceName, ThreadName},
        retain::Retain,
    },
    pipeline::Pipeline,
    report::{json, text::Line},
    verdict::{Judgement, Verdict},
};

/// Numbers as a damaged record may hold them: mostly few, so that they meet.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        20 => 0..6u32,
        1 => Just(65_535),
        1 => Just(65_536),
        1 => Just(u32::MAX),
        1 => any::<u32>(),
    ]
}

fn time() -> impl Strategy<Value = BootTime> {
    prop_oneof![
        20 => (0..3_000u64).prop_map(|ms| BootTime(ms * 1_000_000)),
        1 => any::<u64>().prop_map(BootTime),
    ]
}

fn tid() -> impl Strategy<Value = Tid> {
    number().prop_map(Tid)
}

fn tgid() -> impl Strategy<Value = Tgid> {
    prop_oneof![10 => (0..2u32).prop_map(Tgid), 1 => number().prop_map(Tgid)]
}

fn fd() -> impl Strategy<Value = Fd> {
    number().prop_map(Fd)
}

fn file() -> impl Strategy<Value = Option<FileAddress>> {
    (0..5u64).prop_map(|address| NonZeroU64::new(address).map(FileAddress))
}

fn files() -> impl Strategy<Value = Option<FilesAddress>> {
    (0..4u64).prop_map(|address| NonZeroU64::new(address).map(FilesAddress))
}

fn thread() -> BoxedStrategy<ThreadEvent> {
    let comm = Comm::from_bytes(b"t");
    let task = || (tid(), tgid(), (0..3u64).prop_map(BootTime));
    prop_oneof![
        (tid(), tgid(), task(), 0..8u64, files()).prop_map(
            move |(parent, parent_tgid, (child, tgid, start), flags, files)| {
                ThreadEvent::Born {
                    parent,
                    parent_tgid,
                    child,
                    tgid,
                    start,
                    flags: CloneFlags((flags & 1) << 10 | (flags & 2) << 15),
                    files,
                    comm,
                }
            }
        ),
        (tid(), tgid()).prop_map(move |(tid, tgid)| ThreadEvent::Renamed { tid, tgid, comm }),
        (task(), files()).prop_map(move |((old_tid, tgid, start), files)| ThreadEvent::Exec {
            tgid,
            old_tid,
            start,
            files,
            comm,
        }),
        task().prop_map(|(tid, tgid, start)| ThreadEvent::Exiting { tid, tgid, start }),
        task().prop_map(|(tid, tgid, start)| ThreadEvent::Gone { tid, tgid, start }),
    ]
    .boxed()
}

fn change() -> BoxedStrategy<HandleChange> {
    prop_oneof![
        4 => (fd(), any::<bool>(), file()).prop_map(|(fd, cloexec, file)| HandleChange::Born {
            fd,
            kind: HandleKind::Timerfd,
            cloexec,
            file,
        }),
        3 => (fd(), fd(), prop::option::of(prop::option::of(time())), file()).prop_map(
            |(from, to, entry, file)| HandleChange::Duplicated {
                from,
                to,
                cloexec: false,
                replaces: entry.map(|entry| Replaces { entry }),
                file,
            }
        ),
        1 => (fd(), file()).prop_map(|(fd, file)| HandleChange::Received {
            fd,
            cloexec: true,
            file,
        }),
        1 => fd().prop_map(|fd| HandleChange::Shared { fd }),
        4 => (fd(), any::<bool>(), time(), prop::option::of(0..4u32)).prop_map(
            |(fd, entry_seen, returned, references)| HandleChange::Closed {
                fd,
                entry_seen,
                returned,
                references,
            }
        ),
        1 => (fd(), fd(), time()).prop_map(|(first, last, returned)| HandleChange::RangeClosed {
            first,
            last,
            entry_seen: true,
            returned,
        }),
        1 => (fd(), fd(), any::<bool>())
            .prop_map(|(first, last, on)| HandleChange::CloexecSet { first, last, on }),
        1 => fd().prop_map(|fd| HandleChange::CloseRefused { fd }),
        1 => Just(HandleChange::Unsettled {
            why: Unsettled::CompatCall
        }),
    ]
    .boxed()
}

fn declared() -> BoxedStrategy<Declared> {
    let span = || prop::option::of(0..3u64);
    prop_oneof![
        span().prop_map(|span| Declared::StoreBegin { span }),
        span().prop_map(|span| Declared::StoreEnd { span }),
        fd().prop_map(|fd| Declared::Own(Owned::Handle(fd))),
        tid().prop_map(|tid| Declared::Own(Owned::Thread(tid))),
        Just(Declared::DeleteBegin { policy: None }),
        Just(Declared::DeleteUnlink),
        Just(Declared::DeleteEnd),
    ]
    .boxed()
}

fn table() -> BoxedStrategy<TableRead> {
    let open = prop::collection::btree_map(number(), any::<bool>(), 0..5);
    let why = prop::sample::select(vec![TableWhy::Fork, TableWhy::Exec, TableWhy::Unshare]);
    (tid(), tgid(), tid(), files(), why, open, any::<bool>())
        .prop_map(|(owner, tgid, by, files, why, open, complete)| TableRead {
            owner,
            tgid,
            by,
            files,
            why,
            open: open.into_iter().map(|(fd, on)| (Fd(fd), on)).collect(),
            complete,
        })
        .boxed()
}

fn scan() -> BoxedStrategy<Scan> {
    let role = prop_oneof![
        Just(ScanRole::Baseline),
        prop::option::of(time()).prop_map(|since| ScanRole::Poll { since }),
        any::<bool>().prop_map(|heal| ScanRole::Audit { heal }),
    ];
    let threads = prop::option::weighted(0.8, prop::collection::btree_set(number(), 0..5));
    let handles = prop::collection::btree_set(number(), 0..5);
    (role, tgid(), time(), time(), threads, handles)
        .prop_map(|(role, tgid, began, ended, threads, handles)| Scan {
            role,
            tgid,
            began,
            ended,
            tables: vec![SeenTable {
                users: threads.iter().flatten().map(|&tid| Tid(tid)).collect(),
                handles: Ok(handles
                    .into_iter()
                    .map(|fd| SeenHandle {
                        fd: Fd(fd),
                        kind: HandleKind::Socket,
                        cloexec: None,
                        target: Text::from(&b"socket:[1]"[..]),
                    })
                    .collect()),
            }],
            threads: threads.map(|tids| {
                tids.into_iter()
                    .map(|tid| SeenThread {
                        tid: Tid(tid),
                        start_ticks: 0,
                        comm: Comm::default(),
                        state: b'S',
                    })
                    .collect()
            }),
            limits: None,
        })
        .boxed()
}

fn targets() -> impl Strategy<Value = Targets> {
    (tgid(), tid(), time(), time(), number()).prop_map(|(tgid, reader, began, ended, fd)| Targets {
        tgid,
        reader,
        began,
        ended,
        read: vec![SeenTarget {
            fd: Fd(fd),
            kind: HandleKind::Socket,
            target: Text::from(&b"socket:[1]"[..]),
            detail: Some(TargetDetail::Eventfd { count: 1 }),
        }],
    })
}

fn what() -> BoxedStrategy<What> {
    prop_oneof![
        6 => thread().prop_map(What::Thread),
        12 => (tid(), tgid(), change()).prop_map(|(tid, tgid, change)| What::Handle(HandleEvent {
            tid,
            tgid,
            call: CallNumber(3),
            change,
        })),
        2 => table().prop_map(|read| What::Table(Box::new(read))),
        2 => (tid(), tgid(), prop::option::of(prop::option::of(time()))).prop_map(
            |(tid, tgid, since)| What::Wait(Box::new(WaitEvent::Sample {
                tid,
                tgid,
                blocked: since.map(|since| Blocked {
                    since,
                    call: Some(0),
                    args: [3, 0, 0, 0],
                }),
                ran: None,
                waker: None,
                sums: WaitSums::default(),
            }))
        ),
        1 => (tgid(), 0..3u64, 0..3u64).prop_map(|(tgid, address, count)| {
            What::Wait(Box::new(WaitEvent::Futex {
                tgid,
                address,
                sums: WaitSums {
                    count,
                    ..WaitSums::default()
                },
                wakers: Vec::new(),
            }))
        }),
        8 => (tid(), tgid(), 0..3u8, declared()).prop_map(|(tid, tgid, key, what)| {
            What::Mark(Box::new(Mark {
                tid,
                tgid,
                map: MapId(0),
                key: Key::whole(&[key]),
                what,
            }))
        }),
        2 => scan().prop_map(|scan| What::Scan(Box::new(scan))),
        2 => targets().prop_map(|targets| What::Targets(Box::new(targets))),
        2 => (tid(), tgid(), fd()).prop_map(|(tid, tgid, fd)| super::names::named(tid, tgid, fd)),
        1 => (time(), time(), prop::sample::select(vec!["call", "gone", "mark", "?"])).prop_map(
            |(from, until, kind)| What::Gap(Box::new(Gap {
                layer: Layer::Ring,
                cpu: None,
                lost: vec![(kind, 1)],
                from,
                until,
            }))
        ),
        3 => Just(What::Tick),
        1 => Just(What::End(Box::new(SourceEnd {
            error: None,
            counts: Vec::new(),
        }))),
    ]
    .boxed()
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (time(), what()).prop_map(|(at, what)| Event { at, what });
    prop::collection::vec(event, 0..200)
}

fn adds_up(ledger: &Ledger) -> Result<(), TestCaseError> {
    let (counters, kept) = (ledger.counters(), ledger.kept());
    let threads = (kept.threads_live + kept.threads_dead) as u64;
    prop_assert_eq!(counters.threads, threads + counters.threads_forgotten);
    let handles = (kept.handles_open + kept.handles_closed) as u64;
    prop_assert_eq!(counters.handles, handles + counters.handles_forgotten);
    let entries = kept.entries as u64;
    prop_assert_eq!(counters.entries, entries + counters.entries_forgotten);
    for (key, table) in ledger.tables() {
        prop_assert_eq!(table.open as usize, ledger.open_handles(key).len());
    }
    Ok(())
}

fn without_start(resource: ResourceName) -> ResourceName {
    match resource {
        ResourceName::Thread(thread) => ResourceName::Thread(ThreadName {
            start: None,
            ..thread
        }),
        handle @ ResourceName::Handle(_) => handle,
    }
}

/// The same cases in every run; `LEDGER_MODEL_CASES=n` plays n new ones.
fn config() -> ProptestConfig {
    ProptestConfig {
        max_shrink_iters: 1024,
        ..super::model::config(256)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_events_are_taken(events in events(), dead in prop::sample::select(vec![0, 3, 1000])) {
        let rules = LedgerRules { retain: Retain { dead }, ..LedgerRules::default() };
        let mut pipeline = Pipeline::new(rules);
        for event in events {
            for judgement in pipeline.take(&Batch { events: vec![event] }) {
                prop_assert!(!Line(&judgement).to_string().contains('\n'));
                prop_assert!(json::value(&judgement).is_object());
            }
            prop_assert_eq!(pipeline.check_sound(), Ok(()));
        }
        adds_up(pipeline.ledger())?;
        prop_assert!(pipeline.ledger().findings().iter().all(|one| !one.to_string().contains('\n')));
    }

    #[test]
    fn the_judge_tells_what_a_fresh_look_says(events in events()) {
        let mut pipeline = Pipeline::new(LedgerRules::default());
        let mut told = BTreeMap::new();
        for event in events {
            for judgement in pipeline.take(&Batch { events: vec![event] }) {
                told.insert((judgement.entry, judgement.resource), judgement.verdict);
            }
        }
        let standing: Vec<_> = pipeline.judgements().collect();
        for judgement in &standing {
            // A thread whose start was told late, or which executed a program, was told of by
            // another name.
            let is_named = match judgement.resource {
                ResourceName::Thread(thread) => {
                    judgement.evidence.born.origin == Origin::Announced && thread.epoch == 0
                }
                ResourceName::Handle(_) => true,
            };
            // A kernel that gives one start to two threads of one number names them alike.
            let name = (judgement.entry.clone(), judgement.resource);
            let is_only = |other: &&Judgement| other.entry == name.0 && other.resource == name.1;
            let is_named = is_named && standing.iter().filter(is_only).count() == 1;
            if judgement.verdict != Verdict::Pending && is_named {
                // The birth of a thread that was met before may come late: it was told of without
                // its start.
                let before = (name.0.clone(), without_start(name.1));
                let last = told.get(&name).or_else(|| told.get(&before));
                let last = last.map(Verdict::word);
                prop_assert_eq!(last, Some(judgement.verdict.word()), "{:?}", name);
            }
        }
    }

    #[test]
    fn batches_are_cut_anywhere(events in events(), size in 1..50usize) {
        let mut one = Pipeline::new(LedgerRules::default());
        let mut other = one.clone();
        let in_one = one.take(&Batch { events: events.clone() });
        let in_many: Vec<_> = events.chunks(size)
            .flat_map(|events| other.take(&Batch { events: events.to_vec() }))
            .collect();
        prop_assert_eq!(in_one, in_many);
    }
}
