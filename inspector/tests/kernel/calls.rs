//! Every call that changes a descriptor table, made once for real: kind, number, close-on-exec
//! flag and references are as the program itself found them.

use std::collections::BTreeSet;

use inspector::{
    event::{
        Event, HandleEvent, What,
        handle::HandleChange,
        id::{Fd, Tgid},
    },
    source::ebpf::load::LoadOptions,
};
use inspector_ebpf::abi::call::{self, CALLS};

use crate::{oracle, program::Program, watch::Watch};

/// Calls that a kernel or a machine may lack. All others must work here.
const MAY_BE_UNAVAILABLE: &[&str] = &[
    "landlock_create_ruleset",
    "mq_open",
    "open_tree_attr",
    "memfd_secret",
    "open_by_handle_at",
];

#[test]
fn every_call_is_seen_with_its_number_kind_and_flag() {
    let mut program = Program::start("calls");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    let mut named = BTreeSet::new();
    for order in ["make", "duplicate", "close"] {
        watch.events.clear();
        let told = program.tell(order);
        watch.drain();
        let (unavailable, told): (Vec<_>, Vec<_>) = told
            .into_iter()
            .partition(|line| line.starts_with("unavailable "));
        for line in unavailable {
            let name = line.split(' ').nth(1).unwrap();
            println!("{line}");
            assert!(MAY_BE_UNAVAILABLE.contains(&name), "{line}");
            named.insert(name.to_owned());
        }
        for line in &told {
            named.extend(line.split(' ').map(str::to_owned));
        }
        let seen = lines(&watch.events, program.tgid());
        compare(&told, &seen);
        assert_eq!(
            oracle::differences(&watch.ledger, program.tgid()),
            "",
            "after {order}"
        );
        watch.assert_no_drift(order);
    }
    let counters = watch.ledger.counters();
    assert_eq!((counters.nonsense, counters.handles_unseen), (0, 0));
    for call in CALLS {
        let shown = match call.name {
            // These have lines of their own.
            "close" => "closed",
            "unshare" => "table",
            name => name,
        };
        assert!(named.contains(shown), "{} was not tried", call.name);
    }
}

/// The negative control: what the comparison rests on is the program at the calls' exit.
#[test]
fn without_the_exit_program_only_an_audit_finds_them() {
    let mut program = Program::start("calls");
    let options = LoadOptions {
        without: vec!["exit_call".to_owned()],
        ..LoadOptions::default()
    };
    let Some(mut watch) = Watch::follow(&options, &program) else {
        return;
    };
    let made = program.tell("make").len();
    watch.drain();
    assert_ne!(oracle::differences(&watch.ledger, program.tgid()), "");
    assert_eq!(watch.ledger.drift().total(), 0);
    watch.audit(false);
    let drift = *watch.ledger.drift();
    assert!(drift.handles_missed > 50, "{drift:?} of {made}");
    watch.audit(true);
    assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
    assert!(watch.ledger.counters().handles_unseen > 50);
}

/// The events of a process as the program tells them.
fn lines(events: &[Event], tgid: Tgid) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            What::Handle(handle) if handle.tgid == tgid => Some(line(handle)),
            What::Table(table) if table.tgid == tgid => Some("table unshare".to_owned()),
            _ => None,
        })
        .collect()
}

fn line(handle: &HandleEvent) -> String {
    let call = call::find(handle.call.0).map_or("?", |call| call.name);
    let flag = u8::from;
    match handle.change {
        HandleChange::Born {
            fd, kind, cloexec, ..
        } => format!("born {call} {fd} {} cloexec={}", kind.word(), flag(cloexec)),
        HandleChange::Duplicated {
            from, to, cloexec, ..
        } => format!("dup {call} {from} {to} cloexec={}", flag(cloexec)),
        HandleChange::Received { fd, cloexec, .. } => {
            format!("received {call} {fd} cloexec={}", flag(cloexec))
        }
        HandleChange::Shared { fd } => format!("shared {call} {fd}"),
        HandleChange::Closed {
            fd: Fd(fd),
            references,
            entry_seen,
            ..
        } => {
            assert!(entry_seen, "{handle:?}");
            format!("closed {fd} references={}", references.unwrap_or(0))
        }
        HandleChange::RangeClosed {
            first,
            last,
            entry_seen,
            ..
        } => {
            assert!(entry_seen, "{handle:?}");
            format!("range {first} {last}")
        }
        HandleChange::CloexecSet { first, last, on } => {
            format!("flag {call} {first} {last} cloexec={}", flag(on))
        }
        HandleChange::CloseRefused { fd } => format!("not open {call} {fd}"),
        HandleChange::BirthRefused { errno } => format!("limit {call} {errno}"),
        HandleChange::Unsettled { why } => format!("unsettled {call} {why:?}"),
    }
}

#[track_caller]
fn compare(told: &[String], seen: &[String]) {
    let different: Vec<_> = told
        .iter()
        .zip(seen)
        .filter(|(told, seen)| told != seen)
        .collect();
    assert!(different.is_empty(), "told, then seen: {different:#?}");
    assert_eq!(seen.len(), told.len(), "seen {seen:#?}\ntold {told:#?}");
}
