//! Events: what happened, newest first, as it was told.

use std::borrow::Cow;

use super::{line, told::tell};
use crate::{
    event::{
        Event, ThreadEvent, WaitEvent, What,
        handle::HandleChange,
        id::{Fd, Tgid, Tid},
    },
    ledger::{Ledger, entry::Entry},
    tui::{
        filter::{self, FieldInfo, FieldKind},
        subject::Place,
        table::{Column, Order, TableRow},
        words,
        world::World,
    },
};

/// An event.
#[derive(Clone, Debug)]
pub struct EventRow {
    number: u64,
    event: Event,
}

/// What can be asked of an event.
pub const FIELDS: &[FieldInfo] = &[
    FieldInfo {
        name: "kind",
        kind: FieldKind::Word(&["thread", "handle", "table", "wait", "mark", "scan", "gap"]),
        about: "what it is about",
    },
    FieldInfo {
        name: "tid",
        kind: FieldKind::Number,
        about: "the thread that did it",
    },
    FieldInfo {
        name: "pid",
        kind: FieldKind::Number,
        about: "its process",
    },
    FieldInfo {
        name: "text",
        kind: FieldKind::Text,
        about: "its words",
    },
    FieldInfo {
        name: "key",
        kind: FieldKind::Text,
        about: "the key of a mark",
    },
    FieldInfo {
        name: "fd",
        kind: FieldKind::Number,
        about: "the number it is about",
    },
];

/// The latest events of the run that is shown.
pub fn rows(world: &World) -> Vec<EventRow> {
    let since = world.cleared();
    let events = world.chronicle().events();
    let shown = events.filter(|(_, event)| event.at >= since);
    shown
        .map(|(number, event)| EventRow {
            number,
            event: event.clone(),
        })
        .collect()
}

impl EventRow {
    fn kind(&self) -> &'static str {
        match &self.event.what {
            What::Thread(_) => "thread",
            What::Handle(_) => "handle",
            What::Table(_) => "table",
            What::Wait(_) => "wait",
            What::Mark(_) => "mark",
            What::Scan(_) => "scan",
            What::Targets(_) => "targets",
            What::Named(_) => "name",
            What::Gap(_) => "gap",
            What::Tick => "tick",
            What::End(_) => "end",
        }
    }
}

/// The thread that did it, and its process.
fn actor(event: &Event) -> (Option<Tid>, Option<Tgid>) {
    match &event.what {
        What::Thread(thread) => match *thread {
            ThreadEvent::Born {
                parent,
                parent_tgid,
                ..
            } => (Some(parent), Some(parent_tgid)),
            ThreadEvent::Exec { old_tid, tgid, .. } => (Some(old_tid), Some(tgid)),
            ThreadEvent::Renamed { tid, tgid, .. }
            | ThreadEvent::Exiting { tid, tgid, .. }
            | ThreadEvent::Gone { tid, tgid, .. } => (Some(tid), Some(tgid)),
        },
        What::Handle(handle) => (Some(handle.tid), Some(handle.tgid)),
        What::Table(read) => (Some(read.by), Some(read.tgid)),
        What::Wait(wait) => match **wait {
            WaitEvent::Ended { tid, tgid, .. } | WaitEvent::Sample { tid, tgid, .. } => {
                (Some(tid), Some(tgid))
            }
            WaitEvent::Futex { tgid, .. } => (None, Some(tgid)),
        },
        What::Mark(mark) => (Some(mark.tid), Some(mark.tgid)),
        What::Scan(scan) => (None, Some(scan.tgid)),
        What::Named(named) => (Some(named.tid), Some(named.tgid)),
        What::Targets(targets) => (Some(targets.reader), Some(targets.tgid)),
        What::Gap(_) | What::Tick | What::End(_) => (None, None),
    }
}

/// What an event is about, as far as it lives: the thread born or the one that acted, and the
/// handle.
pub fn places(event: &Event, ledger: &Ledger) -> Vec<Place> {
    let mut places = Vec::new();
    let born = match &event.what {
        What::Thread(ThreadEvent::Born { child, .. }) => Some(*child),
        _ => None,
    };
    if let What::Mark(mark) = &event.what {
        let entries = ledger.entries().filter(|(_, entry)| {
            entry.map == mark.map
                && entry.key == mark.key
                && ledger
                    .process(entry.process)
                    .is_some_and(|process| process.tgid == mark.tgid)
        });
        // The latest of this key's that was there by then.
        let stored = |entry: &Entry| entry.store_began.or(entry.stored).unwrap_or_default();
        let then = entries.filter(|(_, entry)| stored(entry) <= event.at);
        let latest = then.max_by_key(|(_, entry)| entry.generation);
        places.extend(latest.map(|(place, _)| Place::Entry(place)));
    }
    let (actor, _) = actor(event);
    for tid in born.into_iter().chain(actor) {
        places.extend(ledger.thread_by_tid(tid).map(Place::Thread));
    }
    if let Some(fd) = number(event)
        && let Some(thread) = actor.and_then(|tid| ledger.thread_by_tid(tid))
        && let Some(table) = ledger.table_used_by(thread)
        && let Ok(fd) = u32::try_from(fd)
    {
        places.extend(ledger.open_handle(table, Fd(fd)).map(Place::Handle));
    }
    places
}

/// The number an event is about.
fn number(event: &Event) -> Option<u64> {
    let What::Handle(handle) = &event.what else {
        return None;
    };
    let fd = match handle.change {
        HandleChange::Born { fd, .. }
        | HandleChange::Received { fd, .. }
        | HandleChange::Shared { fd }
        | HandleChange::Closed { fd, .. }
        | HandleChange::CloseRefused { fd } => fd,
        HandleChange::Duplicated { to, .. } => to,
        HandleChange::RangeClosed { first, .. } | HandleChange::CloexecSet { first, .. } => first,
        HandleChange::BirthRefused { .. } | HandleChange::Unsettled { .. } => return None,
    };
    Some(fd.0.into())
}

impl TableRow for EventRow {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            "TIME (UTC)",
            12,
            "when it happened, by the clock on the wall: births at their call's exit, deaths \
             at its entry",
            "CLOCK_BOOTTIME in the kernel",
            |row: &EventRow, look, _| {
                line(
                    words::wall(row.event.at, look.boot_on_wall_ns, 0),
                    look.theme.dim,
                )
            },
            |row: &EventRow| Order::Number(row.number),
        ),
        Column::new(
            "KIND",
            6,
            "what it is about",
            "the record's kind",
            |row: &EventRow, look, _| {
                let style = match row.event.what {
                    What::Mark(_) => look.theme.delete,
                    What::Gap(_) => look.theme.alarm,
                    What::Thread(_) => look.theme.thread,
                    What::Handle(_) | What::Table(_) => look.theme.handle,
                    _ => look.theme.dim,
                };
                line(row.kind(), style)
            },
            |row: &EventRow| Order::Text(row.kind().to_owned()),
        ),
        Column::new(
            "TID",
            7,
            "the thread that did it",
            "bpf_get_current_pid_tgid",
            |row: &EventRow, look, _| match actor(&row.event).0 {
                Some(tid) => line(tid.to_string(), look.theme.text),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &EventRow| actor(&row.event).0.map(|tid| u64::from(tid.0)).into(),
        )
        .right()
        .rank(1),
        Column::new(
            "WHAT",
            30,
            "what happened",
            "tracepoints, system calls, marks and /proc, as the source told it",
            |row: &EventRow, look, _| line(tell(&row.event, look.ledger()), look.theme.text),
            |row: &EventRow| Order::Text(row.kind().to_owned()),
        )
        .grows(),
    ];
    const SORTED: (usize, bool) = (0, true);

    fn place(&self) -> Place {
        Place::Event(self.number)
    }
}

impl filter::Row for EventRow {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match field {
            "kind" => self.kind().into(),
            "text" => tell(&self.event, &Ledger::default()).into(),
            "key" => match &self.event.what {
                What::Mark(mark) => mark.key.text.to_string().into(),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn number(&self, field: &str) -> Option<u64> {
        match field {
            "tid" => Some(actor(&self.event).0?.0.into()),
            "pid" => Some(actor(&self.event).1?.0.into()),
            "fd" => number(&self.event),
            _ => None,
        }
    }
}
