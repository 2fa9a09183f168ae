//! Entries: what the application stored, and what became of it after its delete.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use super::{fate, line, process_line};
use crate::{
    event::{BootTime, id::Tgid, text::Text},
    ledger::{
        Ledger,
        arena::Key,
        entry::{Entry, Removal},
        resource::Resource,
    },
    tui::{
        filter::{self, FieldInfo, FieldKind},
        subject::Place,
        table::{Column, Look, Order, TableRow},
        theme::{CLASS_WORDS, Class},
        words,
        world::World,
    },
    verdict::delete,
};

/// An entry.
#[derive(Clone, Debug)]
pub struct EntryRow {
    /// Where it stands.
    pub entry: Key<Entry>,
    /// Its worst verdict.
    pub class: Class,
    tgid: Option<Tgid>,
    key: Text,
    /// Whether all of the key was copied.
    is_whole: bool,
    generation: u32,
    pub(super) state: State,
    policy: Option<Text>,
    /// Alive, of how many.
    threads: (u32, u32),
    handles: (u32, u32),
    stored: Option<BootTime>,
    /// From the delete's end until now.
    pub(super) since_ns: Option<u64>,
    /// From its store until now.
    age_ns: Option<u64>,
}

/// How an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Live,
    Deleting,
    Deleted,
    Ended,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Ended => "ended",
        }
    }
}

/// What can be asked of an entry.
pub const FIELDS: &[FieldInfo] = &[
    FieldInfo {
        name: "key",
        kind: FieldKind::Text,
        about: "the key",
    },
    FieldInfo {
        name: "state",
        kind: FieldKind::Word(&[
            "live",
            "deleting",
            "deleted",
            "ended",
            "gone",
            "reassigned",
            "pending",
            "late",
            "unknown",
            "retained",
        ]),
        about: "its state or its worst verdict",
    },
    FieldInfo {
        name: "verdict",
        kind: FieldKind::Word(CLASS_WORDS),
        about: "its worst verdict",
    },
    FieldInfo {
        name: "pid",
        kind: FieldKind::Number,
        about: "its process",
    },
    FieldInfo {
        name: "policy",
        kind: FieldKind::Text,
        about: "how it was deleted",
    },
    FieldInfo {
        name: "threads",
        kind: FieldKind::Number,
        about: "threads of it that live",
    },
    FieldInfo {
        name: "handles",
        kind: FieldKind::Number,
        about: "handles of it that are not released",
    },
    FieldInfo {
        name: "since",
        kind: FieldKind::Duration,
        about: "time since its delete",
    },
    FieldInfo {
        name: "age",
        kind: FieldKind::Duration,
        about: "time since its store",
    },
];

/// Every entry of the run that is shown.
pub fn rows(world: &World, now: BootTime) -> Vec<EntryRow> {
    let ledger = world.ledger();
    let shown = ledger
        .entries()
        .filter(|(_, entry)| world.shows(entry.process));
    shown
        .map(|(key, entry)| row(ledger, key, entry, now))
        .collect()
}

fn row(ledger: &Ledger, key: Key<Entry>, entry: &Entry, now: BootTime) -> EntryRow {
    let end = entry.delete.as_ref().and_then(|delete| delete.end);
    let state = match &entry.delete {
        Some(delete) if delete.end.is_some() => State::Deleted,
        Some(_) => State::Deleting,
        None if entry.voided.is_some() => State::Ended,
        None => State::Live,
    };
    let mut row = EntryRow {
        entry: key,
        class: Class::Live,
        tgid: ledger.process(entry.process).map(|process| process.tgid),
        key: entry.key.text.clone(),
        is_whole: entry.key.is_whole(),
        generation: entry.generation,
        state,
        policy: entry.delete.as_ref().map(|delete| match &delete.how {
            Removal::Overwritten => Text::from(&b"overwritten"[..]),
            Removal::Deleted { policy } => policy.clone().unwrap_or_default(),
        }),
        threads: (0, 0),
        handles: (0, 0),
        stored: entry.store_began.or(entry.stored),
        since_ns: end.map(|end| now.since_ns(end)),
        age_ns: entry.stored.map(|at| now.since_ns(at)),
    };
    for &resource in entry.resources() {
        let alive = u32::from(is_alive(ledger, resource));
        let (live, all) = match resource {
            Resource::Thread(_) => &mut row.threads,
            Resource::Handle(_) => &mut row.handles,
        };
        *live += alive;
        *all += 1;
        if entry.delete.is_some()
            && let Some(verdict) = delete::verdict(ledger, key, resource)
        {
            row.class = row.class.max(Class::of(&verdict));
        }
    }
    if end.is_some() && row.class == Class::Live {
        // Nothing to answer for, or only what another entry was given.
        row.class = if entry.moved.is_empty() {
            Class::Gone
        } else {
            Class::Reassigned
        };
    }
    row
}

/// Whether the entries are of several processes.
pub fn are_of_many(rows: &[EntryRow]) -> bool {
    rows.windows(2).any(|pair| pair[0].tgid != pair[1].tgid)
}

/// Whether a resource is still there: a thread until its last switch, a handle until its open
/// file description is released.
pub fn is_alive(ledger: &Ledger, resource: Resource) -> bool {
    match resource {
        Resource::Thread(thread) => ledger
            .thread(thread)
            .is_some_and(|thread| thread.gone.is_none()),
        Resource::Handle(handle) => ledger
            .handle(handle)
            .and_then(|handle| ledger.description(handle.description))
            .is_some_and(|description| description.released.is_none()),
    }
}

impl TableRow for EntryRow {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            "KEY",
            12,
            "the key it was stored under; #2 is the second entry of that key",
            "the store mark (USDT lifecycle:store_begin)",
            |row: &EntryRow, look, _| {
                let cut = if row.is_whole { "" } else { look.glyphs.cut };
                let text = match row.generation {
                    0 | 1 => format!("{}{cut}", row.key),
                    generation => format!("{}{cut}#{generation}", row.key),
                };
                line(text, look.theme.strong)
            },
            |row: &EntryRow| Order::Text(row.key.to_string()),
        ),
        Column::new(
            "PROCESS",
            20,
            "the process whose map it is in; there where several live",
            "the process of the thread that hit the mark",
            |row: &EntryRow, look, _| match row.tgid {
                Some(tgid) => process_line(tgid, look),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &EntryRow| row.tgid.map(|tgid| u64::from(tgid.0)).into(),
        )
        .many()
        .rank(3),
        Column::new(
            "STATE",
            8,
            "live: in its map; deleting: a delete has begun; deleted: it has returned; ended: \
             its process did",
            "the delete marks (USDT lifecycle:delete_begin, delete_end)",
            |row: &EntryRow, look, _| {
                let style = match row.state {
                    State::Live => look.theme.text,
                    State::Deleting => look.theme.warning,
                    State::Deleted | State::Ended => look.theme.dim,
                };
                line(row.state.word(), style)
            },
            |row: &EntryRow| Order::Number(row.state as u64),
        )
        .rank(1),
        Column::new(
            "POLICY",
            16,
            "how the application says that it deletes",
            "the policy argument of lifecycle:delete_begin",
            |row: &EntryRow, look, _| match &row.policy {
                Some(policy) => line(policy.to_string(), look.theme.text),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &EntryRow| {
                let policy = row.policy.as_ref();
                policy.map_or(Order::Unknown, |policy| Order::Text(policy.to_string()))
            },
        )
        .rank(3),
        Column::new(
            "THREADS",
            7,
            "threads it owns: alive / all",
            "births by task_newtask, deaths by the last sched_switch",
            |row: &EntryRow, look, _| of(row.threads, row, look),
            |row: &EntryRow| Order::Number(row.threads.0.into()),
        )
        .right(),
        Column::new(
            "HANDLES",
            7,
            "handles it owns: not released / all",
            "system calls' exits, closes' entries, reference counts",
            |row: &EntryRow, look, _| of(row.handles, row, look),
            |row: &EntryRow| Order::Number(row.handles.0.into()),
        )
        .right(),
        Column::new(
            "SINCE DELETE",
            12,
            "time since the delete returned",
            "the time of lifecycle:delete_end",
            |row: &EntryRow, look, _| match row.since_ns {
                Some(ns) => line(words::passed(ns), look.theme.text),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &EntryRow| row.since_ns.into(),
        )
        .right()
        .rank(2),
        Column::new(
            "VERDICT",
            40,
            "the worst verdict on what it owned, and why; while the grace runs a gauge shows \
             how much of it is left",
            "judged from the ledger; a pure function of the events",
            fate::cell,
            |row: &EntryRow| Order::Number(row.class as u64),
        )
        .grows(),
        Column::new(
            "AGE",
            9,
            "time since its store",
            "the time of lifecycle:store_end",
            |row: &EntryRow, look, _| match row.age_ns {
                Some(ns) => line(words::passed(ns), look.theme.dim),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &EntryRow| row.stored.map(|at| at.0).into(),
        )
        .right()
        .rank(4),
    ];
    // Newest first: a row's place does not change by what happens to it.
    const SORTED: (usize, bool) = (8, true);

    fn place(&self) -> Place {
        Place::Entry(self.entry)
    }
}

fn of((alive, all): (u32, u32), row: &EntryRow, look: &Look<'_>) -> Line<'static> {
    let style = match row.state {
        State::Live => look.theme.text,
        _ if alive == 0 => look.theme.class(Class::Gone),
        State::Deleting | State::Ended => look.theme.text,
        State::Deleted => look.theme.class(row.class.max(Class::Pending)),
    };
    Line::from(vec![
        Span::styled(alive.to_string(), style),
        Span::styled(format!("/{all}"), look.theme.dim),
    ])
}

impl filter::Row for EntryRow {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match field {
            "key" => self.key.to_string().into(),
            "state" => format!("{} {}", self.state.word(), self.class.word()).into(),
            "verdict" => self.class.word().into(),
            "policy" => self.policy.as_ref()?.to_string().into(),
            _ => return None,
        })
    }

    fn number(&self, field: &str) -> Option<u64> {
        match field {
            "threads" => Some(self.threads.0.into()),
            "handles" => Some(self.handles.0.into()),
            "pid" => Some(self.tgid?.0.into()),
            "since" => self.since_ns,
            "age" => self.age_ns,
            _ => None,
        }
    }
}
