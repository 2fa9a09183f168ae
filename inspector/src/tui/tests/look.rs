//! Colours: which there are, that no meaning rests on them alone, and that they can be left out.

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    style::{Color, Style},
};

use super::{
    stage::{Stage, keep, setting},
    worlds::{FATES, NOW},
};
use crate::tui::{
    model::Setting,
    theme::{ASCII, Class, Palette, UNICODE},
};

fn stage(palette: Palette, ascii: bool) -> Stage {
    let setting = Setting {
        palette,
        ascii,
        ..setting()
    };
    Stage::with(setting, FATES, NOW)
}

/// Each line's stretches of one style, with their words: `"text" fg bg modifiers`.
fn styles(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in area.top()..area.bottom() {
        let mut stretches: Vec<(Style, String)> = Vec::new();
        for x in area.left()..area.right() {
            let cell = &buffer[(x, y)];
            match stretches.last_mut() {
                Some((style, words)) if *style == cell.style() => words.push_str(cell.symbol()),
                _ => stretches.push((cell.style(), cell.symbol().to_owned())),
            }
        }
        for (style, words) in stretches {
            let words = words.trim();
            let told = told(style);
            if !words.is_empty() && !told.is_empty() {
                writeln!(text, "{y:>2} {words:?}{told}").unwrap();
            }
        }
    }
    text
}

fn told(style: Style) -> String {
    let mut told = String::new();
    for (ground, color) in [("", style.fg), (" on", style.bg)] {
        if let Some(color) = color.filter(|color| *color != Color::Reset) {
            write!(told, "{ground} {color}").unwrap();
        }
    }
    if !style.add_modifier.is_empty() {
        write!(told, " {:?}", style.add_modifier).unwrap();
    }
    told
}

#[test]
fn the_styles_of_the_entries() {
    for (name, palette) in [
        ("styles-dark", Palette::Dark),
        ("styles-light", Palette::Light),
        ("styles-mono", Palette::Mono),
    ] {
        let stage = stage(palette, false);
        keep(name, &styles(&stage.cells()));
    }
}

#[test]
fn no_color_means_none() {
    let mut stage = stage(Palette::Mono, false);
    for keys in [
        "", "Enter", "Down", "Esc", "2", "Enter", "3", "4", "5", "?", "Esc", "i", "Esc", "a",
        "Esc", "b", "x", "Esc", "/", "x", ":", "Esc", "space",
    ] {
        stage.press(keys);
        let buffer = stage.cells();
        for cell in &buffer.content {
            assert_eq!(
                (cell.fg, cell.bg),
                (Color::Reset, Color::Reset),
                "after {keys}: {:?}",
                cell.symbol()
            );
        }
    }
}

#[test]
fn a_verdict_is_never_told_by_its_colour_alone() {
    for palette in [Palette::Dark, Palette::Light, Palette::Mono] {
        for (ascii, glyphs) in [(false, UNICODE), (true, ASCII)] {
            let text = stage(palette, ascii).text().to_lowercase();
            for class in Class::WORST_FIRST {
                let sign = glyphs.class(class).to_lowercase();
                if class != Class::Live {
                    let told = format!("{sign} {}", class.word());
                    assert!(text.contains(&told), "no {told:?}:\n{text}");
                }
                for other in Class::WORST_FIRST
                    .into_iter()
                    .filter(|other| *other != class)
                {
                    assert_ne!(glyphs.class(class), glyphs.class(other));
                    assert_ne!(class.word(), other.word());
                }
            }
        }
    }
}
