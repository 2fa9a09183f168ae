//! Traces in the Common Trace Format, as babeltrace2 reads them.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{LAB, Told, genuine::lacking, keeping_everything, ms, schema::every::every, write_in};
use crate::{
    event::{Batch, id::BootTime},
    export::{Format, Subject},
    trace::read::Read,
};

/// What babeltrace2 prints of a folder, and what it warns of. `None` = it is lacking.
fn read(folder: &std::path::Path) -> Option<(String, String)> {
    let mut babeltrace = Command::new("babeltrace2");
    babeltrace
        .args(["--clock-cycles", "--no-delta"])
        .arg(folder);
    let Ok(done) = babeltrace.stdin(Stdio::null()).output() else {
        lacking("babeltrace2");
        return None;
    };
    let [out, warned] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(done.status.success(), "{warned}");
    Some((out, warned))
}

fn told(told: &Told<'_>) -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    told.written_in(Format::Ctf, folder.path());
    read(folder.path())
}

/// How many lines there are of each kind.
fn counts<'a>(kinds: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn kind_of(line: &str) -> &str {
    let (_, rest) = line.split_once("] ").unwrap();
    let (head, _) = rest.split_once(": ").unwrap();
    head.rsplit(' ').next().unwrap()
}

#[test]
fn babeltrace_lists_every_event() {
    let Some((out, warned)) = told(&LAB) else {
        return;
    };
    let (lines, totals) = LAB.written(Format::Jsonl);
    let lines = String::from_utf8(lines).unwrap();
    let events: Vec<Value> = lines
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected = counts(events.iter().map(|event| event["event"].as_str().unwrap()));
    assert_eq!(counts(out.lines().map(kind_of)), expected, "{out}");
    assert_eq!(out.lines().count() as u64, totals.events);
    let line = |kind: &str| out.lines().find(|line| kind_of(line) == kind).unwrap();
    let wait = line("wait_ended");
    for words in [
        "[00000000000030000000]",
        "at_ns = 30000000, ",
        "tid = 101, ",
        r#"wait_call_name = { "futex" }"#,
        "wait_since_ns = { 25000000 }",
        "waker = { 100 }",
    ] {
        assert!(wait.contains(words), "{words}: {wait}");
    }
    assert!(line("delete_begin").contains(r#"key = "tick""#));
    // Two gaps, each with one event lost.
    assert_eq!(warned.matches("discarded 1 event").count(), 2, "{warned}");
}

/// The same without gaps: nothing is said to be discarded.
#[test]
fn nothing_is_discarded_where_nothing_was_lost() {
    let Some((out, warned)) = told(&super::CLEAN) else {
        return;
    };
    assert_eq!(warned, "");
    assert!(!out.is_empty());
}

/// A close has the time of its call's entry, and is told after what happened meanwhile. The last one
/// comes when its time has been written already.
#[test]
fn events_are_in_the_order_of_their_times() {
    let told = Told {
        story: "
            10 100 open 4
            20 100 open 5
            15 100 close 4
            40 100 tick
            50 100 open 6
            60 100 tick
            35 100 close 5
            70 100 tick",
        until_ms: 100,
        ..Told::default()
    };
    let Some((out, warned)) = self::told(&told) else {
        return;
    };
    assert_eq!(warned, "");
    let events: Vec<_> = out
        .lines()
        .map(|line| (&line[11..15], kind_of(line)))
        .collect();
    assert_eq!(
        events,
        [
            ("0010", "handle_born"),
            ("0015", "handle_closed"),
            ("0020", "handle_born"),
            ("0040", "tick"),
            ("0050", "handle_born"),
            ("0050", "handle_closed"),
            ("0060", "tick"),
            ("0070", "tick"),
        ],
        "{out}"
    );
    assert!(out.lines().nth(5).unwrap().contains("at_ns = 35000000,"));
}

#[test]
fn every_kind_of_event_has_a_shape() {
    let folder = tempfile::tempdir().unwrap();
    let mut reads = std::iter::once(Read::Batch(Batch { events: every() }));
    let events = every().len();
    let subject = Subject {
        pipeline: keeping_everything(),
        reads: &mut reads,
        since: BootTime(0),
        until: ms(1),
        most_bytes: u64::MAX,
        boot_wall_ns: None,
        host: r#"a"b\"#.to_owned(),
        command: None,
    };
    write_in(Format::Ctf, subject, folder.path()).unwrap();
    if let Some((out, _)) = read(folder.path()) {
        assert_eq!(out.lines().count(), events);
        assert!(out.lines().all(|line| line.contains(r#" a"b\ "#)), "{out}");
    }
}
