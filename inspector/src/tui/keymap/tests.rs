//! The table is sound, and users can change it but not break it.

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Action, Context, Key, Keymap, KeymapError, Layer, NoKey, Override, Section, TABLE};

fn over(action: &str, keys: &[&str]) -> Override {
    Override {
        action: action.to_owned(),
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
    }
}

fn press(character: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE)
}

#[track_caller]
fn refused(overrides: &[Override], message: &str) -> KeymapError {
    let error = Keymap::new(overrides).unwrap_err();
    assert!(error.to_string().starts_with(message), "{error}");
    error
}

#[test]
fn every_action_has_a_key_and_no_two_share_one() {
    let mut seen = HashSet::new();
    for row in TABLE {
        assert!(!row.keys.is_empty(), "{}", row.name);
        for key in row.keys {
            let parsed: Key = key.parse().unwrap();
            assert_eq!(parsed.to_string(), *key, "written as it is shown");
            assert!(seen.insert((Layer::of(row), parsed)), "{key}");
        }
    }
    Keymap::new(&[]).unwrap();
}

#[test]
fn names_are_unique_and_kebab_case() {
    let mut seen = HashSet::new();
    let mut actions = HashSet::new();
    for row in TABLE {
        assert!(seen.insert(row.name), "{}", row.name);
        assert!(actions.insert(row.action), "{:?}", row.action);
        let kebab = |letter: char| matches!(letter, 'a'..='z' | '1'..='9' | '-');
        assert!(row.name.chars().all(kebab), "{}", row.name);
        let in_lab_only = row.contexts == [Context::Lab];
        assert_eq!(in_lab_only, row.section == Section::Lab, "{}", row.name);
        let in_replay_only = row.contexts == [Context::Replay];
        let is_replay = row.section == Section::Replay;
        assert_eq!(in_replay_only, is_replay, "{}", row.name);
        assert!(!row.help.is_empty() && row.help.len() < 50, "{}", row.help);
    }
    for number in 0..=5 {
        assert!(actions.contains(&Action::Screen(number)));
    }
    let sections: Vec<_> = TABLE.iter().map(|row| row.section).collect();
    assert!(sections.is_sorted());
}

#[test]
fn keys_do_what_the_table_says() {
    let keymap = Keymap::default();
    assert_eq!(
        keymap.action(press('G'), Context::Processes),
        Some(Action::Bottom)
    );
    assert_eq!(
        keymap.action(press('4'), Context::Processes),
        Some(Action::Screen(4))
    );
    assert_eq!(keymap.action(press('~'), Context::Lab), None);
    let shifted = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::SHIFT);
    assert_eq!(
        keymap.action(shifted, Context::Lab),
        Some(Action::DeleteAll)
    );
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(
        keymap.action(interrupt, Context::Processes),
        Some(Action::Quit)
    );
    assert_eq!(keymap.keys_of(Action::Quit), ["q", "ctrl-c"]);
    assert_eq!(keymap.keys_of(Action::Pause), ["space"]);
}

#[test]
fn keys_of_the_lab_mean_nothing_elsewhere() {
    let keymap = Keymap::default();
    assert_eq!(
        keymap.action(press('d'), Context::Lab),
        Some(Action::Delete)
    );
    assert_eq!(keymap.action(press('d'), Context::Processes), None);
    assert!(
        keymap
            .help(Context::Processes)
            .all(|(section, _)| section != Section::Lab)
    );
    let labels: Vec<_> = keymap
        .footer(Context::Processes)
        .map(|(_, label)| label)
        .collect();
    assert_eq!(labels, ["triage", "record", "quit"]);
    assert_eq!(
        keymap.action(press('0'), Context::Processes),
        Some(Action::Screen(0))
    );
    assert_eq!(keymap.action(press('0'), Context::Lab), None);
}

#[test]
fn keys_of_a_command_mean_nothing_where_none_was_started() {
    let keymap = Keymap::default();
    let output = press('t');
    assert_eq!(
        keymap.action(output, Context::Command),
        Some(Action::Output)
    );
    assert_eq!(keymap.action(output, Context::Processes), None);
    assert_eq!(keymap.action(output, Context::Lab), None);
    let labels: Vec<_> = keymap
        .footer(Context::Command)
        .map(|(_, label)| label)
        .collect();
    assert_eq!(labels, ["triage", "output", "record", "quit"]);
}

#[test]
fn keys_of_a_replay_come_first_there_and_mean_other_things_elsewhere() {
    let keymap = Keymap::default();
    for (key, replay, elsewhere) in [
        ('g', Action::Goto, Some(Action::Top)),
        ('[', Action::DeleteBack, Some(Action::Earlier)),
        (' ', Action::Play, Some(Action::Pause)),
        ('n', Action::VerdictOn, None),
    ] {
        assert_eq!(keymap.action(press(key), Context::Replay), Some(replay));
        assert_eq!(keymap.action(press(key), Context::Processes), elsewhere);
    }
    for nothing in ['u', 'i', 's', 't', 'R'] {
        assert_eq!(keymap.action(press(nothing), Context::Replay), None);
    }
    let help: Vec<_> = keymap.help(Context::Replay).collect();
    let keys = |words: &str| {
        let mut lines = help.iter().flat_map(|(_, lines)| lines);
        let line = lines.find(|line| line.help == words).unwrap();
        line.keys.join(" ")
    };
    assert_eq!(keys("first row"), "Home");
    assert_eq!(keys("its earlier part"), "alt-Left");
    assert_eq!(keys("the delete before this, and the next"), "[ ]");
    let foot: Vec<_> = keymap
        .footer(Context::Replay)
        .map(|(key, label)| format!("{key} {label}"))
        .collect();
    assert_eq!(
        foot.join("  "),
        "0 triage  space play  , . event  [ ] delete  N n verdict  { } gap  g goto  q quit"
    );
    // A user's key for one of them takes none away from others.
    let keymap = Keymap::new(&[over("goto", &["G"])]).unwrap();
    assert_eq!(
        keymap.action(press('G'), Context::Replay),
        Some(Action::Goto)
    );
    assert_eq!(
        keymap.action(press('g'), Context::Replay),
        Some(Action::Top)
    );
}

#[test]
fn letting_go_of_a_key_does_nothing_and_holding_it_repeats() {
    let keymap = Keymap::default();
    let of = |kind| {
        let event = KeyEvent::new_with_kind(KeyCode::Down, KeyModifiers::NONE, kind);
        keymap.action(event, Context::Processes)
    };
    assert_eq!(of(KeyEventKind::Press), Some(Action::Down));
    assert_eq!(of(KeyEventKind::Repeat), Some(Action::Down));
    assert_eq!(of(KeyEventKind::Release), None);
}

#[test]
fn the_foot_names_the_first_keys() {
    let foot: Vec<_> = Keymap::default()
        .footer(Context::Lab)
        .map(|(key, label)| format!("{key} {label}"))
        .collect();
    assert_eq!(
        foot.join("  "),
        "s store  d delete  p policy  e entry  m map  b burst  a auto  R record  q quit"
    );
}

#[test]
fn the_help_has_every_section_and_one_line_for_all_screens() {
    let keymap = Keymap::default();
    let help: Vec<_> = keymap.help(Context::Lab).collect();
    let names: Vec<_> = help.iter().map(|(section, _)| section.name()).collect();
    assert_eq!(names, ["Move", "Look", "Lab", "Keep", "General"]);
    let screens: Vec<_> = help[0]
        .1
        .iter()
        .filter(|line| line.help.contains("number"))
        .collect();
    assert_eq!(screens.len(), 1);
    assert_eq!(screens[0].keys.concat(), "12345");
}

#[test]
fn an_override_replaces_the_keys_of_its_action() {
    let keymap = Keymap::new(&[
        over("delete", &["x", "Delete", "x"]),
        over("record", &[]),
        over("quit", &["Q"]),
    ])
    .unwrap();
    assert_eq!(
        keymap.action(press('x'), Context::Lab),
        Some(Action::Delete)
    );
    assert_eq!(keymap.action(press('d'), Context::Lab), None);
    assert_eq!(keymap.keys_of(Action::Delete), ["x", "Delete"]);
    assert_eq!(keymap.action(press('R'), Context::Lab), None);
    assert!(
        keymap
            .footer(Context::Lab)
            .all(|(_, label)| label != "record")
    );
    assert_eq!(keymap.keys_of(Action::Quit), ["Q", "ctrl-c"]);
}

#[test]
fn two_actions_can_change_places() {
    let keymap = Keymap::new(&[over("store", &["d"]), over("delete", &["s"])]).unwrap();
    assert_eq!(
        keymap.action(press('s'), Context::Lab),
        Some(Action::Delete)
    );
}

#[test]
fn what_makes_no_sense_names_the_key_and_the_action() {
    let error = refused(
        &[over("destroy", &["x"])],
        r#"there is no action "destroy" to bind ["x"] to; there are up, down, page-up,"#,
    );
    assert_eq!(error.action(), "destroy");
    let error = refused(
        &[over("copy", &["hyper-y"])],
        r#""hyper-y" for copy is no key: a key is one character, or one of Up,"#,
    );
    assert!(matches!(
        error,
        KeymapError::NoKey {
            why: NoKey::Unknown,
            ..
        }
    ));
    // Whichever of the two comes first in the table, the one that the user wrote is blamed.
    for (name, key, other) in [("copy", "d", "delete"), ("store", "y", "copy")] {
        let message = format!("the key {key} is bound to both {name} and {other}");
        assert_eq!(refused(&[over(name, &[key])], &message).action(), name);
    }
    refused(
        &[over("store", &["x"]), over("delete", &["x"])],
        "the key x is bound to both delete and store",
    );
    refused(
        &[over("copy", &["ctrl-c"])],
        "the key ctrl-c can't be bound to copy: it always quits",
    );
}
