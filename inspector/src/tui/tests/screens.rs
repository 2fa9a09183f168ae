//! Every screen as it is drawn, in each of its states, at three sizes: `snapshots/`.

use super::{
    stage::{Stage, attached, keep, polling, setting},
    worlds::{FATES, NOW, many},
};
use crate::{
    lab::driver::News,
    source::gauges::{Reading, RingReading},
    tui::{
        alarm::Alarms,
        message::Message,
        model::{Own, SourceEnd},
        rows::Screen,
    },
};

fn fates() -> Stage {
    Stage::new(FATES, NOW)
}

#[track_caller]
fn keep_all(name: &str, stage: &mut Stage) {
    keep(name, &stage.at_all_sizes());
}

fn name(screen: Screen) -> String {
    screen.title().to_lowercase()
}

#[test]
fn screens_with_something_on_them() {
    for &screen in Screen::of(true) {
        let mut stage = fates().opened(screen);
        keep_all(&name(screen), &mut stage);
    }
}

#[test]
fn screens_with_nothing_on_them_say_what_to_press() {
    for &screen in Screen::of(true) {
        let mut stage = Stage::new("", 500).opened(screen);
        keep_all(&format!("{}-empty", name(screen)), &mut stage);
    }
    keep_all(
        "entries-empty-attached",
        &mut Stage::with(attached(), "", 500).opened(Screen::Entries),
    );
    let mut waits = Stage::with(polling(), "", 500).opened(Screen::Waits);
    keep_all("waits-empty-polling", &mut waits);
}

#[test]
fn ten_thousand_keys() {
    let story = many(10_000);
    let mut stage = Stage::new(&story, NOW);
    stage.resize((120, 40));
    for &screen in Screen::of(true) {
        stage = stage.opened(screen);
        stage.press("G").refresh();
        keep(&format!("{}-many", name(screen)), &stage.text());
    }
}

#[test]
fn without_a_lab() {
    let mut stage = Stage::with(attached(), FATES, NOW).opened(Screen::Entries);
    keep_all("entries-attached", &mut stage);
}

#[test]
fn ascii_terminals_get_ascii() {
    let ascii = || crate::tui::model::Setting {
        ascii: true,
        ..setting()
    };
    let mut stage = Stage::with(ascii(), FATES, NOW);
    keep_all("entries-ascii", &mut stage);
    for keys in [
        "1",
        "2",
        "3",
        "4",
        "5",
        "?",
        "Esc i",
        "Esc a",
        "Esc b",
        "Esc Enter",
    ] {
        stage.press(keys);
        let text = stage.text();
        assert!(text.is_ascii(), "after {keys}:\n{text}");
    }
}

#[test]
fn help_and_performance() {
    keep_all("help", fates().press("?"));
    keep_all("help-scrolled", fates().press("2 ? PgDn PgDn"));
    keep_all(
        "help-attached",
        Stage::with(attached(), FATES, NOW).press("3 ?"),
    );
    let mut stage = fates();
    keep_all("performance-empty", stage.press("i"));
    stage.send(Message::Own(Box::new(Own {
        cpu_permille: 83,
        memory_bytes: 14_200_000,
        events_per_second: 1_234,
        kinds_per_second: [34, 1_000, 0, 200, 0, 0, 0],
        reading: Reading {
            ring: Some(RingReading {
                size_bytes: 16 << 20,
                drained_bytes: 12_000,
                most_drained_bytes: 15 << 20,
                drains: 400,
                decoded: 123_456,
                decoding_ns: 30_000_000,
                damaged: 0,
            }),
            ..Reading::default()
        },
        frame_ns: 1_800_000,
        rows_ns: 400_000,
        batch_ns: 90_000,
    })));
    stage.tell("19999 100 lost call from=19000 until=19500");
    keep_all("performance", &mut stage);
}

#[test]
fn the_lab_is_asked_for_more() {
    keep_all("burst", fates().press("b"));
    keep_all("burst-wrong", fates().press("b").type_in("000"));
    keep_all("auto", fates().press("a Down Down Down"));
}

#[test]
fn a_filter_is_typed() {
    keep_all(
        "filter-typed",
        fates().press("/").type_in("state:retained,late"),
    );
    keep_all(
        "filter-wrong",
        fates().press("/").type_in("state:retained since>soon"),
    );
    keep_all(
        "filter-kept",
        fates().press("/").type_in("-state:live").press("Enter"),
    );
    keep_all(
        "filter-of-nothing",
        fates().press("/").type_in("nobody").press("Enter"),
    );
}

#[test]
fn the_detail_pane_is_entered() {
    keep_all("detail-entry", fates().press("G Up Enter"));
    keep_all(
        "detail-entry-zoomed",
        fates()
            .press("/")
            .type_in("key:retained")
            .press("Enter Enter + + + +"),
    );
    keep_all(
        "detail-thread",
        fates().press("2 /").type_in("tid:111").press("Enter Enter"),
    );
    keep_all(
        "detail-handle",
        fates().press("3 /").type_in("fd:17").press("Enter Enter"),
    );
    keep_all(
        "detail-word",
        fates()
            .press("4 /")
            .type_in("kind:word")
            .press("Enter Enter"),
    );
    keep_all(
        "detail-event",
        fates().press("5 /").type_in("fd:16").press("Enter Enter"),
    );
    // From the entry to its thread, and to the word that it waits on.
    let mut trail = fates();
    trail
        .press("/")
        .type_in("key:live")
        .press("Enter Enter Enter Down Down Enter");
    keep_all("detail-trail", &mut trail);
}

#[test]
fn something_is_the_matter() {
    let mut paused = fates();
    paused.press("space").at(NOW + 12_400);
    keep_all("paused", &mut paused);
    let alarms = Alarms::new(Some(4), Some(5), Some(0));
    let mut alarm = Stage::with(
        crate::tui::model::Setting {
            alarms,
            ..setting()
        },
        FATES,
        NOW,
    );
    keep_all("alarm", &mut alarm);
    keep_all("polling", &mut Stage::with(polling(), FATES, NOW));
    let mut died = fates();
    died.send(Message::Lab(News::Died(
        "the lab was killed by signal 9".to_owned(),
    )));
    keep_all("lab-died", &mut died);
    let mut ended = fates();
    ended.send(Message::SourceEnded(SourceEnd::Failed(
        "the ring is gone".to_owned(),
    )));
    keep_all("source-ended", &mut ended);
    let mut all = Stage::with(
        crate::tui::model::Setting {
            alarms: Alarms::new(Some(1), None, None),
            ..polling()
        },
        FATES,
        NOW,
    );
    all.send(Message::Lab(News::Died("it is gone".to_owned())));
    all.send(Message::SourceEnded(SourceEnd::Failed(
        "everything is".to_owned(),
    )));
    keep_all("all-banners", &mut all);
}

#[test]
fn the_lab_is_busy_or_has_said_something() {
    let mut busy = fates();
    busy.send(Message::Lab(News::Progress {
        what: "store",
        done: 40,
        total: 100,
    }));
    keep_all("busy", &mut busy);
    let mut refused = fates();
    refused.send(Message::Lab(News::Refused(
        "task-0001 is deleted\nalready".to_owned(),
    )));
    keep_all("refused", &mut refused);
    let mut deleted = fates();
    deleted.press("/").type_in("key:live").press("Enter d Esc");
    keep_all("after-a-delete", &mut deleted);
}

#[test]
fn a_terminal_that_has_shrunk_before_it_was_told_is_waited_for() {
    use crate::tui::view;
    use ratatui::{buffer::Buffer, layout::Rect};
    let stage = fates();
    for (width, height) in [(119, 40), (120, 39), (30, 6), (1, 1), (0, 0)] {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        assert_eq!(view::draw(&stage.model, area, &mut buffer), None);
    }
}

#[test]
fn too_small_a_terminal_is_told_so() {
    let mut stage = fates();
    for size in [(29, 24), (80, 5), (1, 1), (0, 0)] {
        stage.resize(size);
        let text = stage.text();
        assert!("too small: 30×6 at least\n".starts_with(text.lines().next().unwrap_or_default()));
    }
}
