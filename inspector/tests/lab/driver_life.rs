//! How a driven child begins and ends, and what the driver makes of an end that it did not order.

use std::{path::Path, sync::mpsc, time::Duration};

use inspector::lab::{
    MapKind,
    driver::{Command, Driver, Hooks, News},
    entry::EntryKind,
};

use crate::{
    account,
    driver::{Said, Stage, lives, refused},
    program, threads, until,
};

#[test]
fn reset_interrupts_and_starts_anew() {
    let (mut stage, first) = Stage::started();
    stage.store(5_000, EntryKind::Watcher);
    let map = MapKind::Sharded;
    stage.driver.send(Command::Reset { map });
    // Sent after it, so not forgotten with the burst.
    stage.store(1, EntryKind::Ticker);
    let second = loop {
        match stage.next() {
            Said::Follow(pid) => break pid,
            Said::News(News::Progress { .. } | News::Stopped { .. }) => {}
            other => panic!("{other:?}"),
        }
    };
    let started = stage.news();
    assert!(
        matches!(started, News::Started { pid, map: kind, .. } if pid == second && kind == map),
        "{started:?}"
    );
    assert!(!lives(first) && lives(second));
    let key = "task-0001".to_owned();
    assert_eq!(stage.news(), News::Stored { key });
    assert_eq!(threads(second).len(), 2);
}

#[test]
fn a_killed_child_is_told_once_and_reset_brings_another() {
    let (mut stage, pid) = Stage::started();
    kill(pid);
    let died = stage.news();
    let News::Died(why) = &died else {
        panic!("{died:?}");
    };
    assert!(why.contains("died (by signal 9)"), "{why}");
    // It looks several times more; what it said again would come before what follows.
    std::thread::sleep(Duration::from_millis(300));
    stage.store(1, EntryKind::Ticker);
    assert!(refused(&stage.news()).contains("start the lab anew"));
    let map = MapKind::Mutex;
    stage.driver.send(Command::Reset { map });
    stage.new_child(map);
    assert_eq!(stage.store_one(EntryKind::Ticker), "task-0001");
}

#[test]
fn a_child_killed_in_a_burst_is_told_once() {
    let (mut stage, pid) = Stage::started();
    stage.store(5_000, EntryKind::Watcher);
    let progress = stage.news();
    assert!(matches!(progress, News::Progress { .. }), "{progress:?}");
    kill(pid);
    let said = stage.until(|news| matches!(news, News::Died(_)));
    let others = &said[..said.len() - 1];
    assert!(
        others
            .iter()
            .all(|news| matches!(news, News::Progress { .. })),
        "{said:?}"
    );
    stage.driver.send(Command::Quit);
    assert_eq!(stage.news(), News::Ended);
}

#[test]
fn a_child_that_can_not_start_is_dead() {
    let mut stage = Stage::start(Path::new("/absent"), false);
    let died = stage.news();
    assert!(
        matches!(&died, News::Died(why) if why.contains("could not be started from /absent")),
        "{died:?}"
    );
    stage.driver.send(Command::Quit);
    assert_eq!(stage.news(), News::Ended);
}

/// A child that can't be followed is not let loose; where there was one before, that goes on.
#[test]
fn a_child_that_can_not_be_followed_is_refused() {
    let (says, said) = mpsc::channel();
    let mut followed = Vec::new();
    let hooks = Hooks {
        follow: Box::new(move |pid| {
            followed.push(pid);
            anyhow::ensure!(followed.len() == 1, "no more than one, says the test");
            Ok(())
        }),
        drain: None,
        news: Box::new(move |news| says.send(Said::News(news)).is_ok()),
    };
    let driver = Driver::start(program(), account(), MapKind::Mutex, hooks).unwrap();
    let mut stage = Stage { driver, said };
    let News::Started { pid, .. } = stage.news() else {
        panic!("the first one is followed");
    };
    let map = MapKind::Mutex;
    stage.driver.send(Command::Reset { map });
    assert_eq!(
        refused(&stage.news()),
        "the lab's child can't be watched: no more than one, says the test; the child before goes on"
    );
    assert!(lives(pid));
    stage.store_one(EntryKind::Ticker);
}

#[test]
fn a_driver_ends_where_nobody_listens() {
    let (stage, pid) = Stage::started();
    let Stage { driver, said } = stage;
    drop(said);
    driver.send(Command::Store {
        count: 1,
        entry: EntryKind::Ticker,
    });
    until("the child's end", || !lives(pid));
    // Nobody is there to take these; nothing happens.
    driver.send(Command::Stop);
    drop(driver);
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
