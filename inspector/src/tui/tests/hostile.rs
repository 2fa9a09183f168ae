//! Names that other processes chose can't drive the terminal, nor push their neighbours away.

use super::{
    stage::{SIZES, Stage, keep},
    worlds::{NOW, hostile},
};
use crate::{
    lab::driver::News,
    tui::{message::Message, model::SourceEnd, rows::Screen},
};

#[test]
fn lists_of_hostile_names() {
    let mut stage = Stage::new(&hostile(), NOW);
    for &screen in Screen::of(true) {
        stage = stage.opened(screen);
        let text = stage.at_all_sizes();
        keep(&format!("{}-hostile", screen.title().to_lowercase()), &text);
    }
}

/// Looking checks the cells: whatever lies over a wide character, at any offset.
#[test]
fn nothing_cuts_a_wide_character() {
    let mut stage = Stage::new(&hostile(), NOW);
    for screen in ["1", "2", "3", "4", "5"] {
        for keys in [
            "", "Enter", "Down", "Enter", "Esc", "?", "Esc", "i", "Esc", "a", "Esc", "b", "Esc",
        ] {
            stage.press(screen).press(keys);
            for width in (30..60).chain(SIZES.map(|(width, _)| width)) {
                stage.resize((width, 24)).text();
            }
            stage.press("Esc Esc");
        }
    }
}

#[test]
fn every_row_of_hostile_names_can_be_followed_and_copied() {
    let mut stage = Stage::new(&hostile(), NOW);
    for screen in ["1", "2", "3", "4", "5"] {
        stage.press(screen).press("g");
        for _ in 0..stage.model.rows.len() {
            stage.press("y Down Enter y").text();
            stage.press("Esc").text();
        }
    }
}

#[test]
fn what_the_lab_says_is_cleaned() {
    let hostile = "\u{1b}[2J\n\u{202e}任务\u{9b}".to_owned();
    let mut stage = Stage::new("", NOW);
    for news in [
        News::Stored {
            key: hostile.clone(),
        },
        News::Refused(hostile.clone()),
        News::Died(hostile.clone()),
    ] {
        stage.send(Message::Lab(news)).text();
    }
    stage
        .send(Message::SourceEnded(SourceEnd::Failed(hostile.clone())))
        .text();
    stage.send(Message::Done(Err(hostile.clone()))).text();
    stage.press("/").send(Message::Paste(hostile)).text();
    stage.type_in("\u{202e}\u{2066}").text();
    assert_eq!(stage.model.table().filter, "[2J任务");
}
