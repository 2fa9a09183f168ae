//! A recorder that is killed loses at most the block that it had open.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use crate::{
    event::{Batch, BootTime, Event, What},
    ledger::LedgerRules,
    pipeline::Pipeline,
    trace::{
        read::{Limits, Read, Recording},
        write::{Files, Options, Recorder},
    },
};

const CHILD: &str = "INSPECTOR_TEST_RECORDS_UNTIL_KILLED";

/// Records ticks, one a millisecond, as fast as the disk takes them; says how many it has.
#[test]
fn the_child_that_is_killed() {
    let Some(path) = env::var_os(CHILD) else {
        return;
    };
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let options = Options {
        segment_bytes: 30_000,
        ..Options::default()
    };
    let files = Files::new(path);
    let meta = super::meta();
    let mut recorder = Recorder::start(files, options, meta, &pipeline, || Ok(())).unwrap();
    let mut told = std::io::stdout();
    for number in 1.. {
        let batch = Batch {
            events: vec![Event {
                at: BootTime(number * 1_000_000),
                what: What::Tick,
            }],
        };
        let fallen = pipeline.take(&batch);
        recorder.take(&batch, &pipeline, &fallen);
        if number % 250 == 0 {
            while recorder.progress().events + 2_000 < number {
                std::thread::sleep(Duration::from_micros(50));
            }
            writeln!(told, "written {}", recorder.progress().events).unwrap();
        }
    }
}

/// The ticks in a recording, which are to be all from the first to the last.
fn ticks(path: &Path) -> u64 {
    let recording = Arc::new(Recording::open(path, Limits::default()).unwrap());
    assert!(!recording.is_clean());
    let mut reads = recording.reads();
    let mut last = 0;
    for read in &mut reads {
        if let Read::Batch(batch) = read {
            for event in batch.events {
                assert_eq!(
                    (event.at.0, &event.what),
                    ((last + 1) * 1_000_000, &What::Tick)
                );
                last += 1;
            }
        }
    }
    let damaged = reads.damaged();
    assert!(damaged.blocks <= 1, "{damaged:?}");
    last
}

#[test]
fn a_killed_recorder_loses_at_most_the_open_block() {
    let folder = tempfile::tempdir().unwrap();
    let (mut most, mut runs) = (0, 0);
    for run in 0..200u64 {
        let path = folder.path().join(format!("{run}.rec"));
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "trace::tests::kill::the_child_that_is_killed",
                "--nocapture",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("written") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended by itself");
        }
        std::thread::sleep(Duration::from_micros(run * 7_919 % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut written = 0;
        for line in said.lines() {
            let line = line.unwrap();
            // The last line may be cut as well.
            if let Some(count) = line.strip_prefix("written ") {
                written = written.max(count.parse::<u64>().unwrap_or(0));
            }
        }
        let kept = ticks(&path);
        assert!(kept >= written, "run {run}: {kept} kept of {written}");
        most = most.max(kept);
        runs += 1;
        for entry in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
    assert_eq!(runs, 200);
    assert!(most > 2_000, "they hardly began: {most}");
}
