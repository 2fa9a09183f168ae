//! Recordings made and read again.

mod damage;
mod disk;
mod forgotten;
mod golden;
mod hostile;
mod index;
mod kill;
mod pipe;
pub(crate) mod play;
mod rows;
mod story;

use std::{path::Path, sync::Arc};

use super::{
    meta::{Meta, Watched},
    read::{Limits, Read, Recording},
    write::{Files, Options, Progress, Recorder},
};
use crate::{
    event::Batch,
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    verdict::Judgement,
};

/// A key that leaves its thread behind, one whose handle goes in time, and a loss.
const STORY: &str = "
    1 100 store-begin a
    2 100 thread 101
    3 100 open 5 eventfd
    4 100 store-end a
    5 100 store-begin b
    6 100 open 6 socket file=4160
    7 100 store-end b
    8 100 tick
    10 100 delete-begin a bare
    11 100 unlink a
    12 100 delete-end a
    20 100 delete-begin b close
    21 100 close 6 refs=1
    22 100 delete-end b
    1500 100 tick
    1600 100 open 7 file
    1700 100 lost call from=1650 until=1690
    3000 100 tick
";

fn meta() -> Meta {
    Meta {
        watched: Watched::processes([100]),
        boot_wall_ns: Some(14 * 3_600_000_000_000),
        ..Meta::default()
    }
}

/// Plays a story into a recording. What fell on the way comes back.
fn record(
    path: &Path,
    options: Options,
    batches: impl Iterator<Item = Batch>,
) -> (Pipeline, Vec<Judgement>, Progress) {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let files = Files::new(path);
    let mut recorder = Recorder::start(files, options, meta(), &pipeline, || Ok(())).unwrap();
    let mut all = Vec::new();
    for batch in batches {
        let fallen = pipeline.take(&batch);
        recorder.take(&batch, &pipeline, &fallen);
        all.extend(fallen);
    }
    let progress = recorder.finish(&pipeline);
    (pipeline, all, progress)
}

/// What is known after all of a recording, and what fell.
fn replay(recording: &Arc<Recording>) -> (Pipeline, Vec<Judgement>) {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let mut all = Vec::new();
    for read in recording.reads() {
        match read {
            Read::Batch(batch) => all.extend(pipeline.take(&batch)),
            Read::State(state) => pipeline = *state,
            Read::Note { .. } => {}
        }
    }
    (pipeline, all)
}

/// Everything a pipeline holds.
fn state(pipeline: &Pipeline) -> String {
    format!("{pipeline:#?}")
}

#[test]
fn a_replay_gives_the_same_ledger_and_the_same_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.rec");
    let mut cast = Cast::default();
    let batches = cast.batches(STORY);
    let (live, fallen, progress) = record(&path, Options::default(), batches);
    assert_eq!(progress.halted, None);
    assert!(!fallen.is_empty());
    let recording = Arc::new(Recording::open(&path, Limits::default()).unwrap());
    assert!(recording.is_clean() && recording.damage().is_empty());
    let (replayed, again) = replay(&recording);
    assert_eq!(again, fallen);
    assert_eq!(state(&replayed), state(&live));
    let totals = recording.meta().totals.unwrap();
    assert_eq!((totals.events, totals.lost), (recording.events(), 0));
}
