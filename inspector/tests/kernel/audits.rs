//! Audits: what no event announces is found, with the interval in which it was born; in observe
//! mode it is counted and nothing is corrected.

use std::time::Duration;

use inspector::{
    event::{BootTime, id::Fd},
    ledger::{handle::Descriptor, identity::Origin},
    source::{AuditMode, Audits, clock::boot_time, ebpf::load::LoadOptions},
};

use crate::{oracle, program::Program, watch::Watch};

fn start(audits: Audits) -> Option<(Program, Watch)> {
    let program = Program::start("unseen");
    let options = LoadOptions {
        audits,
        ..LoadOptions::default()
    };
    let mut watch = Watch::auditing(&options)?;
    watch.also(program.tgid()).unwrap();
    Some((program, watch))
}

const OBSERVED: Audits = Audits {
    mode: AuditMode::Observe,
    every: None,
};

fn handle(watch: &Watch, program: &Program, fd: u32) -> Option<Descriptor> {
    let thread = watch.ledger.thread_by_tid(program.leader())?;
    let table = watch.ledger.table_used_by(thread)?;
    let handle = watch.ledger.open_handle(table, Fd(fd))?;
    watch.ledger.handle(handle).cloned()
}

/// The number of a descriptor that no event announces; `None` (with the reason on stdout) where
/// this kernel makes none.
fn unseen(program: &mut Program, order: &str) -> Option<u32> {
    let told = program.tell(order);
    let fd = told[0].parse().ok();
    if fd.is_none() {
        println!("{order}: {}", told[0]);
    }
    fd
}

#[test]
fn observed_only() {
    let Some((mut program, mut watch)) = start(OBSERVED) else {
        return;
    };
    watch.assert_no_drift("at first");
    let mut found = 0;
    for order in ["ring", "ioctl"] {
        let Some(fd) = unseen(&mut program, order) else {
            continue;
        };
        found += 1;
        watch.drain();
        let missed = watch.ledger.drift().handles_missed;
        // Asked to heal: the mode forbids it.
        watch.audit(true);
        let drift = *watch.ledger.drift();
        assert_eq!(drift.handles_missed, missed + found, "{order}: {drift:?}");
        assert_eq!(drift.total(), drift.handles_missed, "{order}: {drift:?}");
        assert_eq!(drift.observed, drift.audits);
        assert_eq!(handle(&watch, &program, fd).map(|handle| handle.fd), None);
    }
    assert!(found > 0);
    assert_ne!(oracle::differences(&watch.ledger, program.tgid()), "");
}

#[test]
fn found_with_the_interval_of_its_birth() {
    let healing = Audits {
        mode: AuditMode::Heal,
        every: None,
    };
    let Some((mut program, mut watch)) = start(healing) else {
        return;
    };
    for order in ["ring", "ioctl"] {
        let before = boot_time();
        watch.audit(true);
        let drift = watch.ledger.drift().total();
        let from = boot_time();
        let Some(fd) = unseen(&mut program, order) else {
            continue;
        };
        watch.drain();
        assert!(handle(&watch, &program, fd).is_none(), "{order}");
        let until = boot_time();
        watch.audit(true);
        assert_eq!(watch.ledger.drift().total(), drift + 1, "{order}");
        let found = handle(&watch, &program, fd).unwrap();
        assert_eq!(found.origin, Origin::Unseen);
        assert!(
            (before..=from).contains(&found.born.earliest) && found.born.latest >= until,
            "{order}: {:?}",
            found.born
        );
        assert!(!found.born.is_exact());
    }
    assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
}

/// By its own clock: one soon after the start, and then again and again.
#[test]
fn nobody_has_to_ask() {
    let audits = Audits {
        mode: AuditMode::Heal,
        every: Some(Duration::from_millis(400)),
    };
    let Some((mut program, mut watch)) = start(audits) else {
        return;
    };
    watch.until("the first audit", |watch| watch.ledger.drift().audits > 0);
    assert_eq!(watch.ledger.drift().total(), 0);
    let fd = unseen(&mut program, "ioctl").unwrap();
    watch.until("the descriptor", |watch| {
        handle(watch, &program, fd).is_some()
    });
    let found = handle(&watch, &program, fd).unwrap();
    assert_eq!(found.origin, Origin::Unseen);
    assert!(found.born.earliest > BootTime(0));
    assert_eq!(watch.ledger.drift().total(), 1);
    let audits = watch.ledger.drift().audits;
    println!("an audit takes {} ns", watch.gauges.read().audits.last_ns);
    watch.until("the next audit", |watch| {
        watch.ledger.drift().audits > audits
    });
}
