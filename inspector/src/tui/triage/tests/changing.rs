//! Groups whose members change: sockets by their state, and what is a suspect.

use super::*;
use crate::event::{
    Targets,
    target::{InetSocket, SeenTarget, SocketState, TargetDetail, Transport},
};

/// Sockets to the same service are read.
fn read(target: &mut Target, ms: u64, fds: std::ops::Range<u32>, state: u8) {
    let seen = fds.map(|fd| SeenTarget {
        fd: Fd(fd),
        kind: HandleKind::Socket,
        target: Text::from(format!("socket:[{fd}]").into_bytes()),
        detail: Some(TargetDetail::Inet(InetSocket {
            transport: Transport::Tcp,
            local: ([10, 0, 0, 5], 51_000).into(),
            peer: Some(([10, 0, 0, 7], 443).into()),
            state: SocketState(state),
        })),
    });
    let at = BootTime(ms * 1_000_000);
    target.world.take(&Batch {
        events: vec![Event {
            at,
            what: What::Targets(Box::new(Targets {
                tgid: Tgid(100),
                reader: Tid(100),
                began: at,
                ended: at,
                read: seen.collect(),
            })),
        }],
    });
}

#[test]
fn sockets_move_with_their_history_when_their_state_is_read() {
    let mut target = Target::new(&sockets(5));
    read(&mut target, 27_000, 10..13, 1);
    target.tell("31000 100 tick");
    let told = |target: &Target| -> Vec<String> {
        let groups = target.groups().into_iter();
        groups.filter(|group| group.contains("socket")).collect()
    };
    assert_eq!(
        told(&target),
        [
            "2 socket socket +2 -0 +4.0/min",
            "3 socket tcp *:443 ESTABLISHED +3 -0 +6.0/min fastest",
        ]
    );
    read(&mut target, 32_000, 10..12, 8);
    target.tell("33500 100 tick");
    let told = told(&target);
    assert!(
        told[1].starts_with("1 socket tcp *:443 ESTABLISHED +1 -0 "),
        "{told:?}"
    );
    assert!(
        told[2].starts_with("2 socket tcp *:443 CLOSE_WAIT +2 -0 "),
        "{told:?}"
    );
    assert!(!told.iter().any(|group| group.contains('?')), "{told:?}");
}

#[test]
fn what_only_grows_is_a_suspect_and_what_shrank_is_none() {
    let suspects = |target: &Target| -> Vec<String> {
        let triage = target.world.triage().unwrap();
        let groups = triage.groups().iter();
        let suspects = groups.filter(|group| group.suspect.is_some());
        suspects.map(Group::name).collect()
    };
    let mut story = sockets(20);
    for number in 0..20 {
        let at = 2_000 + number * 6_000;
        writeln!(story, "{at} 100 open {} file", 100 + number).unwrap();
        // Now and then three of them go at once.
        if number % 5 == 4 {
            for back in 1..4 {
                writeln!(
                    story,
                    "{} 100 close {} refs=1",
                    at + 10,
                    100 + number - back
                )
                .unwrap();
            }
        }
    }
    let mut lines: Vec<&str> = story.lines().collect();
    lines.sort_by_key(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap());
    let mut target = Target::new(&lines[..10].join("\n"));
    assert!(suspects(&target).is_empty(), "it is too early to tell");
    target.tell(&lines[10..].join("\n"));
    target.tell("123000 100 tick");
    let growing = |kind: &str| {
        let triage = target.world.triage().unwrap();
        let mut groups = triage.groups().iter();
        groups.any(|group| group.kind.word() == kind && group.grows())
    };
    assert!(growing("socket") && growing("opened"));
    assert_eq!(suspects(&target), ["socket"]);
}

#[test]
fn what_there_was_at_the_end_stands() {
    let mut target = Target::new(&sockets(3));
    target.tell("20000 100 tick\n20500 100 exiting\n20501 100 gone\n30000 100 tick");
    let groups = target.groups();
    let stands = |group: &String| group.starts_with("3 socket socket +3 -0 ");
    assert!(groups.iter().any(stands), "{groups:?}");
}

#[test]
fn what_grows_is_a_suspect_whatever_state_its_sockets_are_in() {
    let mut target = Target::new(BASELINE);
    for number in 0..60 {
        let (at, fd) = (2_000 + number * 400, u32::try_from(10 + number).unwrap());
        target.tell(&format!("{at} 100 open {fd} socket\n{} 100 tick", at + 100));
        read(
            &mut target,
            at + 150,
            fd..fd + 1,
            1 + u8::from(number % 2 == 0) * 7,
        );
        target.tell(&format!("{} 100 tick", at + 300));
    }
    let triage = target.world.triage().unwrap();
    let mut suspects = triage
        .groups()
        .iter()
        .filter(|group| group.suspect.is_some());
    let names: Vec<_> = suspects.by_ref().map(Group::name).collect();
    assert_eq!(
        names,
        [
            "socket tcp *:443 CLOSE_WAIT",
            "socket tcp *:443 ESTABLISHED"
        ]
    );
}

#[test]
fn a_look_before_the_first_event_is_none() {
    let mut target = Target::new("");
    target.world.take(&Batch { events: Vec::new() });
    let story = sockets(20);
    let later = story.lines().map(|line| {
        let (at, rest) = line.split_once(' ').unwrap();
        let hours: u64 = 4 * 3_600_000;
        let rest = rest.replace("began=1000", &format!("began={}", hours + 1_000));
        format!("{} {rest}\n", hours + at.parse::<u64>().unwrap())
    });
    target.tell(&later.collect::<String>());
    let groups = target.groups();
    assert!(
        groups
            .iter()
            .any(|group| group.starts_with("3 timerfd timerfd +0 -0 0/min")),
        "{groups:?}"
    );
    let triage = target.world.triage().unwrap();
    assert!(triage.groups().iter().any(|group| group.suspect.is_some()));
}
