//! Where in a recording the screen is, on an axis with all that can be jumped to; above it what lived
//! when, on the same axis.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::Line,
};

use super::{put, row, styled};
use crate::{
    event::BootTime,
    trace::timeline::{Column, Mark},
    tui::{model::Model, replay::Replay, theme::Class, words},
};

/// Cells before the axis: the speed, and when it begins.
const LABEL: u16 = 17;
/// Cells behind it: when it ends.
const END: u16 = 11;
/// Axes are at least so wide, or there is none.
const SHORTEST: u16 = 8;

/// The cells of the axis, of a line of the scrubber or of the chart above it.
pub fn axis(area: Rect) -> Rect {
    let width = area.width.saturating_sub(LABEL + END);
    if area.height == 0 || width < SHORTEST {
        return Rect::default();
    }
    Rect {
        x: area.x + LABEL,
        width,
        ..area
    }
}

/// The axis of the time, and what is on it.
pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(replay) = &model.replay else {
        return;
    };
    let (theme, glyphs, axis) = (&model.theme, &model.glyphs, axis(area));
    let playing = if replay.is_playing {
        styled(glyphs.on, theme.accent)
    } else {
        styled(glyphs.paused, theme.strong)
    };
    let label = Line::from(vec![
        playing,
        styled(format!(" {:<5}", replay.speed_words()), theme.strong),
        styled(format!(" {}", time(model, replay.timeline.from)), theme.dim),
    ]);
    put(
        buffer,
        Rect {
            width: area.width.min(LABEL),
            ..area
        },
        &label,
        "",
    );
    if axis.width == 0 {
        return;
    }
    buffer.set_string(axis.x - 1, axis.y, glyphs.birth, theme.dim);
    buffer.set_string(axis.right(), axis.y, glyphs.death, theme.dim);
    let until = format!(" {}", time(model, replay.timeline.until));
    buffer.set_string(axis.right() + 1, axis.y, until, theme.dim);
    let head = head(replay);
    for (column, x) in columns(replay, axis) {
        let (sign, style) = match column.1.mark {
            Some(Mark::Delete) => (glyphs.delete, theme.delete),
            Some(Mark::Note) => (glyphs.note, theme.accent),
            Some(Mark::Verdict) => (glyphs.class(Class::Retained), theme.class(Class::Retained)),
            Some(Mark::Gap) => (glyphs.warn, theme.warning),
            None if column.0 < head => (glyphs.life, theme.accent.remove_modifier(Modifier::BOLD)),
            None => (glyphs.rule, theme.dim),
        };
        if column.0 == head {
            let sign = if column.1.mark.is_some() {
                sign
            } else {
                glyphs.head
            };
            let style = theme.accent.add_modifier(Modifier::REVERSED);
            buffer.set_string(x, axis.y, sign, style);
        } else {
            buffer.set_string(x, axis.y, sign, style);
        }
    }
}

/// A time of day, to the second.
fn time(model: &Model, at: BootTime) -> String {
    let mut time = words::wall(at, model.clock.boot_on_wall_ns, 0);
    time.truncate("00:00:00".len());
    time
}

/// The column of the time that is shown.
fn head(replay: &Replay) -> usize {
    replay.timeline.column(replay.at, replay.columns.len())
}

fn columns(replay: &Replay, axis: Rect) -> impl Iterator<Item = ((usize, &Column), u16)> {
    replay.columns.iter().enumerate().zip(axis.x..axis.right())
}

/// Its name, the value now, its colour, and what it takes of a column.
type Chart = (&'static str, u32, Style, fn(&Column) -> Option<u32>);

/// Live threads and handles over all of the recording; what is still to come is dim.
pub(super) fn chart(model: &Model, replay: &Replay, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let (threads, handles) = model.live.ledger().live();
    let charts: [Chart; 2] = [
        ("threads", threads, theme.thread, |column| {
            column.lives.map(|lives| lives.threads)
        }),
        ("handles", handles, theme.handle, |column| {
            column.lives.map(|lives| lives.handles)
        }),
    ];
    let head = head(replay);
    for (index, (name, now, style, value)) in charts.into_iter().enumerate() {
        let Some(area) = row(area, index) else {
            continue;
        };
        let axis = axis(area);
        let label = Line::from(vec![
            styled(format!("{name} "), theme.dim),
            styled(format!("{:>7}", words::count(now.into())), theme.strong),
        ]);
        put(
            buffer,
            Rect {
                width: area.width.min(LABEL),
                ..area
            },
            &label,
            "",
        );
        let values = || replay.columns.iter().filter_map(value);
        let most = values().max().unwrap_or(0);
        let floor = super::chart::floor(values().min().unwrap_or(0), most);
        for ((number, column), x) in columns(replay, axis) {
            let Some(value) = value(column) else {
                continue;
            };
            let bar = super::chart::bar(&model.glyphs, value, floor, most);
            let style = if number <= head { style } else { theme.dim };
            buffer.set_string(x, axis.y, bar, style);
        }
        if axis.width > 0 {
            let most = format!(" most {}", words::short(most.into()));
            let behind = Rect {
                x: axis.right(),
                width: END,
                ..area
            };
            put(
                buffer,
                behind,
                &Line::from(styled(most, theme.dim)),
                model.glyphs.cut,
            );
        }
    }
}
