//! Lines that are typed: filters and numbers.

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::{Input, InputRequest, backend::crossterm::EventHandler as _};

use super::{lab, refresh, replay};
use crate::{
    event::text::is_hostile,
    tui::{
        filter,
        message::Effect,
        model::{Model, Popup},
    },
};

/// Most characters of a line.
const MOST: usize = 500;

/// Whether keys are letters now.
pub(super) fn is_typing(model: &Model) -> bool {
    matches!(
        model.popup,
        Some(Popup::Filter(..) | Popup::Burst(..) | Popup::Goto(..))
    )
}

/// A key of a line that is typed.
pub(super) fn key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == crossterm::event::KeyEventKind::Release {
        return Vec::new();
    }
    match key.code {
        KeyCode::Esc => {
            if let Some(Popup::Filter(_, _, before)) = model.popup.take() {
                filter(model, &before);
            }
        }
        KeyCode::Enter => return entered(model),
        KeyCode::Char(character) if is_hostile(character) => {}
        _ => {
            if let Some(input) = input(model)
                && (input.value().chars().count() < MOST || !matches!(key.code, KeyCode::Char(_)))
            {
                input.handle_event(&Event::Key(key));
            }
            judge(model);
        }
    }
    Vec::new()
}

/// Pasted text goes where typed text would; without a line it goes nowhere.
pub(super) fn pasted(model: &mut Model, text: &str) {
    if let Some(input) = input(model) {
        for character in text.chars().filter(|&character| !is_hostile(character)) {
            if input.value().chars().count() >= MOST {
                break;
            }
            input.handle(InputRequest::InsertChar(character));
        }
        judge(model);
    }
}

fn input(model: &mut Model) -> Option<&mut Input> {
    match &mut model.popup {
        Some(Popup::Filter(input, ..) | Popup::Burst(input, _) | Popup::Goto(input, _)) => {
            Some(input)
        }
        _ => None,
    }
}

/// Says what is wrong with what was typed so far; a filter that is right is in force at once.
fn judge(model: &mut Model) {
    match &model.popup {
        Some(Popup::Filter(input, ..)) => {
            let text = input.value().to_owned();
            let parsed = filter::parse(&text, model.screen.fields());
            let error = match parsed {
                Ok(filter) => {
                    model.table_mut().set_filter(&text, filter);
                    refresh(model);
                    None
                }
                Err(error) => Some(error),
            };
            if let Some(Popup::Filter(_, wrong, _)) = &mut model.popup {
                *wrong = error;
            }
        }
        Some(Popup::Burst(input, _)) => {
            let error = lab::burst(input.value()).err();
            if let Some(Popup::Burst(_, wrong)) = &mut model.popup {
                *wrong = error;
            }
        }
        Some(Popup::Goto(input, _)) => {
            let text = input.value().to_owned();
            let error = replay::time(model, &text).err();
            if let Some(Popup::Goto(_, wrong)) = &mut model.popup {
                // Nothing is wrong with what was not written yet.
                *wrong = error.filter(|_| !text.is_empty());
            }
        }
        _ => {}
    }
}

fn entered(model: &mut Model) -> Vec<Effect> {
    match model.popup.take() {
        Some(Popup::Filter(input, Some(error), before)) => {
            // What is wrong stays, to be mended.
            model.popup = Some(Popup::Filter(input, Some(error), before));
            Vec::new()
        }
        Some(Popup::Burst(input, _)) => match lab::burst(input.value()) {
            Ok(count) => lab::store(model, count),
            Err(error) => {
                model.popup = Some(Popup::Burst(input, Some(error)));
                Vec::new()
            }
        },
        Some(Popup::Goto(input, _)) => {
            match replay::time(model, input.value()) {
                Ok(time) => replay::go_to(model, time),
                Err(error) => model.popup = Some(Popup::Goto(input, Some(error))),
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Sets the open screen's filter to a text that is known to be right.
pub(super) fn filter(model: &mut Model, text: &str) {
    if let Ok(filter) = filter::parse(text, model.screen.fields()) {
        model.table_mut().set_filter(text, filter);
        refresh(model);
    }
}
