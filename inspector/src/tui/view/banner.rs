//! Warnings above everything: that /proc is polled, what alarms, what has ended.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{put, row, styled};
use crate::{
    event::text::Text,
    tui::{
        keymap::Action,
        model::{Model, SourceEnd},
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
        ended if model.lab.is_none() && (ended.is_some() || model.are_over) => {
            lines.push(Line::from(styled(
                "everything that was watched has ended; what was seen stands",
                theme.strong,
            )));
        }
        _ => {}
    }
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
