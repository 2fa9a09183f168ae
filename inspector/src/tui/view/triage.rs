//! Triage beside its table: the limits above it, and below it what can be told, what to do next
//! and what watching costs everybody.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{put, put_right, row, styled};
use crate::ledger::finding::Totals;
use crate::tui::{
    keymap::Action,
    layout::MARGIN,
    model::Model,
    rows::{Screen, findings},
    table::{self, GAP, Shape},
    triage::{
        Triage,
        limits::{LimitLine, Max, lines},
    },
    words,
};

/// The columns of the limits: title, cells, whether at the right edge, and what leaves first where
/// room is short.
const COLUMNS: [(&str, u16, bool, u8); 6] = [
    ("LIMIT", 14, false, 0),
    ("OF", 22, false, 3),
    ("NOW / MAX", 17, true, 0),
    ("USED", 5, true, 2),
    ("RATE", 11, true, 1),
    ("TIME TO LIMIT", 13, true, 0),
];
/// Cells that all columns take at most: numbers stay near what they are about.
const WIDEST: u16 = 118;
/// Cells of the first and the last column where the others would not fit.
const SHORT: (u16, u16) = (7, 9);

/// Lines that are wanted above the table.
pub fn limits_height(model: &Model) -> u16 {
    let wanted = u16::try_from(lines(model.world()).len()).unwrap_or(u16::MAX);
    1 + wanted.clamp(1, 4)
}

pub(super) fn limits(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let columns = columns(area.width);
    let mut titles = COLUMNS.map(|(title, ..)| Line::from(styled(title, theme.title)));
    if columns
        .last()
        .is_some_and(|(_, _, width)| *width == SHORT.1)
    {
        titles[5] = Line::from(styled("TIME LEFT", theme.title));
    }
    if let Some(area) = row(area, 0) {
        cells(model, &titles, &columns, area, buffer);
    }
    let lines = lines(model.world());
    if lines.is_empty()
        && let Some(area) = row(area, 1)
    {
        let area = behind_margin(area);
        let words = if model.are_over {
            "it has ended: below stands what there was at its end"
        } else {
            "nothing is known of it yet"
        };
        let line = Line::from(styled(words, theme.dim));
        put(buffer, area, &line, model.glyphs.cut);
    }
    for (index, line) in lines.iter().enumerate() {
        if let Some(area) = row(area, index + 1) {
            let told = told(model, line, named(line, &columns));
            cells(model, &told, &columns, area, buffer);
        }
    }
}

fn behind_margin(area: Rect) -> Rect {
    Rect {
        x: area.x + MARGIN,
        width: area.width.saturating_sub(MARGIN),
        ..area
    }
}

/// Index, first cell and width of the columns that fit.
fn columns(width: u16) -> Vec<(usize, u16, u16)> {
    let shape = |(index, (_, width, _, rank)): (usize, &(_, u16, bool, u8))| Shape {
        width: *width,
        grows: index == 1,
        rank: *rank,
        hidden: false,
    };
    let room = width.saturating_sub(MARGIN).min(WIDEST);
    let mut shapes: Vec<_> = COLUMNS.iter().enumerate().map(shape).collect();
    if room < 50 {
        (shapes[0].width, shapes[5].width) = SHORT;
    }
    let mut at = MARGIN;
    let placed = |(index, width)| {
        let column = (index, at, width);
        at += width + GAP;
        column
    };
    table::fit(&shapes, room).into_iter().map(placed).collect()
}

fn cells(
    model: &Model,
    cells: &[Line<'_>],
    columns: &[(usize, u16, u16)],
    area: Rect,
    buffer: &mut Buffer,
) {
    for &(index, x, width) in columns {
        let place = Rect {
            x: area.x + x,
            width: width.min(area.width.saturating_sub(x)),
            ..area
        };
        // A title may be wider than its column where room is short.
        if COLUMNS[index].2 {
            put_right(buffer, place, &cells[index], model.glyphs.cut);
        } else {
            put(buffer, place, &cells[index], model.glyphs.cut);
        }
    }
}

/// What is limited, and who where there is no column for that; who alone where room is short.
fn named(limit: &LimitLine, columns: &[(usize, u16, u16)]) -> String {
    let has_of = columns.iter().any(|(index, ..)| *index == 1);
    let is_short = columns
        .first()
        .is_some_and(|(_, _, width)| *width == SHORT.0);
    if has_of || limit.of.is_empty() {
        limit.what.to_owned()
    } else if is_short {
        limit.of.to_owned()
    } else {
        format!("{} {}", limit.of, limit.what)
    }
}

/// The cells of a limit, the first of them given.
fn told(model: &Model, limit: &LimitLine, name: String) -> Vec<Line<'static>> {
    let (theme, glyphs) = (&model.theme, &model.glyphs);
    let is_near = limit.is_near();
    let strong = if is_near { theme.warning } else { theme.strong };
    let at_least = if limit.at_least { ">" } else { "" };
    let now = match limit.now {
        Some(now) => format!("{at_least}{}", words::count(now)),
        None => "?".to_owned(),
    };
    let max = match limit.max {
        Max::At(max) => words::count(max),
        Max::Unlimited => "no limit".to_owned(),
        Max::Unknown => "?".to_owned(),
    };
    let used = match (limit.max, limit.percent()) {
        (Max::Unlimited, _) => glyphs.none.to_owned(),
        (_, Some(percent)) => format!("{at_least}{percent} %"),
        (_, None) => "?".to_owned(),
    };
    let left = match (limit.left_ns(), limit.per_minute) {
        (Some(left), _) => words::passed(left),
        // Whatever the rate is, what is not limited has time.
        (None, None) if limit.max != Max::Unlimited => "?".to_owned(),
        (None, _) => glyphs.none.to_owned(),
    };
    let left = if is_near {
        format!("{} {left}", glyphs.warn)
    } else {
        left
    };
    let quiet = if is_near { theme.warning } else { theme.text };
    vec![
        Line::from(styled(name, theme.text)),
        Line::from(styled(limit.whose.clone(), theme.dim)),
        Line::from(vec![
            styled(now, strong),
            styled(format!(" / {max}"), theme.dim),
        ]),
        Line::from(styled(used, quiet)),
        Line::from(styled(words::rate(limit.per_minute), quiet)),
        Line::from(styled(left, strong)),
    ]
}

/// What is said below the table, the most important line first.
pub fn said(model: &Model) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut next = vec![styled("next: ", theme.accent)];
    next.extend(advice(model));
    let mut lines = vec![Line::from(next)];
    if let Some(found) = findings::summary(model.world().ledger(), model.glyphs.dot) {
        let key = model
            .keymap
            .first_key(Action::Screen(Screen::Events.number()));
        lines.push(Line::from(vec![
            styled("findings: ", theme.failure),
            styled(
                format!("{found}; {key} lists them (kind:finding)"),
                theme.text,
            ),
        ]));
    }
    lines.push(Line::from(styled(judging(model), theme.text)));
    lines.push(Line::from(styled(toll(model), theme.dim)));
    lines
}

/// Lines of that.
pub fn said_height(model: &Model) -> u16 {
    let totals = model.world().ledger().findings().totals();
    3 + u16::from(*totals != Totals::default())
}

pub(super) fn words(model: &Model, area: Rect, buffer: &mut Buffer) {
    for (index, line) in said(model).iter().enumerate() {
        if let Some(area) = row(area, index) {
            put(buffer, behind_margin(area), line, model.glyphs.cut);
        }
    }
}

/// What can and what can't be told.
fn judging(model: &Model) -> String {
    let key = model.keymap.first_key(Action::Screen(1));
    if model.declares_deletes() {
        format!("deletes are declared: what each of them left behind stands in Entries ({key})")
    } else {
        "no deletes are declared: I can count, rank and explain; I cannot yet judge".to_owned()
    }
}

/// What to do next.
fn advice(model: &Model) -> Vec<Span<'static>> {
    let theme = &model.theme;
    let key = model.keymap.first_key(Action::Follow);
    if model.are_over {
        let words = format!(
            "it has ended: {} writes down all that is known, {} leaves",
            model.keymap.first_key(Action::Dump),
            model.keymap.first_key(Action::Quit)
        );
        return vec![styled(words, theme.text)];
    }
    let limits = lines(model.world());
    let triage = model.world().triage();
    let fastest = triage.and_then(|triage| triage.groups().get(triage.fastest()?));
    let mut spans = Vec::new();
    if let Some(near) = limits.iter().find(|limit| limit.is_near()) {
        let when = match near.left_ns() {
            Some(left) => format!("run out in {}", words::passed(left)),
            None => "have nearly run out".to_owned(),
        };
        spans.push(styled(format!("{} {when}; ", near.what), theme.warning));
    }
    let (doing, style) = match fastest {
        Some(group) => (
            format!(
                "select {}, it grows fastest; {key} lists them, newest first",
                group.name()
            ),
            theme.strong,
        ),
        None if !spans.is_empty() => (
            format!("{key} on the largest group lists what is in it"),
            theme.strong,
        ),
        None if !triage.is_some_and(Triage::has_rates) && model.replay.is_some() => {
            let since = model
                .replay
                .as_ref()
                .map_or(model.now(), |replay| replay.since);
            let since = words::wall(since, model.clock.boot_on_wall_ns, 0);
            let since = since.split('.').next().unwrap_or_default();
            (
                format!(
                    "what grows is known after ten seconds; what is known here begins at {since}"
                ),
                theme.text,
            )
        }
        None if !triage.is_some_and(Triage::has_rates) => (
            "wait: what grows is known after ten seconds".to_owned(),
            theme.text,
        ),
        None => (
            format!("nothing grows: leave it running, or look into a group with {key}"),
            theme.text,
        ),
    };
    spans.push(styled(doing, style));
    spans
}

/// What watching costs everybody.
fn toll(model: &Model) -> String {
    let toll = model.watched.as_ref().and_then(|watched| watched.toll);
    match toll {
        _ if model.replay.is_some() => {
            "this is a recording: nothing is watched now, and nobody pays for it".to_owned()
        }
        _ if model.source.ended.is_some() => {
            "nothing is watched any more, and nobody pays for it".to_owned()
        }
        _ if model.source.probes.is_none() => {
            "/proc is polled: watching costs the other processes of this host nothing".to_owned()
        }
        Some(toll) if toll.added_ns() > 0 => format!(
            "every process here pays {} ns a system call while I watch ({} to {} ns)",
            toll.added_ns(),
            toll.before_ns,
            toll.after_ns
        ),
        Some(_) => "every process here pays less a system call while I watch than can be measured"
            .to_owned(),
        None => {
            "every process here pays some nanoseconds a system call while I watch (not measured)"
                .to_owned()
        }
    }
}
