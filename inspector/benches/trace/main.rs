//! What a recording costs: rows and whole recordings written and read, in events a second of one
//! core, and bytes an event on the disk.
//!
//! `cargo bench -p inspector --bench trace [-- FILE]`: with FILE, the events of that recording;
//! without, those of a busy server as [`busy`] makes them up. Each figure is the fastest and the
//! median of interleaved runs.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod busy;

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use inspector::{
    event::Batch,
    ledger::{LedgerRules, retain::Retain},
    pipeline::Pipeline,
    trace::{
        keyframe,
        meta::Meta,
        read::{Limits, Read, Recording},
        write::{Files, Options, Recorder},
    },
};
use rustix::time::{ClockId, clock_gettime};

const RUNS: usize = 7;
/// Events that may wait for the writer.
const WAITING: u64 = 300_000;

fn main() {
    let named = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let batches = match &named {
        Some(file) => batches_of(Path::new(file)),
        None => busy::batches(2_000_000),
    };
    let events: u64 = batches.iter().map(|batch| batch.events.len() as u64).sum();
    println!(
        "{events} events of {}",
        named.as_deref().unwrap_or("a busy server, made up")
    );
    for (kind, count) in busy::kinds(&batches) {
        println!("  {kind:<8} {:5.1} %", count as f64 / events as f64 * 100.0);
    }
    let folder = std::env::temp_dir().join(format!("inspector-bench-{}", std::process::id()));
    let path = folder.join("bench.rec");
    let mut times = [const { Vec::new() }; 5];
    let mut pipeline = None;
    for _ in 0..RUNS {
        times[0].push(timed(|| applied(&batches)));
        let _none_is_there_at_first = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).expect("the temporary folder can be written");
        let written = written(&path, &batches);
        times[1].push(written.cpu);
        times[2].push(written.front_cpu);
        pipeline = Some(written.pipeline);
        times[3].push(timed(|| read(&path)));
        times[4].push(timed(|| replayed(&path)));
    }
    let bytes = std::fs::metadata(&path).expect("it was written").len();
    println!(
        "{:.1} bytes an event on the disk, keyframes included",
        bytes as f64 / events as f64
    );
    let names = [
        "taken in by the ledger alone",
        "written: cpu time of both threads",
        "  of it on the thread that takes events in",
        "read: every row decoded",
        "replayed: read and taken in by a ledger",
    ];
    for (name, times) in names.iter().zip(&mut times) {
        times.sort_unstable();
        let rate = |time: Duration| events as f64 / time.as_secs_f64() / 1e6;
        println!(
            "{name:<45} {:6.1} M events/s fastest, {:6.1} median",
            rate(times[0]),
            rate(times[times.len() / 2])
        );
    }
    if let Some(pipeline) = pipeline {
        let mut copy = None;
        let copied = timed(|| copy = Some(pipeline.clone()));
        let copy = copy.expect("it was just made");
        let mut frame = None;
        let trimmed = timed(|| frame = Some(keyframe::of(copy)));
        let frame = frame.expect("it was just made");
        let mut bytes = Vec::new();
        let made = timed(|| bytes = keyframe::bytes(&frame));
        let parsed = timed(|| drop(black_box(keyframe::parse(&bytes))));
        println!(
            "the last keyframe: {} bytes, copied in {copied:?}, trimmed in {trimmed:?}, made in \
             {made:?}, read in {parsed:?}",
            bytes.len()
        );
    }
    let _stays_in_the_temporary_folder = std::fs::remove_dir_all(&folder);
}

fn timed(act: impl FnOnce()) -> Duration {
    let started = Instant::now();
    act();
    started.elapsed()
}

fn batches_of(path: &Path) -> Vec<Batch> {
    let recording = Recording::open(path, Limits::default()).expect("it is a recording");
    let reads = Arc::new(recording).reads();
    reads
        .filter_map(|read| match read {
            Read::Batch(batch) => Some(batch),
            Read::State(_) | Read::Note { .. } => None,
        })
        .collect()
}

fn applied(batches: &[Batch]) {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for batch in batches {
        black_box(pipeline.take(batch));
    }
}

/// What writing took; the ledger's own part is in none of it.
struct Written {
    /// Both threads' time on a core.
    cpu: Duration,
    /// That of the thread that takes events in.
    front_cpu: Duration,
    pipeline: Pipeline,
}

fn written(path: &Path, batches: &[Batch]) -> Written {
    let mut pipeline = Pipeline::new(LedgerRules {
        retain: Retain::RECORDED,
        ..LedgerRules::default()
    });
    let files = Files::new(PathBuf::from(path));
    let cpu_before = (cpu(ClockId::ProcessCPUTime), cpu(ClockId::ThreadCPUTime));
    let meta = Meta {
        began_ns: batches[0].events[0].at.0,
        ..Meta::default()
    };
    let started = Recorder::start(files, Options::default(), meta, &pipeline, || Ok(()));
    let mut recorder = started.expect("the temporary folder can be written");
    let mut front_cpu = Duration::ZERO;
    let mut sent = 0;
    for batch in batches {
        let fallen = pipeline.take(batch);
        let front_before = cpu(ClockId::ThreadCPUTime);
        recorder.take(batch, &pipeline, &fallen);
        front_cpu += cpu(ClockId::ThreadCPUTime) - front_before;
        sent += batch.events.len() as u64;
        // The bench is faster than any source: nothing may be left out.
        while sent - recorder.progress().events > WAITING {
            assert!(!recorder.is_over(), "{:?}", recorder.progress());
            std::thread::yield_now();
        }
    }
    let progress = recorder.finish(&pipeline);
    assert_eq!((progress.lost, progress.halted), (0, None));
    let both = cpu(ClockId::ProcessCPUTime) - cpu_before.0;
    // This thread's ledger and its waiting are no part of writing.
    let writer = both.saturating_sub(cpu(ClockId::ThreadCPUTime) - cpu_before.1);
    Written {
        cpu: front_cpu + writer,
        front_cpu,
        pipeline,
    }
}

fn cpu(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::try_from(time).expect("it counts from 0")
}

fn read(path: &Path) {
    let recording = Recording::open(path, Limits::default()).expect("it was written");
    for read in Arc::new(recording).reads() {
        black_box(&read);
    }
}

fn replayed(path: &Path) {
    let recording = Recording::open(path, Limits::default()).expect("it was written");
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for read in Arc::new(recording).reads() {
        match read {
            Read::Batch(batch) => drop(black_box(pipeline.take(&batch))),
            Read::State(state) => pipeline = *state,
            Read::Note { .. } => {}
        }
    }
}
