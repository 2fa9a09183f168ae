//! A recording into a pipe: it is one stream, and a slow reader makes nobody wait.

use std::{
    fs,
    io::Read as _,
    sync::Arc,
    time::{Duration, Instant},
};

use super::story::long_story;
use crate::{
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    trace::{
        read::{Limits, Recording},
        write::{Files, Options, Recorder},
    },
};

#[test]
fn a_pipe_that_is_full_makes_nobody_wait() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let opened = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::File::open(pipe).unwrap()
    });
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let options = Options {
        segment_bytes: 5_000,
        ..Options::default()
    };
    let files = Files::new(&pipe);
    let mut recorder =
        Recorder::start(files, options, super::meta(), &pipeline, || Ok(())).unwrap();
    let mut reader = opened.join().unwrap();
    rustix::pipe::fcntl_setpipe_size(&reader, 4096).unwrap();
    let mut longest = Duration::ZERO;
    let mut taken = 0;
    for batch in Cast::default().batches(&long_story(120)) {
        let fallen = pipeline.take(&batch);
        taken += batch.events.len() as u64;
        let began = Instant::now();
        recorder.take(&batch, &pipeline, &fallen);
        longest = longest.max(began.elapsed());
    }
    assert!(longest < Duration::from_millis(500), "{longest:?}");
    assert!(recorder.progress().lost > 0);
    let drained = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let progress = recorder.finish(&pipeline);
    let copy = folder.path().join("copy.rec");
    fs::write(&copy, drained.join().unwrap()).unwrap();
    let recording = Arc::new(Recording::open(&copy, Limits::default()).unwrap());
    assert!(recording.is_clean() && recording.damage().is_empty());
    assert_eq!(recording.events() + progress.lost, taken, "{progress:?}");
    // The pipe is still there, and nothing was made beside it.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
