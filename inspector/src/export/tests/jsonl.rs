//! JSON Lines: a line for each event of the window, and nothing else.

use std::process::Command;

use serde_json::{Value, json};

use super::{LAB, genuine::answered};
use crate::export::Format;

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_header_and_a_line_for_each_event() {
    let (bytes, totals) = LAB.written(Format::Jsonl);
    let lines = lines(&bytes);
    assert_eq!(
        lines[0],
        json!({
            "schema": "inspector-events/1",
            "host": r"host\u{1b}[2J",
            "command": "lab --policy leak",
            "since_ns": 10_000_000,
            "until_ns": 2_000_000_000,
            "boot_wall_ns": 1_700_000_000_000_000_000_u64,
        })
    );
    // What happened after the window is not in it.
    let told = LAB
        .story
        .lines()
        .filter(|line| !line.trim().is_empty())
        .count()
        - 1;
    assert_eq!(
        (totals.events, totals.lines),
        (told as u64, told as u64 + 1)
    );
    assert_eq!(lines.len(), told + 1);
    assert_eq!(totals.lost, 2);
    assert_eq!(
        lines[6],
        json!({
            "event": "wait_ended",
            "at_ns": 30_000_000,
            "tid": 101,
            "tgid": 100,
            "wait": {
                "since_ns": 25_000_000,
                "call": 202,
                "call_name": "futex",
                "args": ["0x1000", "0x0", "0x0", "0x0"],
            },
            "waker": {"at_ns": 30_000_000, "tid": 100},
        })
    );
    assert_eq!(
        totals.to_string(),
        format!(
            "{told} events as {} lines, {} bytes; 2 events were lost in this window",
            told + 1,
            bytes.len()
        )
    );
}

#[test]
fn jq_reads_it() {
    let (bytes, _) = LAB.written(Format::Jsonl);
    let ask = r#"select(.event == "delete_end") | "\(.at_ns) \(.map):\(.key)""#;
    let mut jq = Command::new("jq");
    if let Some(said) = answered(jq.args(["-r", ask]), "jq", &bytes) {
        assert_eq!(said, "52000000 1:tick\n70000000 1:warm\n");
    }
}
