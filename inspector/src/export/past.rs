//! What a window is told from: a ledger, and for each loss the one before it, as far as nothing is known
//! after the loss of what it knew.
//!
//! After a loss a keyframe takes the place of what is known. It has the births and deaths that were
//! lost, but not all that is dead; and who was alive before the loss and is not in it ended
//! meanwhile, nobody knows when. Both are told from the ledger before, for which verdicts that rest on
//! the loss are unknown. It is kept for that, so that each loss takes the memory of one.
//!
//! One is the other's by what does not depend on how many came before it: generations are counted
//! otherwise where events are missing.

use std::{hash::Hash, io};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    event::{
        Batch, What,
        id::{BootTime, Fd, Moment, Tgid, Tid},
        loss::Layer,
        mark::{self, MapId},
    },
    ledger::{
        Ledger,
        arena::Key,
        entry::Entry,
        handle::{Descriptor, State},
        resource::Resource,
        thread::Thread,
    },
    pipeline::Pipeline,
    trace::read::Read,
};

/// How what ended in a loss is said to have ended.
pub(super) const WHILE_LOST: &str = "while events were lost";

/// What is known, and what was.
#[derive(Debug)]
pub(super) struct Ledgers {
    pub(super) now: Pipeline,
    pub(super) past: Vec<Past>,
    /// A loss after which no keyframe has come yet.
    lost: Option<Moment>,
    /// Bytes that those before the losses take.
    past_bytes: u64,
    most_bytes: u64,
}

/// A ledger before a loss, and what of it is not known after.
#[derive(Debug)]
pub(super) struct Past {
    pipeline: Pipeline,
    lost: Moment,
    threads: FxHashSet<Key<Thread>>,
    handles: FxHashSet<Key<Descriptor>>,
    entries: FxHashSet<Key<Entry>>,
}

/// A ledger to tell from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Era<'a> {
    pub(super) ledger: &'a Ledger,
    past: Option<&'a Past>,
    /// 0 = what is known in the end.
    number: u64,
}

/// Threads that are the same before and after a loss.
pub(super) type Same = FxHashMap<Key<Thread>, Key<Thread>>;

impl Ledgers {
    pub(super) fn new(now: Pipeline, most_bytes: u64) -> Self {
        Self {
            now,
            past: Vec::new(),
            lost: None,
            past_bytes: 0,
            most_bytes,
        }
    }

    /// An error where they, and so much besides, take more memory than they may.
    pub(super) fn check_bytes(&self, besides: usize) -> io::Result<()> {
        let now = self.now.ledger().bytes() + besides;
        if self.past_bytes.saturating_add(now as u64) <= self.most_bytes {
            return Ok(());
        }
        Err(io::Error::other(
            "the window has more threads, handles and waits than --memory allows: give it more, or make \
             the window smaller by --since and --until",
        ))
    }

    /// Events.
    pub(super) fn take(&mut self, batch: &Batch) {
        for event in &batch.events {
            if let What::Gap(gap) = &event.what
                && matches!(gap.layer, Layer::Recorder | Layer::File)
            {
                let lost = self.lost.get_or_insert(Moment {
                    earliest: gap.from,
                    latest: gap.until,
                });
                lost.earliest = lost.earliest.min(gap.from);
                lost.latest = lost.latest.max(gap.until);
            }
        }
        self.now.take(batch);
    }

    /// What is known after a loss.
    pub(super) fn adopt(&mut self, state: Pipeline) -> Same {
        let rules = self.now.ledger().rules();
        let before = std::mem::replace(&mut self.now, state.with_rules(rules));
        let at = self.now.ledger().now();
        let lost = self.lost.take().unwrap_or(Moment {
            earliest: before.ledger().now().min(at),
            latest: at,
        });
        self.past_bytes += before.ledger().bytes() as u64;
        let (past, same) = Past::new(before, lost, self.now.ledger());
        self.past.push(past);
        same
    }

    /// What is known in the end, and then what was known before each loss.
    pub(super) fn eras(&self) -> impl Iterator<Item = Era<'_>> {
        let past = self.past.iter().zip(1..);
        std::iter::once(Era::now(self.now.ledger())).chain(past.map(|(past, number)| Era {
            ledger: past.pipeline.ledger(),
            past: Some(past),
            number,
        }))
    }
}

impl Past {
    fn new(pipeline: Pipeline, lost: Moment, after: &Ledger) -> (Self, Same) {
        let ledger = pipeline.ledger();
        let threads = Known::new(after.threads().map(|(place, thread)| who(place, thread)));
        let handles = Known::new(
            after
                .handles()
                .filter_map(|(place, handle)| which(after, place, handle)),
        );
        let entries = Known::new(
            after
                .entries()
                .map(|(place, entry)| what(after, place, entry)),
        );
        let mut same = Same::default();
        let mut gone = FxHashSet::default();
        for (place, thread) in ledger.threads() {
            match threads.find(&who(place, thread)) {
                Some(known) => drop(same.insert(place, known)),
                None => drop(gone.insert(place)),
            }
        }
        let closed = ledger.handles().filter(|&(place, handle)| {
            let handle = which(ledger, place, handle);
            handle.is_none_or(|handle| handles.find(&handle).is_none())
        });
        let closed = closed.map(|(place, _)| place).collect();
        let removed = ledger
            .entries()
            .filter(|&(place, entry)| entries.find(&what(ledger, place, entry)).is_none());
        let removed = removed.map(|(place, _)| place).collect();
        let past = Self {
            lost,
            threads: gone,
            handles: closed,
            entries: removed,
            pipeline,
        };
        (past, same)
    }
}

impl<'a> Era<'a> {
    /// Without any loss.
    pub(super) fn now(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            past: None,
            number: 0,
        }
    }

    /// Its number: 0 = what is known in the end.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "parquet")),
        expect(dead_code, reason = "only tables number what they tell")
    )]
    pub(super) fn number(self) -> u64 {
        self.number
    }

    /// When ended whoever was alive in the end; `None` = they live.
    pub(super) fn ended(self) -> Option<Moment> {
        self.past.map(|past| past.lost)
    }

    /// The same of someone who was born then.
    pub(super) fn ended_after(self, born: Moment) -> Option<Moment> {
        self.ended().map(|lost| Moment {
            earliest: lost.earliest.max(born.earliest),
            latest: lost.latest.max(born.latest),
        })
    }

    pub(super) fn threads(self) -> impl Iterator<Item = (Key<Thread>, &'a Thread)> {
        let all = self.ledger.threads();
        all.filter(move |(place, _)| self.past.is_none_or(|past| past.threads.contains(place)))
    }

    pub(super) fn handles(self) -> impl Iterator<Item = (Key<Descriptor>, &'a Descriptor)> {
        let all = self.ledger.handles();
        all.filter(move |(place, _)| self.past.is_none_or(|past| past.handles.contains(place)))
    }

    pub(super) fn entries(self) -> impl Iterator<Item = (Key<Entry>, &'a Entry)> {
        let all = self.ledger.entries();
        all.filter(move |&(place, _)| self.has_entry(place))
    }

    /// Whether an entry is told from here.
    pub(super) fn has_entry(self, place: Key<Entry>) -> bool {
        self.past.is_none_or(|past| past.entries.contains(&place))
    }

    /// Whether a resource is.
    pub(super) fn has(self, resource: Resource) -> bool {
        self.past.is_none_or(|past| match resource {
            Resource::Thread(thread) => past.threads.contains(&thread),
            Resource::Handle(handle) => past.handles.contains(&handle),
        })
    }
}

/// Who had a name, and from when on.
struct Life<N, P> {
    name: N,
    from: BootTime,
    lives: bool,
    place: P,
}

/// Those that are known after a loss.
struct Known<N, P> {
    all: FxHashMap<(N, BootTime), P>,
    /// Who has the name now.
    living: FxHashMap<N, (BootTime, P)>,
}

impl<N: Hash + Eq + Clone, P: Copy> Known<N, P> {
    fn new(lives: impl Iterator<Item = Life<N, P>>) -> Self {
        let mut known = Self {
            all: FxHashMap::default(),
            living: FxHashMap::default(),
        };
        for life in lives {
            if life.lives {
                let living = (life.from, life.place);
                known.living.insert(life.name.clone(), living);
            }
            known.all.insert((life.name, life.from), life.place);
        }
        known
    }

    /// Who of them it is. What was found alive without its birth is who has its name, if he had
    /// it then.
    fn find(&self, life: &Life<N, P>) -> Option<P> {
        if let Some(&place) = self.all.get(&(life.name.clone(), life.from)) {
            return Some(place);
        }
        let &(from, place) = self.living.get(&life.name)?;
        (life.lives && from <= life.from).then_some(place)
    }
}

fn who(place: Key<Thread>, thread: &Thread) -> Life<(Tgid, Tid), Key<Thread>> {
    Life {
        name: (thread.name.tgid, thread.name.tid),
        from: thread.born.latest,
        lives: thread.gone.is_none(),
        place,
    }
}

fn which(
    ledger: &Ledger,
    place: Key<Descriptor>,
    handle: &Descriptor,
) -> Option<Life<(Tgid, Fd), Key<Descriptor>>> {
    let table = ledger.table(handle.table)?;
    Some(Life {
        name: (table.tgid, handle.fd),
        from: handle.born.latest,
        lives: !matches!(handle.state, State::Closing { .. } | State::Closed { .. }),
        place,
    })
}

fn what(
    ledger: &Ledger,
    place: Key<Entry>,
    entry: &Entry,
) -> Life<(Tgid, MapId, mark::Key), Key<Entry>> {
    let name = ledger.entry_name(place);
    let delete = entry.delete.as_ref();
    let removed = delete.and_then(|delete| delete.begin.or(delete.end));
    let first = entry.store_began.or(entry.stored).or(removed);
    Life {
        name: (name.tgid, name.map, name.key),
        from: first.unwrap_or_default(),
        lives: delete.is_none() && entry.voided.is_none(),
        place,
    }
}

/// The events of what was read.
pub(super) fn batch(read: Read) -> Option<Batch> {
    match read {
        Read::Batch(batch) => Some(batch),
        Read::State(_) | Read::Note { .. } => None,
    }
}
