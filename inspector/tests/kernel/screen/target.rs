//! `attach` and `run` on the screen: programs that are no lab, and how they end.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    picture::Picture,
    process::{child_of, until_over},
    terminal::{Start, Terminal},
};

/// A program that opens this many descriptors of one kind, and closes one of them twice, then
/// waits for its orders.
const EVENTFDS: usize = 14;
const PROGRAM: &str = "
import os, socket, sys
held = [os.eventfd(0) for _ in range(14)]
server = socket.create_server(('127.0.0.1', 0))
print('ready', flush=True)
for line in sys.stdin:
    number = os.eventfd(0)
    os.close(number)
    try:
        os.close(number)
    except OSError:
        print('refused', flush=True)
";

/// The program at work. It ends when this is dropped.
struct Python {
    child: Child,
    orders: ChildStdin,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Python {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let mut python = Self {
            orders: child.stdin.take().unwrap(),
            answers: BufReader::new(output).lines(),
            child,
        };
        assert_eq!(python.answer(), "ready");
        python
    }

    fn answer(&mut self) -> String {
        self.answers.next().unwrap().unwrap()
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The screen on it.
    fn attach(&self) -> Option<Terminal> {
        let pid = self.child.id().to_string();
        Start {
            arguments: &["attach", "-p", &pid],
            ..Start::default()
        }
        .begin()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _may_be_gone = self.child.kill();
        let _may_be_reaped = self.child.wait();
    }
}

/// Whether a group of so many stands in Triage.
fn counts(picture: &Picture, count: usize, words: &str) -> bool {
    let count = count.to_string();
    picture.entry(&count).is_some_and(|row| row.contains(words))
}

#[test]
fn what_a_process_holds_is_counted_listed_and_read_anew() {
    let mut python = Python::start();
    let Some(mut terminal) = python.attach() else {
        return;
    };
    terminal.until_shown("attach python3");
    // One socket, told apart by where it listens, without being asked for.
    let picture = terminal.until("both groups", |picture| {
        counts(picture, EVENTFDS, "eventfd") && picture.shows("tcp *:") && picture.shows("LISTEN")
    });
    assert!(!picture.shows("findings"), "{picture}");
    terminal.press("Enter");
    let listed = format!("{EVENTFDS} of ");
    let picture = terminal.until_shown(&listed);
    assert!(picture.shows("pattern:\"eventfd\""), "{picture}");
    terminal.until_shown("count 0");
    terminal.press("u");
    terminal.until_shown("reading what fd ");

    writeln!(python.orders, "wrong").unwrap();
    assert_eq!(python.answer(), "refused");
    terminal.press("0");
    terminal.until_shown("findings: 1 number closed twice");
    terminal.press("5");
    terminal.until("the finding as a row", |picture| {
        picture.shows("finding ") && picture.shows("closed twice, by \"python3\" in close")
    });

    terminal.press("0");
    python.end();
    let picture = terminal.until_shown("everything that was watched has ended");
    assert!(picture.shows("attach python3"), "{picture}");
    assert!(counts(&picture, EVENTFDS, "eventfd"), "{picture}");
    terminal.press("q");
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (0, None));
    terminal.assert_given_back();
}

/// A command under watch, once its screen is there.
fn running<'a>(arguments: &'a [&'a str]) -> Option<Terminal> {
    let start = Start {
        arguments,
        ..Start::default()
    };
    let terminal = start.begin()?;
    terminal.until_shown("run sh -c ");
    terminal.assert_taken();
    Some(terminal)
}

#[test]
fn a_command_is_watched_and_ended_when_that_is_asked_for_twice() {
    // What it prints is not what stands in the title.
    let script = "printf '%s-%s\\n\\033[2J' one two; exec sleep 61";
    let Some(mut terminal) = running(&["run", "--", "sh", "-c", script]) else {
        return;
    };
    let command = child_of(terminal.pid(), "sleep");
    // Inspector's own marks, in whose process it began, are not its.
    terminal.until_shown("no deletes are declared");
    terminal.press("t");
    let picture = terminal.until_shown("one-two");
    assert!(picture.shows(r"\u{1b}[2J"), "{picture}");
    assert!(picture.shows("all of it stands in "), "{picture}");
    terminal.press("Esc");
    terminal.until_hidden("one-two");
    terminal.press("q");
    terminal.until_shown("still runs");
    terminal.press("Esc");
    terminal.until_hidden("still runs");
    terminal.press("q");
    terminal.until_shown("q again ends it");
    terminal.press("q");
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (143, None));
    let picture = terminal.assert_given_back();
    assert!(picture.shows("what it printed stands in "), "{picture}");
    until_over(command);
}

#[test]
fn how_a_command_ended_stays_in_the_title_and_is_passed_on() {
    let Some(mut terminal) = running(&["run", "--", "sh", "-c", "sleep 2; exit 3"]) else {
        return;
    };
    terminal.until("its end", |picture| {
        picture.shows("exited with 3") && picture.shows("everything that was watched has ended")
    });
    // Nobody is asked whether what has ended may end.
    terminal.press("q");
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (3, None));
    terminal.assert_given_back();
}

#[test]
fn a_command_of_the_user_who_called_sudo_is_theirs_and_its_output_too() {
    let start = Start {
        arguments: &[
            "run",
            "--output",
            "log",
            "--",
            "sh",
            "-c",
            "id -u; sleep 61",
        ],
        sudo: Some((54_321, 54_322)),
        folder_of: 54_321,
        ..Start::default()
    };
    let Some(mut terminal) = start.begin() else {
        return;
    };
    terminal.until_shown("run sh -c ");
    terminal.press("t");
    terminal.until_shown("54321");
    let command = child_of(terminal.pid(), "sh");
    // Interrupting asks nothing.
    terminal.press("ctrl-c");
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (143, None));
    terminal.assert_given_back();
    until_over(command);
}

#[test]
fn a_command_that_is_missing_leaves_the_terminal_as_it_was() {
    let start = Start {
        arguments: &["run", "--", "/nowhere/no-such-command"],
        ..Start::default()
    };
    let Some(mut terminal) = start.begin() else {
        return;
    };
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (127, None));
    let picture = terminal.assert_given_back();
    assert!(picture.shows("/nowhere/no-such-command"), "{picture}");
}

#[test]
fn a_signal_ends_the_screen_and_the_command() {
    let Some(mut terminal) = running(&["run", "--", "sh", "-c", "exec sleep 61"]) else {
        return;
    };
    let command: Pid = child_of(terminal.pid(), "sleep");
    kill_process(terminal.pid(), Signal::TERM).unwrap();
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (143, None));
    terminal.assert_given_back();
    until_over(command);
}
