//! The selection stays with who was selected; rows stand in the order that was asked for.

use super::{
    stage::{Stage, setting},
    worlds::{FATES, NOW},
};
use crate::tui::{message::Message, model::Setting, rows::Screen};

/// Three keys with a descriptor each, newest first on the screen.
const THREE: &str = "
    1000 100 store-begin k1
    1001 100 open 11
    1002 100 store-end k1
    2000 100 store-begin k2
    2001 100 open 12
    2002 100 store-end k2
    3000 100 store-begin k3
    3001 100 open 13
    3002 100 store-end k3";

#[test]
fn the_selection_follows_its_entity_when_rows_come_above_it() {
    let mut stage = Stage::new(THREE, 4_000);
    assert_eq!(stage.column(), ["k3", "k2", "k1"]);
    stage.press("Down");
    assert_eq!(stage.selected(), "k2");
    stage.tell(
        "4000 100 store-begin k4
         4001 100 store-end k4
         4002 100 store-begin k5
         4003 100 store-end k5",
    );
    stage.refresh();
    assert_eq!(stage.column(), ["k5", "k4", "k3", "k2", "k1"]);
    assert_eq!(stage.selected(), "k2");
    assert_eq!(stage.model.table().row, 3);
}

#[test]
fn a_row_above_the_window_does_not_move_what_is_looked_at_out_of_it() {
    let mut stage = Stage::new(THREE, 4_000);
    stage.resize((80, 14)).press("G");
    for number in 10..40 {
        let at = 4_000 + number;
        stage.tell(&format!(
            "{at} 100 store-begin n{number}\n{at} 100 store-end n{number}"
        ));
        stage.refresh();
        assert_eq!(stage.selected(), "k1");
    }
}

#[test]
fn a_deleted_row_stays_where_it_stands() {
    let mut stage = Stage::new(THREE, 4_000);
    stage.press("Down").tell(
        "4000 100 delete-begin k2 bare
         4001 100 delete-end k2
         9000 100 tick",
    );
    stage.at(9_000);
    assert_eq!(stage.column(), ["k3", "k2", "k1"]);
    assert_eq!(stage.selected(), "k2");
    assert!(stage.lines_with("▸ k2")[0].contains("✗ RETAINED"));
}

#[test]
fn where_the_selected_one_is_filtered_out_its_place_is_kept() {
    let mut stage = Stage::new(THREE, 4_000);
    stage.press("Down /").type_in("-key:k2");
    assert_eq!(stage.column(), ["k3", "k1"]);
    assert_eq!(stage.selected(), "k1");
    stage.press("Esc \\");
    assert_eq!(stage.column(), ["k3", "k2", "k1"]);
    assert_eq!(stage.selected(), "k1");
}

#[test]
fn keys_move_by_rows_and_pages_and_stop_at_the_ends() {
    let mut stage = Stage::new(THREE, 4_000);
    for (keys, row) in [
        ("Up", 0),
        ("Down", 1),
        ("j", 2),
        ("Down", 2),
        ("g", 0),
        ("G", 2),
        ("PgUp", 0),
        ("PgDn", 2),
        ("k", 1),
        ("Home", 0),
        ("End", 2),
    ] {
        stage.press(keys);
        assert_eq!(stage.model.table().row, row, "after {keys}");
    }
    let mut empty = Stage::new("", 1);
    empty.press("Down PgDn G Up g");
    assert_eq!(empty.model.table().row, 0);
    assert_eq!(empty.model.table().selected, None);
}

#[test]
fn screens_turn_in_a_ring_and_keep_their_own_state() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("Down Down");
    let before = stage.selected();
    for &screen in Screen::of(true) {
        assert_eq!(stage.model.screen, screen);
        assert_eq!(stage.model.rows.screen(), screen);
        stage.press(">");
    }
    assert_eq!(stage.model.screen, Screen::Entries);
    assert_eq!(stage.selected(), before);
    stage.press("<");
    assert_eq!(stage.model.screen, Screen::Events);
    // There is none of this number.
    stage.press("9");
    assert_eq!(stage.model.screen, Screen::Events);
}

#[test]
fn rows_are_sorted_by_the_chosen_column_either_way() {
    let mut stage = Stage::new(THREE, 4_000);
    stage.resize((200, 40));
    stage.press("Left Left Left Left Left Left Left Left o");
    assert_eq!(stage.model.table().choice.column, 0);
    assert_eq!(stage.column(), ["k1", "k2", "k3"]);
    stage.press("o");
    assert_eq!(stage.column(), ["k3", "k2", "k1"]);
    stage.press("O");
    assert_eq!(stage.column(), ["k1", "k2", "k3"]);
    // Choosing another column sorts nothing until asked.
    stage.press("Right");
    assert_eq!(stage.model.table().column, 2, "PROCESS is hidden");
    assert_eq!(stage.model.table().choice.column, 0);
    // Beyond the last column there is none.
    stage.press("Right Right Right Right Right Right Right Right Right Right");
    let last = stage.model.table().column;
    stage.press("Right");
    assert_eq!(stage.model.table().column, last);
}

#[test]
fn a_screen_may_begin_with_a_filter() {
    let filters = vec![(Screen::Entries, "key:k2".to_owned())];
    let mut stage = Stage::with(
        Setting {
            filters,
            ..setting()
        },
        THREE,
        4_000,
    );
    assert_eq!(stage.column(), ["k2"]);
    assert_eq!(stage.model.hidden, 2);
}

#[test]
fn a_smaller_screen_keeps_the_selected_row_in_view() {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("G");
    let last = stage.selected();
    for height in [40, 24, 14, 10, 7, 6, 60] {
        stage.resize((80, height));
        assert_eq!(stage.selected(), last, "at {height} lines");
    }
    stage.send(Message::Resized(ratatui::layout::Size::new(0, 0)));
    assert_eq!(stage.resize((80, 24)).selected(), last);
}
