//! Handles: what each is and points at, whose it is, and how old.

use std::borrow::Cow;

use super::{Dead, age_line, line, owner_line, owner_text, process_line};
use crate::{
    event::{
        BootTime,
        handle::HandleKind,
        id::{CallNumber, Fd, Tgid, Tid},
        target::TargetDetail,
        text::Text,
    },
    ledger::{
        Ledger,
        arena::Key,
        handle::{Description, Descriptor, State},
        identity::Origin,
        resource::Resource,
        table::Table,
    },
    tui::{
        filter,
        subject::Place,
        table::{Column, Order, TableRow},
        theme::Class,
        triage::pattern,
        words,
        world::World,
    },
    verdict::wording::CallWord,
};

/// A handle.
#[derive(Clone, Debug)]
pub struct HandleRow {
    /// Where it stands.
    pub handle: Key<Descriptor>,
    fd: Fd,
    tgid: Tgid,
    kind: HandleKind,
    target: Option<Text>,
    detail: Option<TargetDetail>,
    state: HandleIs,
    holders: u32,
    owner: Option<String>,
    class: Class,
    age_ns: u64,
    announced: bool,
    born_by: Option<Tid>,
    call: Option<CallNumber>,
    cloexec: Option<bool>,
}

/// How a handle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HandleIs {
    /// In its table.
    Open,
    /// In its table or not: calls overlapped.
    Ambiguous,
    /// Out of its table; its open file description is not known to be released.
    Closed,
    /// Its open file description is released.
    Released,
}

impl HandleIs {
    /// Of a descriptor and what it refers to.
    pub fn of(handle: &Descriptor, description: Option<&Description>) -> Self {
        if description.is_some_and(|description| description.released.is_some()) {
            return Self::Released;
        }
        match handle.state {
            State::Open => Self::Open,
            State::Ambiguous { .. } | State::Rival { .. } => Self::Ambiguous,
            State::Closing { .. } | State::Closed { .. } => Self::Closed,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ambiguous => "ambiguous",
            Self::Closed => "closed",
            Self::Released => "released",
        }
    }
}

/// The handles that are open, and some of those closed; one by one, since there may be many more
/// than a filter lets through.
pub fn rows(world: &World, now: BootTime, dead: Dead) -> impl Iterator<Item = HandleRow> {
    let ledger = world.ledger();
    // Programs open and close all the time; where nothing is declared that is no news.
    let is_lab = world.triage().is_none();
    let shows_dead =
        move |handle: &Descriptor| is_lab || handle.owner.is_some() || dead == Dead::All;
    let mut known: Option<(Key<Table>, Option<Tgid>)> = None;
    ledger.handles().filter_map(move |(key, handle)| {
        let closed = handle.closed();
        if closed.is_some_and(|at| !dead.shows(at.latest, now) || !shows_dead(handle)) {
            return None;
        }
        // Handles of one table stand together.
        let tgid = match known {
            Some((table, tgid)) if table == handle.table => tgid,
            _ => {
                let table = ledger.table(handle.table);
                let tgid = table
                    .filter(|table| world.shows(table.process))
                    .map(|table| table.tgid);
                known = Some((handle.table, tgid));
                tgid
            }
        };
        Some(row(ledger, key, handle, tgid?, now))
    })
}

fn row(
    ledger: &Ledger,
    key: Key<Descriptor>,
    handle: &Descriptor,
    tgid: Tgid,
    now: BootTime,
) -> HandleRow {
    let description = ledger.description(handle.description);
    let (owner, class) = owner_text(ledger, Resource::Handle(key));
    HandleRow {
        handle: key,
        fd: handle.fd,
        tgid,
        kind: description.map_or(HandleKind::Unknown, |description| description.kind),
        target: description.and_then(Description::known_as).cloned(),
        detail: description
            .and_then(|description| Some(description.detail.as_ref()?.detail.clone())),
        state: HandleIs::of(handle, description),
        holders: description.map_or(0, |description| description.live),
        owner,
        class,
        age_ns: now.since_ns(handle.born.latest),
        announced: handle.origin == Origin::Announced,
        born_by: handle.born_by,
        call: handle.call,
        cloexec: handle.cloexec,
    }
}

impl HandleRow {
    /// What it points at, as far as that was read.
    fn points_at(&self) -> Option<String> {
        words::target(self.target.as_ref(), self.detail.as_ref())
    }
}

impl TableRow for HandleRow {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            "FD",
            6,
            "its number in its process's descriptor table",
            "the result of the call that made it, or /proc/PID/fd",
            |row: &HandleRow, look, _| line(row.fd.to_string(), look.theme.strong),
            |row: &HandleRow| Order::Number(row.fd.0.into()),
        )
        .right(),
        Column::new(
            "PROCESS",
            20,
            "the process whose table it is in; there where several live",
            "the calling thread's process",
            |row: &HandleRow, look, _| process_line(row.tgid, look),
            |row: &HandleRow| Order::Number(row.tgid.0.into()),
        )
        .many()
        .rank(4),
        Column::new(
            "KIND",
            10,
            "what it is; opened = file, directory, device or FIFO, not looked at closer yet",
            "the call that made it; /proc where that was not seen",
            |row: &HandleRow, look, _| {
                let style = match row.state {
                    HandleIs::Released => look.theme.dead(row.class),
                    _ => look.theme.handle,
                };
                line(row.kind.word(), style)
            },
            |row: &HandleRow| Order::Text(row.kind.word().to_owned()),
        ),
        Column::new(
            "STATE",
            9,
            "open; closed here, while its open file description may live on elsewhere; \
             released; ambiguous where calls overlapped. Those closed lately stand here where an \
             entry owned them; the filter state:closed,released lists all that are kept",
            "close's entry and exit; the file's reference count at the entry",
            |row: &HandleRow, look, _| {
                let style = match row.state {
                    HandleIs::Open => look.theme.text,
                    HandleIs::Closed | HandleIs::Ambiguous => look.theme.warning,
                    HandleIs::Released => look.theme.dim,
                };
                line(row.state.word(), style)
            },
            |row: &HandleRow| Order::Number(row.state as u64),
        ),
        Column::new(
            "OWNER",
            18,
            "the entry that owns it (or its open file description), with the verdict once that \
             is deleted",
            "own mark, birth in a store's span, descent, or the same description",
            |row: &HandleRow, look, _| owner_line(row.owner.as_deref(), row.class, look),
            |row: &HandleRow| row.owner.clone().map_or(Order::Unknown, Order::Text),
        ),
        Column::new(
            "POINTS AT",
            20,
            "what it points at, as last read: the link's text in /proc, or what a socket is \
             connected to, how a timer is set, how many an epoll watches",
            "/proc/PID/fd, fdinfo and net, soon after its birth and at audits (u reads again)",
            |row: &HandleRow, look, width| match row.points_at() {
                Some(text) => {
                    let text = words::without_middle(&text, width, look.glyphs.cut);
                    line(text, look.theme.text)
                }
                None => line("?", look.theme.dim),
            },
            |row: &HandleRow| row.points_at().map_or(Order::Unknown, Order::Text),
        )
        .grows()
        .rank(2),
        Column::new(
            "HOLDERS",
            7,
            "descriptors known to share its open file description, itself among them",
            "dup, fork and SCM_RIGHTS as the ledger saw them",
            |row: &HandleRow, look, _| {
                let style = if row.holders > 1 {
                    look.theme.warning
                } else {
                    look.theme.dim
                };
                line(row.holders.to_string(), style)
            },
            |row: &HandleRow| Order::Number(row.holders.into()),
        )
        .right()
        .rank(4),
        Column::new(
            "BORN BY",
            22,
            "the thread and the call that made it",
            "the call's exit",
            |row: &HandleRow, look, _| match (row.born_by, row.call) {
                (Some(tid), Some(call)) => {
                    line(format!("{tid} {}", CallWord(call)), look.theme.dim)
                }
                (Some(tid), None) => line(tid.to_string(), look.theme.dim),
                _ => line(look.glyphs.none, look.theme.dim),
            },
            |row: &HandleRow| match row.born_by {
                Some(tid) => Order::Number(tid.0.into()),
                None => Order::Unknown,
            },
        )
        .rank(5),
        Column::new(
            "EXEC",
            5,
            "whether exec closes it",
            "the flags of the call that made it, F_SETFD, ioctl; fdinfo",
            |row: &HandleRow, look, _| {
                let word = match row.cloexec {
                    Some(true) => "close",
                    Some(false) => "keep",
                    None => "?",
                };
                line(word, look.theme.dim)
            },
            |row: &HandleRow| row.cloexec.map(u64::from).into(),
        )
        .rank(7),
        Column::new(
            "AGE",
            9,
            "time since its birth; > where it was open before the attach",
            "the call's exit",
            |row: &HandleRow, look, _| age_line(row.age_ns, row.announced, look),
            |row: &HandleRow| Order::Number(row.age_ns),
        )
        .right()
        .rank(3),
    ];
    const SORTED: (usize, bool) = (9, false);

    fn place(&self) -> Place {
        Place::Handle(self.handle)
    }
}

impl filter::Row for HandleRow {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match field {
            "kind" => self.kind.word().into(),
            "target" | "name" => self.points_at()?.into(),
            "state" => match (self.state, self.class) {
                // Most are, and a filter asks each of them.
                (HandleIs::Open, Class::Live) => "open live".into(),
                (state, class) => format!("{} {}", state.word(), class.word()).into(),
            },
            "pattern" => {
                pattern::shown_of_handle(self.kind, self.target.as_ref(), self.detail.as_ref())
            }
            "via" => CallWord(self.call?).to_string().into(),
            "verdict" => self.class.word().into(),
            "owner" => self.owner.as_deref()?.into(),
            _ => return None,
        })
    }

    fn number(&self, field: &str) -> Option<u64> {
        match field {
            "fd" => Some(self.fd.0.into()),
            "pid" => Some(self.tgid.0.into()),
            "age" => Some(self.age_ns),
            "holders" => Some(self.holders.into()),
            _ => None,
        }
    }
}
