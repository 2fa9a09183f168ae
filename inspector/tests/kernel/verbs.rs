//! What the tests of `report` and `check` share: a verb run to its end with its document, a verb
//! under way, and processes to be watched.

use std::{
    fs,
    io::Write as _,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{inspector, program, text};

/// How long anything may take.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The words of a line.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Runs a verb with `--json` and these arguments; its output, and the document.
#[track_caller]
pub(crate) fn document(verb: &str, arguments: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document");
    let head = [verb, "--json", "--output", file.to_str().unwrap()];
    let output = inspector(&[&head, arguments].concat());
    let Ok(written) = fs::read(&file) else {
        panic!("nothing was written: {output:?}")
    };
    let document = serde_json::from_slice(&written).unwrap();
    (output, document)
}

/// The value of a list's members under this name.
pub(crate) fn each<'a>(list: &'a Value, name: &str) -> Vec<&'a Value> {
    let members = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    members.iter().map(|member| &member[name]).collect()
}

/// The process of this number in a report's document.
#[track_caller]
pub(crate) fn process(document: &Value, pid: u32) -> &Value {
    let mut all = document["processes"].as_array().unwrap().iter();
    all.find(|process| process["pid"] == pid)
        .unwrap_or_else(|| panic!("no process {pid} in {}", document["processes"]))
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let asked = Instant::now();
    while !is_so() {
        assert!(asked.elapsed() < SOON, "not seen: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A process that ends with its test.
pub(crate) struct Ends(pub(crate) Child);

impl Ends {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub(crate) fn sleeper() -> Self {
        Self::start(Command::new("sleep").arg("60"))
    }

    /// A shell that does what it is told.
    pub(crate) fn shell() -> Self {
        Self::start(Command::new("sh").stdin(Stdio::piped()))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), signal).unwrap();
    }

    /// Tells a shell a line.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The numbers of its children.
    pub(crate) fn children(&self) -> Vec<u32> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid());
        let told = fs::read_to_string(path).unwrap_or_default();
        words(&told)
            .iter()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        let _may_have_ended = self.0.kill();
        let _may_be_reaped = self.0.wait();
    }
}

/// `report` at work.
pub(crate) struct Reporting {
    inspector: Ends,
    folder: TempDir,
}

impl Reporting {
    /// Starts it, and waits until it listens to signals: its targets are followed then.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program());
        command
            .args(["report", "--json", "--output", "document"])
            .args(arguments)
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .env_remove("SUDO_UID")
            .env_remove("SUDO_GID");
        let mut reporting = Self {
            inspector: Ends::start(&mut command),
            folder,
        };
        until("the report's beginning", || {
            assert_eq!(reporting.inspector.0.try_wait().unwrap(), None);
            let path = format!("/proc/{}/status", reporting.inspector.pid());
            let status = fs::read_to_string(path).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
            caught & 1 << (libc::SIGUSR1 - 1) != 0
        });
        reporting
    }

    pub(crate) fn pid(&self) -> u32 {
        self.inspector.pid()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.inspector.signal(signal);
    }

    /// What a file of its folder holds.
    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Waits for its end: its status, and its document.
    #[track_caller]
    pub(crate) fn end(&mut self) -> (ExitStatus, Value) {
        let mut status = None;
        until("the report's end", || {
            status = self.inspector.0.try_wait().unwrap();
            status.is_some()
        });
        let document = serde_json::from_str(&self.file("document"));
        (status.unwrap(), document.unwrap_or_default())
    }
}

/// What a run said on stderr.
pub(crate) fn said(output: &Output) -> &str {
    text(&output.stderr)
}
