//! A recording of version 1 opens as long as this program is.
//!
//! `INSPECTOR_WRITE_GOLDEN=1 cargo test -p inspector --lib trace::tests::golden` makes it anew; that
//! is for a version that was never released.

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use super::{record, replay};
use crate::{
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    report::text::Line,
    trace::{
        keyframe,
        read::{Content, Limits, Recording},
        write::Options,
    },
};

/// Something of everything that is recorded.
const STORY: &str = "
    1 100 baseline 100 101 | 3 4 began=0.5
    2 100 store-begin a
    2 100 thread 102
    2 100 open 5 socket file=4160
    2 100 store-end a
    3 100 store-begin b
    3 100 open 6 file file=4224
    3 100 dup 6 7 file=4224
    3 100 store-end b
    4 100 fork 300 files=9000
    4 300 read-fork 5 6 by=100 files=9000
    5 102 sample in=202 since=4
    6 101 waited in=0 since=5 by=100
    6 100 futex 4096 3 by=100:3
    9 100 tick
    10 100 delete-begin a bare
    11 100 unlink a
    12 100 close 5 refs=2
    13 100 delete-end a
    14 100 close-refused 5
    20 100 delete-begin b
    21 100 close-range 6 7 until=22
    22 100 delete-end b
    30 300 exec
    31 300 gone
    40 100 lost wait from=35 until=40
    1200 100 tick
    2500 102 exiting
    2500 102 gone
    2600 100 tick
";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1.rec")
}

#[test]
fn version_1_opens() {
    let path = path();
    if std::env::var_os("INSPECTOR_WRITE_GOLDEN").is_some() {
        let _none_there = std::fs::remove_file(&path);
        record(&path, Options::default(), Cast::default().batches(STORY));
    }
    let recording = Arc::new(Recording::open(&path, Limits::default()).unwrap());
    assert!(recording.is_clean() && recording.damage().is_empty());
    let mut told = String::new();
    for block in recording.blocks() {
        match recording.content(block) {
            Ok(Content::Events { events, unknown: 0 }) => {
                for event in events {
                    writeln!(told, "{} {:?}", event.at.0, event.what).unwrap();
                }
            }
            Ok(Content::Meta(meta)) => {
                assert_eq!(
                    (&*meta.watched.of, &*meta.watched.pids),
                    ("processes", &[100][..])
                );
            }
            Ok(Content::Keyframe(_)) => {}
            // They are no promise, and are passed over.
            Err(error) if error.is_of_another_version() => {}
            other => panic!("{other:?}"),
        }
    }
    let told_at_first: String = Cast::default()
        .batches(STORY)
        .flat_map(|batch| batch.events)
        .map(|event| format!("{} {:?}\n", event.at.0, event.what))
        .collect();
    assert_eq!(told, told_at_first);
    let (_, fallen) = replay(&recording);
    let verdicts: String = fallen
        .iter()
        .map(|one| format!("{}\n", Line(one)))
        .collect();
    insta::assert_snapshot!(verdicts, @r#"
    ✓ GONE        a  fd 5 socket  between 17 and 18 ms after the delete; released between 17 and 18 ms after the delete (close of thread 100: the last known descriptor, no count read)
    ✓ GONE        b  fd 6 opened  between 8 and 9 ms after the delete; released between 8 and 9 ms after the delete (close_range of thread 100: the last known descriptor, no count read)
    ✓ GONE        b  fd 7 opened  between 8 and 9 ms after the delete; released between 8 and 9 ms after the delete (close_range of thread 100: the last known descriptor, no count read)
    ✗ RETAINED    a  thread 102 "t102"  parked in futex; blocked in futex since 9 ms before the delete's end
    ✗ RETAINED    a  thread 102 "t102"  exiting; exiting since 2487 ms after the delete
    ~ LATE        a  thread 102 "t102"  gone 2487 ms after the delete; exit began 2487 ms after the delete, last switch 2487 ms after the delete
    "#);
}

#[test]
fn its_form_is_known() {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for batch in Cast::default().batches(STORY) {
        pipeline.take(&batch);
    }
    let bytes = keyframe::bytes(&keyframe::of(pipeline.clone()));
    assert_eq!(
        (keyframe::VERSION, bytes.len(), crc32fast::hash(&bytes)),
        (3, 1258, 2_370_006_593),
        "keyframes have another form, or this story comes to something else: \
         grow VERSION of trace/keyframe.rs, and put the new numbers here"
    );
}
