//! Threads: what each does now and since when, whose it is, and when it was born.

use std::borrow::Cow;

use ratatui::text::Line;

use super::{Dead, age_line, line, owner_line, owner_text, process_line};
use crate::{
    event::{
        BootTime,
        id::{Moment, Tgid, Tid},
        text::Comm,
        wait::{Blocked, Waker},
    },
    ledger::{Ledger, arena::Key, identity::Origin, resource::Resource, thread::Thread},
    tui::{
        filter,
        subject::Place,
        table::{Column, Look, Order, TableRow},
        theme::Class,
        triage::pattern,
        words,
        world::World,
    },
};

/// A thread.
#[derive(Clone, Debug)]
pub struct ThreadRow {
    /// Where it stands.
    pub thread: Key<Thread>,
    tid: Tid,
    tgid: Tgid,
    comm: Comm,
    state: ThreadIs,
    /// How long it has been so.
    for_ns: Option<u64>,
    blocked: Option<Blocked>,
    waker: Option<Waker>,
    waits: Option<u64>,
    owner: Option<String>,
    class: Class,
    age_ns: u64,
    /// Whether its birth was seen.
    announced: bool,
}

/// What a thread does, as far as samples tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ThreadIs {
    /// It ran at the last sign of it.
    Active,
    /// In a call that has not returned.
    Blocked,
    /// It has entered its exit.
    Exiting,
    /// It lives; what it does was not sampled.
    Alive,
    /// It has left the cpu for the last time.
    Dead,
}

impl ThreadIs {
    /// Of a thread, with since when.
    pub fn of(thread: &Thread) -> (Self, Option<BootTime>) {
        if let Some(gone) = thread.gone {
            return (Self::Dead, Some(gone.latest));
        }
        if thread.exiting.is_some() {
            return (Self::Exiting, thread.exiting);
        }
        match thread.activity() {
            Some(activity) => match activity.blocked {
                Some(blocked) => (Self::Blocked, blocked.since),
                None => (Self::Active, activity.ran),
            },
            None => (Self::Alive, None),
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Exiting => "exiting",
            Self::Alive => "alive",
            Self::Dead => "dead",
        }
    }
}

/// The threads that live, and some of those that died.
pub fn rows(world: &World, now: BootTime, dead: Dead) -> Vec<ThreadRow> {
    let ledger = world.ledger();
    let shown = ledger.threads().filter(|(_, thread)| {
        let is_listed = |gone: Moment| dead.shows(gone.latest, now);
        thread.gone.is_none_or(is_listed) && world.shows(thread.process)
    });
    shown
        .map(|(key, thread)| row(ledger, key, thread, now))
        .collect()
}

fn row(ledger: &Ledger, key: Key<Thread>, thread: &Thread, now: BootTime) -> ThreadRow {
    let (state, since) = ThreadIs::of(thread);
    let activity = thread.activity();
    let (owner, class) = owner_text(ledger, Resource::Thread(key));
    ThreadRow {
        thread: key,
        tid: thread.name.tid,
        tgid: thread.name.tgid,
        comm: thread.comm,
        state,
        for_ns: since.map(|since| now.since_ns(since)),
        blocked: activity.and_then(|activity| activity.blocked),
        waker: activity.and_then(|activity| activity.waker),
        waits: activity.map(|activity| activity.sums.count),
        owner,
        class,
        age_ns: now.since_ns(thread.born.latest),
        announced: matches!(thread.origin, Origin::Announced),
    }
}

impl TableRow for ThreadRow {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            "TID",
            7,
            "the thread's number, in the initial pid namespace",
            "task_newtask, or /proc",
            |row: &ThreadRow, look, _| line(row.tid.to_string(), look.theme.strong),
            |row: &ThreadRow| Order::Number(row.tid.0.into()),
        )
        .right(),
        Column::new(
            "NAME",
            15,
            "its name (comm)",
            "task_newtask and task_rename",
            |row: &ThreadRow, look, _| {
                let style = match row.state {
                    ThreadIs::Dead => look.theme.dead(row.class),
                    _ => look.theme.text,
                };
                line(row.comm.to_string(), style)
            },
            |row: &ThreadRow| Order::Text(row.comm.to_string()),
        ),
        Column::new(
            "PROCESS",
            20,
            "its process; there where several live",
            "task_newtask, or /proc",
            |row: &ThreadRow, look, _| process_line(row.tgid, look),
            |row: &ThreadRow| Order::Number(row.tgid.0.into()),
        )
        .many()
        .rank(4),
        Column::new(
            "STATE",
            8,
            "active: it ran at the last sign of it, at most 100 ms ago; blocked in a call; exiting; dead; \
             alive where waits are not sampled",
            "sched_switch, read every 100 ms; sched_process_exit; the last switch",
            |row: &ThreadRow, look, _| {
                let style = match row.state {
                    ThreadIs::Active => look.theme.thread,
                    ThreadIs::Exiting => look.theme.warning,
                    ThreadIs::Dead | ThreadIs::Alive => look.theme.dim,
                    ThreadIs::Blocked => look.theme.text,
                };
                line(row.state.word(), style)
            },
            |row: &ThreadRow| Order::Number(row.state as u64),
        ),
        Column::new(
            "FOR",
            9,
            "how long it has been so: a wait from the first block of its call",
            "sched_switch; ? = since before the attach",
            |row: &ThreadRow, look, _| match (row.for_ns, row.state) {
                (Some(ns), _) => line(words::passed(ns), look.theme.text),
                (None, ThreadIs::Blocked) => line("?", look.theme.dim),
                (None, _) => line(look.glyphs.none, look.theme.dim),
            },
            |row: &ThreadRow| row.for_ns.into(),
        )
        .right()
        .rank(1),
        Column::new(
            "OWNER",
            18,
            "the entry that owns it, with the verdict once that is deleted",
            "own mark, birth in a store's span, or descent",
            |row: &ThreadRow, look, _| owner_line(row.owner.as_deref(), row.class, look),
            |row: &ThreadRow| row.owner.clone().map_or(Order::Unknown, Order::Text),
        ),
        Column::new(
            "BLOCKED IN",
            22,
            "the system call it is in, and the descriptor or futex word that it waits on",
            "its registers at sched_switch; the descriptor from the ledger",
            |row: &ThreadRow, look, _| match &row.blocked {
                Some(blocked) if row.state == ThreadIs::Blocked => line(
                    words::blocked(look.ledger(), row.thread, blocked),
                    look.theme.text,
                ),
                _ => woken(row, look),
            },
            |row: &ThreadRow| match &row.blocked {
                Some(blocked) => Order::Text(words::call(blocked.call).into_owned()),
                None => Order::Unknown,
            },
        )
        .grows()
        .rank(2),
        Column::new(
            "WOKEN BY",
            22,
            "who ended its last wait (? = no live thread of a watched process); an interrupt \
             proves nothing about who could",
            "sched_waking, in the waker's context",
            |row: &ThreadRow, look, _| match &row.waker {
                Some(waker) => line(words::waker(look.ledger(), waker), look.theme.dim),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &ThreadRow| match &row.waker {
                Some(waker) => Order::Number(waker.at.0),
                None => Order::Unknown,
            },
        )
        .rank(5),
        Column::new(
            "WAITS",
            8,
            "waits of it that have ended",
            "counted in the kernel at sched_switch",
            |row: &ThreadRow, look, _| match row.waits {
                Some(waits) => line(words::count(waits), look.theme.dim),
                None => line(look.glyphs.none, look.theme.dim),
            },
            |row: &ThreadRow| row.waits.into(),
        )
        .right()
        .rank(4),
        Column::new(
            "AGE",
            9,
            "time since its birth; > where it lived before the attach",
            "task_newtask; start_boottime",
            |row: &ThreadRow, look, _| age_line(row.age_ns, row.announced, look),
            |row: &ThreadRow| Order::Number(row.age_ns),
        )
        .right()
        .rank(3),
    ];
    // Newest first, as entries are.
    const SORTED: (usize, bool) = (9, false);

    fn place(&self) -> Place {
        Place::Thread(self.thread)
    }
}

/// The wait that an active thread was woken from last.
fn woken(row: &ThreadRow, look: &Look<'_>) -> Line<'static> {
    let ended = match row.state {
        ThreadIs::Active => words::woken(look, row.thread),
        _ => None,
    };
    line(
        ended.unwrap_or_else(|| look.glyphs.none.to_owned()),
        look.theme.dim,
    )
}

impl filter::Row for ThreadRow {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match field {
            "name" => self.comm.to_string().into(),
            "state" => format!("{} {}", self.state.word(), self.class.word()).into(),
            "pattern" => pattern::of_name(self.comm.bytes()).to_string().into(),
            "verdict" => self.class.word().into(),
            "in" => words::call(self.blocked.as_ref()?.call),
            "owner" => self.owner.as_deref()?.into(),
            _ => return None,
        })
    }

    fn number(&self, field: &str) -> Option<u64> {
        match field {
            "tid" => Some(self.tid.0.into()),
            "pid" => Some(self.tgid.0.into()),
            "for" => self.for_ns,
            "age" => Some(self.age_ns),
            "waits" => self.waits,
            _ => None,
        }
    }
}
