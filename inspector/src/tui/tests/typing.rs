//! Lines that are typed: they are judged as they grow, and what is wrong is said where it is.

use super::{
    stage::Stage,
    worlds::{FATES, NOW},
};
use crate::tui::{message::Message, model::Popup};

fn wrong(stage: &Stage) -> Option<(usize, usize)> {
    match &stage.model.popup {
        Some(Popup::Filter(_, wrong, _)) => wrong.as_ref().map(|wrong| (wrong.at, wrong.len)),
        other => panic!("no filter is typed: {other:?}"),
    }
}

#[test]
fn a_filter_is_in_force_as_far_as_it_is_right() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("/").type_in("key:gone");
    assert_eq!(wrong(&stage), None);
    assert_eq!(stage.column(), ["gone"]);
    stage.send(Message::Paste(" since>".to_owned()));
    assert_eq!(wrong(&stage), Some((15, 0)));
    assert_eq!(stage.column(), ["gone"], "the last right one stays");
    // What is wrong is not taken.
    stage.press("Enter");
    assert!(stage.model.popup.is_some());
    stage.type_in("10s").press("Enter");
    assert!(stage.model.popup.is_none());
    assert_eq!(stage.column(), ["gone"]);
    assert_eq!(stage.model.table().filter, "key:gone since>10s");
}

#[test]
fn letters_are_letters_while_a_line_is_typed() {
    let mut stage = Stage::new(FATES, NOW);
    let rows = stage.model.rows.len();
    stage.press("/").type_in("qsdDbaXw ?");
    assert_eq!(stage.asked(), "[]");
    assert_eq!(stage.model.hidden, rows);
    assert!(stage.text().contains("qsdDbaXw ?"));
    for _ in 0..20 {
        stage.press("Backspace");
    }
    assert_eq!(stage.model.hidden, 0);
}

#[test]
fn a_long_line_scrolls_and_ends_somewhere() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("/");
    stage.send(Message::Paste("任务 ".repeat(1_000)));
    for width in 30..90 {
        stage.resize((width, 24)).text();
    }
    stage.press("Home").text();
    stage.press("Right Right Right Left End").text();
    assert_eq!(stage.model.table().filter.chars().count(), 500);
    stage.type_in("more");
    assert_eq!(stage.model.table().filter.chars().count(), 500);
}

#[test]
fn the_mark_stands_under_what_is_wrong_however_wide_it_is() {
    use ratatui::style::Color;
    let mut stage = Stage::new(FATES, NOW);
    stage.press("/").type_in("任务 state:任务 x");
    let areas = crate::tui::layout::Areas::of(&stage.model);
    let cells = stage.cells();
    let marked: String = (0..40)
        .map(|x| &cells[(x, areas.tabs.y)])
        .filter(|cell| cell.bg == Color::Red)
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    assert_eq!(marked.replace(' ', ""), "任务");
}

#[test]
fn a_burst_is_a_number() {
    let mut stage = Stage::new("", 1_000);
    stage.press("b Enter");
    assert_eq!(stage.asked(), "[Lab(Store { count: 100, entry: Ticker })]");
    for wrong in ["0", "-1", "10001", "x", ""] {
        stage
            .press("b Backspace Backspace Backspace")
            .type_in(wrong)
            .press("Enter");
        assert_eq!(stage.asked(), "[]");
        assert!(
            stage.text().contains("a number from 1 to 10000"),
            "{wrong:?}"
        );
        stage.press("Esc");
    }
}

#[test]
fn pasting_without_a_line_does_nothing() {
    let mut stage = Stage::new(FATES, NOW);
    let before = stage.text();
    stage.send(Message::Paste("q\nD".to_owned()));
    assert_eq!(stage.text(), before);
}

#[test]
fn what_is_wrong_and_has_no_room_beside_takes_the_line_of_the_titles() {
    let mut stage = Stage::new(FATES, NOW);
    stage.resize((60, 24)).press("/").type_in("since>soon");
    let shown = stage.text();
    assert!(
        shown.contains("since can't be \"soon\": a time is a number"),
        "{shown}"
    );
}
