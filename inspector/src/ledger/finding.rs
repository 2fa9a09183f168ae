//! Findings: facts that are no verdicts of a delete. A number closed twice, another entry's
//! number closed, a descriptor refused for want of one.
//!
//! - **Close of a number that is not open** (EBADF). Where the ledger knows a descriptor that had
//!   the number, it was closed twice; else nothing is known to have been there, which is what
//!   `close(-1)` and loops over all numbers do.
//! - **Close of another entry's number.** A thread closes a number, another thread is handed that
//!   number, and the first closes it again: it closes a stranger's descriptor, and no call fails.
//!   A legal program looks the same to whoever knows only threads and numbers: an acceptor hands
//!   a connection to the worker that has just closed the one which had its number before, and the
//!   calls that pass it on and serve it change no table. Nothing in the order or the times of
//!   the calls tells the two apart, so threads accuse nobody. What the application declares does:
//!   the descriptor belongs to entry Y, no delete of Y is under way, and it is closed *for* entry
//!   X, another key, which had an earlier descriptor of that number. A close is for X inside the
//!   delete of X on that thread, or on a thread that an `own` mark gave to X once the delete of X
//!   has begun. (A thread that is X's by birth alone may be a pool's.)
//! - **Birth refused** (EMFILE, ENFILE).
//!
//! The same again, by the same thread, is one finding with a count and the first one's evidence.

pub(super) mod detect;

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{
    Ledger,
    arena::Key,
    entry::Entry,
    handle::{ClosedHow, Descriptor, State},
    identity::{EntryName, HandleName, Origin, ThreadName},
    own::Rule,
    sound::MOST_COUNTED,
    table::Table,
    thread::Thread,
};
use crate::event::{
    handle::HandleKind,
    id::{BootTime, CallNumber, Fd, Moment, Tgid, Tid},
    text::{Comm, Text},
};

/// The latest findings, and sums over all.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Findings {
    latest: VecDeque<Finding>,
    /// Numbers of what is in `latest`.
    known: FxHashMap<Same, u64>,
    /// How many were ever made.
    made: u64,
    totals: Totals,
    of_process: FxHashMap<u32, Totals>,
}

/// Findings kept. One takes some 400 bytes.
const KEPT: usize = 1_000;
/// Processes whose sums are kept apart.
const PROCESSES: usize = 4_096;
/// How many former descriptors of a number are looked at.
const FORMER: usize = 64;

/// A fact, with its grounds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// Counts the findings; it stays the same when the fact repeats.
    pub number: u64,
    /// The thread whose call it was, and its process.
    pub thread: ThreadName,
    /// Its name in words.
    pub comm: Comm,
    /// The call.
    pub call: CallNumber,
    /// What happened, the first time.
    pub fact: Fact,
    /// How often.
    pub count: u64,
    /// When it happened first.
    pub first: BootTime,
    /// When it happened last.
    pub last: BootTime,
    /// Events were lost around then: its grounds may be others than it says.
    pub doubtful: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Fact {
    /// A number was closed that was closed before, and not given out since.
    DoubleClose {
        /// The number.
        fd: Fd,
        /// What had it, and how that was closed.
        former: Box<Former>,
    },
    /// A number was closed that is not open; no descriptor of it is known.
    CloseOfNothing {
        /// The number, the first time.
        fd: Fd,
    },
    /// A number was closed for one entry that belongs to another.
    ForeignClose(Box<ForeignClose>),
    /// A call that makes a descriptor failed for want of one.
    BirthRefused {
        /// Whose limit it was.
        limit: Limit,
        /// Open descriptors in the caller's table, as far as the ledger knows.
        open: u32,
    },
}

/// The kinds of fact.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum FindingKind {
    /// [`Fact::DoubleClose`].
    DoubleClose,
    /// [`Fact::CloseOfNothing`].
    CloseOfNothing,
    /// [`Fact::ForeignClose`].
    ForeignClose,
    /// [`Fact::BirthRefused`].
    BirthRefused,
}

/// Whose limit kept a descriptor from being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Limit {
    /// The process's (EMFILE).
    Process,
    /// The system's (ENFILE).
    System,
}

/// A descriptor, as far as a finding tells of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Subject {
    /// Who it is.
    pub name: HandleName,
    /// What it is.
    pub kind: HandleKind,
    /// What it points at.
    pub target: Option<Text>,
    /// When it was born.
    pub born: Moment,
    /// By which thread.
    pub born_by: Option<Tid>,
    /// In which call.
    pub call: Option<CallNumber>,
    /// How the ledger came to know of it.
    pub origin: Origin,
}

/// What had a number before, and how it was closed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Former {
    /// The descriptor.
    pub handle: Subject,
    /// When it was closed.
    pub closed: Moment,
    /// By which thread.
    pub closed_by: Option<Tid>,
    /// How.
    pub how: ClosedHow,
}

/// A close of another entry's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ForeignClose {
    /// What was closed.
    pub handle: Subject,
    /// The entry it belongs to, and by which rule.
    pub owner: (EntryName, Rule),
    /// The entry it was closed for.
    pub closed_for: EntryName,
    /// How that is known.
    pub ground: Ground,
    /// What that entry had under this number.
    pub former: Former,
}

/// How it is known for which entry a thread closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Ground {
    /// The thread was inside the entry's delete.
    InDelete,
    /// An `own` mark gave the thread to the entry, whose delete had begun.
    OwnedThread,
}

/// Sums by kind, repetitions included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Numbers closed twice.
    pub double_closes: u64,
    /// Closes of numbers of which no descriptor is known.
    pub closes_of_nothing: u64,
    /// Closes of another entry's number.
    pub foreign_closes: u64,
    /// Births refused.
    pub births_refused: u64,
}

/// What makes two findings one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Same {
    thread: ThreadName,
    kind: FindingKind,
    /// `None` where a loop over all numbers is one finding, and where there is no number.
    fd: Option<Fd>,
    limit: Option<Limit>,
}

impl Findings {
    /// The latest 1,000, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Finding> + ExactSizeIterator {
        self.latest.iter()
    }

    /// The finding of this number, unless it is forgotten.
    pub fn get(&self, number: u64) -> Option<&Finding> {
        let oldest = self.latest.front()?.number;
        let place = usize::try_from(number.checked_sub(oldest)?).ok()?;
        self.latest.get(place)
    }

    /// How many different ones there were, forgotten ones included.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Sums over everything.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Sums over the processes that had this number. Those of the first 4,096 processes with
    /// findings are kept.
    pub fn totals_of(&self, tgid: Tgid) -> Totals {
        self.of_process.get(&tgid.0).copied().unwrap_or_default()
    }

    /// The same again: counts it, and makes nothing.
    fn repeats(&mut self, same: &Same, at: BootTime) -> bool {
        self.totals.add(same.kind);
        let tgid = same.thread.tgid.0;
        if self.of_process.len() < PROCESSES || self.of_process.contains_key(&tgid) {
            self.of_process.entry(tgid).or_default().add(same.kind);
        }
        let Some(oldest) = self.latest.front() else {
            return false;
        };
        let oldest = oldest.number;
        let Some(&number) = self.known.get(same) else {
            return false;
        };
        let place = usize::try_from(number - oldest).expect("as many as are kept");
        let finding = &mut self.latest[place];
        finding.count += 1;
        finding.first = finding.first.min(at);
        finding.last = finding.last.max(at);
        true
    }

    /// Whether the findings and what is known of them fit together, and the sums leave room for
    /// more: records that were read from a file may say otherwise.
    pub(super) fn is_sound(&self) -> bool {
        let oldest = self.latest.front().map_or(self.made, |first| first.number);
        let follow = (oldest..).zip(&self.latest);
        let end = oldest.checked_add(self.latest.len() as u64);
        let is_room = |sum: u64| sum < MOST_COUNTED;
        let totals = self.of_process.values().chain([&self.totals]);
        let mut sums = totals.flat_map(|totals| FindingKind::ALL.map(|kind| totals.of(kind)));
        follow
            .into_iter()
            .all(|(number, one)| one.number == number && is_room(one.count))
            && end == Some(self.made)
            && is_room(self.made)
            && sums.all(is_room)
            && self.known.iter().all(|(same, &number)| {
                let finding = self.get(number);
                finding.is_some_and(|finding| finding.same() == *same)
            })
    }

    /// Events were lost since this time: what the ledger held then may not have been so.
    pub(super) fn doubt_since(&mut self, from: BootTime) {
        for finding in &mut self.latest {
            let rests_on_the_past = matches!(
                finding.fact,
                Fact::DoubleClose { .. } | Fact::ForeignClose(_)
            );
            finding.doubtful |= rests_on_the_past && finding.last >= from;
        }
    }

    fn add(&mut self, same: Same, mut finding: Finding) {
        if self.latest.len() >= KEPT
            && let Some(oldest) = self.latest.pop_front()
        {
            self.known.remove(&oldest.same());
        }
        finding.number = self.made;
        self.made += 1;
        self.known.insert(same, finding.number);
        self.latest.push_back(finding);
    }
}

impl Finding {
    /// Which kind of fact it is.
    pub fn kind(&self) -> FindingKind {
        match self.fact {
            Fact::DoubleClose { .. } => FindingKind::DoubleClose,
            Fact::CloseOfNothing { .. } => FindingKind::CloseOfNothing,
            Fact::ForeignClose(_) => FindingKind::ForeignClose,
            Fact::BirthRefused { .. } => FindingKind::BirthRefused,
        }
    }

    /// The number it is about.
    pub fn fd(&self) -> Option<Fd> {
        match &self.fact {
            Fact::DoubleClose { fd, .. } | Fact::CloseOfNothing { fd } => Some(*fd),
            Fact::ForeignClose(foreign) => Some(foreign.handle.name.fd),
            Fact::BirthRefused { .. } => None,
        }
    }

    fn same(&self) -> Same {
        let kind = self.kind();
        Same {
            thread: self.thread,
            kind,
            fd: self.fd().filter(|_| kind.is_of_one_number()),
            limit: match self.fact {
                Fact::BirthRefused { limit, .. } => Some(limit),
                _ => None,
            },
        }
    }
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::ForeignClose,
        Self::DoubleClose,
        Self::CloseOfNothing,
        Self::BirthRefused,
    ];

    /// The word for it, in files that programs read.
    pub fn word(self) -> &'static str {
        match self {
            Self::DoubleClose => "double_close",
            Self::CloseOfNothing => "close_of_nothing",
            Self::ForeignClose => "foreign_close",
            Self::BirthRefused => "birth_refused",
        }
    }

    fn is_of_one_number(self) -> bool {
        matches!(self, Self::DoubleClose | Self::ForeignClose)
    }
}

impl Totals {
    /// The sum of a kind.
    pub fn of(&self, kind: FindingKind) -> u64 {
        match kind {
            FindingKind::DoubleClose => self.double_closes,
            FindingKind::CloseOfNothing => self.closes_of_nothing,
            FindingKind::ForeignClose => self.foreign_closes,
            FindingKind::BirthRefused => self.births_refused,
        }
    }

    fn add(&mut self, kind: FindingKind) {
        *match kind {
            FindingKind::DoubleClose => &mut self.double_closes,
            FindingKind::CloseOfNothing => &mut self.closes_of_nothing,
            FindingKind::ForeignClose => &mut self.foreign_closes,
            FindingKind::BirthRefused => &mut self.births_refused,
        } += 1;
    }
}
