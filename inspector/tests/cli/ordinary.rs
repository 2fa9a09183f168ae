//! As an ordinary user: it says why eBPF is out of reach and what to do, polls, and calls it
//! polling in every output.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::{SHORT, ordinary, program, record, records, run, text};

const WHY: &str = "an ordinary user may not use eBPF; start it through sudo";

/// What no ordinary user may do: the tests below rest on it.
fn is_refused_here() -> bool {
    let output = run(&ordinary(), &["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report["capabilities"]["CAP_BPF"] == false
}

#[test]
fn text_says_why_and_what_to_do_and_that_it_polls() {
    assert!(is_refused_here());
    let output = run(&ordinary(), &SHORT);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(text(&output.stderr), "");
    let mut lines = said.lines();
    assert_eq!(
        lines.next(),
        Some(format!("⚠ polling /proc, because {WHY}").as_str())
    );
    assert_eq!(
        lines.next(),
        Some(
            "  births and deaths between two readings are not seen, and times are intervals; `inspector doctor` says what to do"
        )
    );
    assert!(said.contains("deleted by bare   [polling]\n"), "{said}");
    assert!(said.contains("✗ RETAINED    task-0001  thread "), "{said}");
    assert!(
        said.ends_with("1 of 1 runs as expected   [polling]\n"),
        "{said}"
    );
    assert!(!said.contains("eBPF]"), "{said}");
}

#[test]
fn every_json_record_says_that_it_polls() {
    let arguments = [
        &[
            "lab",
            "--headless",
            "--json",
            "--policy",
            "stop-wait-delete",
        ][..],
        &["--keys", "2", "--grace", "300"],
    ]
    .concat();
    let output = run(&ordinary(), &arguments);
    let records = records(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{records:#?}");
    assert_eq!(records[0]["record"], "polling");
    assert_eq!(records[0]["why"], WHY);
    for record in &records {
        assert_eq!(record["source"], "polling", "{record}");
    }
    let gone: Vec<_> = records
        .iter()
        .filter(|record| record["judgement"]["verdict"] == "gone")
        .collect();
    assert!(!gone.is_empty());
    for record in gone {
        // When it went is an interval: it may have been before the delete's end or after it.
        let judgement = &record["judgement"];
        let exact = judgement["after_ns"]["least"] == judgement["after_ns"]["most"];
        assert!(judgement["when"] != "after" || !exact, "{judgement}");
    }
    assert_eq!(record(&records, "total")["met"], 1);
}

#[test]
fn another_user_is_not_to_be_had() {
    let output = run(&ordinary(), &["lab", "--headless", "--as", "daemon"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "inspector: the lab cannot run as daemon: only root can change users (leave --as out, or start inspector through sudo)\n"
    );
}

#[test]
fn doctor_says_it_too() {
    let output = run(&ordinary(), &["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.contains(&format!("✗ none is loaded: {WHY}\n")),
        "{said}"
    );
    assert!(said.contains("mend: sudo inspector doctor\n"), "{said}");
    let output = run(&ordinary(), &["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["refused"], &report["ok"]),
        (&WHY.into(), &false.into())
    );
}

#[test]
fn without_a_terminal_it_says_why_and_prints_lines() {
    let mut inspector = ordinary()
        .args(["lab", "--grace", "200"])
        .stdin(File::open(program()).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(inspector.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("polling"), "{line}");
    // What follows is the scenarios, which other tests read.
    drop(reader);
    let output = inspector.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        text(&output.stderr),
        "inspector: standard input is not a terminal: playing scenarios without a screen (`inspector lab --headless` asks for that)\n"
    );
}
