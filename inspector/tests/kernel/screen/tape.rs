//! What the screen records of a command: how it ended, too, if the recording saw that, and none of its
//! secrets where they are to be kept out.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::terminal::{Start, Terminal};
use crate::{
    binary::{inspector, text},
    program::compiled,
};

/// A shell on the screen, whose recordings lie in the terminal's folder.
fn running(arguments: &[&str], line: &str) -> Option<Terminal> {
    let command = ["--", "sh", "-c", line];
    let start = Start {
        arguments: &[&["run"], arguments, &command[..]].concat(),
        ..Start::default()
    };
    let terminal = start.begin()?;
    terminal.until_shown("run sh -c ");
    Some(terminal)
}

/// Leaves the screen; the exit code is the command's own.
#[track_caller]
fn leave(terminal: &mut Terminal, keys: &[&str], code: u32) {
    for key in keys {
        terminal.press(key);
    }
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (code, None));
    terminal.assert_given_back();
}

/// The only recording there is.
#[track_caller]
fn recording(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|of| of == "rec"))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// What `info` tells of it, and as JSON.
fn info(file: &Path) -> (String, Value) {
    let file = file.to_str().unwrap();
    let told = text(&inspector(&["info", file]).stdout).to_owned();
    let value = inspector(&["info", "--json", file]).stdout;
    (told, serde_json::from_slice(&value).unwrap())
}

/// The exit code of `check`, and what it says on stderr.
fn check(file: &Path) -> (Option<i32>, String) {
    let output = inspector(&["check", file.to_str().unwrap()]);
    (output.status.code(), text(&output.stderr).to_owned())
}

#[test]
fn how_a_command_ended_stands_in_its_recording() {
    for (line, code, how, told) in [
        (
            "sleep 1; exit 3",
            3,
            "exited",
            "ended      it exited with 3, ",
        ),
        (
            "sleep 1; kill -TERM $$",
            15,
            "killed",
            "ended      it was killed by signal 15, ",
        ),
    ] {
        let Some(mut terminal) = running(&["--record", "run.rec"], line) else {
            return;
        };
        terminal.until_shown("everything that was watched has ended");
        let passed = if how == "killed" { 128 + code } else { code };
        leave(&mut terminal, &["q"], passed);
        let file = recording(&terminal.folder());
        let (said, info) = info(&file);
        assert!(said.contains(told), "{said}");
        assert!(!said.contains("ran already"), "{said}");
        let end = &info["meta"]["command_end"];
        assert_eq!((&end["how"], &end["status"]), (&how.into(), &code.into()));
        let (checked, said) = check(&file);
        assert_eq!(checked, Some(passed.cast_signed()), "{said}");
        assert!(!said.contains("ran already"), "{said}");
    }
}

#[test]
fn a_recording_that_the_key_began_says_so_and_how_the_command_ended() {
    let Some(mut terminal) = running(&[], "sleep 3; exit 4") else {
        return;
    };
    terminal.press("R");
    terminal.until_shown("rec ");
    terminal.until_shown("everything that was watched has ended");
    leave(&mut terminal, &["q"], 4);
    let file = recording(&terminal.folder());
    let (said, info) = info(&file);
    assert!(said.contains(", which ran already"), "{said}");
    assert!(said.contains("ended      it exited with 4, "), "{said}");
    assert_eq!(info["meta"]["watched"]["is_late"], true);
    let (checked, said) = check(&file);
    assert_eq!(checked, Some(4), "{said}");
    assert!(
        said.contains("begins when its command ran already"),
        "{said}"
    );
}

#[test]
fn a_flight_recorder_saves_when_the_command_crashes() {
    let Some(mut terminal) = running(
        &[
            "--flight",
            "10s",
            "--record",
            "run.rec",
            "--save-on",
            "crash",
        ],
        "sleep 1; exit 5",
    ) else {
        return;
    };
    terminal.until_shown("everything that was watched has ended");
    leave(&mut terminal, &["q"], 5);
    let saved = terminal.folder().join("run-1.rec");
    let (said, _) = info(&saved);
    assert!(said.contains("saved: the command exited with 5"), "{said}");
}

#[test]
fn a_recording_that_ended_before_its_command_does_not_say_how() {
    let Some(mut terminal) = running(&["--record", "run.rec"], "exec sleep 61") else {
        return;
    };
    terminal.until_shown("rec ");
    terminal.press("q");
    terminal.until_shown("q again ends it");
    leave(&mut terminal, &["q"], 143);
    let file = recording(&terminal.folder());
    let (said, info) = info(&file);
    assert!(
        said.contains("the recording ended before its command"),
        "{said}"
    );
    assert_eq!(info["meta"]["command_end"], Value::Null);
    let (checked, said) = check(&file);
    assert_eq!(checked, Some(125), "{said}");
    assert!(
        said.contains("does not say how its command ended"),
        "{said}"
    );
}

/// Stands in a program's path, its name, its arguments and the path of a file that it holds.
const SECRET: &str = "hush-4711";
/// The key of an entry that `programs/marks.c` stores, and the policy of a delete.
const KEY: &str = "a-key";
const POLICY: &str = "stop-wait-delete";

/// A folder with a copy of this program, and a file to be held.
fn secrets(program: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let named = folder.path().join(SECRET);
    fs::copy(program, &named).unwrap();
    fs::set_permissions(&named, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join(format!("{SECRET}.key")), "").unwrap();
    folder
}

/// All that stands in a recording: its bytes, its events and what is told of it.
fn all_of(file: &Path) -> String {
    let bytes = fs::read(file).unwrap();
    let mut all = String::from_utf8_lossy(&bytes).into_owned();
    let file = file.to_str().unwrap();
    for verb in [
        &["export", "-q", "-f", "jsonl"][..],
        &["info", "--json"],
        &["report", "--json"],
    ] {
        let output = inspector(&[verb, &[file]].concat());
        assert!(output.status.success(), "{output:?}");
        all.push_str(text(&output.stdout));
    }
    all
}

const REDACT: [&str; 2] = ["--redact", "paths,args,keys,names"];

#[test]
fn what_is_secret_is_shown_and_not_recorded() {
    let folder = secrets(&compiled("marks", &[]));
    let named = folder.path().join(SECRET);
    let (named, held) = (named.to_str().unwrap(), format!("{SECRET}.key"));
    let stdin = folder.path().join(&held);
    for redact in [&REDACT[..], &[]] {
        let start = Start {
            arguments: &[
                &[
                    "run",
                    "--record",
                    "run.rec",
                    "--stdin",
                    stdin.to_str().unwrap(),
                ],
                redact,
                &["--", named, SECRET],
            ]
            .concat(),
            ..Start::default()
        };
        let Some(mut terminal) = start.begin() else {
            return;
        };
        let picture = terminal.until_shown("everything that was watched has ended");
        assert!(picture.shows(SECRET), "{picture}");
        leave(&mut terminal, &["q"], 0);
        let all = all_of(&recording(&terminal.folder()));
        for (what, word) in [
            ("any of them", SECRET.to_owned()),
            ("the path of what it held", held.clone()),
            ("its name", format!("\"comm\":\"{SECRET}\"")),
            ("the key of its mark", format!("\"{KEY}\"")),
            ("the policy of its mark", format!("\"{POLICY}\"")),
        ] {
            assert_eq!(all.contains(&word), redact.is_empty(), "{what}: {all}");
        }
    }
}

/// What was known before the key was pressed stands in the recording's first keyframe.
#[test]
fn what_was_secret_before_the_key_is_not_recorded_either() {
    let folder = secrets(Path::new("/bin/sh"));
    let named = folder.path().join(SECRET);
    let held = folder.path().join(format!("{SECRET}.key"));
    let line = format!("exec 5< {}; sleep 3; exit 0", held.display());
    for redact in [&REDACT[..], &[]] {
        let start = Start {
            arguments: &[
                &["run"],
                redact,
                &["--", named.to_str().unwrap(), "-c", &line],
            ]
            .concat(),
            ..Start::default()
        };
        let Some(mut terminal) = start.begin() else {
            return;
        };
        terminal.press("3");
        // The cell is too narrow for all of its path.
        terminal.until_shown(".key");
        terminal.press("R");
        terminal.until_shown("rec ");
        terminal.until_shown("everything that was watched has ended");
        leave(&mut terminal, &["q"], 0);
        let all = all_of(&recording(&terminal.folder()));
        assert_eq!(all.contains(SECRET), redact.is_empty(), "{all}");
        let says = all.contains("\"redacted\":[\"paths\",\"args\",\"keys\",\"names\"]");
        assert_eq!(says, !redact.is_empty(), "{all}");
    }
}
