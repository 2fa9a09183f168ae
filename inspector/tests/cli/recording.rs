//! `record` as an ordinary user: it polls its own command or process, and its files are its own.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{ordinary, run, text};

/// A folder that anybody may write into.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    folder
}

/// Runs the program as an ordinary user; its exit code is this one.
#[track_caller]
pub(crate) fn told(arguments: &[&str], code: i32) -> Output {
    let output = run(&ordinary(), arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {output:?}"
    );
    output
}

/// Its output's JSON.
#[track_caller]
pub(crate) fn json(arguments: &[&str], code: i32) -> Value {
    serde_json::from_slice(&told(arguments, code).stdout).unwrap()
}

/// Records a shell that does this, and ends with 0.
pub(crate) fn record(folder: &TempDir, name: &str, line: &str) -> String {
    let path = path(folder, name);
    told(
        &[
            "record", "-q", "-o", &path, "--grace", "100ms", "--", "sh", "-c", line,
        ],
        0,
    );
    path
}

pub(crate) fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// A process that ends with its test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _may_have_ended = self.0.kill();
        let _may_be_reaped = self.0.wait();
    }
}

#[test]
fn a_command_is_recorded_and_its_status_passed_on() {
    let folder = folder();
    let path = path(&folder, "run.rec");
    let line = [
        "record",
        "-o",
        &path,
        "--grace",
        "100ms",
        "--",
        "sh",
        "-c",
        "sleep 0.6; exit 7",
    ];
    let output = told(&line, 7);
    let said = text(&output.stderr);
    assert!(said.contains("inspector: recorded: "), "{said}");
    let file = fs::metadata(&path).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    let info = json(&["info", "--json", &path], 0);
    assert_eq!(info["meta"]["watched"]["of"], "command");
    assert_eq!(info["meta"]["source"]["kind"], "polling");
    assert_eq!(info["meta"]["command_end"]["status"], 7);
    assert_eq!(info["has_end"], true);
    assert!(info["events"].as_u64().unwrap() > 0);
}

#[test]
fn a_process_of_ones_own_is_recorded() {
    let folder = folder();
    let path = path(&folder, "process.rec");
    let mut sleeper = Command::new("setpriv");
    if rustix::process::geteuid().is_root() {
        sleeper.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "sleep",
            "60",
        ]);
    } else {
        sleeper = Command::new("sleep");
        sleeper.arg("60");
    }
    let sleeper = Ends(sleeper.spawn().unwrap());
    let pid = sleeper.0.id().to_string();
    // It is the user's own once it has executed.
    let status = PathBuf::from(format!("/proc/{pid}/comm"));
    while fs::read_to_string(&status).unwrap() != "sleep\n" {
        std::thread::yield_now();
    }
    told(
        &[
            "record", "--poll", "-q", "-o", &path, "--for", "700ms", "-p", &pid,
        ],
        0,
    );
    let info = json(&["info", "--json", &path], 0);
    assert_eq!(info["meta"]["watched"]["of"], "processes");
    assert_eq!(info["meta"]["watched"]["pids"][0].to_string(), pid);
    // What was recorded of a process that ran already has no beginning and no end to judge.
    let output = told(&["check", &path], 125);
    let said = text(&output.stderr);
    assert!(said.contains("is no recording of a command"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn nothing_is_written_over() {
    let folder = folder();
    let path = path(&folder, "there");
    fs::write(&path, "precious").unwrap();
    for there in [&path, folder.path().to_str().unwrap()] {
        let output = run(&ordinary(), &["record", "-o", there, "--", "true"]);
        let said = text(&output.stderr);
        assert!(matches!(output.status.code(), Some(2 | 125)), "{output:?}");
        assert!(said.contains("no recording can be made at "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1);
    assert!(!Path::new(&format!("{path}.1")).exists());
}
