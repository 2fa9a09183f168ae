//! Live handles and threads in groups of a kind and a pattern, and how each group has fared.

use rustc_hash::FxHashMap;

use super::{pattern, series::Series};
use crate::{
    event::{
        BootTime,
        handle::HandleKind,
        id::{CallNumber, Tgid, Tid},
        text::{Comm, Text},
    },
    ledger::{
        Ledger,
        arena::Key,
        handle::{Description, Descriptor},
        identity::Origin,
        table::Table,
        thread::Thread,
    },
    tui::{subject::Place, words},
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
    /// The oldest ones, the very oldest first.
    pub members: Vec<Member>,
    series: Series,
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

/// Groups that are told apart.
const MOST: usize = 4096;
/// Oldest members that are remembered.
const MEMBERS: usize = 8;
/// What grows by less is not said to grow.
const GROWS: i64 = 3;

impl Group {
    fn new(kind: GroupKind, pattern: Text) -> Self {
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

    fn begin(&mut self) {
        self.alive = 0;
        self.members.clear();
        self.calls.clear();
    }

    fn count(&mut self, member: Member, call: Option<CallNumber>) {
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

    fn end(&mut self, now: BootTime) {
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

/// The groups, and which of them each record of the ledger was found in last.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    all: Vec<Group>,
    numbers: FxHashMap<(GroupKind, Text), usize>,
    handles: Vec<Option<HandleSlot>>,
    threads: Vec<Option<ThreadSlot>>,
    /// When it looked first.
    began: Option<BootTime>,
    looks: u32,
}

#[derive(Clone, Copy, Debug)]
struct HandleSlot {
    table: Key<Table>,
    generation: u32,
    kind: HandleKind,
    has_target: bool,
    life: Life,
}

#[derive(Clone, Copy, Debug)]
struct ThreadSlot {
    tid: Tid,
    tgid: Tgid,
    comm: Comm,
    life: Life,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    group: usize,
    /// Since when it is counted.
    since: BootTime,
    is_alive: bool,
    /// The look that found it last.
    seen: u32,
}

impl Groups {
    pub(super) fn all(&self) -> &[Group] {
        &self.all
    }

    pub(super) fn look(&mut self, ledger: &Ledger) {
        let now = ledger.now();
        let began = *self.began.get_or_insert(now);
        self.looks = self.looks.wrapping_add(1);
        self.all.iter_mut().for_each(Group::begin);
        for (key, handle) in ledger.handles() {
            self.handle(ledger, key, handle, began);
        }
        for (key, thread) in ledger.threads() {
            self.thread(key, thread, began);
        }
        self.bury();
        self.all.iter_mut().for_each(|group| group.end(now));
    }

    fn handle(
        &mut self,
        ledger: &Ledger,
        key: Key<Descriptor>,
        handle: &Descriptor,
        began: BootTime,
    ) {
        let index = key.index();
        if index >= self.handles.len() {
            self.handles.resize(index + 1, None);
        }
        let description = ledger.description(handle.description);
        let kind = description.map_or(HandleKind::Unknown, |description| description.kind);
        let target = description.and_then(|description| description.target.as_deref());
        let (is_alive, looks) = (handle.is_open(), self.looks);
        let known = self.handles[index]
            .filter(|slot| slot.table == handle.table && slot.generation == handle.generation);
        let since = since(handle.origin, handle.born.latest);
        let life = match known {
            Some(slot) if slot.kind == kind && slot.has_target == target.is_some() => slot.life,
            Some(slot) => {
                let group = self.of_handle(kind, description);
                self.moved(slot.life, group, began)
            }
            None => {
                let before = self.handles[index].take();
                self.buried(before.map(|slot| slot.life));
                let group = self.of_handle(kind, description);
                self.found(group, since, is_alive, began)
            }
        };
        let life = self.lives(life, is_alive);
        if is_alive {
            let member = Member {
                since: handle.born.latest,
                is_exact: handle.origin == Origin::Announced,
                place: Place::Handle(key),
            };
            self.all[life.group].count(member, handle.call);
        }
        self.handles[index] = Some(HandleSlot {
            table: handle.table,
            generation: handle.generation,
            kind,
            has_target: target.is_some(),
            life: Life {
                seen: looks,
                ..life
            },
        });
    }

    fn thread(&mut self, key: Key<Thread>, thread: &Thread, began: BootTime) {
        let index = key.index();
        if index >= self.threads.len() {
            self.threads.resize(index + 1, None);
        }
        let (is_alive, looks) = (thread.gone.is_none(), self.looks);
        let (tid, tgid, comm) = (thread.name.tid, thread.name.tgid, thread.comm);
        let known = self.threads[index].filter(|slot| slot.tid == tid && slot.tgid == tgid);
        let of_name = |comm: Comm| (GroupKind::Threads, pattern::of_name(comm.bytes()));
        let life = match known {
            Some(slot) if slot.comm == comm => slot.life,
            Some(slot) => {
                let group = self.number(of_name(comm));
                self.moved(slot.life, group, began)
            }
            None => {
                let before = self.threads[index].take();
                self.buried(before.map(|slot| slot.life));
                let group = self.number(of_name(comm));
                let since = since(thread.origin, thread.born.latest);
                self.found(group, since, is_alive, began)
            }
        };
        let life = self.lives(life, is_alive);
        if is_alive {
            let member = Member {
                since: thread.born.latest,
                is_exact: thread.origin == Origin::Announced,
                place: Place::Thread(key),
            };
            self.all[life.group].count(member, None);
            self.waits(key, thread);
        }
        self.threads[index] = Some(ThreadSlot {
            tid,
            tgid,
            comm,
            life: Life {
                seen: looks,
                ..life
            },
        });
    }

    /// Counts a thread with those in the same call, where that was sampled.
    fn waits(&mut self, key: Key<Thread>, thread: &Thread) {
        let Some(activity) = thread.activity() else {
            return;
        };
        let (call, since) = match activity.blocked {
            Some(blocked) => (words::call(blocked.call), blocked.since),
            None => (RUNNING.into(), activity.ran),
        };
        let group = self.number((GroupKind::ThreadsIn, Text::from(call.as_bytes())));
        let member = Member {
            since: since.unwrap_or(thread.born.latest),
            is_exact: since.is_some(),
            place: Place::Thread(key),
        };
        self.all[group].count(member, None);
    }

    fn of_handle(&mut self, kind: HandleKind, description: Option<&Description>) -> usize {
        let target = description.and_then(|description| description.target.as_deref());
        self.number((GroupKind::Handles(kind), pattern::of_handle(kind, target)))
    }

    /// The number of a group; one that is new had nothing before.
    fn number(&mut self, name: (GroupKind, Text)) -> usize {
        if let Some(&number) = self.numbers.get(&name) {
            return number;
        }
        let (kind, pattern) = name;
        let pattern = if self.all.len() < MOST {
            pattern
        } else {
            Text::from(OTHERS.as_bytes())
        };
        let number = self.all.len();
        let known = *self
            .numbers
            .entry((kind, pattern.clone()))
            .or_insert(number);
        if known == number {
            let mut group = Group::new(kind, pattern);
            if let Some(began) = self.began {
                group.series.add(began, 0);
            }
            self.all.push(group);
        }
        known
    }

    /// Something is seen for the first time.
    fn found(&mut self, group: usize, since: BootTime, is_alive: bool, began: BootTime) -> Life {
        let of = &mut self.all[group];
        if since > began {
            of.born += 1;
            // It may have died since the last look.
            of.died += u64::from(!is_alive);
        }
        if is_alive {
            of.series.shift(since, 1);
        }
        Life {
            group,
            since,
            is_alive,
            seen: self.looks,
        }
    }

    /// It is now known for something else, and was so before.
    fn moved(&mut self, life: Life, group: usize, began: BootTime) -> Life {
        if life.is_alive && life.group != group {
            for (number, by) in [(life.group, -1), (group, 1)] {
                let of = &mut self.all[number];
                of.series.shift(life.since, by);
                if life.since > began {
                    of.born = of.born.saturating_add_signed(by);
                }
            }
        }
        Life { group, ..life }
    }

    fn lives(&mut self, life: Life, is_alive: bool) -> Life {
        if life.is_alive && !is_alive {
            self.all[life.group].died += 1;
        }
        Life { is_alive, ..life }
    }

    fn buried(&mut self, life: Option<Life>) {
        if let Some(life) = life.filter(|life| life.is_alive) {
            self.all[life.group].died += 1;
        }
    }

    /// What the ledger has forgotten has died.
    fn bury(&mut self) {
        let looks = self.looks;
        let handles = self.handles.iter_mut().filter_map(|slot| {
            slot.take_if(|slot| slot.life.seen != looks)
                .map(|slot| slot.life)
        });
        let threads = self.threads.iter_mut().filter_map(|slot| {
            slot.take_if(|slot| slot.life.seen != looks)
                .map(|slot| slot.life)
        });
        for life in handles.chain(threads).filter(|life| life.is_alive) {
            self.all[life.group].died += 1;
        }
    }
}

/// Since when something counts as there: what was there before the attach always was.
fn since(origin: Origin, born: BootTime) -> BootTime {
    match origin {
        Origin::BeforeAttach => BootTime(0),
        _ => born,
    }
}
