//! What each action does.

use tui_input::Input;

use super::{
    find_selected, keep_in_view, lab, note, popup, refresh, replay, reread, select_row, typing,
};
use crate::event::BootTime;
use crate::tui::{
    keymap::Action,
    layout::Areas,
    message::Effect,
    model::{Detail, Model, Popup, Window},
    rows::{Rows, Screen},
    story::{Mark, MarkWhat, Story},
    subject::{Place, Subject},
    view,
};

/// The axis shows at least a millisecond, and at most a day.
const SPANS_NS: std::ops::RangeInclusive<u64> = 1_000_000..=86_400_000_000_000;

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(effects) = popup::act(model, action) {
        return effects;
    }
    let page = usize::from(Areas::of(model).body.height)
        .saturating_sub(1)
        .max(1);
    let far = usize::MAX / 2;
    match action {
        Action::Up => step(model, Direction::Up, 1),
        Action::Down => step(model, Direction::Down, 1),
        Action::PageUp => step(model, Direction::Up, page),
        Action::PageDown => step(model, Direction::Down, page),
        Action::Top => step(model, Direction::Up, far),
        Action::Bottom => step(model, Direction::Down, far),
        Action::ColumnLeft => column(model, false),
        Action::ColumnRight => column(model, true),
        Action::NextScreen => turn(model, true),
        Action::PreviousScreen => turn(model, false),
        Action::Screen(number) => {
            let mut screens = Screen::of(model.lab.is_some()).iter();
            if let Some(&screen) = screens.find(|screen| screen.number() == number) {
                open(model, screen);
            }
        }
        Action::Follow => enter(model),
        Action::Back => back(model),
        Action::Escape => escape(model),
        Action::SwitchFocus => {
            if model.in_detail() {
                model.detail = Detail::default();
                keep_in_view(model);
            } else {
                follow(model);
            }
        }
        Action::ZoomIn => zoom(model, true),
        Action::ZoomOut => zoom(model, false),
        Action::Earlier => scroll(model, true),
        Action::Later => scroll(model, false),
        Action::Sort => sort(model),
        Action::ReverseSort => {
            let choice = &mut model.table_mut().choice;
            choice.down = !choice.down;
            refresh(model);
        }
        Action::Filter => {
            let before = model.table().filter.clone();
            let input = Input::new(before.clone());
            model.popup = Some(Popup::Filter(input, None, before));
        }
        Action::ClearFilter => typing::filter(model, ""),
        Action::Help => model.popup = Some(Popup::Help(0)),
        Action::Performance => model.popup = Some(Popup::Performance),
        Action::UpdateTargets => return reread::asked(model),
        Action::Output => {
            model.popup = Some(Popup::Output(0));
            return vec![Effect::ReadOutput];
        }
        Action::Pause => pause(model),
        Action::AcknowledgeAlarm => model.alarms.acknowledge(),
        Action::Copy => return copy(model),
        Action::SaveText => return vec![write("screen", "txt", view::text(model))],
        Action::Record => return vec![Effect::Record],
        Action::Dump => return vec![write("ledger", "json", super::super::dump::json(model))],
        Action::Refresh => return vec![Effect::Audit],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Quit if model.is_command_running() => model.popup = Some(Popup::Leave),
        Action::Quit => return vec![Effect::Quit],
        Action::Store
        | Action::Delete
        | Action::DeleteAll
        | Action::Policy
        | Action::EntryKind
        | Action::MapKind
        | Action::Burst
        | Action::Auto
        | Action::Reset => return lab::act(model, action),
        Action::Play
        | Action::Slower
        | Action::Faster
        | Action::StepBack
        | Action::StepOn
        | Action::DeleteBack
        | Action::DeleteOn
        | Action::VerdictBack
        | Action::VerdictOn
        | Action::GapBack
        | Action::GapOn
        | Action::ScrubBack
        | Action::ScrubOn
        | Action::ScrubFarBack
        | Action::ScrubFarOn
        | Action::ToStart
        | Action::ToEnd
        | Action::Goto => replay::act(model, action),
    }
    Vec::new()
}

fn write(what: &'static str, extension: &'static str, content: String) -> Effect {
    Effect::Write {
        what,
        extension,
        content,
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

/// Moves the selection: of rows, or of links where keys go to the detail pane.
fn step(model: &mut Model, direction: Direction, by: usize) {
    if let Some(link) = model.detail.link {
        let links = links(model).len();
        let to = match direction {
            Direction::Up => link.saturating_sub(by),
            Direction::Down => link.saturating_add(by),
        };
        choose(model, to.min(links.saturating_sub(1)));
        return;
    }
    let row = model.table().row;
    let to = match direction {
        Direction::Up => row.saturating_sub(by),
        Direction::Down => row.saturating_add(by),
    };
    select_row(model, to);
    model.detail.window = None;
    keep_in_view(model);
}

pub(super) fn links(model: &Model) -> Vec<Place> {
    let Some(subject) = model.subject() else {
        return Vec::new();
    };
    Story::of(subject, &model.look()).links()
}

/// Chooses a link by its number.
pub(super) fn choose(model: &mut Model, link: usize) {
    model.detail.link = Some(link);
    model.detail.chosen = links(model).get(link).copied();
}

/// Finds the chosen link where it stands now; the first one where none was chosen yet.
pub(super) fn find_chosen(model: &mut Model) {
    let Some(link) = model.detail.link else {
        return;
    };
    let links = links(model);
    let Some(chosen) = model.detail.chosen else {
        choose(model, link.min(links.len().saturating_sub(1)));
        return;
    };
    if links.get(link) != Some(&chosen)
        && let Some(place) = links.iter().position(|place| *place == chosen)
    {
        model.detail.link = Some(place);
    }
}

/// Chooses the column that is explained, and sorted by when asked; only among those that are
/// seen.
fn column(model: &mut Model, right: bool) {
    let seen: Vec<usize> = crate::tui::layout::columns(model, model.size.width)
        .iter()
        .map(|(index, _, _)| *index)
        .collect();
    let table = model.table_mut();
    let place = seen
        .iter()
        .position(|&index| index == table.column)
        .unwrap_or(0);
    let place = if right {
        place + 1
    } else {
        place.saturating_sub(1)
    };
    if let Some(&index) = seen.get(place) {
        table.column = index;
    }
}

/// Sorts by the chosen column, or the other way round if it is sorted by that already.
fn sort(model: &mut Model) {
    let table = model.table_mut();
    let (column, choice) = (table.column, &mut table.choice);
    if choice.column == column {
        choice.down = !choice.down;
    } else {
        choice.column = column;
        choice.down = false;
    }
    refresh(model);
}

pub(super) fn sort_by(model: &mut Model, column: usize) {
    model.table_mut().column = column;
    sort(model);
}

fn turn(model: &mut Model, forward: bool) {
    let screens = Screen::of(model.lab.is_some());
    let by = if forward { 1 } else { screens.len() - 1 };
    let place = screens.iter().position(|screen| *screen == model.screen);
    open(model, screens[(place.unwrap_or(0) + by) % screens.len()]);
}

/// Opens a screen.
pub(super) fn open(model: &mut Model, screen: Screen) {
    if model.screen != screen {
        model.detail = Detail::default();
        model.screen = screen;
    }
    refresh(model);
}

/// To the members of a group where one is selected, else into the details or along a link.
pub(super) fn enter(model: &mut Model) {
    let row = match &model.rows {
        Rows::Triage(rows) if !model.in_detail() => rows.get(model.table().row),
        _ => None,
    };
    let Some(row) = row else {
        follow(model);
        return;
    };
    let (screen, filter) = (row.members(), row.filter(model.are_over));
    let Some(filter) = filter else {
        let text = "they have ended: what they were in is not kept";
        note(model, text.to_owned(), false);
        return;
    };
    open(model, screen);
    typing::filter(model, &filter);
    select_row(model, 0);
    keep_in_view(model);
}

/// Into the detail pane, or along its chosen link.
pub(super) fn follow(model: &mut Model) {
    let Some(subject) = model.subject().cloned() else {
        return;
    };
    let Some(link) = model.detail.link else {
        model.detail.trail = vec![subject];
        choose(model, 0);
        keep_in_view(model);
        return;
    };
    // A link that is gone for the moment leads nowhere, and not to what stands in its place.
    let to = links(model).get(link).copied();
    let to = to.filter(|place| Some(*place) == model.detail.chosen && *place != subject.place);
    let Some(next) = to.and_then(|place| Subject::at(model.world().ledger(), place)) else {
        return;
    };
    model.detail.trail.push(next);
    choose(model, 0);
    model.detail.window = None;
}

fn back(model: &mut Model) {
    model.detail.trail.pop();
    model.detail.window = None;
    if model.detail.trail.is_empty() {
        leave_detail(model);
    } else {
        choose(model, 0);
    }
}

fn escape(model: &mut Model) {
    if replay::is_on_its_way(model) {
        replay::stop(model);
    } else if model.in_detail() {
        leave_detail(model);
    } else if !model.table().filter.is_empty() {
        typing::filter(model, "");
    }
}

fn leave_detail(model: &mut Model) {
    model.detail.trail.clear();
    model.detail.link = None;
    model.detail.chosen = None;
    find_selected(model);
    keep_in_view(model);
}

/// The stretch of time that the axis shows now, the subject's whole life, and its delete.
fn window(model: &Model) -> (Window, Window, Option<BootTime>) {
    let story = model
        .subject()
        .map(|subject| Story::of(subject, &model.look()))
        .unwrap_or_default();
    let end = |mark: &&Mark| mark.what == MarkWhat::End;
    let delete = story.marks.iter().find(end).map(|mark| mark.at);
    let whole = Window {
        from: story.from,
        span_ns: model.now().since_ns(story.from).max(*SPANS_NS.start()),
    };
    (model.detail.window.unwrap_or(whole), whole, delete)
}

/// Half or twice as much time, around the delete where one is seen, else around the middle.
fn zoom(model: &mut Model, closer: bool) {
    let (before, whole, delete) = window(model);
    let span_ns = if closer {
        before.span_ns / 2
    } else {
        before.span_ns.saturating_mul(2)
    };
    if !closer && span_ns >= whole.span_ns {
        model.detail.window = None;
        return;
    }
    let span_ns = span_ns.clamp(*SPANS_NS.start(), *SPANS_NS.end());
    let is_seen = |at: &BootTime| *at >= before.from && at.since_ns(before.from) <= before.span_ns;
    let middle = delete
        .filter(is_seen)
        .unwrap_or(before.from.plus_ns(before.span_ns / 2));
    let from = BootTime(middle.0.saturating_sub(span_ns / 2));
    model.detail.window = Some(Window { from, span_ns });
}

/// A quarter of what is seen to one side.
fn scroll(model: &mut Model, earlier: bool) {
    let (Window { from, span_ns }, ..) = window(model);
    let step = span_ns / 4;
    let from = if earlier {
        BootTime(from.0.saturating_sub(step))
    } else {
        from.plus_ns(step).min(model.now())
    };
    model.detail.window = Some(Window { from, span_ns });
}

fn pause(model: &mut Model) {
    model.frozen = match model.frozen.take() {
        Some(_) => None,
        None => Some((Box::new(model.live.clone()), model.clock.now)),
    };
    refresh(model);
}

/// The selected row, or the story that keys go to, as text.
fn copy(model: &mut Model) -> Vec<Effect> {
    let text = if model.in_detail() {
        view::detail::text(model)
    } else {
        view::rows::selected_text(model)
    };
    match text {
        Some(text) => {
            note(model, format!("copied: {text}"), false);
            vec![Effect::Copy(text)]
        }
        None => Vec::new(),
    }
}
