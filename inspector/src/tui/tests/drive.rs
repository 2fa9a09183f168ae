//! The lab: keys become commands, and its driver's news what is shown.

use std::time::Duration;

use super::{
    stage::{Stage, attached},
    worlds::{FATES, NOW},
};
use crate::{
    lab::{MapKind, driver::Command, driver::News},
    tui::{
        message::{Effect, Message},
        model::Busy,
    },
};

fn on(key: &str) -> Stage {
    let mut stage = Stage::new(FATES, NOW);
    stage
        .press("/")
        .type_in(&format!("key:{key}"))
        .press("Enter");
    stage
}

#[test]
fn keys_become_commands() {
    for (keys, asked) in [
        ("s", "[Lab(Store { count: 1, entry: Ticker })]"),
        ("e s", "[Lab(Store { count: 1, entry: Watcher })]"),
        ("e e e e s", "[Lab(Store { count: 1, entry: Ticker })]"),
        (
            "m",
            "[Lab(Reset { map: Sharded }), Lab(Store { count: 1, entry: Ticker }), \
             Lab(Store { count: 1, entry: Ticker })]",
        ),
        (
            "e X",
            "[Lab(Reset { map: Mutex }), Lab(Store { count: 1, entry: Watcher }), \
             Lab(Store { count: 1, entry: Watcher })]",
        ),
        ("d", r#"[Lab(Delete { keys: ["live"], policy: Bare })]"#),
        ("p d", r#"[Lab(Delete { keys: ["live"], policy: Signal })]"#),
        ("D", r#"[Lab(Delete { keys: ["live"], policy: Bare })]"#),
    ] {
        assert_eq!(on("live").press(keys).asked(), asked, "after {keys}");
    }
}

#[test]
fn keys_of_the_lab_do_nothing_elsewhere() {
    let mut stage = Stage::with(attached(), FATES, NOW);
    for keys in ["s", "d", "D", "p", "e", "m", "b", "a", "X"] {
        assert_eq!(stage.press(keys).asked(), "[]", "after {keys}");
        assert!(stage.model.popup.is_none());
    }
}

#[test]
fn whoever_looks_at_what_an_entry_owns_deletes_that_entry() {
    let asked = r#"[Lab(Delete { keys: ["live"], policy: Bare })]"#;
    let mut stage = Stage::new(FATES, NOW);
    stage.press("2 /").type_in("tid:116").press("Enter d");
    assert_eq!(stage.asked(), asked);
    stage.press("3 /").type_in("fd:17").press("Enter d");
    assert_eq!(stage.asked(), asked);
    // From the pane, too.
    let mut stage = on("live");
    stage.press("Enter Enter d");
    assert_eq!(stage.asked(), asked);
}

#[test]
fn what_can_not_be_deleted_is_said() {
    let mut stage = on("retained");
    assert_eq!(stage.press("d").asked(), "[]");
    assert_eq!(stage.note(), "retained is deleted already");
    assert_eq!(stage.press("5 d").asked(), "[]");
    assert!(stage.note().starts_with("select an entry"));
    let mut empty = Stage::new("", 1);
    assert_eq!(empty.press("D").asked(), "[]");
    assert_eq!(empty.note(), "there is no live entry to delete");
}

#[test]
fn a_scenario_is_chosen_and_stopped() {
    let mut stage = Stage::new("", 1);
    stage.press("a Down Enter");
    let [
        Effect::Lab(Command::Play {
            scenario,
            variant,
            keys: 3,
        }),
    ] = &stage.effects[..]
    else {
        panic!("{}", stage.asked());
    };
    let (scenario, variant) = (scenario.name, variant.which.name());
    stage.send(Message::Lab(News::Playing { scenario, variant }));
    assert!(
        stage
            .text()
            .contains(&format!("playing {scenario} {variant}"))
    );
    assert_eq!(stage.press("a").asked(), "[Lab(Stop)]");
    stage.send(Message::Lab(News::Played { scenario, variant }));
    assert_eq!(stage.model.lab.as_ref().unwrap().busy, None);
}

#[test]
fn progress_is_shown_until_it_ends() {
    let mut stage = Stage::new("", 1);
    let busy = |stage: &Stage| stage.model.lab.as_ref().unwrap().busy.clone();
    let progress = |done| {
        Message::Lab(News::Progress {
            what: "store",
            done,
            total: 9,
        })
    };
    stage.send(progress(4));
    assert_eq!(
        busy(&stage),
        Some(Busy::Many {
            what: "store",
            done: 4,
            total: 9
        })
    );
    assert!(stage.text().contains("store 4/9"));
    stage.send(progress(9));
    assert_eq!(busy(&stage), None);
    stage.send(progress(5));
    stage.send(Message::Lab(News::Stopped {
        what: "store",
        done: 5,
        total: 9,
    }));
    assert_eq!(busy(&stage), None);
    assert_eq!(stage.note(), "store stopped after 5 of 9 keys");
}

#[test]
fn a_stored_key_is_selected_once_it_is_there() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("Down Down");
    stage.send(Message::Lab(News::Stored {
        key: "new".to_owned(),
    }));
    assert_ne!(stage.selected(), "new");
    stage.tell("20001 101 store-begin new\n20002 101 store-end new");
    assert_eq!(stage.refresh().selected(), "new");
    // Only once: then the selection is the user's again.
    stage.press("Down").refresh();
    assert_ne!(stage.selected(), "new");
}

#[test]
fn a_stored_key_is_selected_on_its_own_screen_whichever_is_open() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("3");
    stage.send(Message::Lab(News::Stored {
        key: "new".to_owned(),
    }));
    stage.tell("20001 101 store-begin new\n20002 101 store-end new");
    stage.refresh().press("1");
    assert_eq!(stage.selected(), "new");
}

#[test]
fn news_is_told() {
    let mut stage = Stage::new(FATES, NOW);
    stage.send(Message::Lab(News::Deleted {
        key: "live".to_owned(),
        took: Duration::from_micros(2_100),
    }));
    assert_eq!(stage.note(), "deleted live in 2.1 ms");
    stage.send(Message::Lab(News::Refused("no such key".to_owned())));
    assert_eq!(stage.note(), "no such key");
    stage.send(Message::Lab(News::Died("killed by signal 9".to_owned())));
    assert!(
        stage
            .text()
            .contains("killed by signal 9   X starts another")
    );
}

#[test]
fn another_lab_begins_with_nothing_of_the_old_one() {
    let mut stage = on("live");
    stage.press("Enter Enter");
    stage.send(Message::Lab(News::Died("killed".to_owned())));
    stage.tell("20001 1 fork 500");
    stage.send(Message::Lab(News::Started {
        pid: 500,
        uid: 1000,
        map: MapKind::Sharded,
    }));
    stage.at(20_100).press("Esc");
    assert!(stage.model.rows.is_empty(), "{}", stage.text());
    assert!(!stage.text().contains("killed"));
    assert!(stage.text().contains("sharded map"));
    // Nor can a key of the new one be deleted by looking at its namesake.
    assert_eq!(stage.press("d").asked(), "[]");
    stage.tell("21000 500 store-begin live\n21001 500 store-end live");
    stage.at(21_100).press("\\");
    assert_eq!(stage.column(), ["live"]);
}

#[test]
fn the_first_start_says_what_to_do_until_something_was_deleted() {
    let mut stage = Stage::new(FATES, NOW);
    let hint = "to delete the selected key";
    assert!(stage.text().contains(hint));
    stage.press("D");
    assert!(!stage.text().contains(hint));
}
