//! What the command printed last, over the whole screen.

use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
    text::Line,
};

use super::{popup::boxed, put, row, styled};
use crate::tui::{keymap::Action, model::Model, words};

/// Cells and lines inside the box: what is below its last line says where it is all kept.
fn inner(size: Size) -> (usize, usize) {
    let width = size.width.saturating_sub(4);
    let height = size.height.saturating_sub(3);
    (usize::from(width), usize::from(height))
}

/// How far it can be scrolled up from its end.
pub fn most_scrolled(model: &Model) -> usize {
    let (width, height) = inner(model.size);
    let Some(Ok(output)) = &model.output else {
        return 0;
    };
    output.pieces(width).len().saturating_sub(height)
}

pub(super) fn draw(model: &Model, scrolled: usize, area: Rect, buffer: &mut Buffer) {
    let key = |action| model.keymap.first_key(action);
    // A larger screen may show more than when it was scrolled.
    let scrolled = scrolled.min(most_scrolled(model));
    let title = match scrolled {
        0 => format!("output: its end, {} closes", key(Action::Escape)),
        _ => format!(
            "output: held, {} lines more {}, {} follows its end, {} closes",
            words::count(scrolled as u64),
            model.glyphs.sorted[1],
            key(Action::Bottom),
            key(Action::Escape)
        ),
    };
    let inside = boxed(model, &title, (area.width, area.height), area, buffer);
    let (width, height) = inner(model.size);
    let theme = &model.theme;
    let say = |line: usize, text: String, style, buffer: &mut Buffer| {
        if let Some(area) = row(inside, line) {
            put(
                buffer,
                area,
                &Line::from(styled(text, style)),
                model.glyphs.cut,
            );
        }
    };
    match &model.output {
        None => say(0, "reading it".to_owned(), theme.dim, buffer),
        Some(Err(why)) => {
            let text = format!("it can't be read: {why}");
            say(0, text, theme.warning, buffer);
        }
        Some(Ok(output)) => {
            let pieces = output.pieces(width);
            if pieces.is_empty() {
                say(
                    0,
                    "nothing was printed so far".to_owned(),
                    theme.dim,
                    buffer,
                );
            }
            let end = pieces.len() - scrolled;
            let from = end.saturating_sub(height);
            for (index, piece) in pieces[from..end].iter().enumerate() {
                say(index, (*piece).to_owned(), theme.text, buffer);
            }
        }
    }
    say(height, kept(model), theme.dim, buffer);
}

/// Where it is all kept, and how much of it is not here.
fn kept(model: &Model) -> String {
    let watched = model.watched.as_ref();
    let place = match watched.and_then(|watched| watched.output.as_ref()) {
        Some(place) => format!("all of it stands in {place}"),
        None => String::new(),
    };
    let before = match &model.output {
        Some(Ok(output)) => output.before(),
        _ => 0,
    };
    match before {
        0 => place,
        before => format!("{place}; {} bytes before these lines", words::short(before)),
    }
}
