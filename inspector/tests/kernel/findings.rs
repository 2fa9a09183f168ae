//! Findings by real programs: numbers closed twice, another entry's number closed, descriptors
//! refused; and a program that does the same work and gives none.

use inspector::{
    ledger::{
        finding::{Fact, Finding, FindingKind, Ground, Limit, Totals},
        handle::ClosedHow,
    },
    source::ebpf::load::LoadOptions,
};

use crate::{program::Program, watch::Watch};

fn start() -> Option<(Program, Watch)> {
    let program = Program::start("findings");
    let watch = Watch::follow(&LoadOptions::default(), &program)?;
    Some((program, watch))
}

fn found(watch: &Watch) -> Vec<Finding> {
    watch.ledger.findings().iter().cloned().collect()
}

#[test]
fn numbers_that_are_not_open() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let told = program.tell("double");
    let fd: u32 = told[0].parse().unwrap();
    watch.drain();
    let findings = found(&watch);
    assert_eq!(findings.len(), 2, "one of each thread: {findings:#?}");
    assert_eq!(findings[0].thread.tid, program.leader());
    assert_ne!(findings[1].thread.tid, program.leader());
    for finding in &findings {
        println!("{finding}");
        let Fact::DoubleClose { former, .. } = &finding.fact else {
            panic!("{finding:?}");
        };
        assert_eq!(finding.fd().unwrap().0, fd);
        assert_eq!(former.closed_by, Some(program.leader()));
        assert_eq!(former.how, ClosedHow::Close);
        assert!(former.closed.latest < finding.first);
        assert!(!finding.doubtful);
    }

    program.tell("nothing");
    watch.drain();
    let findings = found(&watch);
    assert_eq!(findings.len(), 3, "{findings:#?}");
    assert_eq!(findings[2].kind(), FindingKind::CloseOfNothing);
    assert_eq!(findings[2].count, 101);
}

#[test]
fn another_entrys_number() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let told = program.tell("foreign");
    assert_eq!(told[0], told[1], "the number was given out again");
    watch.drain();
    let findings = found(&watch);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    println!("{}", findings[0]);
    let Fact::ForeignClose(foreign) = &findings[0].fact else {
        panic!("{findings:?}");
    };
    assert_eq!(foreign.ground, Ground::InDelete);
    assert_eq!(foreign.owner.0.key.text.bytes(), b"b");
    assert_eq!(foreign.closed_for.key.text.bytes(), b"a");
    assert_ne!(foreign.handle.born_by, Some(program.leader()));
    assert_eq!(foreign.former.closed_by, Some(program.leader()));
}

#[test]
fn refused_for_want_of_descriptors() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    program.tell("limit");
    watch.drain();
    let findings = found(&watch);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    println!("{}", findings[0]);
    let limit = Fact::BirthRefused {
        limit: Limit::Process,
        open: 3,
    };
    assert_eq!((&findings[0].fact, findings[0].count), (&limit, 5));
}

/// The negative control.
#[test]
fn a_clean_program_gives_none() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    program.tell("clean");
    watch.drain();
    assert_eq!(found(&watch), []);
    assert_eq!(*watch.ledger.findings().totals(), Totals::default());
    let deleted = watch.ledger.counters().entries;
    assert!(deleted >= 400, "{deleted} entries");
}
