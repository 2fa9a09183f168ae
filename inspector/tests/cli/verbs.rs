//! `report` and `check` as an ordinary user: they poll and say so, and what can't be told is no
//! success.

use std::{fs, process::Command};

use crate::{ordinary, program, run, text};

#[test]
fn a_report_of_a_command_says_that_it_polls() {
    let output = run(
        &ordinary(),
        &["report", "--json", "--", "sh", "-c", "sleep 0.7; exit 3"],
    );
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let told: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(told["source"]["kind"], "polling");
    assert_eq!(
        told["not_told"][0],
        "what was born and died between two readings of /proc"
    );
    assert_eq!(told["run"]["end"]["status"], 3);
}

#[test]
fn a_check_that_only_polls_is_not_clean_unless_that_is_allowed() {
    let command = [
        "--grace",
        "100ms",
        "--",
        "sh",
        "-c",
        "exec 5< /dev/zero; sleep 0.7",
    ];
    let output = run(&ordinary(), &[&["check"], &command[..]].concat());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("? unknown ("), "{said}");
    let clean = ["--grace", "100ms", "--", "sleep", "0.5"];
    let output = run(
        &ordinary(),
        &[&["check", "--allow-unknown"], &clean[..]].concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn anothers_process_is_refused_with_its_owner() {
    if !rustix::process::geteuid().is_root() {
        let output = run(&ordinary(), &["report", "-p", "1", "--for", "0s"]);
        assert_eq!(output.status.code(), Some(2));
        return;
    }
    let own = std::process::id();
    let output = run(
        &ordinary(),
        &["report", "-p", &own.to_string(), "--for", "0s"],
    );
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains(
            "belongs to user 0: only that user and root may watch it; start inspector through sudo"
        ),
        "{said}"
    );
}

#[test]
fn mistakes_in_the_rules_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("inspector.toml");
    let config_name = config.to_str().unwrap();
    for (rules, words) in [
        ("[check]\ngrace = 5\n", ":2:9: "),
        ("[check]\nbudgets = 1\n", ":2:1: unknown field `budgets`"),
        ("[[check.ignore]]\nkind = \"file\"\n", "reason"),
        (
            "[[check.ignore]]\nkind = \"fil\"\nreason = \"x\"\n",
            ":2:8: ",
        ),
        ("[check.budget]\nsocket = -1\n", ":2:10: "),
    ] {
        fs::write(&config, rules).unwrap();
        let output = run(
            &Command::new(program()),
            &["check", "--config", config_name, "--poll", "--", "true"],
        );
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{rules}: {said}");
        assert!(
            said.starts_with(&format!("inspector: {config_name}:")),
            "{said}"
        );
        assert!(said.contains(words), "{rules}: {said}");
    }
}

#[test]
fn a_command_is_needed_and_options_are_checked() {
    for (arguments, words) in [
        (&["check"][..], "required"),
        (
            &["check", "--budget", "sockets=1", "--", "true"],
            "--budget",
        ),
        (&["check", "--ignore", "file", "--", "true"], "--ignore"),
        (&["report", "--for", "1", "-p", "1"], "--for"),
        (&["report", "-p", "x"], "--pid"),
        (&["report", "--env", "=x", "--", "true"], "NAME=VALUE"),
    ] {
        let output = run(&Command::new(program()), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(words),
            "{arguments:?} {output:?}"
        );
    }
}

#[test]
fn a_replay_needs_a_terminal_and_a_recording() {
    let output = run(&ordinary(), &["replay", "/etc/passwd"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = text(&output.stderr);
    assert!(
        told.contains("/etc/passwd is no recording of inspector's"),
        "{told}"
    );
    let output = run(&ordinary(), &["replay", "nowhere.rec"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("nowhere.rec can't be read"));
    let wrong = ["replay", "nowhere.rec", "--at", "soon"];
    let output = run(&ordinary(), &wrong);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("a time is 14:03:07"));
}
