//! Live resources of one kind and pattern: how many there are, and how they have fared.

use super::{pattern, series::Series};
use crate::{
    event::{BootTime, handle::HandleKind, id::CallNumber, text::Text},
    tui::subject::Place,
    verdict::growth::{GroupName, Suspect, What},
};

/// What a group is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// Open handles of this kind.
    Handles(HandleKind),
    /// Live threads, by their names.
    Threads,
    /// Live threads, by the call they are blocked in.
    ThreadsIn,
}

impl GroupKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Handles(kind) => kind.word(),
            Self::Threads => "threads",
            Self::ThreadsIn => "threads in",
        }
    }
}

/// Resources of one kind and pattern.
#[derive(Clone, Debug)]
pub struct Group {
    /// Of what.
    pub kind: GroupKind,
    /// The pattern of their targets or names; of blocked threads the call.
    pub pattern: Text,
    /// The call that made most of them, as far as their births were seen.
    pub call: Option<CallNumber>,
    /// How many live.
    pub alive: usize,
    /// How many were born since they are watched.
    pub born: u64,
    /// How many died since then.
    pub died: u64,
    /// How many more there are every minute; `None` = not known yet.
    pub per_minute: Option<f64>,
    /// Since when the oldest lives or is blocked; one that was there before the attach does so
    /// at least since then.
    pub oldest: Option<BootTime>,
    /// Whether that one's birth was seen.
    pub oldest_is_exact: bool,
    /// How what these are part of grew, where that is a suspect: it has no delete declared, and
    /// only grows.
    pub suspect: Option<Suspect>,
    /// The oldest ones, the very oldest first.
    pub members: Vec<Member>,
    pub(super) series: Series,
    calls: Vec<(CallNumber, usize)>,
}

/// One of a group.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Since when it lives, or is blocked.
    pub since: BootTime,
    /// Whether that was seen.
    pub is_exact: bool,
    /// Where it stands.
    pub place: Place,
}

/// The pattern of what has one of its own when there are too many to tell apart.
pub const OTHERS: &str = "(others)";
/// What a thread is in that is in no call.
pub const RUNNING: &str = "no call: running";

/// Oldest members that are remembered.
const MEMBERS: usize = 8;
/// What grows by less is not said to grow.
const GROWS: i64 = 3;

impl Group {
    pub(super) fn new(kind: GroupKind, pattern: Text) -> Self {
        Self {
            kind,
            pattern,
            call: None,
            alive: 0,
            born: 0,
            died: 0,
            per_minute: None,
            oldest: None,
            oldest_is_exact: false,
            suspect: None,
            members: Vec::new(),
            series: Series::default(),
            calls: Vec::new(),
        }
    }

    /// What it is of, and what that has in common unless the kind says so already.
    pub fn name(&self) -> String {
        let (kind, pattern) = (self.kind.word(), self.pattern.to_string());
        if kind == pattern {
            pattern
        } else {
            format!("{kind} {pattern}")
        }
    }

    /// Whether there are more and more of them. Threads that change calls do not grow.
    pub fn grows(&self) -> bool {
        self.kind != GroupKind::ThreadsIn
            && self.series.growth() >= GROWS
            && self.per_minute.is_some_and(|rate| rate > 0.0)
    }

    /// Whether resources of this name are among these. Sockets, whatever they are connected to, are
    /// of one name.
    pub(super) fn is_part_of(&self, name: &GroupName) -> bool {
        match (self.kind, name.what) {
            (GroupKind::Handles(HandleKind::Socket), What::Handle(HandleKind::Socket)) => true,
            (GroupKind::Handles(kind), What::Handle(of)) => {
                let unread = || pattern::of_handle(kind, None, None);
                kind == of && self.pattern == name.target.clone().unwrap_or_else(unread)
            }
            (GroupKind::Threads, What::Thread) => name.target.as_ref() == Some(&self.pattern),
            _ => false,
        }
    }

    pub(super) fn begin(&mut self) {
        self.alive = 0;
        self.members.clear();
        self.calls.clear();
    }

    pub(super) fn count(&mut self, member: Member, call: Option<CallNumber>) {
        self.alive += 1;
        if let Some(call) = call {
            match self.calls.iter_mut().find(|(known, _)| *known == call) {
                Some((_, count)) => *count += 1,
                None => self.calls.push((call, 1)),
            }
        }
        let is_older = |other: &Member| other.since <= member.since;
        if self.members.len() >= MEMBERS {
            if self.members.last().is_some_and(is_older) {
                return;
            }
            self.members.pop();
        }
        let at = self.members.partition_point(is_older);
        self.members.insert(at, member);
    }

    pub(super) fn end(&mut self, now: BootTime) {
        self.series.add(now, self.alive);
        self.per_minute = match self.kind {
            GroupKind::ThreadsIn => None,
            _ => self.series.per_minute(),
        };
        let oldest = self.members.first();
        self.oldest = oldest.map(|member| member.since);
        self.oldest_is_exact = oldest.is_some_and(|member| member.is_exact);
        let most = self.calls.iter().max_by_key(|(_, count)| *count);
        self.call = most.map(|(call, _)| *call);
    }
}
