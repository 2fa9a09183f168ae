//! What is watched, how it is set, and whether it is live.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier, text::Line};

use super::{fitting, put, put_right, styled};
use crate::{
    tui::{
        model::{Busy, Model},
        replay::Replay,
        theme::Class,
        words,
    },
    verdict::wording::quantity::Duration,
};

/// Cells that a recording's name takes at most.
const FILE: usize = 28;
/// Narrower terminals show a recorded time by the clock only: the scrubber says where that is.
const BOTH_TIMES: u16 = 100;

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let right = match (&model.frozen, &model.replay) {
        (_, Some(replay)) => replayed(model, replay, area.width >= BOTH_TIMES),
        (Some((_, at)), None) => {
            let behind = words::passed(model.clock.now.since_ns(*at));
            Line::from(vec![
                styled(" PAUSED ", theme.alarm),
                styled(format!(" {behind} ago"), theme.text),
            ])
        }
        (None, None) => {
            let seconds = model.clock.now.since_ns(model.clock.started) / 1_000_000_000;
            let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
            Line::from(vec![
                styled("LIVE", theme.accent),
                styled(
                    format!(" {hours:02}:{minutes:02}:{:02}", seconds % 60),
                    theme.text,
                ),
            ])
        }
    };
    let mut right = right;
    if let Some(recording) = &model.recording {
        let style = if recording.is_bad {
            theme.failure
        } else {
            theme.accent
        };
        let sign = model.glyphs.recording;
        right.push_span(styled(format!("  {sign} rec {}", recording.words), style));
    }
    let room = put_right(buffer, area, &right, "");
    let mut parts = vec![(3, styled("inspector", theme.accent))];
    if let Some(replay) = &model.replay {
        let file = FILE.min(usize::from(room).saturating_sub("replay ".len()));
        let file = words::without_middle(&replay.file.to_string(), file, model.glyphs.cut);
        parts.push((9, styled(format!("replay {file}"), theme.strong)));
        if model.watched.is_none() {
            parts.push((4, styled("the lab", theme.text)));
        }
    }
    if let Some(lab) = &model.lab {
        let (stores, deletes) = (lab.entry.name(), lab.policy.name());
        let words = format!("stores {stores}, deletes by {deletes}");
        parts.push((8, styled(words, theme.strong)));
    }
    if let Some(watched) = &model.watched {
        let ledger = model.world().ledger();
        let matters = if model.replay.is_some() { 6 } else { 9 };
        parts.push((matters, styled(watched.title(ledger), theme.strong)));
        if let Some(ended) = &watched.ended {
            let words = if ended.is_failure {
                let sign = model.glyphs.class(Class::Retained);
                styled(format!("{sign} {}", ended.how), theme.failure)
            } else {
                styled(ended.how.clone(), theme.text)
            };
            parts.push((7, words));
        } else if let Some(up) = watched.up_ns(ledger, model.now()) {
            let words = format!("up {}", words::passed(up));
            parts.push((2, styled(words, theme.text)));
        }
    }
    let is_judged = model.lab.is_some() || model.declares_deletes();
    let grace = model.live.ledger().rules().grace_ns;
    if is_judged {
        let words = format!("grace {}", grace_words(grace));
        parts.push((5, styled(words, theme.text)));
    }
    if let Some(lab) = &model.lab {
        let words = format!("{} map", lab.map.name());
        parts.push((1, styled(words, theme.text)));
    }
    match model.lab.as_ref().and_then(|lab| lab.busy.as_ref()) {
        Some(Busy::Many { what, done, total }) => {
            let words = format!("{what} {done}/{total}");
            parts.push((7, styled(words, theme.warning)));
        }
        Some(Busy::Playing { scenario, variant }) => {
            let words = format!("playing {scenario} {variant}");
            parts.push((7, styled(words, theme.warning)));
        }
        None => {}
    }
    if let Some(lab) = &model.lab {
        let words = match lab.pid {
            Some(pid) => format!("lab {pid}"),
            None => "lab starting".to_owned(),
        };
        parts.push((0, styled(words, theme.dim)));
    }
    let area = Rect {
        width: room,
        ..area
    };
    put(buffer, area, &fitting(parts, room, model), model.glyphs.cut);
}

/// The recorded time, how long that is from the beginning where there is room, and how it passes.
fn replayed(model: &Model, replay: &Replay, has_passed: bool) -> Line<'static> {
    let theme = &model.theme;
    let passed_ms = replay.at.since_ns(replay.timeline.from) / 1_000_000;
    let (seconds, ms) = (passed_ms / 1000, passed_ms % 1000);
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    let mut spans = vec![
        styled(" REPLAY ", theme.accent.add_modifier(Modifier::REVERSED)),
        styled(
            format!(
                " {}",
                words::wall(replay.at, model.clock.boot_on_wall_ns, 0)
            ),
            theme.strong,
        ),
    ];
    if has_passed {
        let passed = format!(" (+{hours:02}:{minutes:02}:{:02}.{ms:03})", seconds % 60);
        spans.push(styled(passed, theme.dim));
    }
    spans.push(styled(" ", theme.text));
    spans.push(match replay.progress() {
        Some((doing, Some(percent))) => styled(format!("{doing}: {percent} %"), theme.warning),
        Some((doing, None)) => styled(doing, theme.warning),
        None if replay.is_playing => {
            let (on, speed) = (model.glyphs.on, replay.speed_words());
            styled(format!("{on} {speed}"), theme.accent)
        }
        None if replay.is_at_end() => styled("at its end", theme.text),
        None => styled("stands still", theme.text),
    });
    Line::from(spans)
}

/// A grace in whole seconds where it is some.
fn grace_words(ns: u64) -> String {
    match ns {
        1_000_000_000.. if ns.is_multiple_of(1_000_000_000) => format!("{} s", ns / 1_000_000_000),
        _ => Duration(ns).to_string(),
    }
}
