//! `run --sudo`: the command under the screen is the user's, and so is what it prints into.

use std::{fs, os::unix::fs::MetadataExt as _};

use super::terminal::Start;
use crate::sudo::User;

#[test]
fn a_command_on_the_screen_is_the_users() {
    let Some(user) = User::found() else {
        return;
    };
    let program = user.program();
    let line = format!(
        "ONLY_HERE='a word' exec {} \"$@\"",
        program.to_str().unwrap()
    );
    let becoming = user.becoming();
    let mut within: Vec<_> = becoming.iter().map(String::as_str).collect();
    within.extend(["sh", "-c", &line]);
    let who = "id -u; echo $ONLY_HERE; exit 7";
    let start = Start {
        within: &within,
        arguments: &["run", "--sudo", "--output", "log", "--", "sh", "-c", who],
        folder_of: user.uid,
        ..Start::default()
    };
    let Some(mut terminal) = start.begin() else {
        return;
    };
    let picture = terminal.until_shown("everything that was watched has ended");
    assert!(picture.shows("run sh -c "), "{picture}");
    assert!(!picture.shows("polling"), "{picture}");
    terminal.press("q");
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (7, None));
    terminal.assert_given_back();
    let log = terminal.folder().join("log");
    assert_eq!(fs::metadata(&log).unwrap().uid(), user.uid);
    let told = fs::read_to_string(log).unwrap();
    assert_eq!(told, format!("{}\na word\n", user.uid));
}
