//! What a person's commands to the driver become.

use std::{
    fs,
    path::Path,
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use inspector::{
    event::{What, mark::Declared},
    lab::{
        MapKind,
        driver::{Command, Driver, Hooks, News},
        entry::EntryKind,
        policy::Policy,
        scenario,
    },
};

use crate::{account, handles, program, threads, until};

/// What the driver said or asked for, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Follow(u32),
    Drain,
    News(News),
}

/// A driver with everything it says.
pub(crate) struct Stage {
    pub(crate) driver: Driver,
    pub(crate) said: Receiver<Said>,
}

impl Stage {
    pub(crate) fn start(program: &Path, polls: bool) -> Self {
        let (says, said) = mpsc::channel();
        let (follows, drains) = (says.clone(), says.clone());
        let drain = move || Ok(drains.send(Said::Drain)?);
        let hooks = Hooks {
            follow: Box::new(move |pid| {
                // It waits: there is nothing yet that could be missed.
                assert_eq!(threads(pid).len(), 1);
                Ok(follows.send(Said::Follow(pid))?)
            }),
            drain: polls.then(|| Box::new(drain) as Box<_>),
            news: Box::new(move |news| says.send(Said::News(news)).is_ok()),
        };
        let driver = Driver::start(program, account(), MapKind::Mutex, hooks).unwrap();
        Self { driver, said }
    }

    /// One whose child is there, and that child.
    pub(crate) fn started() -> (Self, u32) {
        let mut stage = Self::start(program(), false);
        let pid = stage.new_child(MapKind::Mutex);
        (stage, pid)
    }

    pub(crate) fn next(&mut self) -> Said {
        self.said.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    pub(crate) fn news(&mut self) -> News {
        match self.next() {
            Said::News(news) => news,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn new_child(&mut self, kind: MapKind) -> u32 {
        let Said::Follow(followed) = self.next() else {
            panic!("a child is followed first");
        };
        let News::Started { pid, map, .. } = self.news() else {
            panic!("a child that is followed starts");
        };
        assert_eq!((pid, map), (followed, kind));
        pid
    }

    /// Everything until `last`, that included.
    pub(crate) fn until(&mut self, last: impl Fn(&News) -> bool) -> Vec<News> {
        let mut all = Vec::new();
        loop {
            all.push(self.news());
            if all.last().is_some_and(&last) {
                return all;
            }
        }
    }

    pub(crate) fn store(&self, count: u32, entry: EntryKind) {
        self.driver.send(Command::Store { count, entry });
    }

    fn delete(&self, keys: &[&str], policy: Policy) {
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        self.driver.send(Command::Delete { keys, policy });
    }

    /// Stores one key and gives its name.
    pub(crate) fn store_one(&mut self, entry: EntryKind) -> String {
        self.store(1, entry);
        match self.news() {
            News::Stored { key } => key,
            other => panic!("{other:?}"),
        }
    }

    /// Deletes one key.
    fn delete_one(&mut self, key: &str, policy: Policy) {
        self.delete(&[key], policy);
        let news = self.news();
        assert!(
            matches!(&news, News::Deleted { key: deleted, .. } if deleted == key),
            "{news:?}"
        );
    }
}

pub(crate) fn refused(news: &News) -> &str {
    match news {
        News::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Whether the process runs: one that is dead and not collected does not.
pub(crate) fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}

#[test]
fn keys_are_numbered_on_and_come_and_go() {
    let (mut stage, pid) = Stage::started();
    assert_eq!(stage.store_one(EntryKind::Watcher), "task-0001");
    stage.store(3, EntryKind::Ticker);
    let done = |done| News::Progress {
        what: "store",
        done,
        total: 3,
    };
    let said = stage.until(|news| *news == done(3));
    assert!(
        said.iter()
            .all(|news| matches!(news, News::Progress { .. }))
    );
    assert_eq!(threads(pid).len(), 5);
    stage.delete_one("task-0003", Policy::StopWaitDelete);
    assert_eq!(stage.store_one(EntryKind::Writer), "task-0005");
    // One that is gone keeps no other from being deleted.
    stage.delete(
        &[
            "task-0001",
            "task-0003",
            "task-0004",
            "task-0099",
            "task-0002",
        ],
        Policy::DeleteAndStop,
    );
    let said = stage.until(|news| matches!(news, News::Refused(_)));
    let why = refused(said.last().unwrap());
    assert!(why.contains("task-0003 is not in the map"), "{why}");
    assert!(why.ends_with("(and 1 more were refused)"), "{why}");
    until("the end of all but task-0005", || threads(pid).len() == 2);
    drop(stage);
    assert!(!lives(pid), "dropping the driver ends the child");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (mut stage, pid) = Stage::started();
    stage.store(0, EntryKind::Ticker);
    assert!(refused(&stage.news()).contains("no keys"));
    stage.store(10_001, EntryKind::Ticker);
    assert!(refused(&stage.news()).contains("10000 is the most"));
    stage.delete(&[], Policy::Bare);
    assert!(refused(&stage.news()).contains("no keys"));
    stage.delete(&["absent"], Policy::Bare);
    assert!(refused(&stage.news()).contains("absent is not in the map"));
    assert!(lives(pid), "and the child goes on");
    assert_eq!(stage.store_one(EntryKind::Watcher), "task-0001");
}

#[test]
fn the_policy_is_chosen_after_the_store() {
    for entry in EntryKind::ALL {
        let (mut stage, pid) = Stage::started();
        let before = handles(pid);
        let key = stage.store_one(entry);
        stage.delete_one(&key, Policy::Drop);
        assert_eq!(handles(pid), before, "{}: dropped is closed", entry.name());
        until("the end of the thread", || threads(pid).len() == 1);
        let key = stage.store_one(entry);
        let owned = handles(pid);
        stage.delete_one(&key, Policy::Bare);
        assert_eq!(handles(pid), owned, "{}: bare leaves all", entry.name());
        assert_eq!(threads(pid).len(), 2);
    }
}

#[test]
fn a_scenario_is_played_as_its_variant_says() {
    let (mut stage, pid) = Stage::started();
    let before = handles(pid);
    assert_eq!(stage.store_one(EntryKind::Ticker), "task-0001");
    stage.delete_one("task-0001", Policy::StopWaitDelete);
    let leaks = [
        // Threads and descriptors of two keys.
        ("bare-delete", 0, (2, 2)),
        ("bare-delete", 1, (0, 0)),
        // The descriptors alone.
        ("unclosed-value", 0, (0, 2)),
    ];
    let (mut left, mut key) = ((0, 0), 1);
    for (name, which, leak) in leaks {
        let scenario = scenario::by_name(name).unwrap();
        let variant = &scenario.variants[which];
        stage.driver.send(Command::Play {
            scenario,
            variant,
            keys: 2,
        });
        let said = stage.until(|news| matches!(news, News::Played { .. }));
        let words: Vec<_> = said
            .iter()
            .map(|news| match news {
                News::Playing { scenario, variant } => format!("playing {scenario} {variant}"),
                News::Stored { key } => format!("stored {key}"),
                News::Deleted { key, .. } => format!("deleted {key}"),
                News::Played { scenario, variant } => format!("played {scenario} {variant}"),
                other => panic!("{other:?}"),
            })
            .collect();
        let (one, two) = (key + 1, key + 2);
        let which = variant.which.name();
        assert_eq!(
            words,
            [
                format!("playing {name} {which}"),
                format!("stored task-{one:04}"),
                format!("stored task-{two:04}"),
                format!("deleted task-{one:04}"),
                format!("deleted task-{two:04}"),
                format!("played {name} {which}"),
            ]
        );
        key += 2;
        left = (left.0 + leak.0, left.1 + leak.1);
        until("the end of what ends", || {
            threads(pid).len() == 1 + left.0 && handles(pid).len() == before.len() + left.1
        });
    }
}

#[test]
fn stop_ends_a_burst_and_what_waits_behind_it() {
    let (mut stage, pid) = Stage::started();
    stage.store(5_000, EntryKind::Watcher);
    stage.store(1, EntryKind::Writer);
    // Under way, or not even begun: it ends in either case.
    stage.driver.send(Command::Stop);
    let said = stage.until(|news| matches!(news, News::Stopped { .. }));
    let Some(News::Stopped { what, done, total }) = said.last() else {
        unreachable!("the last one is");
    };
    assert_eq!((*what, *total), ("store", 5_000));
    assert!(*done < 5_000);
    assert_eq!(threads(pid).len(), 1 + *done as usize);
    // The child serves on, and the writer was forgotten.
    stage.store_one(EntryKind::Watcher);
    assert!(threads(pid).values().all(|name| !name.starts_with("write")));
}

#[test]
fn a_scenario_stops_where_it_is() {
    let (mut stage, _) = Stage::started();
    let scenario = scenario::by_name("owner-map").unwrap();
    stage.driver.send(Command::Play {
        scenario,
        variant: &scenario.variants[0],
        keys: 1_000,
    });
    stage.driver.send(Command::Stop);
    let said = stage.until(|news| matches!(news, News::Played { .. }));
    let stopped = &said[said.len() - 2];
    assert!(matches!(stopped, News::Stopped { .. }), "{stopped:?}");
    assert!(
        said.iter().all(|news| !matches!(
            news,
            News::Progress { what: "delete", .. } | News::Deleted { .. }
        )),
        "{said:?}"
    );
}

#[test]
fn repeated_marks_come_after_a_drain() {
    let mut stage = Stage::start(program(), true);
    assert!(matches!(stage.next(), Said::Follow(_)));
    assert_eq!(stage.next(), Said::Drain, "what was there before any key");
    assert!(matches!(stage.news(), News::Started { .. }));
    let marks = |stage: &mut Stage| {
        let mut said = stage.next();
        while matches!(said, Said::News(News::Progress { .. })) {
            said = stage.next();
        }
        assert_eq!(said, Said::Drain);
        let News::Marks(batch) = stage.news() else {
            panic!("a drain is for marks");
        };
        let declared = batch.events.into_iter().map(|event| match event.what {
            What::Mark(mark) => (mark.key.text.to_string(), mark.what),
            other => panic!("{other:?}"),
        });
        declared.collect::<Vec<_>>()
    };
    stage.store(1, EntryKind::Watcher);
    let stored = marks(&mut stage);
    assert_eq!(stored.len(), 4);
    assert_eq!(
        stored[3],
        ("task-0001".to_owned(), Declared::StoreEnd { span: None })
    );
    assert!(matches!(stage.news(), News::Stored { .. }));

    // Of a burst they come together, and all before its end is told.
    stage.store(20, EntryKind::Watcher);
    let mut stored = 0;
    while stored < 80 {
        stored += marks(&mut stage).len();
    }
    assert_eq!(stored, 80);
    let end = News::Progress {
        what: "store",
        done: 20,
        total: 20,
    };
    stage.until(|news| *news == end);

    stage.delete(&["task-0001"], Policy::Bare);
    let deleted = marks(&mut stage);
    assert_eq!(deleted.len(), 3);
    assert!(matches!(stage.news(), News::Deleted { .. }));
}
