//! The two last lines: how the source and the tool fare, and which keys there are.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{fitting, labels, put, put_right, styled};
use crate::{
    event::text::Text,
    tui::{keymap::Action, model::Model, rows::findings, words},
};

pub(super) fn status(model: &Model, area: Rect, buffer: &mut Buffer) {
    // Which set of probes it is stands on the performance screen too.
    let line = [true, false].map(|is_whole| fitting(parts(model, is_whole), area.width, model));
    let [whole, short] = line;
    let line = if whole.spans.len() < short.spans.len() {
        short
    } else {
        whole
    };
    put(buffer, area, &line, model.glyphs.cut);
}

/// What there is to tell, and how much that matters.
fn parts(model: &Model, is_whole: bool) -> Vec<(u8, Span<'static>)> {
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
            let set = if is_whole {
                format!(" {}", probes.kind.words())
            } else {
                String::new()
            };
            parts.push((4, styled(format!("probes {working}/{wanted}{set}"), style)));
        }
        None => parts.push((4, styled("no probes: polling /proc", theme.warning))),
    }
    if let Some(replay) = &model.replay {
        let events = replay.recording().events();
        let words = format!("{} events recorded", words::short(events));
        parts.push((2, styled(words, theme.dim)));
    } else {
        let words = format!("{} ev/s", words::short(model.own.events_per_second));
        parts.push((2, styled(words, theme.dim)));
    }
    let lost = ledger.losses().total();
    let style = if lost > 0 { theme.warning } else { theme.dim };
    parts.push((5, styled(format!("lost {}", words::count(lost)), style)));
    let drift = ledger.drift();
    if drift.audits > 0 {
        let style = if drift.total() > 0 {
            theme.warning
        } else {
            theme.dim
        };
        let words = format!("drift {}", words::count(drift.total()));
        parts.push((3, styled(words, style)));
    } else {
        let words = format!("drift {}", model.glyphs.none);
        parts.push((3, styled(words, theme.dim)));
    }
    let findings = findings::worth_telling(ledger.findings().totals());
    if findings > 0 {
        let words = format!("findings {}", words::count(findings));
        parts.push((5, styled(words, theme.failure)));
    }
    let own = &model.own;
    let words = format!(
        "self {}.{} % CPU {} MB",
        own.cpu_permille / 10,
        own.cpu_permille % 10,
        own.memory_bytes / 1_000_000
    );
    parts.push((1, styled(words, theme.dim)));
    parts
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
        let keys = [
            (
                format!("{}/{}", key(Action::Up), key(Action::Down)),
                "choose",
            ),
            (key(Action::Follow), "follow"),
            (key(Action::Escape), "to the table"),
            (key(Action::Back), "back"),
            (key(Action::ZoomIn), "zoom in"),
            (key(Action::ZoomOut), "out"),
            (key(Action::Earlier), "earlier"),
            (key(Action::Later), "later"),
        ];
        put(buffer, area, &labels(keys, area.width, theme), "");
        return;
    }
    if greets {
        let more = Line::from(styled(format!("{} all keys", key(Action::Help)), theme.dim));
        let room = put_right(buffer, area, &more, "");
        let hint = |words| {
            Line::from(vec![
                styled("press ", theme.strong),
                styled(key(Action::Delete), theme.accent),
                styled(words, theme.strong),
            ])
        };
        let mut hint_that_fits =
            hint(" to delete the selected key, and see whether what it owns goes too");
        if hint_that_fits.width() > room.into() {
            hint_that_fits = hint(" to delete the selected key, and see what it leaves behind");
        }
        put(
            buffer,
            Rect {
                width: room,
                ..area
            },
            &hint_that_fits,
            model.glyphs.cut,
        );
        return;
    }
    let keys = model.keymap.footer(model.context());
    put(buffer, area, &labels(keys, area.width, theme), "");
}
