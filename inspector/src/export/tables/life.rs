//! Rows of resources and entries: who lived, from when to when, and whose they were.

use std::io;

use super::{Column, Sink, Table, Value};
use crate::{
    event::id::Moment,
    export::past::{Era, WHILE_LOST},
    ledger::{
        arena::Key,
        entry::{Delete, Entry, Removal},
        handle::{Descriptor, State},
        own::Rule,
        resource::Resource,
        thread::Thread,
    },
    verdict::wording::CallWord,
};

pub(super) const RESOURCES: [Column; 30] = [
    Column::number("id"),
    Column::text("kind"),
    Column::number("tgid"),
    Column::number("number"),
    Column::number("table_number"),
    Column::number("generation"),
    Column::number("start_ns"),
    Column::text("handle_kind"),
    Column::text("name"),
    Column::text("origin"),
    Column::number("born_ns"),
    Column::number("born_after_ns"),
    Column::number("born_by"),
    Column::text("birth_call"),
    Column::text("state"),
    Column::flag("alive"),
    Column::number("exiting_ns"),
    Column::number("died_ns"),
    Column::number("died_after_ns"),
    Column::text("cause"),
    Column::number("died_by"),
    Column::number("released_ns"),
    Column::number("released_after_ns"),
    Column::text("proof"),
    Column::number("entry"),
    Column::wide("owner_map"),
    Column::text("owner_key"),
    Column::number("owner_generation"),
    Column::text("rule"),
    Column::flag("shared"),
];

pub(super) const ENTRIES: [Column; 18] = [
    Column::number("id"),
    Column::number("tgid"),
    Column::wide("map"),
    Column::text("key"),
    Column::number("key_len"),
    Column::number("generation"),
    Column::number("store_began_ns"),
    Column::number("stored_ns"),
    Column::number("delete_begin_ns"),
    Column::number("delete_unlink_ns"),
    Column::number("delete_end_ns"),
    Column::text("removal"),
    Column::text("policy"),
    Column::number("voided_ns"),
    Column::flag("contested"),
    Column::number("resources"),
    Column::number("born_after_delete"),
    Column::number("lost_ns"),
];

/// Tells every resource and every entry.
pub(super) fn fill(era: Era<'_>, rows: &mut dyn Sink) -> io::Result<()> {
    for (place, thread) in era.threads() {
        rows.row(Table::Resources, &thread_row(era, place, thread))?;
    }
    for (place, handle) in era.handles() {
        rows.row(Table::Resources, &handle_row(era, place, handle))?;
    }
    for (place, entry) in era.entries() {
        rows.row(Table::Entries, &entry_row(era, place, entry))?;
    }
    Ok(())
}

/// A resource's number within the tables.
pub(super) fn resource_id(era: Era<'_>, resource: Resource) -> Value<'static> {
    let (place, of_kind) = match resource {
        Resource::Thread(thread) => (thread.index(), 0),
        Resource::Handle(handle) => (handle.index(), 1),
    };
    Value::number(id(era, place) * 2 + of_kind)
}

/// An entry's number within the tables.
pub(super) fn entry_id(era: Era<'_>, entry: Key<Entry>) -> Value<'static> {
    Value::number(id(era, entry.index()))
}

/// Each ledger numbers its places anew, in 32 bits.
fn id(era: Era<'_>, place: usize) -> u64 {
    era.number() << 32 | place as u64
}

/// The policy that a delete went by.
pub(super) fn policy(delete: Option<&Delete>) -> Value<'static> {
    match delete.map(|delete| &delete.how) {
        Some(Removal::Deleted {
            policy: Some(policy),
        }) => Value::text(policy),
        _ => Value::Null,
    }
}

fn thread_row<'a>(
    era: Era<'_>,
    place: Key<Thread>,
    thread: &'a Thread,
) -> [Value<'a>; RESOURCES.len()] {
    let lost = era.ended_after(thread.born);
    let [born, born_after] = Value::moment(Some(thread.born));
    let [died, died_after] = Value::moment(thread.gone.or(lost));
    let state = match (thread.gone.or(lost), thread.exiting) {
        (Some(_), _) => "gone",
        (None, Some(_)) => "exiting",
        (None, None) => "alive",
    };
    let cause = thread.gone.map(|_| thread.gone_how.words());
    let cause = cause.or(lost.map(|_| WHILE_LOST));
    let owner = thread.owner.map(|owner| (owner.entry, owner.rule));
    let [entry, map, key, generation, rule] = owner_values(era, owner);
    [
        resource_id(era, Resource::Thread(place)),
        Value::word("thread"),
        Value::number(thread.name.tgid.0),
        Value::number(thread.name.tid.0),
        Value::Null,
        Value::number(thread.name.epoch),
        Value::time(thread.name.start),
        Value::Null,
        Value::text(thread.comm),
        Value::word(thread.origin.word()),
        born,
        born_after,
        Value::maybe(thread.parent, |parent| Value::number(parent.0)),
        Value::Null,
        Value::word(state),
        Value::Flag(thread.gone.or(lost).is_none()),
        Value::time(thread.exiting),
        died,
        died_after,
        Value::maybe(cause, Value::word),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        entry,
        map,
        key,
        generation,
        rule,
        Value::flag(thread.owner.map(|owner| owner.shared)),
    ]
}

fn handle_row<'a>(
    era: Era<'a>,
    place: Key<Descriptor>,
    handle: &'a Descriptor,
) -> [Value<'a>; RESOURCES.len()] {
    let ledger = era.ledger;
    let lost = era.ended_after(handle.born);
    let description = ledger.description(handle.description);
    let table = ledger.table(handle.table);
    let [born, born_after] = Value::moment(Some(handle.born));
    // Whether it is open; `None` = not known.
    let (state, is_open, died, cause) = match handle.state {
        State::Open | State::Ambiguous { .. } | State::Rival { .. } if lost.is_some() => {
            ("closed", Some(false), lost, Some(WHILE_LOST))
        }
        State::Open => ("open", Some(true), None, None),
        State::Ambiguous { .. } | State::Rival { .. } => ("ambiguous", None, None, None),
        State::Closing { replaced } => {
            let died = Moment {
                earliest: handle.born.earliest,
                latest: replaced,
            };
            ("closing", Some(false), Some(died), None)
        }
        State::Closed { at, how, .. } => ("closed", Some(false), Some(at), Some(how.words())),
    };
    let [died, died_after] = Value::moment(died);
    let name = description.and_then(|description| description.known_as());
    let released = description.and_then(|description| description.released);
    let proof = description.filter(|description| description.released.is_some());
    let [released, released_after] = Value::moment(released);
    let [entry, map, key, generation, rule] = owner_values(era, ledger.owner_of_handle(place));
    [
        resource_id(era, Resource::Handle(place)),
        Value::word("handle"),
        Value::maybe(table, |table| Value::number(table.tgid.0)),
        Value::number(handle.fd.0),
        Value::maybe(table, |table| Value::number(table.number)),
        Value::number(handle.generation),
        Value::Null,
        Value::maybe(description, |description| {
            Value::word(description.kind.word())
        }),
        Value::maybe(name, Value::text),
        Value::word(handle.origin.word()),
        born,
        born_after,
        Value::maybe(handle.born_by, |by| Value::number(by.0)),
        Value::maybe(handle.call, |call| Value::text(CallWord(call))),
        Value::word(state),
        Value::flag(is_open),
        Value::Null,
        died,
        died_after,
        Value::maybe(cause, Value::word),
        Value::maybe(handle.closed_by, |by| Value::number(by.0)),
        released,
        released_after,
        Value::maybe(proof, |description| Value::word(description.proof.words())),
        entry,
        map,
        key,
        generation,
        rule,
        Value::flag(handle.owner.map(|owner| owner.shared)),
    ]
}

/// Whose something is: the entry, its map, key and generation, and the rule.
fn owner_values(era: Era<'_>, owner: Option<(Key<Entry>, Rule)>) -> [Value<'static>; 5] {
    let Some((entry, rule)) = owner else {
        return [const { Value::Null }; 5];
    };
    let name = era.ledger.entry_name(entry);
    [
        entry_id(era, entry),
        Value::Wide(name.map.0),
        Value::text(&name.key.text),
        Value::number(name.generation),
        Value::word(rule.word()),
    ]
}

fn entry_row<'a>(era: Era<'_>, place: Key<Entry>, entry: &'a Entry) -> [Value<'a>; ENTRIES.len()] {
    let name = era.ledger.entry_name(place);
    let delete = entry.delete.as_ref();
    let removal = delete.map(|delete| match delete.how {
        Removal::Deleted { .. } => "deleted",
        Removal::Overwritten => "overwritten",
    });
    [
        entry_id(era, place),
        Value::number(name.tgid.0),
        Value::Wide(entry.map.0),
        Value::text(&entry.key.text),
        Value::number(entry.key.len),
        Value::number(entry.generation),
        Value::time(entry.store_began),
        Value::time(entry.stored),
        Value::time(delete.and_then(|delete| delete.begin)),
        Value::time(delete.and_then(|delete| delete.unlink)),
        Value::time(delete.and_then(|delete| delete.end)),
        Value::maybe(removal, Value::word),
        policy(delete),
        Value::time(entry.voided),
        Value::Flag(entry.contested),
        Value::number(entry.resources().len() as u64),
        Value::number(entry.born_after_delete),
        Value::time(era.ended().map(|lost| lost.latest)),
    ]
}
