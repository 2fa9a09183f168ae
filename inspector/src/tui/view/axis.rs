//! Lives on a time axis.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier, text::Line};
use unicode_width::UnicodeWidthStr as _;

use super::{put, put_right, styled};
use crate::{
    event::BootTime,
    tui::{
        chronicle::Waits,
        model::{Model, Window},
        story::{Lane, MarkWhat, Story},
        theme::Class,
        words,
    },
};

/// A time axis: which part of the pane it takes, and which time.
pub(super) struct Axis {
    /// Cells before it.
    label: u16,
    /// Its cells.
    width: u16,
    from: BootTime,
    span_ns: u64,
    /// Whether its end is now.
    is_now: bool,
}

impl Axis {
    /// For a pane.
    pub(super) fn of(model: &Model, story: &Story, area: Rect) -> Self {
        let longest = |of: &dyn Fn(&Lane) -> usize| {
            let longest = story.lanes.iter().map(of).max().unwrap_or(0);
            u16::try_from(longest).unwrap_or(u16::MAX)
        };
        let label = longest(&|lane| lane.label.width()).saturating_add(3);
        let label = label.clamp(8, (area.width / 4).max(12));
        let told = longest(&|lane| lane.now.width()).saturating_add(1);
        let told = told.clamp(8, (area.width / 3).max(16));
        let width = area.width.saturating_sub(label + told + 1).max(1);
        let whole_ns = model.now().since_ns(story.from).max(1_000_000);
        // A little before the first birth, so that it is seen.
        let whole = Window {
            from: BootTime(story.from.0.saturating_sub(whole_ns / 32)),
            span_ns: whole_ns + whole_ns / 32,
        };
        let window = model.detail.window.unwrap_or(whole);
        Self {
            label,
            width,
            from: window.from,
            span_ns: window.span_ns.max(1),
            is_now: model.detail.window.is_none(),
        }
    }

    /// The time at which a column begins.
    fn at(&self, column: u16) -> BootTime {
        let ns = u128::from(self.span_ns) * u128::from(column) / u128::from(self.width);
        self.from.plus_ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// The column of a time, if it is on the axis.
    fn column(&self, at: BootTime) -> Option<u16> {
        if at < self.from {
            return None;
        }
        let ns = at.since_ns(self.from);
        let column = u128::from(ns) * u128::from(self.width) / u128::from(self.span_ns);
        let column = u16::try_from(column).ok()?;
        // The axis' last moment belongs to its last column.
        match column {
            column if column < self.width => Some(column),
            column if column == self.width && ns == self.span_ns => Some(self.width - 1),
            _ => None,
        }
    }

    /// Times at its ends, and what the marks are.
    pub(super) fn head(&self, model: &Model, story: &Story, area: Rect, buffer: &mut Buffer) {
        let theme = &model.theme;
        let axis = Rect {
            x: area.x + self.label,
            width: self.width,
            ..area
        };
        let ago = |at: BootTime| format!("-{}", words::passed(model.now().since_ns(at)));
        let left = Line::from(styled(ago(self.from), theme.dim));
        put(buffer, axis, &left, "");
        let end = if self.is_now {
            "now".to_owned()
        } else {
            ago(self.at(self.width))
        };
        put_right(buffer, axis, &Line::from(styled(end, theme.dim)), "");
        let mut free = u16::try_from(left.width()).unwrap_or(0) + 2;
        for mark in &story.marks {
            let (word, style) = match mark.what {
                MarkWhat::End => ("delete", theme.delete),
                MarkWhat::Grace => ("grace over", theme.dim),
                MarkWhat::Begin => continue,
            };
            let Some(column) = self.column(mark.at) else {
                continue;
            };
            let long = u16::try_from(word.len()).unwrap_or(0);
            // Above its mark, or beside it where something stands there.
            let last = self.width.saturating_sub(long + 4);
            let at = column.saturating_sub(long / 2).min(last).max(free);
            if at <= last {
                buffer.set_string(axis.x + at, axis.y, word, style);
                free = at + long + 1;
            }
        }
    }

    /// One life.
    pub(super) fn lane(
        &self,
        model: &Model,
        story: &Story,
        lane: &Lane,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = &model.theme;
        let (class_style, kind) = (
            theme.class(lane.class),
            if lane.is_thread {
                theme.thread
            } else {
                theme.handle
            },
        );
        let label = if lane.died.is_some() {
            theme.dead(lane.class)
        } else if lane.class == Class::Live {
            theme.text
        } else {
            class_style
        };
        let label = Line::from(styled(lane.label.clone(), label));
        put(
            buffer,
            Rect {
                x: area.x + 2,
                width: self.label.saturating_sub(3),
                ..area
            },
            &label,
            model.glyphs.cut,
        );
        let waits = lane.wakes.and_then(|thread| {
            let record = model.world().ledger().thread(thread)?;
            model.world().chronicle().waits(thread, &record.name)
        });
        let sampled = lane
            .wakes
            .and_then(|thread| model.world().ledger().thread(thread)?.activity())
            .is_some();
        let end = story
            .marks
            .iter()
            .find(|mark| mark.what == MarkWhat::End)
            .map(|mark| mark.at);
        let x = area.x + self.label;
        for column in 0..self.width {
            let (from, until) = (self.at(column), self.at(column + 1));
            let Some(sign) = self.sign(model, lane, waits, sampled, from, until) else {
                continue;
            };
            let is_late = end.is_some_and(|end| from >= end);
            let style = if is_late && lane.class > Class::Reassigned {
                class_style
            } else {
                kind
            };
            buffer.set_string(x + column, area.y, sign, style);
        }
        for mark in &story.marks {
            if let Some(column) = self.column(mark.at) {
                let (sign, style) = match mark.what {
                    MarkWhat::Begin | MarkWhat::End => (model.glyphs.delete, theme.delete),
                    MarkWhat::Grace => (model.glyphs.grace, theme.dim),
                };
                buffer.set_string(x + column, area.y, sign, style);
            }
        }
        // A death stands over the delete's line: it is what one looks for. So near to it that both
        // share a column, it is told beside.
        if let Some(column) = lane.died.and_then(|died| self.column(died)) {
            let style = theme.class(lane.class).add_modifier(Modifier::BOLD);
            buffer.set_string(x + column, area.y, model.glyphs.death, style);
        }
        let told = Rect {
            x: x + self.width + 1,
            width: area.right().saturating_sub(x + self.width + 1),
            ..area
        };
        put(buffer, told, &lane.now, model.glyphs.cut);
    }

    /// What stands in a column of a life.
    fn sign(
        &self,
        model: &Model,
        lane: &Lane,
        waits: Option<&Waits>,
        sampled: bool,
        from: BootTime,
        until: BootTime,
    ) -> Option<&'static str> {
        let glyphs = &model.glyphs;
        if until <= lane.born.latest || lane.died.is_some_and(|died| died < from) {
            return None;
        }
        if from > model.now() {
            return None;
        }
        if lane.announced && from <= lane.born.latest {
            return Some(glyphs.birth);
        }
        if lane.died.is_none() && self.is_now && until >= model.now() {
            return Some(glyphs.on);
        }
        if !lane.is_thread || !sampled {
            return Some(glyphs.life);
        }
        Some(match waits {
            Some(waits) if from < waits.known_since() => glyphs.life,
            Some(waits) if waits.between(from, BootTime(until.0.saturating_sub(1))) > 0 => {
                glyphs.wake
            }
            Some(_) | None => glyphs.wait,
        })
    }
}
