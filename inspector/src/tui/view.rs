//! The model as cells. Pure: it reads the model and writes a buffer, and nothing else.

mod axis;
pub mod banner;
mod chart;
pub mod detail;
mod foot;
pub mod help;
pub mod output;
mod performance;
mod popup;
pub mod rows;
pub mod scrubber;
mod title;
pub mod triage;

use ratatui::{
    buffer::{Buffer, CellWidth as _},
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{
    layout::Areas,
    model::{Cursor, Model, Popup},
    theme::Theme,
};

/// Smallest terminal that anything sensible fits into.
const SMALLEST: (u16, u16) = (30, 6);

/// Draws everything; says where the cursor stands, if one is shown.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) -> Cursor {
    if area.width < model.size.width || area.height < model.size.height {
        // The terminal has shrunk, and news of that is on its way.
        return None;
    }
    let cursor = parts(model, area, buffer);
    if model.glyphs.is_ascii() {
        only_ascii(buffer);
    }
    cursor
}

fn parts(model: &Model, area: Rect, buffer: &mut Buffer) -> Cursor {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let (width, height) = SMALLEST;
        put(
            buffer,
            area,
            &Line::raw(format!("too small: {width}×{height} at least")),
            "",
        );
        return None;
    }
    let areas = Areas::of(model);
    title::draw(model, areas.title, buffer);
    banner::draw(model, areas.banner, buffer);
    chart::draw(model, areas.chart, buffer);
    scrubber::draw(model, areas.scrubber, buffer);
    let cursor = rows::tabs(model, areas.tabs, buffer);
    triage::limits(model, areas.limits, buffer);
    rows::head(model, areas.head, buffer);
    rows::body(model, areas.body, buffer);
    detail::draw(model, areas.rule, areas.detail, buffer);
    triage::words(model, areas.words, buffer);
    foot::status(model, areas.status, buffer);
    foot::keys(model, areas.keys, buffer);
    match &model.popup {
        Some(Popup::Help(scrolled)) => help::draw(model, *scrolled, area, buffer),
        Some(Popup::Performance) => performance::draw(model, area, buffer),
        Some(Popup::Burst(input, wrong)) => {
            return popup::burst(model, input, wrong.as_deref(), area, buffer);
        }
        Some(Popup::Goto(input, wrong)) => {
            return popup::goto(model, input, wrong.as_deref(), area, buffer);
        }
        Some(Popup::Auto(chosen)) => popup::auto(model, *chosen, area, buffer),
        Some(Popup::Output(scrolled)) => output::draw(model, *scrolled, area, buffer),
        Some(Popup::Leave) => popup::leave(model, area, buffer),
        Some(Popup::Filter(..)) | None => return cursor,
    }
    None
}

/// For a terminal without Unicode: whatever it can't show, in keys and words alike, becomes a
/// sign that takes as many cells.
fn only_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = match cell.symbol() {
            symbol if symbol.is_ascii() => continue,
            "×" => "x",
            "µ" => "u",
            "…" => "~",
            "–" => "-",
            symbol if symbol.cell_width() > 1 => "??",
            _ => "?",
        };
        cell.set_symbol(symbol);
    }
}

/// The screen as text, as it is drawn.
pub fn text(model: &Model) -> String {
    let area = Rect::new(0, 0, model.size.width, model.size.height);
    let mut buffer = Buffer::empty(area);
    draw(model, area, &mut buffer);
    buffer_text(&buffer)
}

/// A buffer's rows as lines, without blanks at their ends.
pub fn buffer_text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut covered = 0;
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            if covered > 0 {
                // The right half of a wide character.
                covered -= 1;
                continue;
            }
            line.push_str(symbol);
            covered = symbol.cell_width().saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A line within an area; what does not fit is cut, and a sign says so.
fn put(buffer: &mut Buffer, area: Rect, line: &Line<'_>, cut: &str) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let fits = line.width() <= usize::from(area.width);
    let width = if fits || cut.is_empty() {
        area.width
    } else {
        area.width - 1
    };
    let (x, _) = buffer.set_line(area.x, area.y, line, width);
    if !fits && !cut.is_empty() {
        let style = line.spans.last().map(|span| span.style).unwrap_or_default();
        buffer.set_string(
            x.min(area.right() - 1),
            area.y,
            cut,
            line.style.patch(style),
        );
    }
}

/// A line at the right edge, left of which at least a blank stays.
fn put_right(buffer: &mut Buffer, area: Rect, line: &Line<'_>, cut: &str) -> u16 {
    let width = u16::try_from(line.width())
        .unwrap_or(u16::MAX)
        .min(area.width);
    let at = Rect {
        x: area.right() - width,
        width,
        ..area
    };
    put(buffer, at, line, cut);
    area.width.saturating_sub(width).saturating_sub(1)
}

/// What is drawn from here on lies over what was there: a wide character to its left that reaches
/// into it can't stand half.
fn cut_off(buffer: &mut Buffer, x: u16, y: u16) {
    for back in 1..=x.min(WIDEST) {
        let cell = &mut buffer[(x - back, y)];
        if cell.cell_width() > back {
            cell.set_symbol(" ");
        }
    }
}

/// Cells of the widest character: a family of emoji, or a row of sound marks, on a bad day.
const WIDEST: u16 = 16;

/// A row of an area.
fn row(area: Rect, index: usize) -> Option<Rect> {
    let index = u16::try_from(index).ok()?;
    let within = index < area.height;
    within.then(|| Rect {
        y: area.y + index,
        height: 1,
        ..area
    })
}

/// Parts with a dot between them, the last of those that matter least left out until the others fit
/// whole. What matters more has the larger number.
fn fitting(mut parts: Vec<(u8, Span<'static>)>, width: u16, model: &Model) -> Line<'static> {
    loop {
        let spans = parts.iter().map(|(_, span)| span.clone()).collect();
        let line = dotted(spans, model);
        let least = parts.iter().enumerate().rev();
        let least = least.min_by_key(|(_, (matters, _))| *matters);
        match least.map(|(at, _)| at) {
            Some(at) if parts.len() > 1 && line.width() > width.into() => drop(parts.remove(at)),
            _ => return line,
        }
    }
}

/// Keys and what they do, as many from the first on as there is room for.
fn labels(
    labels: impl IntoIterator<Item = (String, &'static str)>,
    width: u16,
    theme: &Theme,
) -> Line<'static> {
    let mut line = Line::default();
    for (key, label) in labels {
        let gap = if line.spans.is_empty() { "" } else { "  " };
        let more = [
            styled(format!("{gap}{key}"), theme.accent),
            styled(format!(" {label}"), theme.dim),
        ];
        let wide = line.width() + more.iter().map(Span::width).sum::<usize>();
        if wide > width.into() {
            break;
        }
        line.extend(more);
    }
    line
}

/// Spans with a dot between them.
fn dotted(parts: Vec<Span<'static>>, model: &Model) -> Line<'static> {
    let mut spans = Vec::with_capacity(parts.len() * 2);
    for part in parts {
        if !spans.is_empty() {
            spans.push(Span::styled(
                format!(" {} ", model.glyphs.dot),
                model.theme.dim,
            ));
        }
        spans.push(part);
    }
    Line::from(spans)
}

fn styled(text: impl Into<String>, style: Style) -> Span<'static> {
    Span::styled(text.into(), style)
}
