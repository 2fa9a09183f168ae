//! Live threads and handles over time, with the deletes on the same axis.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{put, row, styled};
use crate::tui::{history::Sample, model::Model, theme::Glyphs, words};

/// Cells before the axis.
const LABEL: u16 = 16;

/// Its name, the value now, its colour, and what it takes of a sample.
type Chart = (&'static str, u32, Style, fn(&Sample) -> u32);

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 || area.width <= LABEL + 4 {
        return;
    }
    if let Some(replay) = &model.replay {
        super::scrubber::chart(model, replay, area, buffer);
        return;
    }
    let axis = usize::from(area.width - LABEL);
    let columns = model.world().history().columns(model.now(), axis);
    let theme = &model.theme;
    let live = model.world().live();
    let has_row = area.height > 2;
    let charts: [Chart; 2] = [
        ("threads", live.threads, theme.thread, |sample| {
            sample.threads
        }),
        ("handles", live.handles, theme.handle, |sample| {
            sample.handles
        }),
    ];
    for (index, (name, now, style, value)) in charts.into_iter().enumerate() {
        let Some(area) = row(area, index) else {
            continue;
        };
        label(model, name, now.into(), area, buffer);
        let values: Vec<Option<u32>> = columns
            .iter()
            .map(|(sample, _)| sample.as_ref().map(value))
            .collect();
        let most = values.iter().flatten().copied().max().unwrap_or(0);
        let least = values.iter().flatten().copied().min().unwrap_or(0);
        let floor = floor(least, most);
        for (x, (value, (_, deletes))) in
            (area.x + LABEL..area.right()).zip(values.iter().zip(&columns))
        {
            let Some(value) = value else { continue };
            let bar = bar(&model.glyphs, *value, floor, most);
            // Where there is no row for them, deletes colour what they changed.
            let style = if *deletes > 0 && !has_row {
                theme.delete
            } else {
                style
            };
            buffer.set_string(x, area.y, bar, style);
        }
    }
    let Some(area) = row(area, 2) else {
        return;
    };
    let seen: usize = columns.iter().map(|(_, deletes)| deletes).sum();
    label(model, "deletes", seen as u64, area, buffer);
    for (x, (_, deletes)) in (area.x + LABEL..area.right()).zip(&columns) {
        if *deletes > 0 {
            buffer.set_string(x, area.y, model.glyphs.delete, theme.delete);
        }
    }
    if seen == 0 {
        let words = if model.lab.is_some() || model.declares_deletes() {
            "none yet; each will stand here as a line"
        } else {
            "none are declared"
        };
        let line = Line::from(styled(words, theme.dim));
        put(
            buffer,
            Rect {
                x: area.x + LABEL,
                width: area.width - LABEL,
                ..area
            },
            &line,
            "",
        );
    }
}

/// The lower part of what never moves says nothing: the chart begins a little below it.
pub(super) fn floor(least: u32, most: u32) -> u32 {
    least.saturating_sub((most - least).max(1))
}

/// A column of a chart that begins at `floor`.
pub(super) fn bar(glyphs: &Glyphs, value: u32, floor: u32, most: u32) -> &'static str {
    // Not to the very top: two charts stand one above the other.
    let height = (u64::from(value - floor) * 7).div_ceil(u64::from(most - floor).max(1));
    glyphs.bars[usize::try_from(height).unwrap_or(7).min(7)]
}

/// A chart's name and its count, before the axis.
fn label(model: &Model, name: &str, count: u64, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let line = Line::from(vec![
        styled(format!("{name} "), theme.dim),
        styled(format!("{:>6}", words::count(count)), theme.strong),
    ]);
    let area = Rect {
        width: LABEL - 1,
        ..area
    };
    put(buffer, area, &line, "");
}
