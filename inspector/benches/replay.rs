//! How long it takes from asking for a moment of a large recording until the screen can show it.
//!
//! `cargo bench -p inspector --bench replay [-- MEGABYTES [RATE]]` makes a recording of so many
//! (1,000 unless said) and of so many events a second (5,000 unless said, a ninth of them deletes),
//! opens it, and jumps to moments all over it.

#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]

use std::{
    num::NonZeroU64,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use inspector::{
    event::{
        Batch, Event, HandleEvent, Mark, ThreadEvent, What,
        handle::{HandleChange, HandleKind},
        id::{BootTime, CallNumber, Fd, FileAddress, Tgid, Tid},
        mark::{Declared, Key, MapId},
        text::{Comm, Text},
        thread::CloneFlags,
    },
    ledger::{LedgerRules, retain::Retain},
    pipeline::Pipeline,
    trace::{
        block::Kind,
        meta::Meta,
        read::{Limits, Recording},
        write::{Files, Options, Recorder},
    },
    tui::{replay::Replay, world::World},
};

/// Keys that live at a time, each with a thread and a handle.
const LIVE: u32 = 2_000;
/// Numbers of threads and descriptors, each used again when all were.
const NUMBERS: u32 = 30_000;
/// Moments that are jumped to.
const JUMPS: u64 = 60;
/// Events that are taken in before the clock is looked at, as on the screen.
const EVENTS: usize = 1024;

fn main() {
    let mut numbers = std::env::args().filter_map(|word| word.parse::<u64>().ok());
    let bytes = numbers.next().unwrap_or(1_000) * 1_000_000;
    let rate = numbers.next().unwrap_or(5_000);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("large.rec");
    let started = Instant::now();
    record(&path, bytes, rate);
    println!("made in {:.1?}", started.elapsed());

    let started = Instant::now();
    let recording = Recording::open(&path, Limits::default()).expect("it was just made");
    let recording = Arc::new(recording);
    let bytes: u64 = recording.segments().map(|file| file.bytes).sum();
    println!(
        "{} MB, {} events in {} blocks; headers read in {:.1?}",
        bytes / 1_000_000,
        recording.events(),
        recording.blocks().len(),
        started.elapsed()
    );
    let keyframes = recording.blocks().iter().map(|block| block.header);
    let keyframes = keyframes.filter(|header| header.kind == Kind::Keyframe);
    let (count, raw, stored) = keyframes.fold((0, 0, 0), |(count, raw, stored), header| {
        let more = (u64::from(header.raw_len), u64::from(header.stored_len));
        (count + 1, raw + more.0, stored + more.1)
    });
    println!(
        "{count} keyframes of {} kB, {} kB packed: {} % of the file",
        raw / count / 1_000,
        stored / count / 1_000,
        stored * 100 / bytes
    );
    let started = Instant::now();
    let mut replay = Replay::new(&recording, Text::default());
    let mut world = World::of_targets(LedgerRules::default());
    arrive(&mut replay, &mut world);
    println!("opened in {:.1?}", started.elapsed());

    let mut times = Vec::new();
    let span_ns = replay.timeline.span_ns();
    for jump in 0..JUMPS {
        // To and fro, all over it.
        let place = jump * 37 % JUMPS;
        let at = replay.timeline.from.plus_ns(span_ns / JUMPS * place);
        let started = Instant::now();
        replay.go_to(&world, at);
        arrive(&mut replay, &mut world);
        times.push(started.elapsed());
    }
    times.sort();
    let worst = times[times.len() - 1];
    println!(
        "a jump takes {:.1?} (half of them), {worst:.1?} (the worst)",
        times[times.len() / 2]
    );
    assert!(worst < Duration::from_secs(2), "a jump took {worst:?}");
}

/// Does all that is to be done.
fn arrive(replay: &mut Replay, world: &mut World) {
    while replay.is_behind() {
        replay.work(world, EVENTS);
    }
}

/// Keys are stored with a thread and a handle and deleted again; every tenth leaves both behind
/// for a while.
fn record(path: &Path, bytes: u64, rate: u64) {
    let mut pipeline = Pipeline::new(LedgerRules {
        retain: Retain::RECORDED,
        ..LedgerRules::default()
    });
    let options = Options {
        segment_bytes: u64::MAX,
        segment_time: Duration::MAX,
        ..Options::default()
    };
    let mut recorder = Recorder::start(
        Files::new(path),
        options,
        Meta::default(),
        &pipeline,
        || Ok(()),
    )
    .expect("the folder can be written in");
    let mut told = Told {
        now_ns: 1,
        apart_ns: 1_000_000_000 / rate,
        starts: vec![BootTime(0); NUMBERS as usize],
        events: Vec::new(),
    };
    let (mut round, mut made) = (0, 0);
    // Half of the blocks that may wait, which are closed four times a second at least.
    let ahead = (rate / 4).min(32 << 10) * 16;
    while recorder.progress().bytes < bytes {
        for _ in 0..200 {
            told.round(round);
            round += 1;
        }
        told.push(What::Tick);
        let batch = Batch {
            events: std::mem::take(&mut told.events),
        };
        let fallen = pipeline.take(&batch);
        recorder.take(&batch, &pipeline, &fallen);
        // The disk is waited for, as no recorder of real events can.
        made += batch.events.len() as u64;
        while made > recorder.progress().events + ahead {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let progress = recorder.finish(&pipeline);
    assert_eq!(progress.lost, 0, "the disk was waited for");
}

struct Told {
    now_ns: u64,
    /// Between two events, as they come on average.
    apart_ns: u64,
    /// When the latest thread of each number began.
    starts: Vec<BootTime>,
    events: Vec<Event>,
}

impl Told {
    fn push(&mut self, what: What) {
        // At uneven times.
        let half = self.apart_ns / 2;
        self.now_ns += half + self.now_ns.wrapping_mul(0x9e37_79b9_7f4a_7c15) % self.apart_ns;
        let at = BootTime(self.now_ns);
        self.events.push(Event { at, what });
    }

    fn round(&mut self, round: u32) {
        let place = round % NUMBERS;
        let (tid, fd) = (1_000 + place, 3 + place);
        self.starts[place as usize] = BootTime(self.now_ns);
        self.mark(round, Declared::StoreBegin { span: None });
        let start = self.starts[place as usize];
        self.push(What::Thread(ThreadEvent::Born {
            parent: Tid(100),
            parent_tgid: Tgid(100),
            child: Tid(tid),
            tgid: Tgid(100),
            start,
            flags: CloneFlags(0x1_0500),
            files: None,
            comm: Comm::default(),
        }));
        let address =
            0xffff_8880_0000_0000 + self.now_ns.wrapping_mul(0x9e37_79b9) % (1 << 36) * 64;
        self.handle(HandleChange::Born {
            fd: Fd(fd),
            kind: HandleKind::Timerfd,
            cloexec: true,
            file: NonZeroU64::new(address).map(FileAddress),
        });
        self.mark(round, Declared::StoreEnd { span: None });
        if let Some(old) = round.checked_sub(LIVE) {
            self.mark(old, Declared::DeleteBegin { policy: None });
            if !old.is_multiple_of(10) {
                self.end(old);
            }
            self.mark(old, Declared::DeleteEnd);
        }
        // What was left behind goes at last, long after its grace.
        if let Some(old) = round
            .checked_sub(4 * LIVE)
            .filter(|old| old.is_multiple_of(10))
        {
            self.end(old);
        }
    }

    fn end(&mut self, round: u32) {
        let place = round % NUMBERS;
        self.handle(HandleChange::Closed {
            fd: Fd(3 + place),
            entry_seen: true,
            returned: BootTime(self.now_ns + 1_500),
            references: Some(1),
        });
        let (tid, tgid) = (Tid(1_000 + place), Tgid(100));
        let start = self.starts[place as usize];
        self.push(What::Thread(ThreadEvent::Exiting { tid, tgid, start }));
        self.push(What::Thread(ThreadEvent::Gone { tid, tgid, start }));
    }

    fn handle(&mut self, change: HandleChange) {
        self.push(What::Handle(HandleEvent {
            tid: Tid(100),
            tgid: Tgid(100),
            call: CallNumber(257),
            change,
        }));
    }

    fn mark(&mut self, key: u32, what: Declared) {
        self.push(What::Mark(Box::new(Mark {
            tid: Tid(100),
            tgid: Tgid(100),
            map: MapId(1),
            key: Key::whole(&key.to_le_bytes()),
            what,
        })));
    }
}
