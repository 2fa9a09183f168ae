//! Help: the open screen's columns, the chosen one first, what its filter can ask, and the keys.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};
use unicode_width::UnicodeWidthStr as _;

use super::{popup::boxed, put, row, styled};
use crate::tui::{keymap::Section, model::Model};

fn lines(model: &Model, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut lines = Vec::new();
    let columns = model.rows.columns();
    let chosen = model.table().column;
    let explain = |index: usize, lines: &mut Vec<Line<'static>>| {
        let (title, about, source) = columns[index];
        lines.push(Line::from(styled(title, theme.strong)));
        wrap(about, width.saturating_sub(2), &mut |part| {
            lines.push(Line::from(styled(format!("  {part}"), theme.text)));
        });
        wrap(
            &format!("source: {source}"),
            width.saturating_sub(2),
            &mut |part| {
                lines.push(Line::from(styled(format!("  {part}"), theme.dim)));
            },
        );
    };
    lines.push(heading(
        model,
        &format!("The chosen column of {}", model.screen.title()),
    ));
    if chosen < columns.len() {
        explain(chosen, &mut lines);
    }
    // What drives the lab first: it is what one came for.
    let mut sections: Vec<_> = model.keymap.help(model.context()).collect();
    sections.sort_by_key(|(section, _)| *section != Section::Lab);
    for (section, help) in sections {
        lines.push(Line::default());
        lines.push(heading(model, &format!("Keys: {}", section.name())));
        for line in help {
            let keys = line.keys.join(" ");
            lines.push(Line::from(vec![
                styled(format!("  {keys:<18} "), theme.accent),
                styled(line.help, theme.text),
            ]));
        }
    }
    lines.push(Line::default());
    lines.push(heading(
        model,
        &format!("The filter of {}", model.screen.title()),
    ));
    for text in [
        "field:value, field~part of it, field>10s, field<=5; a word alone is looked for \
         everywhere;",
        "- before a term turns it round; a comma is or: kind:timerfd,eventfd; \"quotes\" keep \
         blanks",
    ] {
        lines.push(Line::from(styled(format!("  {text}"), theme.dim)));
    }
    for field in model.screen.fields() {
        lines.push(Line::from(vec![
            styled(format!("  {:<10} ", field.name), theme.accent),
            styled(field.about, theme.text),
        ]));
    }
    lines.push(Line::default());
    lines.push(heading(
        model,
        &format!("All columns of {}", model.screen.title()),
    ));
    for index in 0..columns.len() {
        explain(index, &mut lines);
    }
    lines.push(Line::default());
    lines.push(heading(model, "The detail pane"));
    let glyphs = &model.glyphs;
    for text in [
        super::detail::hint(model),
        format!(
            "{} born   {} a life   {} waiting   {} woken within that stretch   {} delete   {} \
             gone   {} lives on",
            glyphs.birth,
            glyphs.life,
            glyphs.wait,
            glyphs.wake,
            glyphs.delete,
            glyphs.death,
            glyphs.on
        ),
    ] {
        lines.push(Line::from(styled(format!("  {text}"), theme.text)));
    }
    lines
}

fn heading(model: &Model, text: &str) -> Line<'static> {
    Line::from(styled(text, model.theme.accent))
}

/// Words in lines of at most so many cells.
fn wrap(text: &str, width: usize, each: &mut dyn FnMut(String)) {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            each(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        each(line);
    }
}

/// Cells and lines inside the box, which covers the whole screen.
fn inner(model: &Model) -> (usize, usize) {
    let width = model.size.width.saturating_sub(4);
    let height = model.size.height.saturating_sub(2);
    (usize::from(width), usize::from(height))
}

/// How far it can be scrolled.
pub fn most_scrolled(model: &Model) -> u16 {
    let (width, height) = inner(model);
    let lines = lines(model, width).len();
    u16::try_from(lines.saturating_sub(height)).unwrap_or(u16::MAX)
}

pub(super) fn draw(model: &Model, scrolled: u16, area: Rect, buffer: &mut Buffer) {
    let (width, height) = inner(model);
    let lines = lines(model, width);
    // A larger screen may show more than when it was scrolled.
    let scrolled = scrolled.min(most_scrolled(model));
    let below = lines.len().saturating_sub(usize::from(scrolled) + height);
    let title = match below {
        0 => "help: Esc closes".to_owned(),
        _ => format!(
            "help: {below} lines more {}, Esc closes",
            model.glyphs.sorted[1]
        ),
    };
    let inside = boxed(model, &title, (area.width, area.height), area, buffer);
    for (index, line) in lines.iter().skip(usize::from(scrolled)).enumerate() {
        let Some(area) = row(inside, index) else {
            return;
        };
        put(buffer, area, line, model.glyphs.cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        let mut lines = Vec::new();
        wrap("one two three averyverylongword four", 9, &mut |line| {
            lines.push(line);
        });
        assert_eq!(lines, ["one two", "three", "averyverylongword", "four"]);
        wrap("", 9, &mut |line| panic!("{line}"));
    }
}
