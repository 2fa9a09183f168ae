//! Tabs, the filter, column titles and rows.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::Line,
};
use unicode_width::UnicodeWidthStr as _;

use super::{put, put_right, row, styled};
use crate::tui::{
    keymap::Action,
    layout::{self, MARGIN},
    model::{Cursor, Model, Popup},
    rows::{Rows, Screen, each},
    table::TableRow,
    words,
};

/// The tabs and, behind them, the filter; the cursor stands in a filter that is typed.
pub(super) fn tabs(model: &Model, area: Rect, buffer: &mut Buffer) -> Cursor {
    let theme = &model.theme;
    if let Some(Popup::Filter(input, wrong, _)) = &model.popup {
        return typed(model, input, wrong.as_ref(), area, buffer);
    }
    let mut end = area.x;
    for (screen, x, text) in layout::tabs(model.screen, model.lab.is_some(), area.width) {
        let style = if screen == model.screen {
            theme.accent.add_modifier(Modifier::REVERSED)
        } else {
            theme.text
        };
        let at = area.x + x;
        let width = u16::try_from(text.width()).unwrap_or(0);
        if at + width > area.right() {
            break;
        }
        buffer.set_string(at, area.y, &text, style);
        end = at + width;
    }
    let key = |action| model.keymap.first_key(action);
    let rest = Rect {
        x: end + 2,
        width: area.right().saturating_sub(end + 2),
        ..area
    };
    let filter = &model.table().filter;
    let line = if filter.is_empty() {
        let (filter, help) = (key(Action::Filter), key(Action::Help));
        Line::from(styled(format!("{filter} filter  {help} help"), theme.dim))
    } else {
        let shown = model.rows.len();
        let counts = format!("{shown} of {}", shown + model.hidden);
        // How many pass is what a filter is for.
        let room = usize::from(rest.width).saturating_sub(counts.width() + 2);
        let filter = words::without_middle(filter, room, model.glyphs.cut);
        Line::from(vec![
            styled(format!("{filter}  "), theme.warning),
            styled(counts, theme.dim),
        ])
    };
    put_right(buffer, rest, &line, model.glyphs.cut);
    None
}

/// A filter that is typed, with what is wrong where it is wrong.
fn typed(
    model: &Model,
    input: &tui_input::Input,
    wrong: Option<&crate::tui::filter::FilterError>,
    area: Rect,
    buffer: &mut Buffer,
) -> Cursor {
    let theme = &model.theme;
    let prompt = format!("{} filter ", model.screen.title());
    buffer.set_string(area.x, area.y, &prompt, theme.accent);
    let from = area.x + u16::try_from(prompt.width()).unwrap_or(0);
    let room = area.right().saturating_sub(from);
    let scrolled = input.visual_scroll(usize::from(room.saturating_sub(1)));
    let visible: String = {
        let mut skipped = 0;
        let rest = input.value().chars().skip_while(|character| {
            let before = skipped;
            skipped += unicode_width::UnicodeWidthChar::width(*character).unwrap_or(0);
            before < scrolled
        });
        rest.collect()
    };
    let text = Line::from(styled(visible, theme.strong));
    put(
        buffer,
        Rect {
            x: from,
            width: room,
            ..area
        },
        &text,
        "",
    );
    let said = match wrong {
        Some(error) => {
            let before = input.value().get(..error.at).unwrap_or_default().width();
            let at = from + u16::try_from(before.saturating_sub(scrolled)).unwrap_or(0);
            let marked = input.value().get(error.at..error.at + error.len);
            let long = marked.map_or(1, |text| text.width().max(1));
            let long = u16::try_from(long).unwrap_or(u16::MAX);
            if at < area.right() {
                let width = long.min(area.right() - at);
                let place = Rect {
                    x: at,
                    width,
                    height: 1,
                    y: area.y,
                };
                buffer.set_style(place, theme.alarm);
            }
            Line::from(styled(format!(" {} ", error.what), theme.alarm))
        }
        None => {
            let shown = model.rows.len();
            let count = format!("{shown} of {}", shown + model.hidden);
            Line::from(styled(format!("{count}  Enter keeps it"), theme.dim))
        }
    };
    // Behind what is typed, where there is room; else below it.
    let after = from + u16::try_from(input.value().width().min(usize::from(room))).unwrap_or(0) + 2;
    let beside = Rect {
        x: after,
        width: area.right().saturating_sub(after),
        ..area
    };
    if said.width() <= usize::from(beside.width) {
        put_right(buffer, beside, &said, "");
    } else {
        let below = Rect {
            y: area.y + 1,
            ..area
        };
        if wrong.is_some() {
            buffer.set_style(below, Style::reset());
            put(buffer, below, &said, model.glyphs.cut);
        }
    }
    let cursor = input.visual_cursor().saturating_sub(scrolled);
    let x = from.saturating_add(u16::try_from(cursor).unwrap_or(u16::MAX));
    Some(Position::new(x.min(area.right().saturating_sub(1)), area.y))
}

/// The column titles.
pub(super) fn head(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    if matches!(&model.popup, Some(Popup::Filter(_, Some(_), _)))
        && (area.left()..area.right()).any(|x| buffer[(x, area.y)].symbol() != " ")
    {
        return;
    }
    let (theme, table) = (&model.theme, model.table());
    let titles = model.rows.columns();
    for (index, x, width) in layout::columns(model, area.width) {
        let title = titles[index].0;
        let sign = if index == table.choice.column {
            model.glyphs.sorted[usize::from(table.choice.down)]
        } else {
            ""
        };
        let text = format!("{title}{sign}");
        let style = if index == table.column {
            theme.title.add_modifier(Modifier::UNDERLINED)
        } else {
            theme.title
        };
        let cells = Rect {
            x: area.x + x,
            width,
            ..area
        };
        let line = Line::from(styled(text, style));
        if is_right(&model.rows, index) {
            // A sign may stand in the gap: titles stay above their numbers.
            put_right(buffer, cells, &line, "");
        } else {
            put(
                buffer,
                Rect {
                    width: width + 1,
                    ..cells
                },
                &line,
                "",
            );
        }
    }
}

fn is_right(rows: &Rows, index: usize) -> bool {
    fn of<R: TableRow>(_: &[R], index: usize) -> bool {
        R::COLUMNS.get(index).is_some_and(|column| column.right)
    }
    each!(rows, rows => of(rows, index))
}

/// The rows that are seen.
pub(super) fn body(model: &Model, area: Rect, buffer: &mut Buffer) {
    if model.rows.is_empty() {
        empty(model, area, buffer);
        return;
    }
    each!(&model.rows, rows => some(model, rows, area, buffer));
}

fn some<R: TableRow>(model: &Model, rows: &[R], area: Rect, buffer: &mut Buffer) {
    let (table, look) = (model.table(), model.look());
    let columns = layout::columns(model, area.width);
    let seen = rows.iter().enumerate().skip(table.top);
    for (line, (index, one)) in seen.take(usize::from(area.height)).enumerate() {
        let Some(area) = row(area, line) else {
            return;
        };
        for &(column, x, width) in &columns {
            let column = &R::COLUMNS[column];
            let cell = (column.cell)(one, &look, usize::from(width));
            let cells = Rect {
                x: area.x + x,
                width: width.min(area.right().saturating_sub(area.x + x)),
                ..area
            };
            if column.right {
                put_right(buffer, cells, &cell, model.glyphs.cut);
            } else {
                put(buffer, cells, &cell, model.glyphs.cut);
            }
        }
        if index == table.row {
            let style = if model.in_detail() {
                Style::default()
            } else {
                model.theme.selected
            };
            buffer.set_style(area, style);
            let cursor = if model.in_detail() {
                model.theme.dim
            } else {
                model.theme.accent
            };
            buffer.set_string(area.x, area.y, model.glyphs.cursor, cursor);
        }
    }
}

/// What to do where there is nothing to see.
fn empty(model: &Model, area: Rect, buffer: &mut Buffer) {
    let key = |action| model.keymap.first_key(action);
    let words = if model.hidden > 0 {
        format!(
            "nothing fits the filter; {} are kept out.  {} clears it",
            model.hidden,
            key(Action::ClearFilter)
        )
    } else {
        match model.screen {
            Screen::Entries if model.lab.is_some() => format!(
                "no entries.  {} stores one, {} many, {} plays a scenario",
                key(Action::Store),
                key(Action::Burst),
                key(Action::Auto)
            ),
            Screen::Entries if model.declares_deletes() => {
                "no entries: the program's marks have not told of a store yet".to_owned()
            }
            Screen::Entries => format!(
                "no deletes are declared by this program's marks.  {} ranks what it holds",
                key(Action::Screen(0))
            ),
            Screen::Triage => "nothing was counted yet".to_owned(),
            Screen::Threads => "no threads yet".to_owned(),
            Screen::Handles => "no handles yet".to_owned(),
            Screen::Waits if model.source.probes.is_none() => {
                "waits are not sampled: /proc is polled".to_owned()
            }
            Screen::Waits => {
                "no waits were sampled; the probe set may be without them (--probe-set waits)"
                    .to_owned()
            }
            Screen::Events => "nothing has happened yet".to_owned(),
        }
    };
    if let Some(area) = row(area, 1) {
        let area = Rect {
            x: area.x + MARGIN,
            width: area.width.saturating_sub(MARGIN),
            ..area
        };
        put(
            buffer,
            area,
            &Line::from(styled(words, model.theme.dim)),
            model.glyphs.cut,
        );
    }
}

/// The selected row's cells, as far as they are seen, with blanks between them.
pub fn selected_text(model: &Model) -> Option<String> {
    fn of<R: TableRow>(model: &Model, rows: &[R]) -> Option<String> {
        let row = rows.get(model.table().row)?;
        let look = model.look();
        let cells = R::COLUMNS.iter().map(|column| {
            let line = (column.cell)(row, &look, 200);
            line.spans
                .iter()
                .map(|span| span.content.as_ref())
                .collect::<String>()
        });
        Some(cells.collect::<Vec<_>>().join("  "))
    }
    each!(&model.rows, rows => of(model, rows))
}
