//! The lab, driven: keys become commands, and the driver's news the model's.

use tui_input::Input;

use super::{note, refresh, select_place};
use crate::{
    lab::{
        MapKind,
        driver::{Command, News},
        entry::EntryKind,
        policy::Policy,
    },
    tui::{
        keymap::Action,
        message::Effect,
        model::{Busy, Detail, Model, Popup},
        rows::Screen,
        subject::{Place, Subject},
    },
    verdict::wording::quantity::Duration,
};

/// Most keys at once.
const MOST_KEYS: u32 = 10_000;
/// Entries that stand there at first, so that there is something to delete.
pub const FIRST_ENTRIES: usize = 2;
/// Keys of a scenario that is played.
const SCENARIO_KEYS: u32 = 3;

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(lab) = &mut model.lab else {
        return Vec::new();
    };
    match action {
        Action::Policy => {
            lab.policy = next(&Policy::ALL, lab.policy);
            let words = format!("deletes now {}: {}", lab.policy.name(), lab.policy.about());
            note(model, words, false);
            Vec::new()
        }
        Action::EntryKind => {
            lab.entry = next(&EntryKind::ALL, lab.entry);
            let words = format!("stores now a {}: {}", lab.entry.name(), lab.entry.about());
            note(model, words, false);
            Vec::new()
        }
        Action::MapKind => {
            let map = next(&MapKind::ALL, lab.map);
            begin_anew(map, lab.entry)
        }
        Action::Reset => begin_anew(lab.map, lab.entry),
        Action::Store => store(model, 1),
        Action::Burst => {
            model.popup = Some(Popup::Burst(Input::new("100".to_owned()), None));
            Vec::new()
        }
        Action::Auto => {
            if lab.busy.is_some() {
                return vec![Effect::Lab(Command::Stop)];
            }
            model.popup = Some(Popup::Auto(0));
            Vec::new()
        }
        Action::Delete => delete_selected(model),
        Action::DeleteAll => delete_all(model),
        _ => Vec::new(),
    }
}

/// Another child, with as many entries as at the first start.
fn begin_anew(map: MapKind, entry: EntryKind) -> Vec<Effect> {
    let mut effects = vec![Effect::Lab(Command::Reset { map })];
    let stores = (0..FIRST_ENTRIES).map(|_| Effect::Lab(Command::Store { count: 1, entry }));
    effects.extend(stores);
    effects
}

fn next<T: Copy + PartialEq>(all: &[T], now: T) -> T {
    let place = all.iter().position(|&one| one == now).unwrap_or(0);
    all[(place + 1) % all.len()]
}

/// How many keys a burst stores.
pub(super) fn burst(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(count) if (1..=MOST_KEYS).contains(&count) => Ok(count),
        _ => Err(format!("a number from 1 to {MOST_KEYS}")),
    }
}

pub(super) fn store(model: &mut Model, count: u32) -> Vec<Effect> {
    let Some(lab) = &model.lab else {
        return Vec::new();
    };
    let entry = lab.entry;
    vec![Effect::Lab(Command::Store { count, entry })]
}

pub(super) fn play(model: &Model, chosen: usize) -> Vec<Effect> {
    let Some((scenario, variant)) = Model::scenarios().nth(chosen) else {
        return Vec::new();
    };
    if model.lab.is_none() {
        return Vec::new();
    }
    vec![Effect::Lab(Command::Play {
        scenario,
        variant,
        keys: SCENARIO_KEYS,
    })]
}

/// The keys of the child's live entries; of the selected one, or of all.
fn delete_selected(model: &mut Model) -> Vec<Effect> {
    let place = match model.subject().map(|subject| subject.place) {
        Some(Place::Entry(entry)) => Some(entry),
        // Whoever looks at what an entry owns means that entry.
        Some(Place::Thread(thread)) => {
            let ledger = model.world().ledger();
            ledger
                .thread(thread)
                .and_then(|thread| thread.owner)
                .map(|owner| owner.entry)
        }
        Some(Place::Handle(handle)) => {
            let ledger = model.world().ledger();
            ledger.owner_of_handle(handle).map(|(entry, _)| entry)
        }
        Some(Place::Word(..) | Place::Event(_) | Place::Group(_) | Place::Finding(_)) | None => {
            None
        }
    };
    let entry = place.and_then(|entry| model.world().ledger().entry(entry));
    let Some(entry) = entry else {
        note(
            model,
            "select an entry, or something that one owns, to delete it".to_owned(),
            true,
        );
        return Vec::new();
    };
    let key = entry.key.text.bytes();
    if entry.delete.is_some() {
        let words = format!("{} is deleted already", entry.key.text);
        note(model, words, true);
        return Vec::new();
    }
    let key = String::from_utf8_lossy(key).into_owned();
    delete(model, vec![key])
}

fn delete_all(model: &mut Model) -> Vec<Effect> {
    let world = &model.live;
    let live = world
        .ledger()
        .entries()
        .filter(|(_, entry)| entry.delete.is_none() && entry.voided.is_none())
        .filter(|(_, entry)| world.shows(entry.process));
    let mut keys: Vec<_> = live
        .map(|(_, entry)| {
            (
                entry.stored,
                String::from_utf8_lossy(entry.key.text.bytes()).into_owned(),
            )
        })
        .collect();
    keys.sort();
    if keys.is_empty() {
        note(model, "there is no live entry to delete".to_owned(), true);
        return Vec::new();
    }
    delete(model, keys.into_iter().map(|(_, key)| key).collect())
}

fn delete(model: &mut Model, keys: Vec<String>) -> Vec<Effect> {
    let Some(lab) = &mut model.lab else {
        return Vec::new();
    };
    lab.has_deleted = true;
    let policy = lab.policy;
    vec![Effect::Lab(Command::Delete { keys, policy })]
}

/// Takes in what the driver says.
pub(super) fn heard(model: &mut Model, news: News) {
    let Some(lab) = &mut model.lab else {
        return;
    };
    match news {
        News::Started { pid, uid, map } => {
            let is_another = lab.pid.is_some() || lab.died.is_some();
            *lab = super::super::model::Lab {
                pid: Some(pid),
                uid,
                map,
                busy: None,
                died: None,
                ..lab.clone()
            };
            if is_another {
                model.live.clear_but(pid);
                model.frozen = None;
                // What the pane showed belongs to the lab that has ended.
                model.detail = Detail::default();
                model.alarms.clear();
                note(model, format!("a new lab with a {} map", map.name()), false);
            }
            refresh(model);
        }
        News::Stored { key } => {
            // Until something was deleted, what to press next is told in its place.
            if lab.has_deleted {
                note(model, format!("stored {key}"), false);
            }
            if let Some(lab) = &mut model.lab {
                lab.select = Some(key);
            }
            refresh(model);
        }
        News::Deleted { key, took } => {
            let took = Duration(crate::duration::as_ns(took));
            note(model, format!("deleted {key} in {took}"), false);
        }
        News::Progress { what, done, total } => {
            lab.busy = (done < total).then_some(Busy::Many { what, done, total });
        }
        News::Stopped { what, done, total } => {
            lab.busy = None;
            note(
                model,
                format!("{what} stopped after {done} of {total} keys"),
                true,
            );
        }
        News::Playing { scenario, variant } => lab.busy = Some(Busy::Playing { scenario, variant }),
        News::Played { scenario, variant } => {
            lab.busy = None;
            note(
                model,
                format!("played {scenario} {} {variant}", model.glyphs.dot),
                false,
            );
        }
        News::Marks(batch) => model.live.take(&batch),
        News::Refused(what) => note(model, what, true),
        News::Died(what) => {
            lab.busy = None;
            lab.died = Some(what);
        }
        News::Ended => {}
    }
}

/// Selects the entry that was stored last, once it is there.
pub(super) fn select_wanted(model: &mut Model) {
    let Some(wanted) = model.lab.as_ref().and_then(|lab| lab.select.clone()) else {
        return;
    };
    let world = model.world();
    let found = world
        .ledger()
        .entries()
        .filter(|(_, entry)| {
            world.shows(entry.process) && entry.key.text.bytes() == wanted.as_bytes()
        })
        .map(|(place, _)| place)
        .last();
    let Some(entry) = found else {
        return;
    };
    if let Some(lab) = &mut model.lab {
        lab.select = None;
    }
    if model.screen != Screen::Entries {
        let subject = Subject::at(model.world().ledger(), Place::Entry(entry));
        model.tables[Screen::Entries as usize].selected = subject;
    } else if !model.in_detail() {
        select_place(model, Place::Entry(entry));
    }
}
