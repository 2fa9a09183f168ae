//! The first screen of whatever is no lab: its limits, its groups, and what it says to do next.

use std::fmt::Write as _;

use super::stage::{Stage, attached, keep, polling};
use crate::{
    event::{
        Batch, BootTime, Event, Scan, What,
        id::{Tgid, Tid},
        limits::{Ceiling, CgroupPids, Limits},
        scan::{ScanRole, SeenThread},
        text::{Comm, Text},
    },
    tui::{
        message::Message,
        model::Setting,
        rows::Screen,
        watched::{Verb, Watched},
    },
};

/// Sizes at which the screen is kept.
const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 36), (200, 60)];
/// Where the world's last event stands, in milliseconds.
const NOW: u64 = 75_000;

/// A server that keeps a socket every two seconds and a file now and then, with two pools of
/// threads.
fn server() -> String {
    let mut story = "1000 100 baseline 100 101 | 0 1 2 3 4 5 6 7 8 9 began=1000\n".to_owned();
    let mut at = 2_000;
    let mut say = |line: String| {
        at += 1;
        writeln!(story, "{at} {line}").unwrap();
    };
    say("100 rename redis-server".to_owned());
    for number in 0..12 {
        say(format!("100 thread {}", 110 + number));
        let name = if number < 9 { "worker" } else { "bio_close" };
        say(format!("{} rename {name}-{number}", 110 + number));
    }
    for number in 0..12 {
        let what = match number {
            0..8 => "in=202 since=2100 on=4096",
            8..11 => "in=232 since=2100 on=5",
            _ => "",
        };
        say(format!("{} sample {what}", 110 + number));
    }
    for number in 0..30 {
        let at = 10_000 + number * 2_000;
        writeln!(story, "{at} 100 open {} socket", 20 + number).unwrap();
        if number % 8 == 0 {
            writeln!(story, "{at} 101 open {} file", 100 + number).unwrap();
        }
    }
    writeln!(story, "{NOW} 100 tick").unwrap();
    story
}

fn limits() -> Limits {
    Limits {
        nofile: Some(Ceiling::At(16_384)),
        nofile_hard: Some(Ceiling::At(524_288)),
        nproc: Some(Ceiling::At(63_204)),
        pids: Some(CgroupPids {
            cgroup: Text::from(&b"/system.slice/redis.service"[..]),
            max: 512,
            current: Some(14),
        }),
        threads_max: Some(127_000),
        pid_max: Some(4_194_304),
        host_threads: Some(812),
        inner_pid: Some(1),
        start_ticks: Some(1),
        command: Some(Text::from(&b"redis-server\0--port\x006379"[..])),
        parent: Some(Tgid(1)),
        uid: Some(1000),
    }
}

/// A reading of /proc that tells limits.
fn read(ms: u64, limits: Limits) -> Message {
    let at = BootTime(ms * 1_000_000);
    let threads = [100, 101]
        .into_iter()
        .chain(110..122)
        .map(|tid| SeenThread {
            tid: Tid(tid),
            start_ticks: if tid < 110 { 0 } else { 200 },
            comm: Comm::default(),
            state: b'S',
        });
    let scan = Scan {
        role: ScanRole::Audit { heal: false },
        tgid: Tgid(100),
        began: at,
        ended: at,
        threads: Some(threads.collect()),
        tables: Vec::new(),
        limits: Some(Box::new(limits)),
    };
    Message::Batch(Batch {
        events: vec![Event {
            at,
            what: What::Scan(Box::new(scan)),
        }],
    })
}

fn stage() -> Stage {
    with(limits())
}

fn with(limits: Limits) -> Stage {
    let mut stage = Stage::with(attached(), &server(), NOW);
    stage.send(read(NOW, limits));
    stage.at(NOW);
    stage
}

#[test]
fn the_first_screen_tells_limits_groups_and_what_to_do() {
    keep("triage", &stage().at_sizes(&SIZES));
    keep("triage-detail", &stage().press("Tab").at_sizes(&SIZES));
}

#[test]
fn what_is_not_known_yet_says_so() {
    let mut stage = Stage::with(attached(), "", 500);
    keep("triage-empty", &stage.at_sizes(&SIZES));
    let mut stage = Stage::with(
        attached(),
        "1000 100 baseline 100 101 | 0 1 2 3 4 5 began=1000",
        1_500,
    );
    keep("triage-begins", &stage.at_sizes(&SIZES));
    let polls = Setting {
        lab: None,
        watched: attached().watched,
        ..polling()
    };
    let mut stage = Stage::with(polls, &server(), NOW);
    keep("triage-polling", &stage.at_sizes(&SIZES));
}

#[test]
fn a_limit_that_is_near_is_the_loudest() {
    let mut near = with(Limits {
        nofile: Some(Ceiling::At(64)),
        ..limits()
    });
    keep("triage-near", &near.at_sizes(&SIZES));
    assert_eq!(near.lines_with("next: handles run out in").len(), 1);
    assert!(stage().lines_with("handles run out").is_empty());
}

#[test]
fn enter_on_a_group_of_what_has_ended_lists_its_dead() {
    let mut stage = stage();
    for tid in [101_u32].into_iter().chain(110..122).chain([100]) {
        let at = NOW + u64::from(tid);
        stage.tell(&format!("{at} {tid} exiting\n{at} {tid} gone"));
    }
    stage.at(NOW + 1_000);
    assert_eq!(stage.lines_with("next: it has ended").len(), 1);
    stage.press("g Enter");
    assert_eq!(stage.model.screen, Screen::Handles);
    assert_eq!(stage.model.rows.len(), 30);
    stage
        .press("0 /")
        .type_in("kind:threads pattern~worker")
        .press("Enter Enter");
    assert_eq!(stage.model.screen, Screen::Threads);
    assert_eq!(stage.model.rows.len(), 9);
    stage
        .press("0 \\ /")
        .type_in("pattern:futex")
        .press("Enter Enter");
    assert_eq!(stage.model.screen, Screen::Triage);
    assert_eq!(stage.lines_with("what they were in is not kept").len(), 1);
}

#[test]
fn enter_on_a_group_lists_its_members_and_only_them() {
    let mut stage = stage();
    // The sockets are the largest group.
    stage.press("g Enter");
    assert_eq!(stage.model.screen, Screen::Handles);
    assert_eq!(
        stage.model.table().filter,
        r#"state:open kind:socket pattern:"socket""#
    );
    assert_eq!(stage.model.rows.len(), 30);
    assert_eq!(stage.selected(), "49", "the newest");
    stage
        .press("0 /")
        .type_in("kind:threads pattern~worker")
        .press("Enter Enter");
    assert_eq!(stage.model.screen, Screen::Threads);
    assert_eq!(stage.model.rows.len(), 9);
    stage
        .press("0 \\ /")
        .type_in("pattern:futex")
        .press("Enter Enter");
    assert_eq!(stage.model.rows.len(), 8);
    stage
        .press("0 \\ /")
        .type_in("running")
        .press("Enter Enter");
    assert_eq!(stage.model.rows.len(), 1);
}

#[test]
fn every_group_lists_as_many_as_it_counts() {
    let mut stage = stage();
    let groups = stage.model.rows.len();
    assert!(groups >= 7, "{groups}");
    for row in 0..groups {
        stage.press("0 g");
        for _ in 0..row {
            stage.press("Down");
        }
        let count: usize = stage.selected().parse().unwrap();
        let line = stage.text();
        stage.press("Enter");
        assert_eq!(stage.model.rows.len(), count, "row {row} of\n{line}");
    }
}

#[test]
fn the_lab_has_no_triage_and_targets_no_keys_of_the_lab() {
    let mut lab = Stage::new("", 500);
    let before = lab.text();
    assert_eq!(lab.press("0").text(), before);
    assert!(!before.contains("Triage"));
    lab.press("<");
    assert_eq!(lab.model.screen, Screen::Events, "round and round");
    let mut stage = stage();
    assert_eq!(stage.model.screen, Screen::Triage);
    for key in ["s", "d", "D", "p", "e", "m", "b", "a", "X"] {
        assert_eq!(stage.press(key).asked(), "[]", "{key}");
        assert!(stage.model.popup.is_none(), "{key}");
    }
    stage.press(">");
    assert_eq!(stage.model.screen, Screen::Entries);
    stage.press("<");
    assert_eq!(stage.model.screen, Screen::Triage);
    stage.press("<");
    assert_eq!(stage.model.screen, Screen::Events);
}

#[test]
fn every_screen_is_right_without_a_lab() {
    for screen in Screen::of(false) {
        let name = screen.title().to_lowercase();
        let mut stage = Stage::with(attached(), "", 500).opened(*screen);
        keep(&format!("target-{name}-empty"), &stage.at_all_sizes());
        let mut stage = self::stage().opened(*screen);
        let text = stage.at_all_sizes();
        for key in ["store a", "stores one", "deletes by", "press d", "scenario"] {
            assert!(!text.contains(key), "{key:?} on {name}:\n{text}");
        }
        keep(&format!("target-{name}"), &text);
    }
    keep("target-help", &stage().press("?").at_all_sizes());
    keep("target-performance", &stage().press("i").at_all_sizes());
}

#[test]
fn rows_tell_their_process_where_several_live() {
    let mut stage = stage();
    assert!(stage.press("3").lines_with("PROCESS").is_empty());
    stage.tell("76000 100 fork 300\n76001 300 read-fork by=100 0 1 2\n76002 300 rename child");
    stage.at(77_000);
    for screen in ["2", "3", "4"] {
        stage.press(screen).resize((200, 60));
        assert_eq!(stage.lines_with("PROCESS").len(), 1, "{screen}");
    }
    stage.press("2");
    assert_eq!(stage.lines_with("child 300").len(), 1);
}

#[test]
fn the_title_says_what_is_watched() {
    let title = |watched: Watched| {
        let setting = Setting {
            watched: Some(watched),
            ..attached()
        };
        let mut stage = Stage::with(setting, &server(), NOW);
        stage.send(read(NOW, limits()));
        stage.at(NOW).text().lines().next().unwrap().to_owned()
    };
    let attached = || attached().watched.unwrap();
    assert!(title(attached()).starts_with("inspector · attach redis-server 100, inside 1 · up "));
    let many = title(Watched {
        processes: [100, 7, 8, 9].map(Tgid).into(),
        ..attached()
    });
    assert!(
        many.starts_with("inspector · attach redis-server 100, inside 1, 7 +2"),
        "{many}"
    );
    let run = Watched {
        verb: Verb::Run,
        command: Some(Text::from(&b"make -j2 \x1b[2J"[..])),
        ..attached()
    };
    let run = title(run);
    assert!(
        run.starts_with(r"inspector · run make -j2 \u{1b}[2J (100, inside 1)"),
        "{run}"
    );
    let declared = title(Watched {
        marks: 3,
        ..attached()
    });
    assert!(declared.contains("grace 1 s"));
    assert!(!title(attached()).contains("grace"), "nothing is judged");
}

#[test]
fn what_watching_costs_is_said() {
    let said = |before_ns, after_ns| {
        let toll = Some(crate::source::toll::Toll {
            before_ns,
            after_ns,
        });
        let watched = attached()
            .watched
            .map(|watched| Watched { toll, ..watched });
        let setting = Setting {
            watched,
            ..attached()
        };
        Stage::with(setting, "", 500)
            .lines_with("while I watch")
            .concat()
    };
    assert_eq!(
        said(75, 120),
        "every process here pays 45 ns a system call while I watch (75 to 120 ns)"
    );
    assert_eq!(
        said(75, 74),
        "every process here pays less a system call while I watch than can be measured"
    );
}
