//! Keys while something lies over the screen.

use super::lab;
use crate::tui::{
    keymap::Action,
    message::Effect,
    model::{Model, Popup},
    view,
};

/// What a key does there; `None` = nothing lies over the screen.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let popup = model.popup.as_mut()?;
    let lines = i32::from(model.size.height / 2);
    let by = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -lines,
        Action::PageDown => lines,
        Action::Top => i32::from(i16::MIN),
        Action::Bottom => i32::from(i16::MAX),
        _ => 0,
    };
    match (popup, action) {
        (Popup::Leave, Action::Quit) => return Some(vec![Effect::Quit]),
        (_, Action::Escape | Action::Quit | Action::Back)
        | (Popup::Help(_), Action::Help)
        | (Popup::Performance, Action::Performance)
        | (Popup::Output(_), Action::Output) => model.popup = None,
        (Popup::Help(_), _) => {
            let most = i32::from(view::help::most_scrolled(model));
            let Some(Popup::Help(scrolled)) = &mut model.popup else {
                return None;
            };
            let to = (i32::from(*scrolled) + by).clamp(0, most);
            *scrolled = u16::try_from(to).unwrap_or(0);
        }
        (Popup::Output(_), _) => {
            let most = view::output::most_scrolled(model);
            let Some(Popup::Output(scrolled)) = &mut model.popup else {
                return None;
            };
            // From its end on, where one begins.
            let to = i64::try_from((*scrolled).min(most)).unwrap_or(0) - i64::from(by);
            *scrolled = usize::try_from(to).unwrap_or(0).min(most);
            if by > 0 && *scrolled == 0 {
                return Some(vec![Effect::ReadOutput]);
            }
        }
        (Popup::Auto(chosen), Action::Follow) => {
            let chosen = *chosen;
            model.popup = None;
            return Some(lab::play(model, chosen));
        }
        (Popup::Auto(chosen), _) => {
            let last = Model::scenarios().count().saturating_sub(1);
            let to = i64::try_from(*chosen).unwrap_or(0) + i64::from(by);
            *chosen = usize::try_from(to).unwrap_or(0).min(last);
        }
        (Popup::Performance, Action::Help) => model.popup = Some(Popup::Help(0)),
        (
            Popup::Performance
            | Popup::Filter(..)
            | Popup::Burst(..)
            | Popup::Goto(..)
            | Popup::Leave,
            _,
        ) => {}
    }
    Some(Vec::new())
}
