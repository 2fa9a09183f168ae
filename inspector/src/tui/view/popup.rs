//! Boxes over the screen: the burst's number, the scenarios, and whether to leave.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
    widgets::{Block, BorderType, Widget as _},
};
use tui_input::Input;
use unicode_width::UnicodeWidthStr as _;

use super::{detail::blank, put, row, styled};
use crate::tui::{
    keymap::Action,
    model::{Cursor, Model},
    watched::Watched,
};

/// A box in the middle, at most as large as asked; what is inside its border.
pub(super) fn boxed(
    model: &Model,
    title: &str,
    size: (u16, u16),
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let width = size.0.min(area.width);
    let height = size.1.min(area.height);
    let outer = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    blank(buffer, outer);
    let kind = if model.glyphs.rule == "-" {
        None
    } else {
        Some(BorderType::Rounded)
    };
    let block = Block::bordered()
        .title(Line::from(styled(format!(" {title} "), model.theme.accent)))
        .border_style(model.theme.dim);
    let block = match kind {
        Some(kind) => block.border_type(kind),
        None => block.border_set(ratatui::symbols::border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        }),
    };
    let inner = block.inner(outer);
    block.render(outer, buffer);
    Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    }
}

pub(super) fn burst(
    model: &Model,
    input: &Input,
    wrong: Option<&str>,
    area: Rect,
    buffer: &mut Buffer,
) -> Cursor {
    let inner = boxed(model, "store many keys", (52, 5), area, buffer);
    let theme = &model.theme;
    let below = match (wrong, &model.lab) {
        (Some(wrong), _) => Line::from(styled(wrong.to_owned(), theme.warning)),
        (None, Some(lab)) => Line::from(styled(
            format!(
                "each owns a {}; Enter stores, Esc does not",
                lab.entry.name()
            ),
            theme.dim,
        )),
        (None, None) => Line::default(),
    };
    line(model, inner, ("how many? ", input), &below, buffer)
}

/// Where to go in a recording.
pub(super) fn goto(
    model: &Model,
    input: &Input,
    wrong: Option<&str>,
    area: Rect,
    buffer: &mut Buffer,
) -> Cursor {
    let below = wrong.unwrap_or("14:03:07  14:03:07.250  +90s  -3m  50%  start  end");
    let below = match wrong {
        Some(_) => styled(below.to_owned(), model.theme.warning),
        None => styled(below.to_owned(), model.theme.dim),
    };
    let inner = boxed(
        model,
        "go to a time of the recording",
        (76, 5),
        area,
        buffer,
    );
    line(model, inner, ("where? ", input), &Line::from(below), buffer)
}

/// A line that is typed, and what is said below it.
fn line(
    model: &Model,
    inner: Rect,
    (prompt, input): (&'static str, &Input),
    below: &Line<'_>,
    buffer: &mut Buffer,
) -> Cursor {
    let theme = &model.theme;
    let line = Line::from(vec![
        styled(prompt, theme.text),
        styled(input.value().to_owned(), theme.strong),
    ]);
    put(buffer, inner, &line, model.glyphs.cut);
    if let Some(area) = row(inner, 2) {
        put(buffer, area, below, model.glyphs.cut);
    }
    let cursor = u16::try_from(prompt.width() + input.visual_cursor()).unwrap_or(u16::MAX);
    Some(Position::new(
        inner
            .x
            .saturating_add(cursor)
            .min(inner.right().saturating_sub(1)),
        inner.y,
    ))
}

/// The scenarios, each with what it shows.
pub(super) fn auto(model: &Model, chosen: usize, area: Rect, buffer: &mut Buffer) {
    let rows: Vec<_> = Model::scenarios().collect();
    let height = u16::try_from(rows.len() + 4).unwrap_or(u16::MAX);
    let inner = boxed(model, "play a scenario", (84, height), area, buffer);
    let theme = &model.theme;
    let seen = usize::from(inner.height.saturating_sub(2));
    let first = (chosen + 1).saturating_sub(seen);
    for (line, (index, (scenario, variant))) in
        rows.iter().enumerate().skip(first).take(seen).enumerate()
    {
        let Some(area) = row(inner, line) else {
            return;
        };
        let cursor = if index == chosen {
            model.glyphs.cursor
        } else {
            " "
        };
        let text = Line::from(vec![
            styled(format!("{cursor} "), theme.accent),
            styled(format!("{:<18} ", scenario.name), theme.strong),
            styled(format!("{:<6} ", variant.which.name()), theme.warning),
            styled(scenario.point, theme.text),
        ]);
        put(buffer, area, &text, model.glyphs.cut);
        if index == chosen {
            buffer.set_style(area, theme.selected);
        }
    }
    if let Some(area) = row(inner, usize::from(inner.height.saturating_sub(1))) {
        let line = Line::from(styled(
            "Enter plays it on three new keys, Esc closes",
            theme.dim,
        ));
        put(buffer, area, &line, model.glyphs.cut);
    }
}

/// Whether to end what still runs.
pub(super) fn leave(model: &Model, area: Rect, buffer: &mut Buffer) {
    let inner = boxed(model, "it still runs", (64, 5), area, buffer);
    let theme = &model.theme;
    let command = model.watched.as_ref().and_then(Watched::command);
    let key = |action| model.keymap.first_key(action);
    let lines = [
        Line::from(vec![
            styled(command.unwrap_or_default(), theme.strong),
            styled(" still runs", theme.text),
        ]),
        Line::default(),
        Line::from(vec![
            styled(key(Action::Quit), theme.accent),
            styled(" again ends it (SIGTERM), ", theme.text),
            styled(key(Action::Escape), theme.accent),
            styled(" stays", theme.text),
        ]),
    ];
    for (index, line) in lines.iter().enumerate() {
        if let Some(area) = row(inner, index) {
            put(buffer, area, line, model.glyphs.cut);
        }
    }
}
