//! Lives of processes, threads and tables: exec, vfork, sharing and unsharing, whichever thread
//! ends last, forks of forks, and deaths.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use inspector::{
    event::{
        ThreadEvent, What,
        id::{Tgid, Tid},
    },
    source::ebpf::load::LoadOptions,
};

use crate::{
    oracle,
    program::Program,
    watch::{SOON, Watch},
};

fn start() -> Option<(Program, Watch)> {
    let program = Program::start("lives");
    let watch = Watch::follow(&LoadOptions::default(), &program)?;
    Some((program, watch))
}

/// Gives an order, and compares the program and the processes it told of with /proc.
#[track_caller]
fn check(program: &mut Program, watch: &mut Watch, order: &str) -> Vec<Tgid> {
    let told = program.tell(order);
    let told: Vec<_> = told.iter().map(|pid| Tgid(pid.parse().unwrap())).collect();
    if order.contains("exec") {
        for tgid in &told {
            until_executed(*tgid);
        }
    }
    watch.drain();
    for &tgid in told.iter().chain([&program.tgid()]) {
        let differences = oracle::differences(&watch.ledger, tgid);
        assert_eq!(differences, "", "{tgid} after `{order}`");
    }
    watch.assert_no_drift(order);
    told
}

fn until_executed(tgid: Tgid) {
    let asked = Instant::now();
    while fs::read(format!("/proc/{tgid}/cmdline")).unwrap() != b"lives\0stay\0" {
        assert!(asked.elapsed() < SOON);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_exec_from_a_thread_that_is_not_the_leader() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let leader = program.leader();
    for _ in 0..2 {
        watch.events.clear();
        check(&mut program, &mut watch, "exec");
        let exec = watch.events.iter().find_map(|event| match event.what {
            What::Thread(ThreadEvent::Exec { old_tid, tgid, .. }) => Some((old_tid, tgid)),
            _ => None,
        });
        let (old_tid, tgid) = exec.unwrap();
        assert_eq!(tgid, program.tgid());
        assert_ne!(old_tid, leader, "it was not the leader");
        let survivor = watch.ledger.thread_by_tid(leader).unwrap();
        let name = watch.ledger.thread(survivor).unwrap().name;
        assert_eq!(name.tid, leader);
        assert_eq!(watch.ledger.thread_by_tid(old_tid), None);
        assert_eq!(oracle::threads(tgid).len(), 1);
    }
    assert_eq!(watch.ledger.counters().nonsense, 0);
}

#[test]
fn who_survives_an_exec_is_another_thread_each_time() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let mut names = BTreeSet::new();
    for _ in 0..3 {
        check(&mut program, &mut watch, "exec");
        let survivor = watch.ledger.thread_by_tid(program.leader()).unwrap();
        names.insert(watch.ledger.thread(survivor).unwrap().name);
    }
    assert_eq!(names.len(), 3, "tid and start are the leader's each time");
}

#[test]
fn spawned_and_vforked_programs() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    check(&mut program, &mut watch, "grow 1 6");
    for order in ["spawn", "vfork", "spawn"] {
        assert_eq!(check(&mut program, &mut watch, order).len(), 1);
    }
}

#[test]
fn tables_that_are_shared_and_no_longer_are() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    check(&mut program, &mut watch, "grow 1 6");
    for order in [
        "share",
        "unshare",
        "range unshare",
        "share and exec",
        "share",
    ] {
        check(&mut program, &mut watch, order);
    }
    assert_eq!(watch.ledger.counters().wrong_tables, 0);
    let tables = watch
        .ledger
        .tables()
        .filter(|(_, table)| table.dead.is_none());
    // The program's own, two threads' own, and the executed program's.
    assert_eq!(tables.count(), 4);
}

#[test]
fn the_last_thread_need_not_be_the_leader() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    program.tell("leader ends");
    watch.until("the leader's end", |watch| {
        watch.ledger.thread_by_tid(watch_leader(watch)).is_none()
    });
    assert!(!oracle::threads(program.tgid()).contains(&program.leader().0));
    for order in ["grow 0 4", "unshare", "spawn", "share"] {
        check(&mut program, &mut watch, order);
    }
    program.kill();
    ends_by_itself(&mut watch);
}

/// The one process that nobody forked.
fn watch_leader(watch: &Watch) -> Tid {
    let first = watch.ledger.processes().next().unwrap().1;
    Tid(first.tgid.0)
}

#[test]
fn a_killed_process_takes_everything_along() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    check(&mut program, &mut watch, "grow 60 700");
    let chain = check(&mut program, &mut watch, "chain 5");
    assert_eq!(chain.len(), 5, "forks of forks are followed");
    let kept = watch.ledger.kept();
    assert!(
        kept.threads_live >= 66 && kept.handles_open >= 700 * 6,
        "{kept:?}"
    );
    // Each of the chain dies of its parent's death.
    program.kill();
    ends_by_itself(&mut watch);
    let gone: BTreeSet<Tid> = watch
        .events
        .iter()
        .filter_map(|event| match event.what {
            What::Thread(ThreadEvent::Gone { tid, .. }) => Some(tid),
            _ => None,
        })
        .collect();
    assert!(gone.len() >= 66 && chain.iter().all(|tgid| gone.contains(&Tid(tgid.0))));
}

/// The source ends when its targets have, and nothing of them is left.
#[track_caller]
fn ends_by_itself(watch: &mut Watch) {
    watch.until("the source's own end", |watch| watch.ledger.end().is_some());
    assert_eq!(watch.ledger.end().unwrap().error, None);
    let kept = watch.ledger.kept();
    assert_eq!((kept.threads_live, kept.handles_open), (0, 0));
    assert!(watch.ledger.tables().all(|(_, table)| table.dead.is_some()));
    assert!(
        watch
            .ledger
            .processes()
            .all(|(_, process)| process.dead.is_some())
    );
}

/// The last switch of each is seen, although it was a zombie before.
#[test]
fn short_lives_end() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let told = program.tell("short 500");
    watch.drain();
    assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
    for pid in &told {
        let tgid = Tgid(pid.parse().unwrap());
        assert!(
            watch.ledger.process_by_tgid(tgid).is_none(),
            "{tgid} lives on"
        );
    }
    assert_eq!(told.len(), 500);
    assert_eq!(watch.ledger.kept().threads_live, 1);
}
