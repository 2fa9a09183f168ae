//! The screen on a recording: keys and the mouse lead to its places, and say so.

use std::sync::Arc;

use crossterm::event::{MouseButton, MouseEventKind};

use crate::{
    event::{BootTime, id::Tgid, text::Text},
    ledger::{LedgerRules, retain::Retain},
    pipeline::Pipeline,
    trace::read::{Limits, Recording},
    tui::{
        keymap::Context,
        layout::Areas,
        message::Message,
        model::{Popup, Setting},
        replay::{Replay, SPEEDS},
        rows::Screen,
        tests::stage::{Stage, attached, keep},
        update::replay::settle,
        view::scrubber,
        world::World,
    },
};

/// Of a recording, at its beginning.
fn stage() -> (tempfile::TempDir, Stage) {
    let (folder, recording) = crate::trace::tests::play::recording();
    (folder, of(&recording))
}

fn of(recording: &Arc<Recording>) -> Stage {
    let replay = Replay::new(recording, Text::from(&b"story.rec"[..]));
    let setting = Setting {
        replay: Some(Box::new(replay)),
        ..attached()
    };
    let mut stage = Stage::with(setting, "", 0);
    stage.resize((120, 40));
    arrive(&mut stage);
    stage
}

/// All that was asked for is done.
fn arrive(stage: &mut Stage) {
    settle(&mut stage.model);
    stage.refresh();
}

fn press(stage: &mut Stage, keys: &str) -> u64 {
    stage.press(keys);
    arrive(stage);
    ms(stage)
}

/// The recorded time that is shown, in milliseconds.
fn ms(stage: &Stage) -> u64 {
    assert_eq!(stage.model.clock.now, replay(stage).at);
    replay(stage).at.0 / 1_000_000
}

fn replay(stage: &Stage) -> &Replay {
    stage.model.replay.as_deref().unwrap()
}

#[test]
fn what_is_declared_is_shown_first_and_what_needs_a_target_is_not_offered() {
    let (_folder, mut stage) = stage();
    assert_eq!(stage.model.context(), Context::Replay);
    assert_eq!(stage.model.screen, Screen::Entries);
    assert_eq!(ms(&stage), 1);
    for key in ["u", "i", "F5", "t", "s", "d"] {
        let before = stage.text();
        stage.press(key).refresh();
        assert_eq!(stage.text(), before, "{key}");
        assert_eq!(stage.asked(), "[]", "{key}");
    }
}

/// At the smallest usual size: what does not fit is left out as a whole, and the name and the time stay.
#[test]
fn nothing_is_cut_in_the_middle_at_80_columns() {
    let (_folder, mut stage) = stage();
    stage.resize((80, 24)).refresh();
    for keys in ["", "n", "Enter", "Esc", "$", "Esc"] {
        press(&mut stage, keys);
        let text = stage.text();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("replay story.rec"), "{text}");
        assert!(lines[0].contains(" REPLAY  14:00:"), "{text}");
        for line in [lines[0], lines[22], lines[23]] {
            assert!(!line.contains('…'), "{line}");
        }
        assert!(lines[22].contains(" events recorded · lost "), "{text}");
    }
    let long = format!("{}.rec", "long-name-".repeat(9));
    stage.model.replay.as_mut().unwrap().file = Text::from(long.as_bytes());
    let text = stage.refresh().text();
    let title = text.lines().next().unwrap();
    assert!(title.contains("replay long-name-"), "{title}");
    assert!(title.contains("-.rec "), "{title}");
}

#[test]
fn keys_lead_to_deletes_verdicts_gaps_and_events() {
    let (_folder, mut stage) = stage();
    assert_eq!(press(&mut stage, "]"), 12);
    assert_eq!(press(&mut stage, "]"), 22);
    assert_eq!(stage.selected(), "b");
    assert_eq!(stage.note(), "delete b ends");
    assert_eq!(press(&mut stage, "["), 12);
    assert_eq!(stage.selected(), "a");
    assert_eq!(press(&mut stage, "n"), 1500);
    assert!(stage.text().contains("RETAINED"), "{}", stage.text());
    assert!(
        stage.note().starts_with("a: thread 101 of 100, retained"),
        "{}",
        stage.note()
    );
    assert_eq!(press(&mut stage, ","), 22);
    assert!(!stage.text().contains("RETAINED"), "{}", stage.text());
    assert_eq!(press(&mut stage, "."), 1600);
    assert_eq!(press(&mut stage, "}"), 1700);
    assert_eq!(press(&mut stage, "}"), 1700);
    assert_eq!(stage.note(), "there is no gap after this");
    assert_eq!(press(&mut stage, "n"), 5400);
    assert_eq!(press(&mut stage, "N"), 1500);
    assert_eq!(press(&mut stage, "N"), 1500);
    assert_eq!(
        stage.note(),
        "there is no late or retained verdict before this"
    );
    assert_eq!(press(&mut stage, "$"), 11_400);
    assert_eq!(press(&mut stage, "{"), 1700);
    assert_eq!(press(&mut stage, "^"), 1);
}

#[test]
fn time_passes_while_it_is_played_and_stands_still_at_the_end() {
    let (_folder, mut stage) = stage();
    let pass = |stage: &mut Stage, wall_ms: u64| {
        let own = stage.model.clock.own.plus_ns(wall_ms * 1_000_000);
        stage.send(Message::Tick(own));
        arrive(stage);
        ms(stage)
    };
    assert_eq!(pass(&mut stage, 500), 1, "it stands still");
    stage.press("space");
    assert_eq!(pass(&mut stage, 500), 501);
    stage.press("> >");
    assert_eq!(replay(&stage).speed_words(), "×5");
    assert_eq!(pass(&mut stage, 200), 1501);
    assert!(stage.text().contains("RETAINED"), "{}", stage.text());
    stage.press("space");
    assert_eq!(pass(&mut stage, 500), 1501);
    stage.press("space > > > > > >");
    assert_eq!(replay(&stage).speed, SPEEDS.len() - 1);
    assert_eq!(pass(&mut stage, 100), 11_400);
    assert!(!replay(&stage).is_playing);
    assert!(stage.text().contains("at its end"), "{}", stage.text());
    // From there it begins again.
    stage.press("space");
    arrive(&mut stage);
    assert_eq!(ms(&stage), 1);
    assert!(replay(&stage).is_playing);
    stage.press("< < < < < < < < < < <");
    assert_eq!(replay(&stage).speed_words(), "×0.1");
    assert_eq!(pass(&mut stage, 1000), 101);
}

#[test]
fn a_time_that_is_typed_is_gone_to_and_a_wrong_one_is_explained() {
    let (_folder, mut stage) = stage();
    stage.press("g").type_in("14:00:01.5").press("Enter");
    arrive(&mut stage);
    assert_eq!(ms(&stage), 1500);
    stage.press("g").type_in("+2s").press("Enter");
    arrive(&mut stage);
    assert_eq!(ms(&stage), 3500);
    stage.press("g").type_in("15:00:00").press("Enter");
    assert!(
        stage
            .text()
            .contains("15:00:00 is not in it: it goes from 14:00:00 to 14:00:11"),
        "{}",
        stage.text()
    );
    assert!(matches!(stage.model.popup, Some(Popup::Goto(..))));
    stage.press("Esc");
    arrive(&mut stage);
    assert_eq!(ms(&stage), 3500);
}

#[test]
fn the_mouse_leads_to_a_time_and_holds_it() {
    let (_folder, mut stage) = stage();
    let axis = scrubber::axis(Areas::of(&stage.model).scrubber);
    stage.click(axis.right() - 1, axis.y);
    arrive(&mut stage);
    assert_eq!(ms(&stage), 11_400);
    let drag = MouseEventKind::Drag(MouseButton::Left);
    stage.mouse(drag, axis.x + axis.width / 2, axis.y + 9);
    arrive(&mut stage);
    let middle = ms(&stage);
    assert!((5_600..5_900).contains(&middle), "{middle}");
    stage.mouse(drag, 0, axis.y);
    arrive(&mut stage);
    assert_eq!(ms(&stage), 1, "beyond its beginning is its beginning");
    // Elsewhere nothing is held.
    stage.click(5, axis.y + 8);
    stage.mouse(drag, axis.right() - 1, axis.y);
    arrive(&mut stage);
    assert_eq!(ms(&stage), 1);
    stage.click(1, axis.y);
    assert!(replay(&stage).is_playing);
}

#[test]
fn it_scrubs_by_columns() {
    let (_folder, mut stage) = stage();
    let columns = replay(&stage).columns.len() as u64;
    let step = 11_399 / (columns - 1);
    let once = press(&mut stage, "Right") - 1;
    assert!((step..=step + 1).contains(&once), "{once} of {step}");
    let far = press(&mut stage, "shift-Right") - 1 - once;
    assert!((10 * step..=10 * step + 10).contains(&far), "{far}");
    // Keys that come faster than they are followed add up.
    stage.press("shift-Left Left");
    arrive(&mut stage);
    assert_eq!(ms(&stage), 1);
}

#[test]
fn going_back_keeps_what_is_selected_and_where_it_came_from_is_told() {
    let (_folder, mut stage) = stage();
    press(&mut stage, "$");
    stage.press("/").type_in("key:k1").press("Enter");
    arrive(&mut stage);
    assert_eq!(stage.selected(), "k1");
    stage.press("\\");
    press(&mut stage, "shift-Left");
    assert_eq!(stage.selected(), "k1");
    stage.press("0").refresh();
    assert!(!stage.text().contains("0/min"), "{}", stage.text());
}

#[test]
fn a_recording_looks_so() {
    let (_folder, mut stage) = stage();
    press(&mut stage, "] ] n n n");
    keep("replay", &stage.at_all_sizes());
    stage.resize((120, 40)).press("?");
    keep("replay-help", &stage.text());
    stage.press("Esc g").type_in("25:00");
    keep("replay-goto", &stage.text());
}

#[test]
fn what_was_cut_off_says_so() {
    let (_folder, recording) = crate::trace::tests::play::recording();
    let files: Vec<_> = recording
        .segments()
        .map(|file| file.path.to_owned())
        .collect();
    // Its last segment is lost, and one in the middle.
    std::fs::remove_file(files.last().unwrap()).unwrap();
    std::fs::remove_file(&files[files.len() / 2]).unwrap();
    let recording = Recording::open(&files[0], Limits::default()).unwrap();
    let mut stage = of(&Arc::new(recording));
    let told = stage.lines_with("the recording: cut off");
    assert_eq!(told.len(), 1, "{}", stage.text());
    press(&mut stage, "$");
    assert_eq!(stage.model.watched.as_ref().unwrap().processes, [Tgid(100)]);
    assert!(replay(&stage).at > BootTime(3_000_000_000));
    let lost = replay(&stage).damaged();
    assert!(lost.events > 0, "{lost:?}");
    assert_eq!(
        stage.lines_with("could not be read").len(),
        1,
        "{}",
        stage.text()
    );
    // What is missing is a gap like any other.
    let end = ms(&stage);
    let gap = press(&mut stage, "{");
    assert!(gap > 1700 && gap < end, "{gap}");
}

/// What a recorder remembered is no bound for who reads what it wrote.
#[test]
fn how_much_of_the_past_is_kept_is_the_readers_matter() {
    let rules = LedgerRules::default();
    let mut world = World::new(rules);
    world.adopt(Pipeline::new(LedgerRules {
        retain: Retain::RECORDED,
        ..rules
    }));
    assert_eq!(world.ledger().rules(), rules);
}
