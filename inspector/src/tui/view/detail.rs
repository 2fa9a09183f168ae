//! The detail pane: one entity's story, with lives on a time axis.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use super::{axis::Axis, cut_off, put, put_right, row, styled};
use crate::tui::{
    keymap::Action,
    layout::Areas,
    model::Model,
    story::{Fact, Lane, Story},
    subject::Subject,
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

/// Lines of the subject's story.
pub fn height(model: &Model) -> u16 {
    let lines = model
        .subject()
        .map_or(0, |subject| items(&Story::of(subject, &model.look())).len());
    u16::try_from(lines).unwrap_or(u16::MAX)
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
    let follow = model.keymap.first_key(Action::Follow);
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
