//! The two last lines: how the source and the tool fare, and which keys there are.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{dotted, put, put_right, styled};
use crate::{
    event::text::Text,
    tui::{keymap::Action, model::Model, rows::findings, words},
};

pub(super) fn status(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (theme, ledger) = (&model.theme, model.live.ledger());
    let mut parts = Vec::new();
    match &model.source.probes {
        Some(probes) => {
            let (working, wanted) = probes.working();
            let style = if working == wanted {
                theme.dim
            } else {
                theme.warning
            };
            parts.push(styled(
                format!("probes {working}/{wanted} {}", probes.kind.words()),
                style,
            ));
        }
        None => parts.push(styled("no probes: polling /proc", theme.warning)),
    }
    if let Some(replay) = &model.replay {
        let events = replay.recording().events();
        parts.push(styled(
            format!("{} events recorded", words::short(events)),
            theme.dim,
        ));
    } else {
        parts.push(styled(
            format!("{} ev/s", words::short(model.own.events_per_second)),
            theme.dim,
        ));
    }
    let lost = ledger.losses().total();
    let style = if lost > 0 { theme.warning } else { theme.dim };
    parts.push(styled(format!("lost {}", words::count(lost)), style));
    let drift = ledger.drift();
    if drift.audits > 0 {
        let style = if drift.total() > 0 {
            theme.warning
        } else {
            theme.dim
        };
        parts.push(styled(
            format!("drift {}", words::count(drift.total())),
            style,
        ));
    } else {
        parts.push(styled(format!("drift {}", model.glyphs.none), theme.dim));
    }
    let findings = findings::worth_telling(ledger.findings().totals());
    if findings > 0 {
        parts.push(styled(
            format!("findings {}", words::count(findings)),
            theme.failure,
        ));
    }
    let own = &model.own;
    parts.push(styled(
        format!(
            "self {}.{} % CPU {} MB",
            own.cpu_permille / 10,
            own.cpu_permille % 10,
            own.memory_bytes / 1_000_000
        ),
        theme.dim,
    ));
    put(buffer, area, &dotted(parts, model), model.glyphs.cut);
}

/// What was said last; else what to do first; else the keys.
pub(super) fn keys(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let key = |action| model.keymap.first_key(action);
    let greets = model
        .lab
        .as_ref()
        .is_some_and(|lab| !lab.has_deleted && lab.busy.is_none());
    let greets = greets && !model.rows.is_empty() && !model.in_detail();
    if let Some(note) = &model.note {
        let style = if note.is_bad {
            theme.warning
        } else {
            theme.strong
        };
        let text = Text::from(note.text.replace('\n', "; ").as_bytes());
        put(
            buffer,
            area,
            &Line::from(styled(text.to_string(), style)),
            model.glyphs.cut,
        );
        return;
    }
    if model.in_detail() {
        let words = format!(
            "{}/{} choose  {} follow  {} back  {} zoom in  {} out  {} earlier  {} later  {} to \
             the table",
            key(Action::Up),
            key(Action::Down),
            key(Action::Follow),
            key(Action::Back),
            key(Action::ZoomIn),
            key(Action::ZoomOut),
            key(Action::Earlier),
            key(Action::Later),
            key(Action::Escape),
        );
        put(
            buffer,
            area,
            &Line::from(styled(words, theme.dim)),
            model.glyphs.cut,
        );
        return;
    }
    let mut spans = Vec::new();
    for (key, label) in model.keymap.footer(model.context()) {
        spans.push(styled(key, theme.accent));
        spans.push(styled(format!(" {label}  "), theme.dim));
    }
    if greets {
        let hint = Line::from(vec![
            styled("press ", theme.strong),
            styled(key(Action::Delete), theme.accent),
            styled(
                " to delete the selected key, and see whether what it owns goes too  ",
                theme.strong,
            ),
        ]);
        let more = Line::from(styled(format!("{} all keys", key(Action::Help)), theme.dim));
        let room = put_right(buffer, area, &more, "");
        put(
            buffer,
            Rect {
                width: room,
                ..area
            },
            &hint,
            model.glyphs.cut,
        );
        return;
    }
    put(buffer, area, &Line::from(spans), model.glyphs.cut);
}
