//! Many at once: a big process, births at a high rate, a process that forks without end.

use std::{
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::{
    binary::is_refused,
    program::{Program, compiled},
    verbs::{Ends, Reporting, document, words},
    watch::alone,
};

/// That every record is accounted for.
#[track_caller]
fn assert_accounted(source: &Value) {
    for (kind, count) in source["records"].as_object().unwrap() {
        let of = |what: &str| count[what].as_u64().unwrap();
        assert_eq!(
            of("produced"),
            of("received") + of("lost"),
            "{kind}: {source}"
        );
        assert_eq!(
            source["lost"][kind].as_u64().unwrap_or(0),
            of("lost"),
            "{kind}: {source}"
        );
    }
}

#[test]
fn a_big_process_is_attached_to_and_told_whole() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let (threads, tables, each) = (2_000, 4, 10_000);
    let arguments = [threads, tables, each].map(|number: usize| number.to_string());
    let mut program = Program::run(
        &compiled("many", &[]),
        &arguments.each_ref().map(String::as_str),
    );
    // Its answer comes when all are there.
    program.tell("there?");
    let asked = Instant::now();
    let (_, told) = document("report", &words(&format!("-p {} --for 0s", program.tgid())));
    println!(
        "{threads} threads, {tables} tables of {each}: reported in {:?}",
        asked.elapsed()
    );
    assert_eq!(told["threads"].as_array().unwrap().len(), threads + 1);
    let handles = |table: &Value| table["handles"].as_array().unwrap().len();
    let mut sizes: Vec<_> = told["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(handles)
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [3, each + 3, each + 3, each + 3, each + 3]);
    assert_eq!(
        (&told["source"]["drift"], &told["not_told"]),
        (&json!(0), &json!([]))
    );
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
}

/// None is lost where the reader gets a cpu; what is lost is counted, and audits settle it.
#[test]
fn a_hundred_thousand_births_a_second_are_counted() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let file = compiled("births", &[]);
    let (output, told) = document("report", &["--", file.to_str().unwrap(), "100000", "2000"]);
    let opened: u64 = crate::binary::text(&output.stdout).trim().parse().unwrap();
    assert_eq!(opened, 200_000);
    assert_accounted(&told["source"]);
    let lost: u64 = told["source"]["lost"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_u64)
        .sum();
    println!("{opened} births, {lost} records lost");
    if lost == 0 {
        assert_eq!(told["tally"]["births"]["dup"], opened);
        assert_eq!(told["source"]["drift"], 0);
        assert_eq!(told["source"]["gaps"], 0);
    }
}

/// A process that makes children, which make children: inspector lives on, and says what it lost.
#[test]
fn a_process_that_forks_without_end_is_survived() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    // Each child forks once more and ends: a few at a time, thousands in all.
    let forks = "import os\nos.read(0, 1)\nfor chain in range(4):\n  if os.fork() == 0: break\nelse:\n  os._exit(0)\nwhile os.fork() == 0: pass\n";
    let mut bomb = Ends::start(
        Command::new("python3")
            .args(["-c", forks])
            .stdin(Stdio::piped())
            .process_group(0),
    );
    let group = Pid::from_raw(i32::try_from(bomb.pid()).unwrap()).unwrap();
    let pid = bomb.pid().to_string();
    let mut reporting = Reporting::start(&["-p", &pid, "--for", "1500ms"]);
    bomb.tell("go");
    let (status, told) = reporting.end();
    // New ones are born while the group is killed: until nobody is left to be killed.
    while kill_process_group(group, Signal::KILL).is_ok() {
        let _reaped = bomb.0.try_wait();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(status.code(), Some(0));
    assert_accounted(&told["source"]);
    assert_eq!(told["source"]["error"], Value::Null);
    assert!(
        told["counters"]["threads"].as_u64() > Some(100),
        "{}",
        told["counters"]
    );
    println!(
        "{} threads met, lost {}",
        told["counters"]["threads"], told["source"]["lost"]
    );
}
