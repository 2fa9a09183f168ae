//! The command line end to end, as an ordinary user meets it: every message, every exit code.
//! What takes root to bring about is in the test binary `kernel`.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its failure")]

#[path = "cli/arguments.rs"]
mod arguments;
#[path = "cli/config.rs"]
mod config;
#[path = "cli/ordinary.rs"]
mod ordinary;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/recorded.rs"]
mod recorded;
#[path = "cli/recording.rs"]
mod recording;
#[path = "cli/redacted.rs"]
mod redacted;
#[path = "cli/verbs.rs"]
mod verbs;

use std::{
    fs::File,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

/// A short run: one key, and what becomes of its thread and its timer.
const SHORT: [&str; 10] = [
    "lab",
    "--headless",
    "--scenario",
    "bare-delete",
    "--variant",
    "leaky",
    "--keys",
    "1",
    "--grace",
    "200",
];

/// The program under test.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_inspector"))
}

/// The program as an ordinary user, whoever runs the tests.
fn ordinary() -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    // By a descriptor, because the folder it lies in may be closed to others.
    command.arg("/proc/self/fd/0");
    command.stdin(File::open(program()).unwrap());
    command
}

/// Runs it to its end, which comes within a minute or is no exit code of ours.
fn run(command: &Command, arguments: &[&str]) -> Output {
    let mut bounded = Command::new("timeout");
    bounded.args(["--kill-after=5", "60"]);
    bounded.arg(command.get_program()).args(command.get_args());
    bounded.stdin(File::open(program()).unwrap());
    bounded.args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Its output's JSON lines.
fn records(output: &[u8]) -> Vec<Value> {
    let lines = text(output).lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The only record of a name.
fn record<'a>(records: &'a [Value], name: &str) -> &'a Value {
    let mut named = records.iter().filter(|record| record["record"] == name);
    let one = named
        .next()
        .unwrap_or_else(|| panic!("no {name} in {records:#?}"));
    assert!(named.next().is_none(), "more than one {name}");
    one
}
