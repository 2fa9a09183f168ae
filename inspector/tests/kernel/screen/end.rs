//! Every way in which the screen ends: the terminal is given back, and no lab is left behind.

use rustix::process::{Pid, Signal, kill_process};

use super::{
    process::{child_of, lab_of, until_over},
    started,
    terminal::{Start, Terminal},
};

/// The screen with its lab.
fn with_lab() -> Option<(Terminal, Pid)> {
    let terminal = started(&Start::default())?;
    terminal.assert_taken();
    let lab = lab_of(terminal.pid());
    Some((terminal, lab))
}

/// It exits by itself with this code and leaves nothing behind.
#[track_caller]
fn assert_left(terminal: &mut Terminal, lab: Pid, code: u32) {
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (code, None));
    terminal.assert_given_back();
    until_over(lab);
}

#[test]
fn q_leaves() {
    let Some((mut terminal, lab)) = with_lab() else {
        return;
    };
    // Within what lies over the screen it only closes that.
    terminal.press("?");
    terminal.until_shown("chosen column");
    terminal.press("q");
    terminal.until_hidden("chosen column");
    terminal.press("q");
    assert_left(&mut terminal, lab, 0);
}

#[test]
fn interrupting_leaves_whatever_is_open() {
    let Some((mut terminal, lab)) = with_lab() else {
        return;
    };
    terminal.press("/");
    terminal.type_in("q");
    terminal.until_shown("filter q");
    terminal.press("ctrl-c");
    assert_left(&mut terminal, lab, 0);
}

#[test]
fn signals_that_ask_for_the_end_get_it() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let Some((mut terminal, lab)) = with_lab() else {
            return;
        };
        terminal.signal(signal);
        let code = 128 + signal.as_raw().cast_unsigned();
        assert_left(&mut terminal, lab, code);
    }
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    let Some((mut terminal, lab)) = with_lab() else {
        return;
    };
    terminal.close();
    let status = terminal.wait_exit();
    let code = 128 + Signal::HUP.as_raw().cast_unsigned();
    assert_eq!((status.exit_code(), status.signal()), (code, None));
    until_over(lab);
}

/// As from a shell that lives on: one that ended with the program would hang up on the lab too.
#[test]
fn a_lab_does_not_outlive_the_program() {
    let start = Start {
        within: &["sh", "-c", "\"$0\"; echo the shell lives; read line"],
        ..Start::default()
    };
    let Some(terminal) = started(&start) else {
        return;
    };
    let program = child_of(terminal.pid(), "inspector");
    let lab = lab_of(program);
    kill_process(program, Signal::KILL).unwrap();
    until_over(lab);
    terminal.until_shown("the shell lives");
}

#[test]
fn a_panic_is_told_on_the_terminal_that_was_given_back() {
    let start = Start {
        arguments: &["--panic-after", "3000"],
        ..Start::default()
    };
    let Some(mut terminal) = started(&start) else {
        return;
    };
    terminal.assert_taken();
    let lab = lab_of(terminal.pid());
    let status = terminal.wait_exit();
    assert!(!status.success() && status.signal().is_none(), "{status:?}");
    let picture = terminal.assert_given_back();
    assert!(picture.shows("panicked at"), "{picture}");
    assert!(picture.shows("asked for by --panic-after"), "{picture}");
    until_over(lab);
}

/// What is no terminal is no place for a screen, and that is said; nothing is taken over.
#[test]
fn where_there_is_no_terminal_lines_are_printed() {
    let redirected = Start {
        within: &["sh", "-c", "exec \"$0\" \"$@\" > lines"],
        ..Start::default()
    };
    let dumb = Start {
        term: "dumb",
        ..Start::default()
    };
    for (start, why) in [
        (redirected, "standard output is not a terminal"),
        (dumb, "the terminal says it is dumb"),
    ] {
        let Some(terminal) = start.begin() else {
            return;
        };
        let picture = terminal.until_shown(why);
        assert!(picture.shows("--headless"), "{picture}");
        terminal.signal(Signal::KILL);
    }
}
