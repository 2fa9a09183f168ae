//! Stories of what a target holds: what grows, what only looks as if it did, and what is near its
//! limits.

mod changing;

use std::fmt::Write as _;

use super::{
    limits::{LimitLine, lines},
    *,
};
use crate::{
    event::{
        Batch, Event, Scan, What,
        handle::HandleKind,
        id::{Fd, Tgid, Tid},
        limits::{Ceiling, CgroupPids, Limits},
        scan::{ScanRole, SeenHandle, SeenTable, SeenThread},
        text::{Comm, Text},
    },
    ledger::LedgerRules,
    pipeline::story::Cast,
    tui::{words, world::World},
};

/// A target after a story.
struct Target {
    world: World,
    cast: Cast,
}

impl Target {
    fn new(story: &str) -> Self {
        let mut target = Self {
            world: World::of_targets(LedgerRules::default()),
            cast: Cast::default(),
        };
        target.tell(story);
        target
    }

    fn tell(&mut self, story: &str) -> &mut Self {
        for batch in self.cast.batches(story) {
            self.world.take(&batch);
        }
        self
    }

    /// /proc is read once more, at so many milliseconds.
    fn scan(&mut self, ms: u64, tgid: u32, limits: Limits, handles: &[(u32, &str)]) {
        self.read(ScanRole::Audit { heal: true }, ms, tgid, limits, handles);
    }

    /// Another process is attached to, which has so many handles.
    fn attach(&mut self, ms: u64, tgid: u32, limits: Limits, handles: u32) {
        let seen: Vec<_> = (0..handles).map(|fd| (fd, "/x")).collect();
        self.read(ScanRole::Baseline, ms, tgid, limits, &seen);
    }

    fn read(
        &mut self,
        role: ScanRole,
        ms: u64,
        tgid: u32,
        limits: Limits,
        handles: &[(u32, &str)],
    ) {
        let at = BootTime(ms * 1_000_000);
        let seen = handles.iter().map(|&(fd, target)| SeenHandle {
            fd: Fd(fd),
            kind: HandleKind::File,
            cloexec: None,
            target: Text::from(target.as_bytes()),
        });
        let users = vec![Tid(tgid)];
        let tables = SeenTable {
            users,
            handles: Ok(seen.collect()),
        };
        let scan = Scan {
            role,
            tgid: Tgid(tgid),
            began: at,
            ended: at,
            threads: Some(vec![SeenThread {
                tid: Tid(tgid),
                start_ticks: 0,
                comm: Comm::from_bytes(format!("t{tgid}").as_bytes()),
                state: b'S',
            }]),
            tables: if handles.is_empty() {
                Vec::new()
            } else {
                vec![tables]
            },
            limits: Some(Box::new(limits)),
        };
        self.world.take(&Batch {
            events: vec![Event {
                at,
                what: What::Scan(Box::new(scan)),
            }],
        });
    }

    /// The groups in words.
    fn groups(&self) -> Vec<String> {
        let triage = self.world.triage().expect("it is a target's world");
        let groups = triage.groups().iter().enumerate();
        let told = groups.filter(|(_, group)| group.alive > 0 || group.died > 0);
        told.map(|(number, group)| {
            let fastest = triage.fastest() == Some(number);
            format!(
                "{} {} {} +{} -{} {}{}",
                group.alive,
                group.kind.word(),
                group.pattern,
                group.born,
                group.died,
                words::rate(group.per_minute),
                if fastest { " fastest" } else { "" },
            )
        })
        .collect()
    }

    fn limits(&self) -> Vec<String> {
        let told = lines(&self.world).into_iter().map(|line| {
            format!(
                "{} of {}: {}{:?} of {:?}, {}{}",
                line.what,
                line.whose,
                if line.at_least { ">" } else { "" },
                line.now.unwrap_or(0),
                line.max,
                words::rate(line.per_minute),
                match line.left_ns() {
                    Some(left) => format!(", reached in {}", words::passed(left)),
                    None => String::new(),
                },
            )
        });
        told.collect()
    }
}

const BASELINE: &str = "1000 100 baseline 100 | 0 1 2 began=1000\n";

/// A socket every six seconds, from 2 s on.
fn sockets(count: u32) -> String {
    (0..count).fold(BASELINE.to_owned(), |mut story, number| {
        writeln!(
            story,
            "{} 100 open {} socket",
            2_000 + number * 6_000,
            10 + number
        )
        .unwrap();
        story
    })
}

#[test]
fn what_grows_is_told_with_its_rate() {
    let target = Target::new(&sockets(1));
    assert_eq!(
        target.groups(),
        [
            "3 timerfd timerfd +0 -0 ?/min",
            "1 threads t* +0 -0 ?/min",
            "1 socket socket +1 -0 ?/min",
        ]
    );
    let mut target = Target::new(&sockets(5));
    target.tell("31000 100 tick");
    assert_eq!(
        target.groups(),
        [
            "3 timerfd timerfd +0 -0 0/min",
            "1 threads t* +0 -0 0/min",
            "5 socket socket +5 -0 +7.1/min fastest",
        ]
    );
}

#[test]
fn what_comes_and_goes_does_not_grow() {
    let mut story = sockets(20);
    for number in 0..20 {
        let (at, fd) = (2_500 + number * 6_000, 10 + number);
        writeln!(story, "{at} 100 close {fd} refs=1").unwrap();
    }
    let mut lines: Vec<&str> = story.lines().collect();
    lines.sort_by_key(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap());
    let mut target = Target::new(&lines.join("\n"));
    target.tell("130000 100 tick");
    assert_eq!(
        target.groups().last().unwrap(),
        "0 socket socket +20 -20 0/min"
    );
    assert_eq!(target.world.triage().unwrap().fastest(), None);
}

#[test]
fn what_lived_between_two_looks_is_counted() {
    let mut target = Target::new(BASELINE);
    target.tell(
        "2000 100 tick
         2100 100 open 10 socket
         2200 100 close 10 refs=1
         3500 100 tick",
    );
    assert_eq!(target.groups()[2], "0 socket socket +1 -1 ?/min");
}

#[test]
fn two_more_are_no_growth() {
    let mut target = Target::new(&sockets(2));
    target.tell("13000 100 tick");
    assert_eq!(target.groups()[2], "2 socket socket +2 -0 +10/min");
    assert_eq!(target.world.triage().unwrap().fastest(), None);
}

#[test]
fn a_target_that_is_read_later_moves_what_it_is_of_and_nothing_grows_by_that() {
    let mut target = Target::new(BASELINE);
    for number in 0..4 {
        let at = 2_000 + number * 100;
        target.tell(&format!("{at} 100 open {} file", 10 + number));
    }
    target.tell("14000 100 tick");
    assert_eq!(target.groups()[2], "4 opened ? +4 -0 +18/min fastest");
    let seen: Vec<_> = [0, 1, 2]
        .map(|fd| (fd, "anon_inode:[timerfd]"))
        .into_iter()
        .chain([10, 11, 12, 13].map(|fd| (fd, "/tmp/job-17")))
        .collect();
    target.scan(15_500, 100, Limits::default(), &seen);
    target.tell("17000 100 tick");
    let groups = target.groups();
    assert!(
        !groups.iter().any(|group| group.contains("opened")),
        "{groups:?}"
    );
    assert!(
        groups.contains(&"4 file /tmp/job-* +4 -0 +15/min fastest".to_owned()),
        "{groups:?}"
    );
}

#[test]
fn a_process_that_is_read_later_was_there_before() {
    let mut target = Target::new(BASELINE);
    target.tell("12000 100 tick");
    target.attach(13_000, 200, Limits::default(), 8);
    target.tell("25000 100 tick");
    assert_eq!(target.groups()[2], "8 file /x +0 -0 0/min");
}

#[test]
fn threads_stand_by_their_names_and_by_what_they_are_in() {
    let mut target = Target::new(BASELINE);
    target.tell(
        "2000 100 thread 101
         2001 101 rename worker-1
         2002 100 thread 102
         2003 102 rename worker-22
         2500 101 sample in=202 since=2100 on=4096
         2500 102 sample in=202 since=2200 on=4096
         2500 100 sample
         4000 100 tick",
    );
    let groups = target.groups();
    for expected in [
        "2 threads worker-* +2 -0 ?/min",
        "2 threads in futex +0 -0 ?/min",
        "1 threads in no call: running +0 -0 ?/min",
    ] {
        assert!(groups.contains(&expected.to_owned()), "{groups:?}");
    }
    let triage = target.world.triage().unwrap();
    let futex = triage
        .groups()
        .iter()
        .find(|group| group.pattern.bytes() == b"futex");
    assert_eq!(futex.unwrap().oldest, Some(BootTime(2_100_000_000)));
}

#[test]
fn more_patterns_than_can_be_told_apart_are_one_group() {
    let mut target = Target::new("1000 100 baseline 100 | began=1000");
    let names: Vec<String> = (0..5_000_u32)
        .map(|number| {
            let letter = |by: u32| char::from(b'a' + u8::try_from(number / by % 26).unwrap());
            format!("/x/{}{}{}", letter(676), letter(26), letter(1))
        })
        .collect();
    let seen: Vec<_> = (0..).zip(names.iter().map(String::as_str)).collect();
    target.scan(2_000, 100, Limits::default(), &seen);
    target.tell("4000 100 tick");
    let groups = target.groups();
    assert!(groups.len() <= 4_098, "{}", groups.len());
    assert!(groups.iter().any(|group| group.contains("(others)")));
}

/// Limits of a user's process in a cgroup.
fn limits() -> Limits {
    Limits {
        nofile: Some(Ceiling::At(16)),
        nproc: Some(Ceiling::At(100)),
        pids: Some(CgroupPids {
            cgroup: Text::from(&b"/a"[..]),
            max: 10,
            current: Some(4),
        }),
        threads_max: Some(127_000),
        pid_max: Some(4_194_304),
        host_threads: Some(812),
        uid: Some(1000),
        ..Limits::default()
    }
}

#[test]
fn limits_stand_by_how_near_they_are() {
    let mut target = Target::new(&sockets(5));
    assert_eq!(
        target.limits(),
        [
            "handles of t100 100 (RLIMIT_NOFILE): 8 of Unknown, +10/min",
            "threads of limits not read yet: 1 of Unknown, 0/min",
        ]
    );
    target.scan(31_000, 100, limits(), &[]);
    target.tell("32000 100 tick");
    let told = target.limits();
    assert!(
        told[0].starts_with("handles of t100 100 (RLIMIT_NOFILE): 8 of At(16), "),
        "{told:?}"
    );
    assert!(told[0].contains("reached in "), "{told:?}");
    assert_eq!(
        told[1..],
        [
            "threads of cgroup /a (pids.max): 4 of At(10), 0/min",
            "threads of user 1000 (RLIMIT_NPROC): >1 of At(100), 0/min",
            "threads of the host (kernel.threads-max): 812 of At(127000), 0/min",
        ]
    );
    let near: Vec<_> = lines(&target.world)
        .iter()
        .map(LimitLine::is_near)
        .collect();
    assert_eq!(near, [true, false, false, false]);
}

#[test]
fn the_process_that_is_nearest_to_its_limit_is_named() {
    let mut target = Target::new(BASELINE);
    target.scan(2_000, 100, limits(), &[]);
    let roomy = Limits {
        nofile: Some(Ceiling::At(1_000_000)),
        ..limits()
    };
    target.attach(2_000, 200, roomy, 8);
    assert!(target.limits()[0].starts_with("handles of t100 100 (RLIMIT_NOFILE): 3 of At(16)"));
}

#[test]
fn what_is_not_limited_or_not_known_is_never_near() {
    let mut target = Target::new(&sockets(5));
    let none = Limits {
        nofile: Some(Ceiling::Unlimited),
        uid: Some(0),
        ..Limits::default()
    };
    target.scan(31_000, 100, none, &[]);
    assert_eq!(
        target.limits(),
        [
            "handles of t100 100 (RLIMIT_NOFILE): 8 of Unlimited, +7.1/min",
            "threads of limits not read yet: 1 of Unknown, 0/min",
        ]
    );
    assert!(!lines(&target.world).iter().any(LimitLine::is_near));
}
