//! Keyframes that were changed: each is refused, or any events may follow it.

use std::{num::NonZeroU64, time::Duration};

use proptest::{
    prelude::Rng as _,
    test_runner::{RngAlgorithm, TestRng},
};

use super::story::long_story;
use crate::{
    event::{
        Batch, BootTime, Event, Gap, HandleEvent, Scan, TableRead, ThreadEvent, What,
        handle::{HandleChange, HandleKind},
        id::{CallNumber, Fd, FileAddress, Tgid, Tid},
        loss::Layer,
        scan::{ScanRole, SeenHandle, SeenTable, SeenThread},
        table::TableWhy,
        text::{Comm, Text},
    },
    ledger::{LedgerRules, retain::Retain},
    pipeline::{Pipeline, story::Cast},
    report::document::{Document, Of, Run},
    source::SourceKind,
    trace::keyframe,
    verdict::growth::Growth,
};

/// Everything a ledger can hold: what waits, shares, overlaps, is owed and is found wrong.
const CROWDED: &str = "
    1 100 thread 101
    1 100 fork 300 files=9000
    1 100 read-fork 5 6 by=100 files=9000
    2 100 store-begin a span=7
    2 100 open 5 socket file=4160
    2 100 dup 5 6 file=4160
    2 100 store-end a span=7
    3 101 store-begin b
    3 101 open 7 file file=4224
    3 101 dup2 5 7 file=4160
    3 100 close 7 until=5
    4 100 close-range 8 9 until=9
    4 101 open 9 pipe
    5 100 own-fd b 6
    6 100 delete-begin a
    6 100 close 5 refs=3
    7 100 close-refused 5
    7 100 birth-refused 24
    8 100 tick
    9 100 lost call from=8 until=9
    10 101 store-begin a
";

/// What a genuine ledger looks like at many places.
fn genuine() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (story, every) in [(CROWDED.to_owned(), 4), (long_story(6), 9)] {
        let mut pipeline = Pipeline::new(LedgerRules::default());
        for (number, batch) in Cast::default().batches(&story).enumerate() {
            pipeline.take(&batch);
            if number % every == every - 1 {
                all.push(keyframe::bytes(&keyframe::of(pipeline.clone())));
            }
        }
    }
    all
}

/// Events that touch every record there is, and end or forget it.
fn all_at_once(pipeline: &Pipeline) -> Vec<Event> {
    let ledger = pipeline.ledger();
    let mut all = Vec::new();
    let at = ledger.now().plus_ns(2_000_000_000);
    let threads: Vec<_> = ledger.threads().map(|(_, one)| one.name).collect();
    let numbers: Vec<_> = ledger.handles().map(|(_, one)| one.fd).collect();
    let handle = |tid: Tid, tgid: Tgid, change| {
        What::Handle(HandleEvent {
            tid,
            tgid,
            call: CallNumber(3),
            change,
        })
    };
    for (place, name) in threads.iter().enumerate() {
        let (tid, tgid) = (name.tid, name.tgid);
        for &fd in numbers.iter().take(6) {
            all.push(handle(
                tid,
                tgid,
                HandleChange::Closed {
                    fd,
                    entry_seen: place % 2 == 0,
                    returned: at,
                    references: Some(1 + place as u32 % 2),
                },
            ));
            all.push(handle(
                tid,
                tgid,
                HandleChange::Duplicated {
                    from: fd,
                    to: Fd(fd.0 ^ 1),
                    cloexec: false,
                    replaces: None,
                    file: NonZeroU64::new(4160).map(FileAddress),
                },
            ));
        }
        all.push(What::Table(Box::new(TableRead {
            owner: tid,
            tgid,
            by: threads[0].tid,
            files: None,
            why: TableWhy::Unshare,
            open: numbers.iter().map(|&fd| (fd, false)).collect(),
            complete: true,
        })));
        all.push(handle(
            tid,
            tgid,
            HandleChange::RangeClosed {
                first: Fd(0),
                last: Fd(u32::MAX),
                entry_seen: true,
                returned: at,
            },
        ));
    }
    let tgids: std::collections::BTreeSet<_> = threads.iter().map(|name| name.tgid).collect();
    for &tgid in &tgids {
        let seen = threads.iter().filter(|name| name.tgid == tgid).skip(1);
        all.push(What::Scan(Box::new(Scan {
            role: ScanRole::Audit { heal: true },
            tgid,
            began: at,
            ended: at,
            threads: Some(
                seen.map(|name| SeenThread {
                    tid: name.tid,
                    start_ticks: 0,
                    comm: Comm::default(),
                    state: b'S',
                })
                .collect(),
            ),
            tables: vec![SeenTable {
                users: threads.iter().map(|name| name.tid).collect(),
                handles: Ok(vec![SeenHandle {
                    fd: Fd(5),
                    kind: HandleKind::Socket,
                    cloexec: None,
                    target: Text::from(&b"socket:[1]"[..]),
                }]),
            }],
            limits: None,
        })));
    }
    all.push(What::Gap(Box::new(Gap {
        layer: Layer::Ring,
        cpu: Some(1),
        lost: vec![("call", u64::MAX)],
        from: at,
        until: at,
    })));
    for (place, name) in threads.iter().enumerate() {
        all.push(What::Thread(if place % 2 == 0 {
            let (tid, tgid, start) = (name.tid, name.tgid, name.start.unwrap_or_default());
            ThreadEvent::Gone { tid, tgid, start }
        } else {
            ThreadEvent::Exec {
                tgid: name.tgid,
                old_tid: name.tid,
                start: at,
                files: None,
                comm: Comm::default(),
            }
        }));
        all.push(What::Tick);
    }
    all.extend(std::iter::repeat_n(What::Tick, 12));
    all.into_iter().map(|what| Event { at, what }).collect()
}

/// Plays on, judges and reports.
fn survives(pipeline: Pipeline) {
    let source = SourceKind::Polling {
        every: Duration::from_secs(1),
        why: String::new(),
    };
    let run = Run {
        of: Of::Processes(vec![Tgid(100)]),
        started: BootTime(0),
        ended: BootTime(1),
        boot_wall_ns: None,
    };
    let mut growth = Growth::new();
    growth.sample(pipeline.ledger());
    let mut pipeline = pipeline.with_rules(LedgerRules {
        retain: Retain { dead: 1 },
        ..LedgerRules::default()
    });
    let events = all_at_once(&pipeline);
    pipeline.take(&Batch { events });
    assert_eq!(pipeline.check_sound(), Ok(()));
    growth.sample(pipeline.ledger());
    let document = Document {
        run: &run,
        source: &source,
        pipeline: &pipeline,
        growth: &growth,
    };
    serde_json::to_writer(std::io::sink(), &document).unwrap();
}

fn mutated(seed: u8, times: u32) {
    let genuine = genuine();
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut pick = |most: usize| random.next_u32() as usize % most;
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..times {
        let mut bytes = genuine[pick(genuine.len())].clone();
        for _ in 0..=pick(3) {
            // The version stays.
            let at = 4 + pick(bytes.len() - 4);
            match pick(5) {
                0 => bytes[at] ^= 1 << pick(8),
                1 => bytes[at] = pick(256) as u8,
                2 => bytes[at] = bytes[at].wrapping_add(1),
                3 => bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][pick(6)],
                _ => {
                    let other = 4 + pick(bytes.len() - 4);
                    bytes.swap(at, other);
                }
            }
        }
        match keyframe::parse(&bytes) {
            Err(_) => refused += 1,
            Ok(pipeline) => {
                taken += 1;
                survives(pipeline);
            }
        }
    }
    assert!(
        refused > times / 10 && taken > times / 10,
        "{refused} refused, {taken} taken"
    );
}

#[test]
fn genuine_keyframes_are_taken() {
    for bytes in genuine() {
        let pipeline = keyframe::parse(&bytes).unwrap();
        assert_eq!(keyframe::bytes(&pipeline).len(), bytes.len());
        survives(pipeline);
    }
}

#[test]
fn changed_keyframes_are_refused_or_survive() {
    mutated(1, 50_000);
}

#[test]
fn changed_keyframes_are_refused_or_survive_again() {
    mutated(2, 50_000);
}

#[test]
fn cut_keyframes_and_those_that_lie_of_their_length_are_refused() {
    let bytes = genuine().pop().unwrap();
    for len in 0..bytes.len() {
        assert!(keyframe::parse(&bytes[..len]).is_err(), "{len}");
    }
    // Grace, retention; then a list of processes of 2^60.
    let mut bytes = keyframe::VERSION.to_le_bytes().to_vec();
    bytes.extend([0, 0]);
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert!(keyframe::parse(&bytes).is_err());
}
