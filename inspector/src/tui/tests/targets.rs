//! Processes and commands that are no lab: what a command printed and how it ended, what was found
//! to be wrong, and what handles point at.

use super::{
    stage::{Stage, attached, keep, running},
    worlds::{FATES, NOW},
};
use crate::{
    check::CommandEnd,
    tui::{message::Message, model::Popup, output::Output, watched::Ended},
};

const BEGINS: &str = "1000 100 baseline 100 | 0 1 2 began=1000";

/// Wrong closes, and descriptors refused.
const WRONG: &str = "
    1000 100 baseline 100 101 | 0 1 2 began=1000
    2000 100 open 7
    2100 100 close 7 refs=1
    2200 101 close-refused 7
    2300 101 close-refused 4294967295
    2400 100 birth-refused 24
    2500 100 birth-refused 24
    3000 100 tick";

fn printed(text: &[u8]) -> Message {
    Message::Output(Ok(Output::of(text, text.len() as u64)))
}

#[test]
fn what_a_command_printed_is_read_when_asked_for_and_follows_its_end() {
    let mut stage = Stage::with(running(), BEGINS, 2_000);
    assert_eq!(stage.press("t").asked(), "[ReadOutput]");
    assert!(stage.text().contains("reading it"));
    stage.send(printed(b""));
    assert!(stage.text().contains("nothing was printed so far"));
    let lines: Vec<String> = (0..100).map(|number| format!("line {number}")).collect();
    stage.send(printed(lines.join("\n").as_bytes()));
    keep("output", &stage.at_all_sizes());
    stage.resize((80, 24));
    assert!(stage.model.follows_output());
    assert!(stage.text().contains("line 99") && !stage.text().contains("line 10 "));
    stage.press("Up Up");
    assert!(!stage.model.follows_output(), "what is read stays");
    assert!(stage.text().contains("held, 2 lines more"));
    assert!(!stage.text().contains("line 98"));
    assert_eq!(stage.press("g").lines_with("line 0").len(), 1);
    assert_eq!(stage.press("Up G").asked(), "[ReadOutput]");
    assert!(stage.text().contains("line 99"));
    stage.send(Message::Output(Err("Permission denied".to_owned())));
    assert!(stage.text().contains("it can't be read: Permission denied"));
    stage.press("t");
    assert!(stage.model.popup.is_none());
    // Where no command was started there is nothing to read.
    let mut stage = Stage::with(attached(), BEGINS, 2_000);
    assert_eq!(stage.press("t").asked(), "[]");
    assert!(stage.model.popup.is_none());
}

#[test]
fn what_a_command_printed_drives_nothing() {
    let mut stage = Stage::with(running(), BEGINS, 2_000);
    stage.press("t");
    stage.send(printed(b"\x1b[2J\x1b]0;gone\x07 \xe2\x80\xae\xff"));
    assert!(
        stage
            .text()
            .contains(r"\u{1b}[2J\u{1b}]0;gone\u{7} \u{202e}\xff")
    );
}

#[test]
fn how_a_command_ended_stands_in_the_title() {
    for (code, is_failure, told) in [
        (0, false, "run make -j2 (100) · exited with 0"),
        (2, true, "run make -j2 (100) · ✗ exited with 2"),
    ] {
        let mut stage = Stage::with(running(), BEGINS, 2_000);
        stage.press("q");
        assert!(matches!(stage.model.popup, Some(Popup::Leave)));
        stage.send(Message::CommandEnded(Ended {
            how: format!("exited with {code}"),
            is_failure,
            end: CommandEnd::Exited(code),
        }));
        assert!(stage.model.popup.is_none(), "nothing runs any more");
        stage.at(60_000);
        assert_eq!(stage.lines_with(told).len(), 1, "{}", stage.text());
        let failure = stage.model.theme.failure.fg;
        let red = stage
            .cells()
            .content
            .iter()
            .any(|cell| Some(cell.fg) == failure);
        assert_eq!(red, is_failure);
        assert_eq!(stage.press("q").asked(), "[Quit]");
    }
}

#[test]
fn leaving_a_command_that_runs_is_asked_for() {
    let mut stage = Stage::with(running(), BEGINS, 2_000);
    assert_eq!(stage.press("q").asked(), "[]");
    assert_eq!(stage.lines_with("make -j2 still runs").len(), 1);
    assert_eq!(
        stage
            .lines_with("q again ends it (SIGTERM), Esc stays")
            .len(),
        1
    );
    assert_eq!(stage.press("x Down").asked(), "[]");
    assert!(
        stage.text().contains("still runs"),
        "it waits for an answer"
    );
    assert_eq!(stage.press("Esc").asked(), "[]");
    assert!(stage.model.popup.is_none());
    assert_eq!(stage.press("q q").asked(), "[Quit]");
    let mut stage = Stage::with(running(), BEGINS, 2_000);
    assert_eq!(stage.press("ctrl-c").asked(), "[Quit]");
    let mut stage = Stage::with(attached(), BEGINS, 2_000);
    assert_eq!(stage.press("q").asked(), "[Quit]");
}

#[test]
fn findings_stand_among_the_events_and_in_one_line() {
    let mut stage = Stage::with(attached(), WRONG, 3_000);
    let told = stage.lines_with("findings: ");
    assert_eq!(
        told,
        [
            "findings: 1 number closed twice · 1 close of a number that is not open · EMFILE 2 \
             times; 5 lists them (kind:finding)"
        ]
    );
    assert_eq!(
        stage.lines_with("findings 3").len(),
        1,
        "in the last line but one"
    );
    stage.press("5 /").type_in("kind:finding").press("Enter");
    assert_eq!(stage.model.rows.len(), 3);
    keep("events-findings", &stage.at_all_sizes());
    stage.press("g Down Down Enter").resize((120, 40));
    keep("detail-finding", &stage.text());
    stage
        .press("Esc \\ /")
        .type_in("fd:7 tid:101")
        .press("Enter");
    assert_eq!(stage.model.rows.len(), 2, "the finding and its event");
    // In the lab too, and where nothing is wrong nothing is said.
    let mut lab = Stage::new(WRONG, 3_000);
    assert_eq!(lab.lines_with("findings 3").len(), 1);
    lab.press("5 /").type_in("kind:finding").press("Enter");
    assert_eq!(lab.model.rows.len(), 3);
    let mut fine = Stage::with(attached(), BEGINS, 2_000);
    assert!(fine.lines_with("findings").is_empty());
    fine.press("5");
    assert!(fine.lines_with("findings").is_empty());
}

#[test]
fn closing_what_is_not_open_is_told_and_does_not_alarm() {
    let story = "1000 100 baseline 100 | 0 1 2 began=1000
        2000 100 close-refused 99
        3000 100 tick";
    let stage = Stage::with(attached(), story, 3_000);
    assert_eq!(
        stage
            .lines_with("findings: 1 close of a number that is not open")
            .len(),
        1
    );
    assert!(stage.lines_with("findings 1").is_empty());
}

#[test]
fn handles_tell_what_they_point_at_and_are_read_anew_when_asked() {
    let mut stage = Stage::with(attached(), BEGINS, 2_000);
    stage.tell("2500 100 open 9\n3000 100 point 9 anon_inode:[eventfd] began=2600 count=5");
    stage.at(3_300).press("3 g");
    assert_eq!(stage.selected(), "9");
    let row = stage.lines_with("▸      9").join("");
    assert!(row.contains("count 5"), "{row}");
    let told = stage.lines_with("points at anon_inode:[eventfd]: count 5, read 0.3 s ago");
    assert_eq!(told.len(), 1, "{}", stage.text());
    assert_eq!(
        stage.press("u").asked(),
        "[Reread { tgid: Tgid(100), fds: Some([Fd(9)]) }]"
    );
    assert_eq!(stage.note(), "reading what fd 9 points at");
    stage.tell("4000 100 close 9 refs=1").at(4_100);
    stage
        .press("/")
        .type_in("fd:9 state:released")
        .press("Enter");
    assert_eq!(stage.press("u").asked(), "[]", "it is closed");
    // Of a group all are read.
    stage.press("0 g");
    assert_eq!(
        stage.press("u").asked(),
        "[Reread { tgid: Tgid(100), fds: None }]"
    );
    stage.press("2 g");
    assert_eq!(stage.press("u").asked(), "[]");
}

#[test]
fn what_programs_close_all_the_time_is_listed_when_asked_for() {
    let story = "1000 100 baseline 100 | 0 1 2 began=1000
        2000 100 open 9
        2001 100 close 9 refs=1
        2002 100 tick";
    let mut stage = Stage::with(attached(), story, 2_500);
    stage.press("3");
    assert_eq!(stage.model.rows.len(), 3);
    stage.press("/").type_in("state:released").press("Enter");
    assert_eq!(stage.model.rows.len(), 1);
    let mut lab = Stage::new(story, 2_500);
    assert_eq!(lab.press("3").model.rows.len(), 4);
}

#[test]
fn entries_and_events_tell_their_process_where_several_are_watched() {
    let mut stage = Stage::with(attached(), FATES, NOW);
    stage.resize((200, 60)).press("1");
    assert!(stage.lines_with("PROCESS").is_empty(), "all are of one");
    assert_eq!(stage.press("5").lines_with("PROCESS").len(), 1);
    stage.tell("20100 200 store-begin other\n20101 200 store-end other");
    stage.at(20_500).press("1");
    assert_eq!(stage.lines_with("PROCESS").len(), 1, "{}", stage.text());
    assert_eq!(stage.lines_with("t200 200").len(), 1);
}
