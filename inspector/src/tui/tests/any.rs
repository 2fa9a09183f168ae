//! Whatever comes, in whatever order, at whatever size: nothing panics, neither in taking it in
//! nor in drawing it.

use std::time::Duration;

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use ratatui::layout::Size;

use super::{
    stage::{Stage, attached, key_event, polling, running, setting},
    worlds::HOSTILE,
};
use crate::{
    check::CommandEnd,
    event::BootTime,
    lab::{MapKind, driver::News},
    pipeline::story::Cast,
    tui::{
        alarm::Alarms,
        keymap::TABLE,
        message::Message,
        model::{Setting, SourceEnd},
        output::Output,
        watched::Ended,
    },
};

/// Enough for every kind of message after every other; `PROPTEST_CASES` asks for more.
const CASES: u32 = 40;
const MESSAGES: std::ops::Range<usize> = 1..100;

#[test]
fn nothing_that_comes_makes_the_screen_panic() {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let config = Config {
        cases: asked.map_or(CASES, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let steps = prop::collection::vec(step(), MESSAGES);
    let begin = (0..4_u8, any::<bool>());
    TestRunner::new_with_rng(config, seed)
        .run(&(begin, steps), |((which, ascii), steps)| {
            let mut stage = Stage::with(begins(which, ascii), "", 0);
            let mut ms = 1;
            for step in steps {
                match step {
                    Step::Message(message) => {
                        stage.send(message.message(&mut ms));
                    }
                    Step::Told(lines) => {
                        let story = lines.iter().map(|line| line.at(&mut ms));
                        stage.tell(&story.collect::<Vec<_>>().join("\n"));
                    }
                }
                stage.text();
            }
            Ok(())
        })
        .unwrap();
}

fn begins(which: u8, ascii: bool) -> Setting {
    let setting = match which {
        0 => setting(),
        1 => attached(),
        2 => running(),
        _ => polling(),
    };
    Setting {
        ascii,
        alarms: Alarms::new(Some(3), Some(3), Some(0)),
        ..setting
    }
}

#[derive(Clone, Debug)]
enum Step {
    Message(Kind),
    Told(Vec<Line>),
}

/// A message before it has its time.
#[derive(Clone, Debug)]
enum Kind {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Resized(Size),
    Tick(u64),
    Refresh,
    Paste(String),
    Lab(News),
    Ended(String),
    CommandEnded(String),
    Output(Result<String, String>),
    Done(Result<String, String>),
}

impl Kind {
    fn message(self, ms: &mut u64) -> Message {
        match self {
            Self::Key(key) => Message::Key(key),
            Self::Mouse(mouse) => Message::Mouse(mouse),
            Self::Resized(size) => Message::Resized(size),
            Self::Tick(passed) => {
                *ms += passed;
                Message::Tick(BootTime(*ms * 1_000_000))
            }
            Self::Refresh => Message::Refresh,
            Self::Paste(text) => Message::Paste(text),
            Self::Lab(news) => Message::Lab(news),
            Self::Ended(why) => Message::SourceEnded(SourceEnd::Failed(why)),
            Self::CommandEnded(how) => Message::CommandEnded(Ended {
                is_failure: how.len() % 2 == 0,
                end: CommandEnd::Exited(0),
                how,
            }),
            Self::Output(Ok(text)) => Message::Output(Ok(Output::of(text.as_bytes(), 100))),
            Self::Output(Err(why)) => Message::Output(Err(why)),
            Self::Done(done) => Message::Done(done),
        }
    }
}

/// A line of a story, whose time comes later.
#[derive(Clone, Debug)]
struct Line {
    after: u64,
    tid: u32,
    what: String,
}

impl Line {
    fn at(&self, ms: &mut u64) -> String {
        *ms += self.after;
        format!("{ms} {} {}", self.tid, self.what)
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => key().prop_map(|key| Step::Message(Kind::Key(key))),
        2 => mouse().prop_map(|mouse| Step::Message(Kind::Mouse(mouse))),
        1 => size().prop_map(|size| Step::Message(Kind::Resized(size))),
        1 => (0..20_000_u64).prop_map(|passed| Step::Message(Kind::Tick(passed))),
        2 => Just(Step::Message(Kind::Refresh)),
        1 => text().prop_map(|text| Step::Message(Kind::Paste(text))),
        1 => news().prop_map(|news| Step::Message(Kind::Lab(news))),
        1 => prop_oneof![
            text().prop_map(Kind::Ended),
            text().prop_map(Kind::CommandEnded),
            text().prop_map(|text| Kind::Output(Ok(text))),
            text().prop_map(|text| Kind::Output(Err(text))),
            text().prop_map(|text| Kind::Done(Ok(text))),
            text().prop_map(|text| Kind::Done(Err(text))),
        ]
        .prop_map(Step::Message),
        4 => prop::collection::vec(line(), 1..12).prop_map(Step::Told),
    ]
}

/// Every key that is bound, most of the time; else any.
fn key() -> impl Strategy<Value = KeyEvent> {
    let bound: Vec<&str> = TABLE.iter().flat_map(|row| row.keys).copied().collect();
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::BackTab,
            KeyCode::F(5),
            KeyCode::Null,
        ]),
    ];
    let kind = prop::sample::select(vec![
        KeyEventKind::Press,
        KeyEventKind::Repeat,
        KeyEventKind::Release,
    ]);
    let other = (code, 0..16_u8, kind).prop_map(|(code, modifiers, kind)| {
        let modifiers = KeyModifiers::from_bits_truncate(modifiers);
        KeyEvent::new_with_kind(code, modifiers, kind)
    });
    prop_oneof![
        5 => prop::sample::select(bound).prop_map(key_event),
        1 => other,
    ]
}

fn mouse() -> impl Strategy<Value = MouseEvent> {
    let kind = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
        MouseEventKind::Moved,
    ]);
    // Mostly on the screen.
    let place = prop_oneof![
        8 => (0..100_u16, 0..40_u16),
        1 => any::<(u16, u16)>(),
    ];
    (kind, place).prop_map(|(kind, (column, row))| MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    })
}

fn size() -> impl Strategy<Value = Size> {
    let cells = prop_oneof![
        4 => (20..=120_u16, 4..=40_u16),
        1 => (0..=300_u16, 0..=100_u16),
    ];
    cells.prop_map(|(width, height)| Size::new(width, height))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(state|key|age|fd|nothing)[:~<>=]{0,2}[a-z0-9\"]{0,5}",
        Just("\u{1b}[2J\n\u{202e}任务\u{9b}".repeat(60)),
    ]
}

fn news() -> impl Strategy<Value = News> {
    let map = prop::sample::select(MapKind::ALL.to_vec());
    let key = prop_oneof![text(), (0..4_u8).prop_map(|key| format!("k{key}"))];
    prop_oneof![
        (100..104_u32, map).prop_map(|(pid, map)| News::Started { pid, uid: 0, map }),
        key.clone().prop_map(|key| News::Stored { key }),
        (key, any::<u64>()).prop_map(|(key, ns)| News::Deleted {
            key,
            took: Duration::from_nanos(ns)
        }),
        (0..9_u32, 0..9_u32).prop_map(|(done, total)| News::Progress {
            what: "store",
            done,
            total
        }),
        (0..9_u32).prop_map(|done| News::Stopped {
            what: "delete",
            done,
            total: 9
        }),
        Just(News::Playing {
            scenario: "owner-map",
            variant: "leaky"
        }),
        Just(News::Played {
            scenario: "owner-map",
            variant: "leaky"
        }),
        prop::collection::vec(line(), 1..3).prop_map(|lines| {
            let mut ms = 1;
            let story: Vec<_> = lines.iter().map(|line| line.at(&mut ms)).collect();
            let story = story.join("\n");
            let mut cast = Cast::default();
            let events = cast.batches(&story).flat_map(|batch| batch.events);
            News::Marks(crate::event::Batch {
                events: events.collect(),
            })
        }),
        text().prop_map(News::Refused),
        text().prop_map(News::Died),
        Just(News::Ended),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let key = prop_oneof![
        3 => (0..4_u8).prop_map(|key| format!("k{key}")),
        1 => prop::sample::select(HOSTILE.map(str::to_owned).to_vec()),
    ];
    let (fd, tid) = (0..8_u32, 100..108_u32);
    let what = prop_oneof![
        3 => key.clone().prop_map(|key| format!("store-begin {key}")),
        3 => key.clone().prop_map(|key| format!("store-end {key}")),
        2 => key.clone().prop_map(|key| format!("delete-begin {key} {key}")),
        2 => key.clone().prop_map(|key| format!("delete-end {key}")),
        1 => key.clone().prop_map(|key| format!("rename {key}")),
        1 => (key.clone(), fd.clone()).prop_map(|(key, fd)| format!("own-fd {key} {fd}")),
        1 => (key, tid.clone()).prop_map(|(key, tid)| format!("own-tid {key} {tid}")),
        3 => tid.clone().prop_map(|tid| format!("thread {tid}")),
        1 => tid.clone().prop_map(|tid| format!("fork {tid}")),
        1 => Just("exec".to_owned()),
        1 => Just("exiting".to_owned()),
        1 => Just("gone".to_owned()),
        4 => fd.clone().prop_map(|fd| format!("open {fd} socket")),
        1 => (fd.clone(), fd.clone()).prop_map(|(from, to)| format!("dup {from} {to}")),
        3 => (fd.clone(), 1..3_u8).prop_map(|(fd, refs)| format!("close {fd} refs={refs}")),
        1 => Just("compat".to_owned()),
        2 => fd.clone().prop_map(|fd| format!("sample in=0 since=1 on={fd}")),
        1 => (0..3_u8).prop_map(|word| format!("sample in=202 on={word}")),
        1 => tid.clone().prop_map(|tid| format!("waited in=0 since=1 on=3 by={tid}:1")),
        1 => (0..3_u8, tid).prop_map(|(word, tid)| format!("futex {word} 7 by={tid}:2")),
        1 => Just("lost call from=1 until=2".to_owned()),
        1 => fd.prop_map(|fd| format!("audit 100 101 | {fd} began=1")),
        1 => Just("audit 100 gone began=1".to_owned()),
        2 => Just("tick".to_owned()),
    ];
    (0..700_u64, 100..108_u32, what).prop_map(|(after, tid, what)| Line { after, tid, what })
}
