//! Where the output ends: nobody reading, a full disk, and a child that dies in the middle.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Stdio},
};

use crate::{SHORT, ordinary, program, record, records, text};

/// Many keys, slowly: there is time to interfere.
const SLOW: [&str; 9] = [
    "lab",
    "--headless",
    "--json",
    "--policy",
    "stop-wait-delete",
    "--keys",
    "40",
    "--rate",
    "20",
];

/// A device that is always full.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn nobody_reading_the_catalogue_is_success() {
    let mut child = std::process::Command::new(program())
        .args(["lab", "--list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_reader_that_leaves_in_the_middle_is_success() {
    let mut command = ordinary();
    let command = command.args(SLOW).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("polling"), "{line}");
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_full_disk_is_told() {
    let output = ordinary().args(SHORT).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "inspector: the output could not be written: No space left on device (os error 28)\n"
    );
}

#[test]
fn a_full_or_closed_stderr_is_harmless() {
    let output = ordinary().args(SHORT).stderr(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).ends_with("1 of 1 runs as expected   [polling]\n"));
    // An error with nowhere to go keeps its exit code.
    let mut command = ordinary();
    command.args(["lab", "--scenario", "nope"]).stderr(full());
    assert_eq!(command.status().unwrap().code(), Some(2));
    let mut closed = std::process::Command::new("sh");
    closed.args(["-c", "exec \"$0\" lab --scenario nope 2>&-"]);
    assert_eq!(closed.arg(program()).status().unwrap().code(), Some(2));
}

/// The one child of a running program.
fn child_of(program: &Child) -> u32 {
    let path = format!("/proc/{0}/task/{0}/children", program.id());
    let children = fs::read_to_string(path).unwrap();
    let mut numbers = children.split_whitespace();
    let child = numbers.next().unwrap().parse().unwrap();
    assert_eq!(numbers.next(), None);
    child
}

#[test]
fn a_childs_death_ends_the_run_with_what_was_seen() {
    let mut command = ordinary();
    let command = command.args(SLOW).stdout(Stdio::piped());
    let mut inspector = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(inspector.stdout.take().unwrap());
    let mut output = Vec::new();
    // Some verdicts first: they must stand.
    while !text(&output).contains("\"record\":\"verdict\"") {
        assert_ne!(reader.read_until(b'\n', &mut output).unwrap(), 0);
    }
    let child = rustix::process::Pid::from_raw(child_of(&inspector).cast_signed()).unwrap();
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
    reader.read_to_end(&mut output).unwrap();
    let mut stderr = String::new();
    let mut errors = inspector.stderr.take().unwrap();
    errors.read_to_string(&mut stderr).unwrap();
    assert_eq!(inspector.wait().unwrap().code(), Some(2), "{stderr}");
    assert!(
        stderr.starts_with(
            "inspector: policy · stop-wait-delete: the lab's child died (by signal 9) while it should "
        ),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("; what was seen until then stands\n"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let records = records(&output);
    let told = record(&records, "error")["what"].as_str().unwrap();
    assert_eq!(format!("inspector: {told}\n"), stderr);
    assert!(records.iter().all(|record| record["record"] != "total"));
}
