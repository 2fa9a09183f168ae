//! A command under inspector and strace at once.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufReader, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Map, Value};

use super::{
    proc,
    strace::{self, Seen},
};
use crate::{binary::program, program::lines_of};

/// How long anything may take: both witnesses slow the command down.
const PATIENCE: Duration = Duration::from_secs(90);

/// The command at work.
pub(crate) struct Run {
    inspector: Child,
    input: ChildStdin,
    output: mpsc::Receiver<String>,
    folder: tempfile::TempDir,
    snapshots: usize,
}

/// What both witnesses say in the end.
pub(crate) struct Ended {
    report: Value,
    seen: Seen,
}

impl Run {
    /// Starts it, as this user.
    pub(crate) fn start(user: Option<&str>, command: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(user) = user {
            finished(Command::new("chown").arg(user).arg(folder.path()));
        }
        let at = |name: &str| folder.path().join(name);
        let mut inspector = Command::new("timeout");
        inspector
            .args(["--kill-after=5", "180"])
            .arg(program())
            .args(["report", "--json", "--audit", "observe", "--output"])
            .arg(at("report"))
            .arg("--snapshot")
            .arg(at("snapshots"));
        if let Some(user) = user {
            inspector.args(["--as", user]);
        }
        let mut inspector = inspector
            .args(["--", "strace", "-f", "-qq", "-o"])
            .arg(at("strace"))
            .args(["-e", &format!("trace={}", strace::CALLS), "--"])
            // A shell in between, which starts the command as its child: strace's own child does
            // something before it is traced.
            .args(["sh", "-c", "\"$@\"; exit $?", "sh"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .env_remove("SUDO_UID")
            .env_remove("SUDO_GID")
            .process_group(0)
            .spawn()
            .unwrap();
        Self {
            input: inspector.stdin.take().unwrap(),
            output: lines_of(BufReader::new(inspector.stdout.take().unwrap())),
            inspector,
            folder,
            snapshots: 0,
        }
    }

    /// Waits until the command prints this line.
    pub(crate) fn wait_for_line(&mut self, wanted: &str) {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(line) if line == wanted => return,
                Ok(_) => {}
                Err(error) => panic!("the command never said {wanted:?}: {error}"),
            }
        }
    }

    /// Gives the command a line.
    pub(crate) fn answer(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// What inspector knows at this quiet point is what /proc shows, of the processes of this name
    /// among others.
    pub(crate) fn agrees_with_proc(&mut self, name: &str) {
        // What has just been asked of the command it may still be putting away.
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let before = proc::read(&self.snapshot());
            let told = proc::told(&self.snapshot());
            let after = proc::read(&self.snapshot());
            let differences = proc::differences(&told, &before);
            if before == after && differences.is_empty() {
                let names = &before.names;
                assert!(names.iter().any(|known| known.trim() == name), "{names:?}");
                return;
            }
            let is_quiet = before == after;
            assert!(
                Instant::now() < until,
                "quiet: {is_quiet}; {differences:#?}"
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn snapshot(&mut self) -> Value {
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.inspector.id()));
        let inspector: i32 = children.unwrap().trim().parse().unwrap();
        kill_process(Pid::from_raw(inspector).unwrap(), Signal::USR1).unwrap();
        let file = self.folder.path().join("snapshots");
        let mut line = None;
        wait_for("the snapshot", || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            line = text
                .split_inclusive('\n')
                .nth(self.snapshots)
                .map(str::to_owned);
            line.as_ref().is_some_and(|line| line.ends_with('\n'))
        });
        self.snapshots += 1;
        serde_json::from_str(&line.unwrap()).unwrap()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        wait_for("the end", || self.inspector.try_wait().unwrap().is_some());
        let status = self.inspector.wait().unwrap();
        let report = self.folder.path().join("report");
        let report = fs::read(&report).unwrap_or_else(|error| panic!("{status}: {error}"));
        Ended {
            report: serde_json::from_slice(&report).unwrap(),
            seen: strace::read(&self.folder.path().join("strace")),
        }
    }
}

impl Ended {
    /// Both witnesses counted the same, nothing was lost, and no audit found a difference.
    pub(crate) fn agrees(&self) {
        let Self { report, seen } = self;
        assert_eq!(report["drift"]["total"], 0, "{:#}", report["drift"]);
        assert!(report["drift"]["audits"].as_u64().unwrap() > 0);
        let lost = &report["source"]["lost"];
        assert!(lost.as_object().is_some_and(Map::is_empty), "{lost:#}");
        let count = |value: &Value| value.as_u64().unwrap();
        let mut told = BTreeMap::new();
        let mut closes = 0;
        let mut processes = 0;
        let strace = &report["run"]["pids"][0];
        for process in report["processes"].as_array().unwrap() {
            let pid = count(&process["pid"]);
            if process["pid"] == *strace || process["parent_tid"] == *strace {
                // strace itself is not seen by itself, and of the shell not all was.
                continue;
            }
            assert_ne!(pid, seen.shell);
            processes += 1;
            for (call, births) in process["tally"]["births"].as_object().unwrap() {
                *told.entry(call.clone()).or_default() += count(births);
            }
            closes += count(&process["tally"]["closes"]["close"]);
        }
        assert_eq!(told, seen.births);
        assert_eq!(closes, seen.closes);
        // The shell's own child is the command.
        assert_eq!(processes, seen.processes + 1);
        let known = report["processes"].as_array().unwrap().len() as u64;
        assert_eq!(count(&report["counters"]["threads"]) - known, seen.threads);
        println!(
            "{closes} closes, births {told:?}, {processes} processes, {} threads",
            seen.threads
        );
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.inspector.id())
            .ok()
            .and_then(Pid::from_raw)
        {
            // Not there any more if it ended by itself.
            let _may_be_gone = kill_process_group(group, Signal::KILL);
        }
        let _may_be_reaped = self.inspector.wait();
    }
}

/// Waits until something is so.
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs something to its end, and returns what it printed.
pub(crate) fn finished(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{errors}");
    said
}
