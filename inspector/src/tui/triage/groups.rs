//! Which group every handle and thread of the ledger is in, looked up anew now and then.

use std::hash::{Hash as _, Hasher as _};

use rustc_hash::{FxHashMap, FxHasher};

use super::{
    group::{Group, GroupKind, Member, OTHERS, RUNNING},
    pattern,
};
use crate::{
    event::{
        BootTime,
        handle::HandleKind,
        id::{Tgid, Tid},
        target::TargetDetail,
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

/// Groups that are told apart.
const MOST: usize = 4096;

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
    /// What is known of its target.
    known: u64,
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

    pub(super) fn all_mut(&mut self) -> &mut [Group] {
        &mut self.all
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
        let target = target_known(description);
        let (is_alive, looks) = (handle.is_open(), self.looks);
        let known = self.handles[index]
            .filter(|slot| slot.table == handle.table && slot.generation == handle.generation);
        let since = since(handle.origin, handle.born.latest);
        let life = match known {
            Some(slot) if slot.kind == kind && slot.known == target => slot.life,
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
            known: target,
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
        let target = description.and_then(Description::known_as);
        let detail = description.and_then(|description| description.detail.as_deref());
        let detail = detail.map(|read| &read.detail);
        let pattern = pattern::of_handle(kind, target, detail);
        self.number((GroupKind::Handles(kind), pattern))
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

/// What is known of what a description points at, as a number that is another one when that may
/// have another pattern. A link that is known stays: a file that is renamed is the same file.
fn target_known(description: Option<&Description>) -> u64 {
    let Some(description) = description else {
        return 0;
    };
    let detail = description.detail.as_deref().map(|read| &read.detail);
    let mut hasher = FxHasher::default();
    match pattern::socket(detail) {
        Some(TargetDetail::Inet(socket)) => socket.hash(&mut hasher),
        Some(TargetDetail::Unix(socket)) => socket.hash(&mut hasher),
        _ => (description.target.is_some(), description.name.is_some()).hash(&mut hasher),
    }
    hasher.finish()
}

/// Since when something counts as there: what was there before the attach always was.
fn since(origin: Origin, born: BootTime) -> BootTime {
    match origin {
        Origin::BeforeAttach => BootTime(0),
        _ => born,
    }
}
