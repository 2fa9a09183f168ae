//! Events: what happened, newest first, as it was told, and what was found to be wrong with it.

use std::borrow::Cow;

use super::{findings, line, process_line, told::tell};
use crate::{
    event::{
        Event, ThreadEvent, WaitEvent, What,
        handle::HandleChange,
        id::{BootTime, Fd, Tgid, Tid},
        text::Text,
    },
    ledger::{
        Ledger,
        entry::Entry,
        finding::{Finding, FindingKind},
    },
    tui::{
        filter::{self, FieldInfo, FieldKind},
        subject::Place,
        table::{Column, Order, TableRow},
        words,
        world::World,
    },
};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum EventRow {
    /// An event, with its number in the chronicle.
    Event(u64, Event),
    /// A finding: it stands where it happened last.
    Finding(Box<Finding>),
    /// The user's own remark in a recording, with its number in the chronicle.
    Note(u64, BootTime, Text),
}

/// What can be asked of an event.
pub const FIELDS: &[FieldInfo] = &[
    FieldInfo {
        name: "kind",
        kind: FieldKind::Word(&[
            "thread", "handle", "table", "wait", "mark", "scan", "gap", "finding", "note",
        ]),
        about: "what it is about; finding = something was done wrong, note = your own remark",
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
    let shown = shown.map(|(number, event)| EventRow::Event(number, event.clone()));
    let findings = findings::of(world, since);
    let findings = findings.map(|finding| EventRow::Finding(Box::new(finding.clone())));
    // Of one time the finding stands above what it rests on.
    let notes = world.chronicle().remarks();
    let notes = notes.map(|(number, at, text)| EventRow::Note(*number, *at, text.clone()));
    findings.chain(notes).chain(shown).collect()
}

impl EventRow {
    fn kind(&self) -> &'static str {
        let event = match self {
            Self::Event(_, event) => event,
            Self::Finding(_) => return "finding",
            Self::Note(..) => return "note",
        };
        match &event.what {
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

    fn at(&self) -> BootTime {
        match self {
            Self::Event(_, event) => event.at,
            Self::Finding(finding) => finding.last,
            Self::Note(_, at, _) => *at,
        }
    }

    /// The thread that did it, and its process.
    fn actor(&self) -> (Option<Tid>, Option<Tgid>) {
        match self {
            Self::Event(_, event) => actor(event),
            Self::Finding(finding) => (Some(finding.thread.tid), Some(finding.thread.tgid)),
            Self::Note(..) => (None, None),
        }
    }

    /// The number it is about.
    fn number(&self) -> Option<u64> {
        match self {
            Self::Event(_, event) => number(event),
            Self::Finding(finding) => finding.fd().map(|fd| fd.0.into()),
            Self::Note(..) => None,
        }
    }

    fn told(&self, ledger: &Ledger) -> String {
        match self {
            Self::Event(_, event) => tell(event, ledger),
            Self::Finding(finding) => findings::tell(finding),
            Self::Note(_, _, text) => text.to_string(),
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
                    words::wall(row.at(), look.boot_on_wall_ns, 0),
                    look.theme.dim,
                )
            },
            |row: &EventRow| Order::Number(row.at().0),
        ),
        Column::new(
            "KIND",
            7,
            "what it is about; finding = something was done wrong, with its grounds",
            "the record's kind",
            |row: &EventRow, look, _| {
                let style = match row {
                    EventRow::Finding(finding) => match finding.kind() {
                        FindingKind::CloseOfNothing => look.theme.text,
                        _ => look.theme.failure,
                    },
                    EventRow::Note(..) => look.theme.accent,
                    EventRow::Event(_, event) => match event.what {
                        What::Mark(_) => look.theme.delete,
                        What::Gap(_) => look.theme.alarm,
                        What::Thread(_) => look.theme.thread,
                        What::Handle(_) | What::Table(_) => look.theme.handle,
                        _ => look.theme.dim,
                    },
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
            |row: &EventRow, look, _| match row.actor().0 {
                Some(tid) => line(tid.to_string(), look.theme.text),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &EventRow| row.actor().0.map(|tid| u64::from(tid.0)).into(),
        )
        .right()
        .rank(1),
        Column::new(
            "PROCESS",
            20,
            "its process; there where several live",
            "bpf_get_current_pid_tgid",
            |row: &EventRow, look, _| match row.actor().1 {
                Some(tgid) => process_line(tgid, look),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &EventRow| row.actor().1.map(|tgid| u64::from(tgid.0)).into(),
        )
        .many()
        .rank(2),
        Column::new(
            "WHAT",
            30,
            "what happened",
            "tracepoints, system calls, marks and /proc, as the source told it",
            |row: &EventRow, look, _| line(row.told(look.ledger()), look.theme.text),
            |row: &EventRow| Order::Text(row.kind().to_owned()),
        )
        .grows(),
    ];
    const SORTED: (usize, bool) = (0, true);

    fn place(&self) -> Place {
        match self {
            Self::Event(number, _) | Self::Note(number, ..) => Place::Event(*number),
            Self::Finding(finding) => Place::Finding(finding.number),
        }
    }
}

impl filter::Row for EventRow {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match field {
            "kind" => self.kind().into(),
            "text" => self.told(&Ledger::default()).into(),
            "key" => match self {
                Self::Event(_, event) => match &event.what {
                    What::Mark(mark) => mark.key.text.to_string().into(),
                    _ => return None,
                },
                Self::Finding(_) | Self::Note(..) => return None,
            },
            _ => return None,
        })
    }

    fn number(&self, field: &str) -> Option<u64> {
        match field {
            "tid" => Some(self.actor().0?.0.into()),
            "pid" => Some(self.actor().1?.0.into()),
            "fd" => EventRow::number(self),
            _ => None,
        }
    }
}
