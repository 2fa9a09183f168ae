//! The mouse: what is clicked is what stands there.

use crossterm::event::MouseEventKind;

use super::{
    stage::Stage,
    worlds::{FATES, NOW},
};
use crate::tui::{layout::Areas, model::Popup, rows::Screen};

#[test]
fn a_tab_opens_its_screen() {
    let mut stage = Stage::new(FATES, NOW);
    for width in [60, 80, 200] {
        stage.resize((width, 40));
        for &screen in Screen::of(true) {
            stage.click_on(&format!(" {}", screen.title()));
            assert_eq!(stage.model.screen, screen);
        }
    }
}

#[test]
fn a_title_sorts_by_its_column() {
    let mut stage = Stage::new(FATES, NOW);
    stage.click_on("KEY");
    let up = stage.column();
    assert!(up.is_sorted(), "{up:?}");
    stage.click_on("KEY");
    let down = stage.column();
    assert!(down.iter().rev().is_sorted(), "{down:?}");
    stage.click_on("SINCE");
    assert_eq!(stage.model.table().choice.column, 6);
}

#[test]
fn a_row_is_selected_and_a_second_click_follows_it() {
    let mut stage = Stage::new(FATES, NOW);
    stage.click_on("late ");
    assert_eq!(stage.selected(), "late");
    assert!(!stage.model.in_detail());
    stage.click_on("▸ late ");
    assert!(stage.model.in_detail());
    // The window may have moved; what is clicked still is what stands there.
    stage.click_on("  unknown ");
    assert!(!stage.model.in_detail());
    assert_eq!(stage.selected(), "unknown");
}

#[test]
fn a_link_is_chosen_and_then_followed() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("/").type_in("key:live").press("Enter");
    stage.click_on("thread 116");
    assert_eq!(
        stage.model.detail.link,
        Some(0),
        "the first click goes into the pane"
    );
    stage.click_on("fd 17");
    assert_eq!(stage.model.detail.link, Some(3));
    stage.click_on("fd 17");
    assert!(
        stage.text().contains("live ▸ fd 17 socket"),
        "{}",
        stage.text()
    );
}

#[test]
fn the_wheel_moves_by_some_rows() {
    let mut stage = Stage::new(FATES, NOW);
    stage.mouse(MouseEventKind::ScrollDown, 5, 8);
    assert_eq!(stage.model.table().row, 3);
    stage.mouse(MouseEventKind::ScrollUp, 5, 8);
    assert_eq!(stage.model.table().row, 0);
}

#[test]
fn a_click_beside_what_lies_over_the_screen_closes_it_but_no_typed_line() {
    let mut stage = Stage::new(FATES, NOW);
    for keys in ["?", "i", "a"] {
        stage.press(keys).click(0, 0);
        assert!(stage.model.popup.is_none(), "after {keys}");
    }
    stage.press("/").type_in("x").click(0, 0);
    assert!(matches!(stage.model.popup, Some(Popup::Filter(..))));
}

#[test]
fn a_click_on_nothing_does_nothing() {
    let mut stage = Stage::new(FATES, NOW);
    let before = stage.text();
    let areas = Areas::of(&stage.model);
    let below = areas.body.y + u16::try_from(stage.model.rows.len()).unwrap();
    for (column, row) in [
        (5, below),
        (0, areas.title.y),
        (0, areas.status.y),
        (60, areas.tabs.y),
        (300, 300),
    ] {
        stage.click(column, row);
        assert_eq!(stage.text(), before, "after a click at {column},{row}");
    }
}
