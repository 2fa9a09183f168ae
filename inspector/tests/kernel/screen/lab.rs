//! The lab driven by keys: stores, deletes, and what the screen says has become of them.

use rustix::process::{Pid, Signal, kill_process};

use super::{
    leak,
    process::{is_alive, lab_of, thread_named, until_over},
    started,
    terminal::{Start, Terminal},
};

#[test]
fn two_entries_stand_there_and_what_to_press() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    let picture = terminal.until_shown("press d ");
    // Each with its thread, which lives.
    for key in ["task-0001", "task-0002"] {
        assert!(picture.entry(key).unwrap().contains("1/1"), "{picture}");
    }
    assert!(picture.entry("task-0003").is_none(), "{picture}");
    // What is said of the tool itself is sound from the first look on.
    let cpus = std::thread::available_parallelism().unwrap().get();
    let percent = picture.number_behind("self").unwrap();
    assert!(percent <= 100.0 * cpus as f64, "{picture}");
    terminal.until("every probe at work", |picture| {
        picture.shows("probes 12/12") && picture.shows("lost 0")
    });
    terminal.press("s");
    terminal.until("a third entry", |picture| {
        picture.entry("task-0003").is_some()
    });
}

#[test]
fn what_a_delete_leaves_behind_is_retained_and_what_it_ends_is_gone() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    terminal.until_shown("bare");
    leak(&mut terminal);
    // The hint has served.
    terminal.until_hidden("press d ");
    let thread = thread_named(lab_of(terminal.pid()), "tick-0001");
    terminal.until_shown(&format!("thread {thread}"));

    for policy in ["signal", "stop-wait-delete"] {
        terminal.press("p");
        terminal.until_shown(policy);
    }
    terminal.choose("Up", "task-0002");
    terminal.press("d");
    let picture = terminal.until("task-0002 gone", |picture| {
        let row = picture.entry("task-0002").unwrap_or_default();
        row.contains("gone") && row.contains("stop-wait-delete")
    });
    let first = picture.entry("task-0001").unwrap();
    assert!(
        first.contains("RETAINED") && first.contains("bare"),
        "{picture}"
    );
}

#[test]
fn a_scenario_and_a_burst_play_on_the_screen() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    terminal.press("b");
    terminal.until_shown("how many");
    // The number that stands there is typed over.
    for _ in 0.."100".len() {
        terminal.press("Backspace");
    }
    terminal.type_in("5");
    terminal.press("Enter");
    terminal.until("five more entries", |picture| {
        picture.entry("task-0007").is_some()
    });
    terminal.press("a");
    terminal.until_shown("play a scenario");
    terminal.press("Enter");
    terminal.until_shown("playing ");
    terminal.until("a verdict on a key of it", |picture| {
        let row = picture.entry("task-0008").unwrap_or_default();
        row.contains("RETAINED")
    });
    terminal.until_hidden("playing ");
}

#[test]
fn a_lab_that_died_is_told_and_another_takes_its_place() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    let lab = lab_of(terminal.pid());
    kill_process(lab, Signal::KILL).unwrap();
    let picture = terminal.until_shown("died (by signal 9)");
    assert!(picture.shows("X starts another"), "{picture}");
    terminal.press("s");
    terminal.until_shown("no child to do it");
    terminal.press("X");
    let another = until_fresh(&terminal);
    assert_ne!(another, lab);
    terminal.until_hidden("died");
    terminal.press("s");
    terminal.until("a third entry", |picture| {
        picture.entry("task-0003").is_some()
    });
}

#[test]
fn a_lab_that_is_started_anew_ends_the_one_before() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    let lab = lab_of(terminal.pid());
    leak(&mut terminal);
    terminal.press("X");
    until_over(lab);
    assert!(is_alive(until_fresh(&terminal)));
}

/// Waits until the screen shows a lab that has just begun, by the number of its process: nothing
/// of one before it.
fn until_fresh(terminal: &Terminal) -> Pid {
    let lab = lab_of(terminal.pid());
    terminal.until("two entries of the new lab alone", |picture| {
        let is_live = |key| picture.entry(key).is_some_and(|row| row.contains("1/1"));
        picture.shows(&lab.to_string())
            && is_live("task-0001")
            && is_live("task-0002")
            && !["RETAINED", "ended"]
                .iter()
                .any(|words| picture.shows(words))
    });
    lab
}
