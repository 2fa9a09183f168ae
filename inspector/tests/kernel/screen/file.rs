//! What the screen writes down: whole, private, and the invoking user's own.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use serde_json::Value;

use super::{leak, started, terminal::Start};

/// An ordinary user who is no one's: the number of its group is another one.
const USER: u32 = 54_321;
const GROUP: u32 = 54_322;

/// The only file there of this ending; it is its owner's alone.
#[track_caller]
fn file(folder: &Path, ending: &str, (user, group): (u32, u32)) -> String {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|of| of == ending))
        .collect();
    let [path] = &found[..] else {
        panic!("not one file: {found:?}");
    };
    let meta = fs::metadata(path).unwrap();
    let is = (meta.uid(), meta.gid(), meta.mode() & 0o7777);
    assert_eq!(is, (user, group, 0o600), "{}", path.display());
    fs::read_to_string(path).unwrap()
}

#[track_caller]
fn check(start: &Start<'_>, owner: (u32, u32)) {
    let Some(mut terminal) = started(start) else {
        return;
    };
    leak(&mut terminal);
    terminal.press("w");
    terminal.until_shown("wrote inspector-ledger");
    terminal.press("S");
    terminal.until_shown("wrote inspector-screen");
    let folder = terminal.folder();
    let dump: Value = serde_json::from_str(&file(&folder, "json", owner)).unwrap();
    let entries = dump["entries"].as_array().unwrap();
    let keys: Vec<_> = entries.iter().map(|entry| &entry["key"]).collect();
    assert_eq!(keys, ["task-0001", "task-0002"]);
    assert_eq!(entries[0]["delete"]["policy"], "bare");
    assert!(entries[1]["delete"].is_null(), "{dump}");
    let verdicts = dump["verdicts"].as_array().unwrap();
    let retained = verdicts.iter().filter(|one| one["verdict"] == "retained");
    assert_eq!(retained.count(), 2, "its thread and its timer: {dump}");
    let text = file(&folder, "txt", owner);
    let row = text.lines().find(|line| line.contains("RETAINED")).unwrap();
    assert!(row.contains("task-0001"), "{text}");
}

#[test]
fn files_are_the_users_who_called_sudo() {
    let start = Start {
        sudo: Some((USER, GROUP)),
        folder_of: USER,
        ..Start::default()
    };
    check(&start, (USER, GROUP));
}

#[test]
fn files_are_roots_where_nobody_called_sudo() {
    check(&Start::default(), (0, 0));
}

/// Root could write there; whoever called sudo may not.
#[test]
fn a_folder_that_is_not_the_users_is_not_written_to() {
    let start = Start {
        sudo: Some((USER, GROUP)),
        ..Start::default()
    };
    let Some(mut terminal) = started(&start) else {
        return;
    };
    terminal.press("w");
    terminal.until_shown("could not be written");
    let picture = terminal.until_shown("Permission denied");
    let written = fs::read_dir(terminal.folder()).unwrap().count();
    assert_eq!(written, 0, "{picture}");
}
