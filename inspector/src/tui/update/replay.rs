//! To and fro in a recording.

use ratatui::layout::Position;
use tui_input::Input;

use super::{note, refresh, select_place};
use crate::{
    event::{BootTime, Event, What},
    trace::find::{Direction, Want, is_delete},
    tui::{
        keymap::Action,
        layout::Areas,
        model::{Model, Popup},
        replay::{
            SPEEDS, Worked,
            goto::{self, Scale},
        },
        rows,
        subject::Place,
        view::scrubber,
        words,
    },
    verdict::Judgement,
};

/// What a key does there.
pub(super) fn act(model: &mut Model, action: Action) {
    let Some(replay) = &mut model.replay else {
        return;
    };
    match action {
        Action::Play => play(model),
        Action::Slower => replay.speed = replay.speed.saturating_sub(1),
        Action::Faster => replay.speed = (replay.speed + 1).min(SPEEDS.len() - 1),
        Action::StepBack => replay.search(Want::Event, Direction::Back),
        Action::StepOn => replay.search(Want::Event, Direction::On),
        Action::DeleteBack => replay.search(Want::Delete, Direction::Back),
        Action::DeleteOn => replay.search(Want::Delete, Direction::On),
        Action::VerdictBack => replay.search(Want::Verdict, Direction::Back),
        Action::VerdictOn => replay.search(Want::Verdict, Direction::On),
        Action::GapBack => replay.search(Want::Gap, Direction::Back),
        Action::GapOn => replay.search(Want::Gap, Direction::On),
        Action::ScrubBack => scrub(model, -1),
        Action::ScrubOn => scrub(model, 1),
        Action::ScrubFarBack => scrub(model, -10),
        Action::ScrubFarOn => scrub(model, 10),
        Action::ToStart => jump(model, BootTime(0)),
        Action::ToEnd => jump(model, BootTime(u64::MAX)),
        Action::Goto => model.popup = Some(Popup::Goto(Input::default(), None)),
        _ => {}
    }
}

/// Plays, or stands still; at the end it begins again.
fn play(model: &mut Model) {
    let Some(replay) = &mut model.replay else {
        return;
    };
    if replay.is_playing || replay.is_behind() {
        replay.stop();
        return;
    }
    if replay.is_at_end() {
        replay.go_to(&model.live, BootTime(0));
    }
    replay.is_playing = true;
}

/// Whether it looks for a place, or goes to one.
pub(super) fn is_on_its_way(model: &Model) -> bool {
    let replay = model.replay.as_ref();
    replay.is_some_and(|replay| replay.progress().is_some())
}

/// Stays where it is.
pub(super) fn stop(model: &mut Model) {
    if let Some(replay) = &mut model.replay {
        replay.stop();
    }
}

/// To a time, which is not played on from.
pub(super) fn go_to(model: &mut Model, time: BootTime) {
    if let Some(replay) = &mut model.replay {
        replay.is_playing = false;
        replay.go_to(&model.live, time);
    }
}

/// To a time; what is played goes on there.
fn jump(model: &mut Model, time: BootTime) {
    if let Some(replay) = &mut model.replay {
        replay.go_to(&model.live, time);
    }
}

/// By so many columns of the scrubber.
fn scrub(model: &mut Model, by: i64) {
    let Some(replay) = &mut model.replay else {
        return;
    };
    let columns = replay.columns.len();
    if columns < 2 {
        return;
    }
    let aim = replay.aim();
    let step_ns = replay.timeline.span_ns() / (columns as u64 - 1);
    let by_ns = step_ns.max(1).saturating_mul(by.unsigned_abs());
    let to = if by < 0 {
        BootTime(aim.0.saturating_sub(by_ns))
    } else {
        aim.plus_ns(by_ns)
    };
    jump(model, to);
}

/// The time that a text means.
pub(super) fn time(model: &Model, text: &str) -> Result<BootTime, String> {
    let replay = model.replay.as_ref().ok_or("there is no recording")?;
    let scale = Scale {
        from: replay.timeline.from,
        until: replay.timeline.until,
        at: replay.at,
        boot_on_wall_ns: model.clock.boot_on_wall_ns,
    };
    goto::parse(text, &scale).map_err(|error| error.to_string())
}

/// A click beside the axis plays or stands still; one on it leads there, and holds the place.
pub(super) fn clicked(model: &mut Model, at: Position) {
    let area = Areas::of(model).scrubber;
    let axis = scrubber::axis(area);
    if at.x < axis.x {
        play(model);
        return;
    }
    if let Some(replay) = &mut model.replay {
        replay.is_held = true;
    }
    dragged(model, at);
}

/// The place that is held follows.
pub(super) fn dragged(model: &mut Model, at: Position) {
    let axis = scrubber::axis(Areas::of(model).scrubber);
    let Some(replay) = model.replay.as_mut().filter(|replay| replay.is_held) else {
        return;
    };
    let column =
        at.x.saturating_sub(axis.x)
            .min(axis.width.saturating_sub(1));
    let columns = usize::from(axis.width);
    let time = replay.timeline.time(usize::from(column), columns);
    jump(model, time);
}

/// The mouse holds nothing.
pub(super) fn let_go(model: &mut Model) {
    if let Some(replay) = &mut model.replay {
        replay.is_held = false;
    }
}

/// Makes the scrubber's columns for the size of the screen.
pub(super) fn fit(model: &mut Model) {
    let axis = scrubber::axis(Areas::of(model).scrubber);
    if let Some(replay) = &mut model.replay {
        let columns = usize::from(axis.width);
        if replay.columns.len() != columns {
            replay.columns = replay.timeline.columns(columns);
        }
    }
}

/// Takes in so many events more of what is wanted.
pub(super) fn work(model: &mut Model, events: usize) {
    let Some(replay) = &mut model.replay else {
        return;
    };
    let was_going = replay.progress().is_some();
    let worked = replay.work(&mut model.live, events);
    model.clock.now = replay.at;
    match worked {
        Worked::On => {}
        Worked::Arrived if was_going => refresh(model),
        Worked::Arrived => {}
        Worked::Found(want, judgement) => found(model, want, judgement.as_deref()),
        Worked::Nowhere(want, direction) => {
            let words = nowhere(want, direction);
            note(model, words, false);
        }
    }
}

/// Tells what was found, and selects what it is about.
fn found(model: &mut Model, want: Want, judgement: Option<&Judgement>) {
    refresh(model);
    let ledger = model.live.ledger();
    let (text, places) = match judgement {
        Some(judgement) => {
            let Judgement {
                entry,
                resource,
                verdict,
                ..
            } = judgement;
            let mut entries = ledger.entries();
            let found = entries.find(|(place, _)| ledger.entry_name(*place) == *entry);
            let key = found.map_or_else(|| entry.to_string(), |(_, entry)| words::key(entry));
            let text = format!("{key}: {resource}, {verdict}");
            let places = found.map(|(place, _)| Place::Entry(place));
            (text, Vec::from_iter(places))
        }
        None => {
            let is_it = |event: &&Event| match want {
                Want::Delete => is_delete(event),
                Want::Gap => matches!(event.what, What::Gap(_)),
                Want::Event | Want::Verdict => true,
            };
            let events = model.live.chronicle().events();
            let events = events.filter(|(_, event)| is_it(event));
            let Some((number, event)) = events.max_by_key(|(number, _)| *number) else {
                return;
            };
            let mut places = rows::events::places(event, ledger);
            places.push(Place::Event(number));
            (rows::told::tell(event, ledger), places)
        }
    };
    if !model.in_detail() {
        for place in places {
            select_place(model, place);
        }
    }
    note(model, text, false);
}

fn nowhere(want: Want, direction: Direction) -> String {
    let what = match want {
        Want::Event => "event",
        Want::Delete => "delete",
        Want::Gap => "gap",
        Want::Verdict => "late or retained verdict",
    };
    let way = match direction {
        Direction::Back => "before",
        Direction::On => "after",
    };
    format!("there is no {what} {way} this")
}

/// All that is to be done is done.
#[cfg(test)]
pub(in crate::tui) fn settle(model: &mut Model) {
    let is_behind = |model: &Model| {
        model
            .replay
            .as_ref()
            .is_some_and(|replay| replay.is_behind())
    };
    while is_behind(model) {
        work(model, 5);
    }
}
