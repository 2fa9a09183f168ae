//! A leak and its mended twin, in both directions, and twins that are alike.

use std::path::Path;

use serde_json::Value;

use super::compare;
use crate::{
    cli::recorded::{DiffArgs, MemoryArgs, ReadArgs},
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    report::diff::{Diff, json, sites::Site, text::Comparison},
    trace::{
        meta::{Meta, Watched},
        write::{Files, Options, Recorder},
    },
};

/// Keys `k1`… each own a socket and a thread. What does not close them leaves them behind.
fn story(keys: u64, closes: bool) -> String {
    let mut story = "0.5 100 tick\n".to_owned();
    for key in 1..=keys {
        let (at, tid) = (key * 10, 100 + key);
        story.push_str(&format!(
            "{at} 100 store-begin k{key}
             {at} 100 open {key} socket file=4{key}
             {at} 100 thread {tid}
             {at} {tid} rename worker-{tid}
             {at} 100 store-end k{key}
             {} 100 delete-begin k{key} bare
             {0} 100 unlink k{key}
             {0} 100 delete-end k{key}\n",
            at + 1
        ));
        if closes {
            story.push_str(&format!(
                "{} 100 close {key} refs=1\n{0} {tid} exiting\n{0} {tid} gone\n",
                at + 3
            ));
        }
    }
    story.push_str("3000 100 tick\n");
    story
}

fn record(path: &Path, story: &str, change: impl FnOnce(&mut Meta)) {
    let rules = LedgerRules::default();
    let mut pipeline = Pipeline::new(rules);
    let mut meta = Meta {
        watched: Watched::command([&b"./server"[..], b"\x1b[2J"], 100),
        grace_ns: rules.grace_ns,
        ..Meta::default()
    };
    change(&mut meta);
    let files = Files::new(path);
    let mut recorder =
        Recorder::start(files, Options::default(), meta, &pipeline, || Ok(())).unwrap();
    for batch in Cast::default().batches(story) {
        let fallen = pipeline.take(&batch);
        recorder.take(&batch, &pipeline, &fallen);
    }
    assert_eq!(recorder.finish(&pipeline).halted, None);
}

fn args(before: &Path, after: &Path) -> DiffArgs {
    DiffArgs {
        before: before.to_owned(),
        after: after.to_owned(),
        json: false,
        all: false,
        read: ReadArgs {
            most_block_bytes: 1 << 20,
            most_blocks: 1000,
        },
        memory: MemoryArgs { memory: 1 << 30 },
    }
}

/// The comparison of two stories.
fn diff(before: &str, after: &str) -> Diff {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    record(&a, before, |_| {});
    record(&b, after, |_| {});
    let mut diff = compare(&args(&a, &b)).unwrap();
    // Without the folder, which is another in each run.
    for name in [&mut diff.names.a, &mut diff.names.b] {
        *name = name
            .split_once("/a: ")
            .or(name.split_once("/b: "))
            .unwrap()
            .1
            .to_owned();
    }
    diff
}

fn text(diff: &Diff) -> String {
    Comparison { diff, all: false }.to_string()
}

#[test]
fn a_mended_leak_is_better() {
    let diff = diff(&story(12, false), &story(12, true));
    assert_eq!((diff.worse().count(), diff.better().count()), (0, 2));
    insta::assert_snapshot!(text(&diff), @r"
    A  2.9 s   98 events  the command ./server \u{1b}[2J
    B  2.9 s  134 events  the command ./server \u{1b}[2J

    better: 12 → 0 survivors of socket by timerfd_create, and 1 more site

    site (A → B)               births  deaths  survivors  change
    thread worker-*           12 → 12  0 → 12     12 → 0  12 fewer survive, 12 fewer retained
    socket by timerfd_create  12 → 12  0 → 12     12 → 0  12 fewer survive, 12 fewer retained

    deletes: retained 24 → 0, gone 0 → 24
      latency of those that went (0 → 24), from the delete's end: p50 none → 2 ms, p99 none → 2 ms, longest none → 2 ms
    ");
}

#[test]
fn a_leak_that_came_is_worse() {
    let diff = diff(&story(12, true), &story(12, false));
    assert_eq!((diff.worse().count(), diff.better().count()), (2, 0));
    let said = text(&diff);
    assert!(said.contains("worse: 0 → 12 survivors of "), "{said}");
    assert!(said.contains("12 more survive, 12 more retained"), "{said}");
    let value = json::value(&diff);
    assert_eq!(value["schema"], "inspector-diff/1");
    assert_eq!((&value["worse"], &value["better"]), (&2.into(), &0.into()));
    let sites = value["sites"].as_array().unwrap();
    assert_eq!(sites[0]["change"], "worse");
    assert_eq!(sites[0]["a"]["survivors"], 0);
    assert_eq!(sites[0]["b"]["survivors"], 12);
    assert_eq!(sites[0]["b"]["verdicts"]["retained"], 12);
    assert_eq!(value["a"]["latency"]["max_ns"], 2_000_000);
    assert_eq!(value["b"]["latency"], Value::Null);
    assert_eq!(value["policies"][0]["policy"], "bare");
}

#[test]
fn what_is_alike_differs_in_nothing() {
    for closes in [true, false] {
        let diff = diff(&story(5, closes), &story(5, closes));
        assert!(diff.sites.iter().all(Site::is_alike));
        assert!(diff.not_comparable.is_empty(), "{:?}", diff.not_comparable);
        let said = text(&diff);
        assert!(said.contains("\nno site got worse or better\n"), "{said}");
        assert!(!said.contains("survivors"), "{said}");
    }
}

#[test]
fn a_site_of_one_run_only_is_said_to_be() {
    let more = format!("{}3001 100 open 90 file\n3002 100 tick\n", story(2, true));
    let diff = diff(&story(2, true), &more);
    let said = text(&diff);
    assert!(said.contains("worse: 0 → 1 survivors of "), "{said}");
    assert!(said.contains("only in B, 1 more survive"), "{said}");
}

#[test]
fn more_of_the_same_that_is_cleaned_up_is_not_worse() {
    let diff = diff(&story(3, true), &story(9, true));
    assert_eq!((diff.worse().count(), diff.better().count()), (0, 0));
    let said = text(&diff);
    assert!(said.contains("sites differ only in births"), "{said}");
    let all = Comparison {
        diff: &diff,
        all: true,
    }
    .to_string();
    assert!(all.contains("3 → 9"), "{all}");
}

/// The same leak by the second, four times as long.
#[test]
fn a_longer_run_is_told_by_rates() {
    let lasting = |keys, until| format!("{}{until} 100 tick\n", story(keys, false));
    let diff = diff(&lasting(3, 5000), &lasting(12, 20_000));
    insta::assert_snapshot!(text(&diff), @r"
    A   4.9 s  27 events  the command ./server \u{1b}[2J
    B  19.9 s  99 events  the command ./server \u{1b}[2J
    ?  B is 4.0 times as long as A: for that alone, more is born and may survive in it; compare the rates

    worse: 3 → 12 survivors of thread worker-*, and 1 more site

    site (A → B)              births  births/min  deaths  survivors  survivors/min  change
    thread worker-*           3 → 12     36 → 36   0 → 0     3 → 12        36 → 36  9 more survive, 9 more retained
    socket by timerfd_create  3 → 12     36 → 36   0 → 0     3 → 12        36 → 36  9 more survive, 9 more retained

    deletes: retained 6 → 24
    ");
    let value = json::value(&diff);
    assert_eq!(value["a"]["length_ns"], 4_999_500_000_u64);
    assert!(value["a"]["events"].as_u64() < value["b"]["events"].as_u64());
}

#[test]
fn lengths_that_hardly_differ_are_no_matter() {
    let lasting = |until| format!("{}{until} 100 tick\n", story(12, false));
    let alike = diff(&lasting(10_000), &lasting(10_900));
    assert_eq!(alike.longer(), None);
    assert!(alike.not_comparable.is_empty());
    let longer = diff(&lasting(10_000), &lasting(11_200));
    assert_eq!(
        longer.not_comparable,
        [
            "B is 12 % longer than A: for that alone, more is born and may survive in it; compare \
             the rates"
        ]
    );
    let shorter = diff(&lasting(11_200), &lasting(10_000));
    assert!(shorter.not_comparable[0].starts_with("A is 12 % longer than B: "));
}

#[test]
fn what_can_not_be_compared_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    record(&a, &story(2, true), |meta| {
        meta.source.kind = "ebpf".to_owned();
    });
    let lossy = format!(
        "{}3001 100 lost call from=2000 until=3000\n9000 100 tick\n",
        story(2, true)
    );
    record(&b, &lossy, |meta| {
        meta.grace_ns /= 2;
        meta.redacted = vec!["paths".to_owned()];
    });
    // As if its recorder had been killed: the end is cut.
    let bytes = std::fs::read(&b).unwrap();
    std::fs::write(&b, &bytes[..bytes.len() - 10]).unwrap();
    let told = compare(&args(&a, &b)).unwrap().not_comparable.join("\n");
    for words in [
        "A rests on 0 of 0 probes",
        "the grace of A is 1s, that of B 500ms",
        "B: the recording has no end",
        "B: 1 events are lost",
        "B: names are hashed",
        "B is 3.0 times as long as A",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn more_short_processes_are_no_leak() {
    let children = |count: u64| {
        let mut story = "0.5 100 tick\n".to_owned();
        for child in 1..=count {
            let (at, child) = (child * 1000, 1000 + child);
            story.push_str(&format!(
                "{at} 100 fork {child}
                 {at} {child} read-fork by=100
                 {at} {child} open 5 socket
                 {} {child} exiting
                 {0} {child} gone\n",
                at + 500
            ));
        }
        format!("{story}9000 100 tick\n")
    };
    let diff = diff(&children(2), &children(6));
    assert_eq!(diff.worse().count(), 0, "{}", text(&diff));
    let site = diff.sites.iter().find(|site| !site.is_alike()).unwrap();
    assert_eq!(site.pair(|tally| tally.births).b, 6);
    assert_eq!(site.pair(|tally| tally.survivors).b, 1);
}
