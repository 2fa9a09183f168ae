//! A summary of a story, and of one in which nothing is to be found.

use super::text;
use crate::{
    event::id::{BootTime, Tgid},
    ledger::LedgerRules,
    pipeline::story::watched,
    report::document::{Of, Run},
    source::{SourceKind, probe_set::ProbeSet},
};

/// What is said of a story that is looked at once a second.
fn summary(story: &str) -> String {
    let (pipeline, growth) = watched(LedgerRules::default(), story);
    let run = Run {
        of: Of::Processes(vec![Tgid(100)]),
        started: BootTime(0),
        ended: BootTime(12_000_000_000),
        boot_wall_ns: None,
    };
    text(
        &run,
        &SourceKind::Ebpf(ProbeSet::default()),
        &pipeline,
        &growth,
    )
}

const BEGIN: &str = "1 100 baseline 100 | 0 1 2 began=0.5\n2 100 rename ma%1bin\n";

#[test]
fn what_is_found_comes_first() {
    let mut story = format!(
        "{BEGIN}
         3 100 thread 101
         4 101 sample in=202 since=3.5
         5 100 store-begin k1
         6 100 open 3
         7 100 store-end k1
         8 100 delete-begin k1
         9 100 delete-end k1\n"
    );
    for second in 0..12 {
        story += &format!("{} 100 open {} socket\n", second * 1000 + 10, 10 + second);
        story += &format!("{} 100 tick\n", second * 1000 + 1000);
    }
    let printed = summary(&story);
    let (first, _) = printed.split_once('\n').unwrap();
    assert_eq!(first, "1 retained, 1 suspect: process 100, watched for 12s");
    for line in [
        "✗ RETAINED    k1  fd 3 timerfd  open; nothing since",
        "~ SUSPECT    socket by timerfd_create, of 100: grew in",
        r"process     100  ma\u{1b}in           2 threads",
        "kind       thread                 2 now        1 born        0 gone",
        "kind       socket                12 now       12 born        0 gone",
        "remains    12 × socket by timerfd_create, of 100: +12, 60.0 a minute, oldest 11 s",
        "threads    1 × t* of 100: 1 blocked in futex",
        r"threads    1 × ma\u{1b}in of 100: 1 state not known",
        "lost     none of 0 records",
    ] {
        assert!(printed.contains(line), "no {line:?} in\n{printed}");
    }
    assert!(!printed.contains('\u{1b}'));
}

#[test]
fn a_clean_run_says_so() {
    let printed = summary(&format!(
        "{BEGIN}10 100 open 5\n11 100 close 5\n3000 100 tick"
    ));
    assert!(printed.starts_with("no deletes declared: process 100, watched for 12s\n"));
    assert!(
        !printed.contains("SUSPECT") && !printed.contains("not told"),
        "{printed}"
    );
}

#[test]
fn what_cannot_be_told_is_told() {
    let printed = summary("1 100 open 5\n2 100 compat\n3 100 tick");
    assert!(
        printed.contains("not told   all that is in 1 descriptor tables"),
        "{printed}"
    );
}
