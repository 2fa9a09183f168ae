//! Triage: what a target holds and its threads are in, by kind and pattern, and how it grows.

use std::borrow::Cow;

use super::{Screen, line};
use crate::{
    event::{BootTime, id::CallNumber, text::Text},
    tui::{
        filter::{self, FieldInfo, FieldKind},
        subject::Place,
        table::{Column, Order, TableRow},
        triage::group::{GroupKind, OTHERS, RUNNING},
        words,
        world::World,
    },
    verdict::wording::CallWord,
};

/// A group of handles or threads.
#[derive(Clone, Debug)]
pub struct GroupRow {
    number: usize,
    /// Of what.
    pub kind: GroupKind,
    /// What they have in common.
    pub pattern: Text,
    call: Option<CallNumber>,
    /// How many live.
    pub alive: u64,
    born: u64,
    died: u64,
    per_minute: Option<f64>,
    oldest_ns: Option<u64>,
    oldest_is_exact: bool,
    grows: Grows,
    is_suspect: bool,
}

/// How a group grows, from not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grows {
    Not,
    Slower,
    Fastest,
}

/// What can be asked of a group.
pub const FIELDS: &[FieldInfo] = &[
    FieldInfo {
        name: "kind",
        kind: FieldKind::Text,
        about: "what it is of: socket, timerfd, threads, …",
    },
    FieldInfo {
        name: "pattern",
        kind: FieldKind::Text,
        about: "what their targets or names have in common",
    },
    FieldInfo {
        name: "via",
        kind: FieldKind::Text,
        about: "the call that made most of them",
    },
    FieldInfo {
        name: "count",
        kind: FieldKind::Number,
        about: "how many live",
    },
    FieldInfo {
        name: "born",
        kind: FieldKind::Number,
        about: "how many were born since the attach",
    },
    FieldInfo {
        name: "died",
        kind: FieldKind::Number,
        about: "how many died since the attach",
    },
    FieldInfo {
        name: "oldest",
        kind: FieldKind::Duration,
        about: "age of the oldest",
    },
    FieldInfo {
        name: "grows",
        kind: FieldKind::Word(&["yes", "no", "fastest", "suspect"]),
        about: "whether there are more and more; suspect: and never fewer",
    },
];

/// The groups in which something lives.
pub fn rows(world: &World, now: BootTime) -> Vec<GroupRow> {
    let Some(triage) = world.triage() else {
        return Vec::new();
    };
    let fastest = triage.fastest();
    let groups = triage.groups().iter().enumerate();
    let some = groups.filter(|(_, group)| group.alive > 0);
    some.map(|(number, group)| GroupRow {
        number,
        kind: group.kind,
        pattern: group.pattern.clone(),
        call: group.call,
        alive: group.alive as u64,
        born: group.born,
        died: group.died,
        per_minute: group.per_minute,
        oldest_ns: group.oldest.map(|since| now.since_ns(since)),
        oldest_is_exact: group.oldest_is_exact,
        grows: match group.grows() {
            _ if fastest == Some(number) => Grows::Fastest,
            true => Grows::Slower,
            false => Grows::Not,
        },
        is_suspect: group.suspect.is_some(),
    })
    .collect()
}

impl GroupRow {
    /// The screen that lists its members.
    pub fn members(&self) -> Screen {
        match self.kind {
            GroupKind::Handles(_) => Screen::Handles,
            GroupKind::Threads | GroupKind::ThreadsIn => Screen::Threads,
        }
    }

    /// The filter that lists its members on their screen: those that live or, once everything is
    /// over, those that are dead. `None` = there is none: what dead threads were in is not kept.
    pub fn filter(&self, are_over: bool) -> Option<String> {
        let (open, living) = if are_over {
            ("state:closed,released", "state:dead")
        } else {
            ("state:open", LIVING)
        };
        let pattern = self.pattern.to_string();
        let is_told_apart = pattern != OTHERS;
        let pattern = filter::quoted(&pattern);
        Some(match self.kind {
            GroupKind::Handles(kind) if is_told_apart => {
                format!("{open} kind:{} pattern:{pattern}", kind.word())
            }
            GroupKind::Handles(kind) => format!("{open} kind:{}", kind.word()),
            GroupKind::Threads if is_told_apart => format!("{living} pattern:{pattern}"),
            GroupKind::Threads => living.to_owned(),
            GroupKind::ThreadsIn if are_over => return None,
            GroupKind::ThreadsIn if self.is_running() => "state:active".to_owned(),
            GroupKind::ThreadsIn => format!("state:blocked in:{pattern}"),
        })
    }

    fn is_running(&self) -> bool {
        self.pattern.bytes() == RUNNING.as_bytes()
    }
}

/// Threads that live.
const LIVING: &str = "state:active,blocked,exiting,alive";

impl TableRow for GroupRow {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            "COUNT",
            8,
            "how many live now",
            "the ledger, counted once a second",
            |row: &GroupRow, look, _| line(words::count(row.alive), look.theme.strong),
            |row: &GroupRow| Order::Number(row.alive),
        )
        .right(),
        Column::new(
            "KIND",
            10,
            "what they are; threads by their names, and once more by the call they are in",
            "the call that made it; /proc where that was not seen",
            |row: &GroupRow, look, _| {
                let style = match row.kind {
                    GroupKind::Handles(_) => look.theme.handle,
                    GroupKind::Threads | GroupKind::ThreadsIn => look.theme.thread,
                };
                line(row.kind.word(), style)
            },
            |row: &GroupRow| Order::Text(row.kind.word().to_owned()),
        )
        .rank(3),
        Column::new(
            "WHAT",
            24,
            "what their targets or names have in common: a star stands for a number; ? = not \
             read yet",
            "/proc/PID/fd, thread names, the call of a wait",
            |row: &GroupRow, look, width| {
                let text = row.pattern.to_string();
                let text = words::without_middle(&text, width, look.glyphs.cut);
                let style = if row.kind.word() == text || text == "?" {
                    look.theme.dim
                } else {
                    look.theme.text
                };
                line(text, style)
            },
            |row: &GroupRow| Order::Text(row.pattern.to_string()),
        )
        .grows(),
        Column::new(
            "VIA",
            14,
            "the call that made most of them, as far as their births were seen",
            "the calls' exits",
            |row: &GroupRow, look, _| match row.call {
                Some(call) => line(CallWord(call).to_string(), look.theme.dim),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &GroupRow| {
                let call = row.call.map(|call| CallWord(call).to_string());
                call.map_or(Order::Unknown, Order::Text)
            },
        )
        .rank(7),
        Column::new(
            "BORN",
            8,
            "how many were born since the attach",
            "the ledger; what lived for less than a second may be missing where much is forgotten",
            |row: &GroupRow, look, _| match row.kind {
                GroupKind::ThreadsIn => line(look.glyphs.none, look.theme.dim),
                _ => line(words::count(row.born), look.theme.dim),
            },
            |row: &GroupRow| Order::Number(row.born),
        )
        .right()
        .rank(6),
        Column::new(
            "DIED",
            8,
            "how many of them died since the attach",
            "the ledger",
            |row: &GroupRow, look, _| match row.kind {
                GroupKind::ThreadsIn => line(look.glyphs.none, look.theme.dim),
                _ => line(words::count(row.died), look.theme.dim),
            },
            |row: &GroupRow| Order::Number(row.died),
        )
        .right()
        .rank(6),
        Column::new(
            "RATE",
            11,
            "how many more there are every minute, over ten minutes or as long as it is \
             watched; ? = watched for less than ten seconds",
            "the counts of each second",
            |row: &GroupRow, look, _| {
                let style = match row.grows {
                    Grows::Fastest => look.theme.warning,
                    Grows::Slower => look.theme.text,
                    Grows::Not => look.theme.dim,
                };
                let rate = words::rate(row.per_minute);
                match (row.kind, row.grows) {
                    (GroupKind::ThreadsIn, _) => line(look.glyphs.none, look.theme.dim),
                    (_, Grows::Fastest) => line(format!("{} {rate}", look.glyphs.warn), style),
                    (_, Grows::Slower | Grows::Not) => line(rate, style),
                }
            },
            |row: &GroupRow| row.per_minute.map_or(Order::Unknown, words::rate_order),
        )
        .right()
        .rank(1),
        Column::new(
            "OLDEST",
            10,
            "age of the oldest, or how long it has been in the call; > where it was so before \
             the attach",
            "births; sched_switch",
            |row: &GroupRow, look, _| match row.oldest_ns {
                Some(ns) => super::age_line(ns, row.oldest_is_exact, look),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &GroupRow| row.oldest_ns.into(),
        )
        .right()
        .rank(2),
        Column::new(
            "GROWTH",
            13,
            "whether there are more and more of them, and which of all grows fastest; suspect = \
             no delete is declared for them, most of all windows of time saw them grow and none \
             shrink",
            "the rate, where it makes at least three; windows over the whole time",
            |row: &GroupRow, look, _| match (row.is_suspect, row.grows) {
                (true, _) => line("suspect", look.theme.warning),
                (false, Grows::Fastest) => line("grows fastest", look.theme.warning),
                (false, Grows::Slower) => line("grows", look.theme.text),
                (false, Grows::Not) => line("", look.theme.dim),
            },
            |row: &GroupRow| Order::Number(2 * u64::from(row.is_suspect) + row.grows as u64),
        )
        .rank(4),
    ];
    const SORTED: (usize, bool) = (0, true);

    fn place(&self) -> Place {
        Place::Group(self.number)
    }
}

impl filter::Row for GroupRow {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match field {
            "kind" => self.kind.word().into(),
            "pattern" => self.pattern.to_string().into(),
            "via" => CallWord(self.call?).to_string().into(),
            "grows" => match (self.grows, self.is_suspect) {
                (Grows::Not, _) => "no",
                (Grows::Slower, false) => "yes",
                (Grows::Slower, true) => "yes suspect",
                (Grows::Fastest, false) => "yes fastest",
                (Grows::Fastest, true) => "yes fastest suspect",
            }
            .into(),
            _ => return None,
        })
    }

    fn number(&self, field: &str) -> Option<u64> {
        match field {
            "count" => Some(self.alive),
            "born" => Some(self.born),
            "died" => Some(self.died),
            "oldest" => self.oldest_ns,
            _ => None,
        }
    }
}
