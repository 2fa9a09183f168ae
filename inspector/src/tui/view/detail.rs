//! The detail pane: one entity's story, with lives on a time axis.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{cut_off, put, put_right, row, styled};
use crate::{
    event::BootTime,
    tui::{
        chronicle::Waits,
        keymap::Action,
        layout::Areas,
        model::Model,
        story::{Fact, Lane, MarkWhat, Story},
        subject::Subject,
        theme::Class,
        words,
    },
};

/// A line of the pane, and the number of the link it is.
enum Item<'a> {
    Fact(&'a Fact),
    Axis,
    Lane(&'a Lane),
}

/// The lines of a story, each with the number of its link.
fn items(story: &Story) -> Vec<(Item<'_>, Option<usize>)> {
    let mut links = 0;
    let mut number = |is_link: bool| {
        is_link.then(|| {
            links += 1;
            links - 1
        })
    };
    let mut items = Vec::new();
    for fact in &story.facts {
        items.push((Item::Fact(fact), number(fact.link.is_some())));
    }
    if !story.lanes.is_empty() {
        items.push((Item::Axis, None));
    }
    for lane in &story.lanes {
        items.push((Item::Lane(lane), number(lane.link.is_some())));
    }
    for fact in &story.more {
        items.push((Item::Fact(fact), number(fact.link.is_some())));
    }
    items
}

/// The first line that is seen: the chosen link is among those that are.
fn scrolled(items: &[(Item<'_>, Option<usize>)], link: Option<usize>, height: usize) -> usize {
    let chosen = items
        .iter()
        .position(|(_, number)| number.is_some() && *number == link);
    let last = chosen.unwrap_or(0) + 1;
    // Whoever chose the last link wants to read what stands behind it.
    let is_last = link.is_some_and(|link| {
        items
            .iter()
            .all(|(_, number)| number.is_none_or(|number| number <= link))
    });
    let last = if is_last && chosen.is_some() {
        items.len().min(last + height / 2)
    } else {
        last
    };
    last.saturating_sub(height)
}

pub(super) fn draw(model: &Model, rule: Rect, area: Rect, buffer: &mut Buffer) {
    if rule.height == 0 {
        return;
    }
    let theme = &model.theme;
    buffer.set_string(
        rule.x,
        rule.y,
        model.glyphs.rule.repeat(usize::from(rule.width)),
        theme.dim,
    );
    let Some(subject) = model.subject() else {
        return;
    };
    let look = model.look();
    let story = Story::of(subject, &look);
    title(model, &story, rule, buffer);
    let items = items(&story);
    let axis = Axis::of(model, &story, area);
    let from = scrolled(&items, model.detail.link, usize::from(area.height));
    let height = usize::from(area.height);
    for (line, (item, link)) in items.iter().skip(from).take(height).enumerate() {
        let Some(area) = row(area, line) else {
            break;
        };
        match item {
            Item::Fact(fact) => {
                let area = Rect {
                    x: area.x + 2,
                    width: area.width.saturating_sub(2),
                    ..area
                };
                put(buffer, area, &fact.line, model.glyphs.cut);
            }
            Item::Axis => axis.head(model, &story, area, buffer),
            Item::Lane(lane) => axis.lane(model, &story, lane, area, buffer),
        }
        if link.is_some() && *link == model.detail.link {
            buffer.set_style(area, theme.selected);
            buffer.set_string(area.x, area.y, model.glyphs.cursor, theme.accent);
        }
    }
    if items.len() > from + height && area.height > 0 {
        let more = Line::from(styled(
            format!(
                " {} more {} ",
                items.len() - from - height,
                model.glyphs.sorted[1]
            ),
            theme.dim,
        ));
        let last = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        let room = put_right(buffer, last, &more, "");
        cut_off(buffer, last.x + room + 1, last.y);
    }
}

/// On the rule: the way that led here, and who it is.
fn title(model: &Model, story: &Story, rule: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let mut spans = vec![Span::raw(" ")];
    let trail = &model.detail.trail;
    for before in &trail[..trail.len().saturating_sub(1)] {
        spans.push(styled(short(model, before), theme.dim));
        spans.push(styled(format!(" {} ", model.glyphs.cursor), theme.accent));
    }
    spans.extend(story.title.spans.iter().cloned().map(|span| Span {
        style: story.title.style.patch(span.style),
        ..span
    }));
    spans.push(Span::raw(" "));
    let width = rule.width.saturating_sub(4);
    put(
        buffer,
        Rect {
            x: rule.x + 2,
            width,
            ..rule
        },
        &Line::from(spans),
        model.glyphs.cut,
    );
}

fn short(model: &Model, subject: &Subject) -> String {
    let story = Story::of(subject, &model.look());
    let first = story
        .title
        .spans
        .first()
        .map(|span| span.content.trim().to_owned());
    first.unwrap_or_default()
}

/// A time axis: which part of the pane it takes, and which time.
struct Axis {
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
    fn of(model: &Model, story: &Story, area: Rect) -> Self {
        let label = (area.width / 4).clamp(12, 30);
        let told = (area.width / 3).clamp(16, 60);
        let width = area.width.saturating_sub(label + told + 2).max(1);
        let now = model.now();
        let until = BootTime(now.0.saturating_sub(model.detail.back_ns));
        let whole = now.since_ns(story.from).max(1_000_000);
        // A little before the first birth, so that it is seen.
        let span_ns = model
            .detail
            .span_ns
            .unwrap_or(whole.saturating_add(whole / 16));
        Self {
            label,
            width,
            from: BootTime(until.0.saturating_sub(span_ns)),
            span_ns: span_ns.max(1),
            is_now: model.detail.back_ns == 0,
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
    fn head(&self, model: &Model, story: &Story, area: Rect, buffer: &mut Buffer) {
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
        let mut free = u16::try_from(left.width()).unwrap_or(0) + 1;
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
            let at = column.saturating_sub(long / 2).max(free);
            if at + long + 5 <= self.width {
                buffer.set_string(axis.x + at, axis.y, word, style);
                free = at + long + 1;
            }
        }
    }

    fn lane(&self, model: &Model, story: &Story, lane: &Lane, area: Rect, buffer: &mut Buffer) {
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
                let style = match mark.what {
                    MarkWhat::Begin | MarkWhat::End => theme.delete,
                    MarkWhat::Grace => theme.dim,
                };
                buffer.set_string(x + column, area.y, model.glyphs.delete, style);
            }
        }
        // A death stands over the delete's line: it is what one looks for.
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

/// The number of the link that is drawn at a place.
pub fn link_at(model: &Model, at: Position) -> Option<usize> {
    let story = Story::of(model.subject()?, &model.look());
    let items = items(&story);
    let area = Areas::of(model).detail;
    let from = scrolled(&items, model.detail.link, usize::from(area.height));
    let line = from + usize::from(at.y.checked_sub(area.y)?);
    items.get(line)?.1
}

/// The story as text: a line for its title, and one for each line of it.
pub fn text(model: &Model) -> Option<String> {
    let story = Story::of(model.subject()?, &model.look());
    let plain = |line: &Line<'_>| {
        line.spans
            .iter()
            .map(|span| span.content.as_ref())
            .collect::<String>()
    };
    let mut text = plain(&story.title);
    for (item, _) in items(&story) {
        text.push('\n');
        match item {
            Item::Fact(fact) => text.push_str(&plain(&fact.line)),
            Item::Axis => {
                text.pop();
            }
            Item::Lane(lane) => text.push_str(&format!("{}  {}", lane.label, plain(&lane.now))),
        }
    }
    Some(text)
}

/// How to get into the pane, for whoever reads the help.
pub(super) fn hint(model: &Model) -> String {
    let follow = model
        .keymap
        .keys_of(Action::Follow)
        .into_iter()
        .next()
        .unwrap_or_default();
    format!("{follow} goes into the detail pane, and from there along its links")
}

/// A blank of the screen's own style.
pub(super) fn blank(buffer: &mut Buffer, area: Rect) {
    for y in area.top()..area.bottom() {
        cut_off(buffer, area.left(), y);
        for x in area.left()..area.right() {
            buffer[(x, y)].reset();
        }
    }
    buffer.set_style(area, Style::reset());
}
