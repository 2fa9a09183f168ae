//! Of each class a planted leak and its fixed twin, and what is said where it can't be told.

mod closing;
mod growing;
mod leaving;
mod outliving;
mod output;

use super::{Checked, CommandEnd, Run, exit, judge};
use crate::{
    event::{
        id::{BootTime, Tgid},
        text::Text,
    },
    ledger::LedgerRules,
    pipeline::story::watched,
    rules::{Date, Rules},
};

/// The command is process 100, which holds 0–3 before it is let go.
const BEGIN: &str = "1 100 baseline 100 | 0 1 2 3 began=0.5";
/// It ends at 2000 ms, and the grace of 1 s is waited for.
const END: &str = "2000 100 exiting\n2001 100 gone\n3500 100 tick";

fn run() -> Run {
    Run {
        command: vec![Text::from(&b"./tests"[..]), Text::from(&b"-v"[..])],
        main: Some(Tgid(100)),
        started: BootTime(2_000_000),
        ended: BootTime(2_002_000_000),
        end: CommandEnd::Exited(0),
        grace_ns: 1_000_000_000,
        overdue_ns: None,
    }
}

fn today() -> Date {
    "2026-07-01".parse().unwrap()
}

/// Judges a whole story, which is looked at once a second as the verb does.
fn judged(story: &str, rules: &Rules) -> Checked {
    judged_by(LedgerRules::default(), story, rules)
}

/// The same, of a ledger with other rules.
fn judged_by(ledger: LedgerRules, story: &str, rules: &Rules) -> Checked {
    let (pipeline, growth) = watched(ledger, story);
    let judgements = pipeline.judgements();
    judge(
        pipeline.ledger(),
        judgements,
        &growth,
        rules,
        &run(),
        today(),
    )
}

/// What is found in what happens between the begin and the end, a line each.
fn found(story: &str, rules: &Rules) -> Vec<String> {
    lines(&judged(&format!("{BEGIN}\n{story}\n{END}"), rules))
}

fn lines(checked: &Checked) -> Vec<String> {
    let findings = checked.findings.iter().map(|finding| {
        let members = finding.members.join(", ");
        format!("{}: {} [{members}]", finding.class.words(), finding.words)
    });
    let unknowns = checked.unknowns.iter();
    let unknowns =
        unknowns.map(|unknown| format!("unknown {}: {}", unknown.class.words(), unknown.words));
    findings.chain(unknowns).collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_failing_command_never_turns_green() {
    let clean = judged(&format!("{BEGIN}\n{END}"), &Rules::default());
    assert!(clean.is_clean(), "{:?}", lines(&clean));
    let leak = judged(
        &format!("{BEGIN}\n10 100 open 5 socket\n{END}"),
        &Rules::default(),
    );
    let unknown = judged("3500 100 tick", &Rules::default());
    assert!(leak.unknowns.is_empty() && unknown.findings.is_empty());
    let mut allowed = unknown.clone();
    allowed.unknown_allowed = true;
    for (end, of_clean, of_leak, of_unknown, of_allowed) in [
        (CommandEnd::Exited(0), 0, 1, 1, 0),
        (CommandEnd::Exited(1), 1, 1, 1, 1),
        (CommandEnd::Exited(42), 42, 42, 42, 42),
        (CommandEnd::Killed(9), 137, 137, 137, 137),
        (CommandEnd::Killed(200), 255, 255, 255, 255),
        (CommandEnd::NotExecutable, 126, 126, 126, 126),
        (CommandEnd::NotFound, 127, 127, 127, 127),
    ] {
        assert_eq!(exit(end, &clean), of_clean, "{end:?}");
        assert_eq!(exit(end, &leak), of_leak, "{end:?}");
        assert_eq!(exit(end, &unknown), of_unknown, "{end:?}");
        assert_eq!(exit(end, &allowed), of_allowed, "{end:?}");
    }
}
