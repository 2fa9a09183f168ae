//! What a document says of a story, field by field.

use serde_json::{Value, json};

use super::{Document, Of, Run, SCHEMA};
use crate::{
    event::{
        id::{BootTime, Tgid},
        text::Text,
    },
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    source::{SourceKind, probe_set::ProbeSet},
    verdict::growth::Growth,
};

fn document(story: &str, source: &SourceKind) -> Value {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for batch in Cast::default().batches(story) {
        pipeline.take(&batch);
    }
    let mut growth = Growth::new();
    growth.sample(pipeline.ledger());
    let run = Run {
        of: Of::Command {
            words: vec![Text::from(&b"./x\x1b"[..])],
            tgid: Tgid(100),
            end: None,
        },
        started: BootTime(1),
        ended: BootTime(2),
        boot_wall_ns: None,
    };
    let document = Document {
        run: &run,
        source,
        pipeline: &pipeline,
        growth: &growth,
    };
    serde_json::to_value(document).unwrap()
}

fn ebpf() -> SourceKind {
    SourceKind::Ebpf(ProbeSet::default())
}

const STORY: &str = "1 100 baseline 100 | 0 3 began=0.5
    2 100 thread 101
    3 101 rename a%1b[2J
    4 100 store-begin k1
    5 100 open 5 socket cloexec file=7
    6 100 store-end k1
    7 100 dup 5 6 file=7
    8 101 sample in=202 since=7.5
    9 100 fork 200
    9 200 read-fork by=100 0 3 5
    10 200 exiting
    11 200 gone
    12 100 delete-begin k1
    13 100 delete-end k1
    1500 100 tick";

#[test]
fn the_whole_ledger_is_told() {
    let value = document(STORY, &ebpf());
    assert_eq!(value["schema"], SCHEMA);
    assert_eq!(value["run"]["words"], json!([r"./x\u{1b}"]));
    assert_eq!(value["run"]["end"], Value::Null);
    assert_eq!(value["delivered_ns"], 1_500_000_000);
    let processes = value["processes"].as_array().unwrap();
    assert_eq!(
        (&processes[0]["pid"], &processes[0]["alive"]),
        (&json!(100), &json!(true))
    );
    assert_eq!(processes[0]["threads"], 2);
    assert_eq!(
        (
            &processes[1]["comm"],
            &processes[1]["died_ns"],
            &processes[1]["parent_tid"]
        ),
        (&json!("t200"), &json!(11_000_000), &json!(100))
    );
    assert_eq!(
        value["threads"][1],
        json!({
            "tid": 101, "pid": 100, "start_ns": 2_000_000, "epoch": 0, "comm": r"a\u{1b}[2J",
            "born_ns": 2_000_000, "parent_tid": 100, "origin": "announced",
            "state": "blocked", "blocked": {"call": "futex", "since_ns": 7_500_000},
            "sampled_ns": 8_000_000, "owner": null,
        })
    );
    assert_eq!(value["threads"][0]["state"], Value::Null);
    assert_eq!(
        value["threads"].as_array().unwrap().len(),
        2,
        "the dead are not among them"
    );
}

#[test]
fn descriptors_stand_in_their_tables() {
    let value = document(STORY, &ebpf());
    let tables = value["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 1);
    assert_eq!(
        (&tables[0]["pid"], &tables[0]["users"]),
        (&json!(100), &json!(2))
    );
    assert_eq!(tables[0]["unsettled"], Value::Null);
    let handles = tables[0]["handles"].as_array().unwrap();
    let numbers: Vec<_> = handles
        .iter()
        .map(|handle| handle["fd"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [0, 3, 5, 6]);
    assert_eq!(
        handles[2],
        json!({
            "fd": 5, "generation": 3, "kind": "socket", "target": null,
            "opened_as": null, "cloexec": true,
            "born": {"at_ns": 5_000_000, "by_tid": 100, "call": "timerfd_create"},
            "origin": "announced", "shared": 2, "ambiguous": false,
            "owner": {"map": 1, "key": "k1", "generation": 1, "rule": "span"},
        })
    );
    assert_eq!(
        handles[0]["born"]["at_ns"],
        json!({"earliest": 0, "latest": 1_000_000})
    );
    assert_eq!(handles[0]["target"], "anon_inode:[timerfd]");
    assert_eq!(value["verdicts"][0]["verdict"], "retained");
    assert_eq!(value["counters"]["handles_forgotten"], 0);
}

#[test]
fn what_was_lost_and_what_is_polled_is_told() {
    let lost = document(
        &format!("{STORY}\n1600 100 lost call from=1550 until=1599"),
        &ebpf(),
    );
    assert_eq!(lost["source"]["kind"], "ebpf");
    assert_eq!(lost["source"]["lost"]["call"], 1);
    let polling = SourceKind::Polling {
        every: std::time::Duration::from_millis(100),
        why: "EPERM\u{7}".to_owned(),
    };
    let polled = document(STORY, &polling);
    assert_eq!(polled["source"]["every_ns"], 100_000_000);
    assert_eq!(polled["source"]["why"], r"EPERM\u{7}");
    assert_eq!(polled["source"]["probes"], Value::Null);
}

#[test]
fn groups_and_suspects_are_told() {
    let value = document(STORY, &ebpf());
    assert_eq!(value["suspects"], json!([]));
    let groups = value["groups"].as_array().unwrap();
    let socket = groups.iter().find(|group| group["owned"] == true).unwrap();
    assert_eq!(
        (&socket["kind"], &socket["births"]),
        (&json!("socket"), &json!(1))
    );
    assert_eq!(socket["net_a_minute"], Value::Null);
}

#[test]
fn an_empty_ledger_is_a_document_too() {
    let value = document("", &ebpf());
    for list in [
        "processes",
        "threads",
        "tables",
        "verdicts",
        "suspects",
        "groups",
    ] {
        assert_eq!(value[list], json!([]), "{list}");
    }
}
