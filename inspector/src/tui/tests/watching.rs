//! What goes on while one looks: pausing, alarms, notes, and what ended.

use super::{
    stage::{Stage, attached, running, setting},
    worlds::{FATES, NOW},
};
use crate::tui::{
    alarm::Alarms,
    message::Message,
    model::{Setting, SourceEnd},
};

const ONE: &str = "
    1000 100 store-begin k1
    1001 100 open 11
    1002 100 store-end k1";
const ANOTHER: &str = "
    3000 100 store-begin k2
    3001 100 open 12
    3002 100 store-end k2";

#[test]
fn a_paused_view_stands_still_while_collection_goes_on() {
    let mut stage = Stage::new(ONE, 2_000);
    stage.press("space");
    let before = stage.text();
    assert!(before.contains("PAUSED"));
    stage.tell(ANOTHER).at(9_000);
    assert_eq!(stage.column(), ["k1"]);
    assert_eq!(stage.model.live.ledger().entries().count(), 2);
    assert!(stage.text().contains("PAUSED  7.0 s ago"));
    // Only how long it has been paused has changed.
    let changed = before
        .lines()
        .zip(stage.text().lines().map(str::to_owned).collect::<Vec<_>>());
    let changed: Vec<_> = changed.filter(|(one, other)| one != other).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    stage.press("space");
    assert_eq!(stage.column(), ["k2", "k1"]);
}

#[test]
fn an_alarm_is_raised_even_while_paused_and_stands_until_it_is_seen() {
    let alarms = Alarms::new(None, None, Some(0));
    let mut stage = Stage::with(
        Setting {
            alarms,
            ..setting()
        },
        ONE,
        2_000,
    );
    assert!(!stage.text().contains("ALARM"));
    stage.press("space").tell(
        "2000 100 delete-begin k1 bare
         2001 100 delete-end k1
         4000 100 tick",
    );
    stage.at(4_000);
    assert_eq!(
        stage.model.alarms.standing().as_deref(),
        Some("1 deleted entries retain something (limit 0)")
    );
    assert!(stage.text().contains("ALARM"));
    stage.tell("5000 100 close 11 refs=1").at(6_000);
    assert!(
        stage.text().contains("ALARM"),
        "it was, and nobody has seen it"
    );
    stage.press("A");
    assert!(!stage.text().contains("ALARM"));
}

#[test]
fn a_note_stays_for_a_while() {
    let mut stage = Stage::new("", 1_000);
    stage.send(Message::Done(Ok("wrote /tmp/x".to_owned())));
    stage.at(6_900);
    assert!(stage.text().contains("wrote /tmp/x"));
    stage.at(7_000);
    assert!(!stage.text().contains("wrote /tmp/x"));
    stage.send(Message::Done(Err("no room\nleft".to_owned())));
    assert!(stage.text().contains("no room; left"));
}

#[test]
fn time_never_runs_back() {
    let mut stage = Stage::new(FATES, NOW);
    let before = stage.text();
    stage.at(3);
    assert_eq!(stage.text(), before);
}

#[test]
fn what_ended_is_said_and_what_was_seen_stands() {
    let mut stage = Stage::new(ONE, 2_000);
    let failed = SourceEnd::Failed("its ring broke".to_owned());
    stage.send(Message::SourceEnded(failed));
    assert_eq!(
        stage.lines_with("the source failed: its ring broke").len(),
        1
    );
    assert_eq!(stage.column(), ["k1"]);
    // Where nothing is left to watch that is no failure.
    let mut stage = Stage::with(attached(), ONE, 2_000);
    let over = "everything that was watched has ended; what was seen stands";
    assert!(stage.lines_with(over).is_empty());
    stage.send(Message::SourceEnded(SourceEnd::TargetsGone));
    assert_eq!(stage.lines_with(over).len(), 1);
    assert!(stage.lines_with("source").is_empty());
    // Nor where the source would go on.
    let mut stage = Stage::with(running(), ONE, 2_000);
    assert!(stage.lines_with(over).is_empty());
    stage.tell("3000 100 exiting\n3001 100 gone").at(4_000);
    assert_eq!(stage.lines_with(over).len(), 1);
    assert_eq!(stage.lines_with("next: it has ended").len(), 1);
}

#[test]
fn keys_ask_for_what_the_screen_can_not_do_itself() {
    let mut stage = Stage::new(ONE, 2_000);
    for (key, asked) in [
        ("F5", "[Audit]"),
        ("ctrl-l", "[Redraw]"),
        ("ctrl-z", "[Suspend]"),
        ("q", "[Quit]"),
        ("ctrl-c", "[Quit]"),
    ] {
        assert_eq!(stage.press(key).asked(), asked);
    }
    assert!(
        stage
            .press("S")
            .asked()
            .starts_with(r#"[Write { what: "screen", extension: "txt""#)
    );
    assert!(
        stage
            .press("w")
            .asked()
            .starts_with(r#"[Write { what: "ledger", extension: "json""#)
    );
    // Over everything that is open, only the interrupt quits.
    for open in ["?", "i", "/", "b", "a"] {
        assert_eq!(stage.press(open).press("q").asked(), "[]", "{open} q");
        assert_eq!(stage.press(open).press("ctrl-c").asked(), "[Quit]");
        stage.press("Esc Esc");
    }
}

#[test]
fn a_popup_closes_and_scrolls_within_its_text() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("? G");
    let end = stage.text();
    assert_eq!(stage.press("Down PgDn").text(), end);
    stage.press("Up g");
    assert_ne!(stage.text(), end);
    stage.press("?");
    assert!(stage.model.popup.is_none());
    stage.press("i ?");
    assert!(stage.text().contains("lines more"));
    // On a larger screen it is not scrolled further than to its end.
    let end = stage.press("G").resize((200, 50)).text();
    assert_eq!(stage.press("g G").text(), end);
}

#[test]
fn polls_are_no_events_but_the_end_of_a_process_is() {
    let mut stage = Stage::new("1 100 baseline 100 | 0 1 2 began=0", 100);
    for at in 1..50 {
        stage.tell(&format!("{at}00 100 poll 100 | 0 1 2 began={at}00 since=0"));
    }
    stage.at(6_000).press("5");
    assert_eq!(stage.model.rows.len(), 1);
    assert!(stage.text().contains("baseline of /proc/100: 1 threads"));
    stage.tell("7000 100 poll gone began=6999 since=1");
    stage.at(7_000);
    assert!(stage.text().contains("poll of /proc/100: it is gone"));
}
