//! A planted leak that is a suspect, and what looks like one and is none.

use std::ops::RangeInclusive;

use super::{Growth, What};
use crate::{
    event::{handle::HandleKind, id::BootTime},
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast, story::keeping},
};

/// What is looked at once a second.
struct Watched {
    pipeline: Pipeline,
    cast: Cast,
    growth: Growth,
}

impl Watched {
    fn new(rules: LedgerRules) -> Self {
        let mut watched = Self {
            pipeline: Pipeline::new(rules),
            cast: Cast::default(),
            growth: Growth::new(),
        };
        watched.second(0, "");
        watched
    }

    /// Plays a story, and looks at its end, which is so many seconds after the beginning.
    fn second(&mut self, second: u64, story: &str) {
        let story = format!("{story}\n{} 100 tick", second * 1000);
        for batch in self.cast.batches(&story) {
            self.pipeline.take(&batch);
        }
        self.growth.sample(self.pipeline.ledger());
    }

    /// Plays what `each` says of every second.
    fn seconds(&mut self, seconds: RangeInclusive<u64>, each: impl Fn(u64) -> String) {
        for second in seconds {
            self.second(second, &each(second));
        }
    }

    /// The suspects, in words.
    fn suspects(&self) -> Vec<String> {
        let suspects = self.growth.suspects().into_iter();
        suspects
            .map(|(group, suspect)| format!("{}: {suspect}", group.name.what.word()))
            .collect()
    }

    /// Births, deaths and those alive, of what is of this kind.
    fn sums(&self, what: What) -> (u64, u64, u64) {
        let groups = self.growth.groups().iter();
        groups.filter(|group| group.name.what == what).fold(
            (0, 0, 0),
            |(births, deaths, alive), group| {
                (
                    births + group.births,
                    deaths + group.deaths,
                    alive + group.alive(),
                )
            },
        )
    }
}

const SOCKETS: What = What::Handle(HandleKind::Socket);

/// A time within this second.
fn ms(second: u64, ms: u64) -> u64 {
    (second - 1) * 1000 + ms
}

/// A socket a second that nobody closes.
fn leak(second: u64) -> String {
    format!("{} 100 open {} socket", ms(second, 1), 100 + second)
}

#[test]
fn what_only_grows_is_a_suspect() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=8, leak);
    assert!(watched.suspects().is_empty(), "seven more are too few");
    watched.seconds(9..=10, leak);
    assert_eq!(
        watched.suspects(),
        ["socket: grew in 9 of 9 windows of 1s and shrank in none: 9 more"]
    );
    assert_eq!(watched.sums(SOCKETS), (10, 0, 10));
}

#[test]
fn what_is_closed_again_is_none() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=40, |second| {
        let (open, close) = (ms(second, 1), ms(second, 2));
        format!("{open} 100 open 9 socket\n{close} 100 close 9")
    });
    assert!(watched.suspects().is_empty());
    assert_eq!(watched.sums(SOCKETS), (40, 40, 0));
}

#[test]
fn what_fills_and_stays_is_none() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=40, |second| match second {
        ..=4 => (0..10)
            .map(|n| format!("{} 100 open {} socket\n", ms(second, n), 100 * second + n))
            .collect(),
        _ => String::new(),
    });
    assert!(watched.suspects().is_empty());
    assert_eq!(watched.sums(SOCKETS), (40, 0, 40));
}

#[test]
fn what_shrinks_now_and_then_is_none() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=15, |second| match second {
        12 => (101..108)
            .map(|fd| format!("{} 100 close {fd}\n", ms(second, 1)))
            .collect(),
        _ => leak(second),
    });
    assert!(watched.suspects().is_empty());
}

#[test]
fn a_slow_leak_shows_when_windows_are_long() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=100, |second| match second % 7 {
        1 => leak(second),
        _ => String::new(),
    });
    assert_eq!(
        watched.suspects(),
        ["socket: grew in 11 of 11 windows of 8s and shrank in none: 12 more"]
    );
}

#[test]
fn the_end_of_its_process_neither_ends_nor_clears_a_suspicion() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=12, leak);
    let before = watched.suspects();
    watched.second(13, "12001 100 exiting\n12002 100 gone");
    watched.seconds(14..=60, |second| format!("{} 200 open 3", ms(second, 1)));
    assert_eq!(before.len(), 1);
    assert_eq!(watched.suspects().len(), 1);
    assert_eq!(watched.sums(SOCKETS), (12, 0, 0));
}

#[test]
fn threads_that_went_before_their_process_did_not_end_with_it() {
    let mut watched = Watched::new(keeping(usize::MAX));
    watched.second(
        1,
        "1 100 thread 101\n2 101 exiting\n3 101 gone
         4 100 thread 102\n5 100 thread 103",
    );
    // Between this look and the next, one ends by itself and one is killed by the process's end.
    watched.second(
        3,
        "2001 102 exiting\n2002 102 gone
         2003 100 exiting\n2003 103 exiting\n2004 103 gone\n2004 100 gone",
    );
    let groups = watched.growth.groups().iter();
    let group = groups.max_by_key(|group| group.births).unwrap();
    assert_eq!((group.births, group.deaths, group.net()), (3, 2, 1));
    assert_eq!(group.ended_with_process, 1);
}

#[test]
fn many_short_processes_are_no_growth() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=30, |second| {
        let (at, child) = (ms(second, 1), 1000 + second);
        format!(
            "{at} 100 fork {child}\n{at} {child} read-fork by=100\n{at} {child} open 5 socket\n{at} {child} exiting\n{at} {child} gone"
        )
    });
    assert!(watched.suspects().is_empty());
    assert_eq!(watched.sums(SOCKETS), (30, 0, 0));
}

#[test]
fn what_an_entry_owns_is_judged_by_its_delete() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=12, |second| {
        let at = ms(second, 1);
        format!(
            "{at} 100 store-begin k{second}\n{}\n{at} 100 store-end k{second}",
            leak(second)
        )
    });
    assert!(watched.suspects().is_empty());
    assert_eq!(watched.sums(SOCKETS), (12, 0, 12));
}

#[test]
fn threads_are_grouped_by_their_names_pattern() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.seconds(1..=12, |second| {
        format!("{} 100 thread {}", ms(second, 1), 1000 + second)
    });
    let suspects = watched.growth.suspects();
    let (group, _) = suspects[0];
    assert_eq!(group.name.target.as_ref().unwrap().bytes(), b"t*");
    assert_eq!(group.births, 12);
    assert_eq!(group.oldest, Some(BootTime(1_000_000)));
    assert_eq!(group.a_minute(), Some(60.0));
}

#[test]
fn what_the_ledger_forgot_between_two_looks_is_told() {
    let mut watched = Watched::new(keeping(2));
    watched.second(
        1,
        "1 100 open 4 socket
         2 100 open 5 socket
         3 100 open 6 socket
         4 100 open 7 socket
         5 100 close 4
         6 100 close 5
         7 100 close 6
         8 100 close 7",
    );
    assert_eq!(watched.sums(SOCKETS), (2, 2, 0));
    assert_eq!(watched.growth.not_seen(watched.pipeline.ledger()), 2);
    watched.second(
        2,
        "1001 100 open 8 socket\n1002 100 open 9 socket\n1003 100 open 10 socket",
    );
    watched.second(
        3,
        "2001 100 close 8\n2002 100 close 9\n2003 100 close 10\n2004 100 tick",
    );
    assert_eq!(watched.sums(SOCKETS), (5, 5, 0));
    assert_eq!(watched.growth.not_seen(watched.pipeline.ledger()), 2);
}

#[test]
fn a_target_that_is_learned_moves_its_resource() {
    let mut watched = Watched::new(LedgerRules::default());
    watched.second(1, "1 100 open 5");
    watched.second(2, "1900 100 audit 100 | 5 began=1800");
    let timers = What::Handle(HandleKind::Timerfd);
    assert_eq!(watched.sums(timers), (1, 0, 1));
    let groups = watched.growth.groups().iter();
    let alive: Vec<_> = groups
        .filter(|group| group.name.what == timers && group.alive() > 0)
        .map(|group| group.name.target.as_ref().map(ToString::to_string))
        .collect();
    assert_eq!(alive, [Some("timerfd".to_owned())]);
}
