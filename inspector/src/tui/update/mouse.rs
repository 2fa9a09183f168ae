//! The mouse: a click selects, a second one follows, the wheel scrolls.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{act, keep_in_view, replay, select_row};
use crate::tui::{
    keymap::Action,
    layout::{self, Areas},
    message::Effect,
    model::{Model, Popup},
    view,
};

/// Rows that the wheel moves by.
const WHEEL: usize = 3;

pub(super) fn moused(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    let at = Position::new(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::ScrollUp => wheel(model, Action::Up),
        MouseEventKind::ScrollDown => wheel(model, Action::Down),
        MouseEventKind::Down(MouseButton::Left) => click(model, at),
        MouseEventKind::Drag(MouseButton::Left) => {
            replay::dragged(model, at);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn wheel(model: &mut Model, action: Action) -> Vec<Effect> {
    (0..WHEEL).flat_map(|_| act::act(model, action)).collect()
}

fn click(model: &mut Model, at: Position) -> Vec<Effect> {
    if let Some(popup) = &model.popup {
        // Whoever clicks beside it wants to be rid of it; lines that are typed stay.
        if !matches!(
            popup,
            Popup::Filter(..) | Popup::Burst(..) | Popup::Goto(..)
        ) {
            model.popup = None;
        }
        return Vec::new();
    }
    let areas = Areas::of(model);
    let inside = |area: Rect| area.contains(at);
    replay::let_go(model);
    if inside(areas.scrubber) {
        replay::clicked(model, at);
    } else if inside(areas.tabs) {
        let tabs = layout::tabs(model.screen, model.lab.is_some(), areas.tabs.width);
        let tab = tabs.iter().find(|(_, from, text)| {
            let cells = u16::try_from(text.len()).unwrap_or(u16::MAX);
            (*from..from.saturating_add(cells)).contains(&at.x)
        });
        if let Some(&(screen, _, _)) = tab {
            act::open(model, screen);
        }
    } else if inside(areas.head) {
        let columns = layout::columns(model, areas.head.width);
        let column = columns
            .iter()
            .find(|(_, from, width)| (*from..from.saturating_add(*width)).contains(&at.x));
        if let Some(&(column, _, _)) = column {
            act::sort_by(model, column);
        }
    } else if inside(areas.body) {
        let row = model.table().top + usize::from(at.y - areas.body.y);
        if row < model.rows.len() {
            model.detail.trail.clear();
            model.detail.link = None;
            if row == model.table().row {
                act::enter(model);
            } else {
                select_row(model, row);
                model.detail.window = None;
            }
            keep_in_view(model);
        }
    } else if inside(areas.detail) {
        if !model.in_detail() {
            act::follow(model);
        } else if let Some(link) = view::detail::link_at(model, at) {
            if model.detail.link == Some(link) {
                act::follow(model);
            } else {
                act::choose(model, link);
            }
        }
    }
    Vec::new()
}
