//! Warnings above everything: that /proc is polled, what alarms, what has ended.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{put, row, styled};
use crate::{
    event::text::Text,
    tui::{
        keymap::Action,
        model::{Model, SourceEnd},
        replay::Replay,
        words,
    },
};

/// The lines there are to show, most urgent first.
pub fn lines(model: &Model) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut lines = Vec::new();
    let key = |action| model.keymap.first_key(action);
    match &model.source.ended {
        Some(SourceEnd::Failed(why)) => lines.push(Line::from(styled(
            format!(
                " the source failed: {}; what was seen until then stands ",
                clean(why)
            ),
            theme.alarm,
        ))),
        // A lab that died says so itself, and is not all there will be.
        // A recording goes on to its end, which its scrubber shows.
        ended
            if model.lab.is_none()
                && model.replay.is_none()
                && (ended.is_some() || model.are_over) =>
        {
            lines.push(Line::from(styled(
                "everything that was watched has ended; what was seen stands",
                theme.strong,
            )));
        }
        _ => {}
    }
    lines.extend(
        model
            .replay
            .iter()
            .flat_map(|replay| of_recording(model, replay)),
    );
    if let Some(died) = model.lab.as_ref().and_then(|lab| lab.died.as_ref()) {
        let reset = key(Action::Reset);
        let died = clean(died);
        lines.push(Line::from(vec![
            styled(format!(" {died} "), theme.alarm),
            styled(format!("  {reset} starts another"), theme.strong),
        ]));
    }
    if let Some(alarm) = model.alarms.standing() {
        let acknowledge = key(Action::AcknowledgeAlarm);
        lines.push(Line::from(vec![
            styled(format!(" ALARM  {alarm} "), theme.alarm),
            styled(format!("  {acknowledge} acknowledges"), theme.strong),
        ]));
    }
    if let Some(why) = &model.source.polls {
        let why = clean(why);
        lines.push(Line::from(styled(
            format!(
                "polling /proc every 100 ms: births and deaths between polls are not seen; \
                 times are intervals ({why})   inspector doctor"
            ),
            theme.warning,
        )));
    }
    lines
}

/// What a recording can't tell.
fn of_recording(model: &Model, replay: &Replay) -> Option<Line<'static>> {
    let recording = replay.recording();
    let mut parts = Vec::new();
    if !recording.is_clean() {
        parts.push("cut off, without an end".to_owned());
    }
    // What lies behind the last whole block is told by that.
    let damage = recording.damage().iter();
    let damaged = damage.filter(|damage| !damage.is_tail || recording.is_clean());
    let bytes: u64 = damaged.map(|damage| damage.bytes).sum();
    if bytes > 0 {
        parts.push(format!("{} bytes of it are no block", words::count(bytes)));
    }
    let lost = replay.damaged();
    if lost.blocks > 0 {
        let (blocks, events) = (words::count(lost.blocks), words::count(lost.events));
        parts.push(format!(
            "on the way here {blocks} blocks with {events} events could not be read"
        ));
    }
    if lost.unknown_events > 0 {
        let events = words::count(lost.unknown_events);
        parts.push(format!(
            "{events} events of kinds that a later inspector knows"
        ));
    }
    if recording.meta().boot_wall_ns.is_none() {
        parts.push("no time of day: times count from the boot".to_owned());
    }
    let sign = model.glyphs.warn;
    let words = format!("{sign} the recording: {}", parts.join("; "));
    (!parts.is_empty()).then(|| Line::from(styled(words, model.theme.warning)))
}

/// One line that drives no terminal, whatever an error quotes.
fn clean(text: &str) -> Text {
    Text::from(text.replace('\n', "; ").as_bytes())
}

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    for (index, line) in lines(model).iter().enumerate() {
        if let Some(area) = row(area, index) {
            put(buffer, area, line, model.glyphs.cut);
        }
    }
}
