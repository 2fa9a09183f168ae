//! What happened in, the changed model and what is to be done out. The only writer of the model.

mod act;
pub mod lab;
mod mouse;
mod popup;
pub(super) mod replay;
mod reread;
mod typing;

use super::{
    keymap::Action,
    layout::Areas,
    message::{Effect, Message},
    model::{BAD_NOTE_NS, Model, NOTE_NS, Note, Popup},
    rows::{Rows, Screen, entries},
    subject::{Place, Subject},
    triage::Triage,
    watched::Ended,
};

/// Takes in one message.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Batch(batch) => model.live.take(&batch),
        Message::SourceEnded(why) => model.source.ended = Some(why),
        Message::Key(key) => return key_pressed(model, key),
        Message::Mouse(mouse) => return mouse::moused(model, mouse),
        Message::Paste(text) => typing::pasted(model, &text),
        Message::Resized(size) => {
            model.size = size;
            replay::fit(model);
            keep_in_view(model);
        }
        Message::Tick(now) => tick(model, now),
        Message::Replay(events) => replay::work(model, events),
        Message::Refresh => refresh(model),
        Message::Own(own) => model.own = *own,
        Message::Lab(news) => lab::heard(model, news),
        Message::CommandEnded(ended) => command_ended(model, ended),
        Message::Output(output) => model.output = Some(output),
        Message::Recording(state) => model.recording = state,
        Message::Done(Ok(text)) => note(model, text, false),
        Message::Done(Err(text)) => note(model, text, true),
    }
    Vec::new()
}

fn key_pressed(model: &mut Model, key: crossterm::event::KeyEvent) -> Vec<Effect> {
    let action = model.keymap.action(key, model.context());
    // Whoever presses a key has read it.
    model.note = None;
    act::find_chosen(model);
    // Whatever is open, interrupting ends it all.
    let is_interrupt = key
        .modifiers
        .contains(crossterm::event::KeyModifiers::CONTROL);
    if action == Some(Action::Quit) && is_interrupt {
        return vec![Effect::Quit];
    }
    if typing::is_typing(model) {
        return typing::key(model, key);
    }
    match action {
        Some(action) => act::act(model, action),
        None => Vec::new(),
    }
}

fn tick(model: &mut Model, now: crate::event::BootTime) {
    let passed_ns = now.since_ns(model.clock.own);
    model.clock.own = model.clock.own.max(now);
    if let Some(replay) = &mut model.replay {
        replay.passed(passed_ns);
    } else {
        model.clock.now = model.clock.now.max(now);
    }
    if let Some(said) = &model.note
        && now.since_ns(said.at) >= if said.is_bad { BAD_NOTE_NS } else { NOTE_NS }
    {
        model.note = None;
    }
}

/// Makes the rows of the open screen anew; the selection stays with its entity.
pub(super) fn refresh(model: &mut Model) {
    let (world, at) = match &model.frozen {
        Some((world, at)) => (&**world, *at),
        None => (&model.live, model.clock.now),
    };
    let choice = &model.tables[model.screen as usize].choice;
    let (rows, hidden) = Rows::gather(model.screen, world, at, choice);
    let live = world.live_processes();
    model.are_many = match &rows {
        // An entry's process is the one whose map it is in: others have none.
        Rows::Entries(rows) => entries::are_of_many(rows),
        _ => live > 1,
    };
    model.are_over = live == 0 && world.ledger().processes().next().is_some();
    model.rows = rows;
    model.hidden = hidden;
    if let Some(watched) = &mut model.watched {
        watched.learn(model.live.ledger());
    }
    let (live, now) = (&model.live, model.clock.now);
    model.alarms.check(live, now);
    lab::select_wanted(model);
    find_selected(model);
    act::find_chosen(model);
    keep_in_view(model);
}

/// Finds the row of the selected entity; where it is gone, whoever stands there now is selected.
fn find_selected(model: &mut Model) {
    let ledger = model.world().ledger();
    let table = model.table();
    let found = table
        .selected
        .as_ref()
        .filter(|subject| subject.is_there(ledger))
        .and_then(|subject| model.rows.find(subject.place));
    // Whoever looks at the newest event follows the newest; and while groups still find their
    // places, the largest.
    let is_unsettled = || !model.world().triage().is_some_and(Triage::has_rates);
    let is_first = table.row == 0 && !model.in_detail();
    let is_tail = is_first
        && match model.screen {
            Screen::Events => true,
            Screen::Triage => is_unsettled(),
            _ => false,
        };
    match found {
        Some(_) if is_tail => select_row(model, 0),
        Some(row) => model.table_mut().row = row,
        None => select_row(model, model.table().row),
    }
}

/// Selects the entity of a row, or of the last one.
fn select_row(model: &mut Model, row: usize) {
    if model.rows.is_empty() {
        // Where the row was is remembered: a filter that is being typed may show it again.
        model.table_mut().selected = None;
        return;
    }
    let row = row.min(model.rows.len() - 1);
    let selected = model
        .rows
        .place(row)
        .and_then(|place| Subject::at(model.world().ledger(), place));
    let table = model.table_mut();
    table.row = row;
    table.selected = selected;
}

/// Selects an entity, where its row is shown.
fn select_place(model: &mut Model, place: Place) {
    if let Some(row) = model.rows.find(place) {
        select_row(model, row);
        keep_in_view(model);
    }
}

/// Scrolls so that the selected row is seen, and no room is left over below.
fn keep_in_view(model: &mut Model) {
    let height = usize::from(Areas::of(model).body.height).max(1);
    let len = model.rows.len();
    let table = model.table_mut();
    if table.row < table.top {
        table.top = table.row;
    } else if table.row >= table.top + height {
        table.top = table.row + 1 - height;
    }
    table.top = table.top.min(len.saturating_sub(height));
}

/// How a command ended stays in the title; nobody needs to be asked any more whether it may.
fn command_ended(model: &mut Model, ended: Ended) {
    if matches!(model.popup, Some(Popup::Leave)) {
        model.popup = None;
    }
    if let Some(watched) = &mut model.watched {
        let command = watched.command().unwrap_or_default();
        let (text, is_failure) = (format!("{command} {}", ended.how), ended.is_failure);
        watched.ended = Some(ended);
        note(model, text, is_failure);
    }
}

/// Tells something.
fn note(model: &mut Model, text: String, is_bad: bool) {
    model.note = Some(Note {
        text,
        is_bad,
        at: model.clock.own,
    });
}
