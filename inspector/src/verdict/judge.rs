//! Which verdicts fell or changed.
//!
//! The judge looks again only at what the ledger says has changed, and at each delete once when
//! its grace ends: a tick costs nothing for keys whose verdicts stand.

use std::{cmp::Reverse, collections::BinaryHeap};

use rustc_hash::FxHashMap;

use super::{Evidence, Judgement, Verdict, delete};
use crate::{
    event::id::BootTime,
    ledger::{
        Ledger,
        arena::Key,
        entry::Entry,
        resource::{Change, Resource},
    },
};

/// The verdicts that can still change, and the deletes whose grace runs.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Judge {
    open: FxHashMap<Resource, Open>,
    deadlines: BinaryHeap<Reverse<(BootTime, u64)>>,
    /// The entries of `deadlines`, by their number: places of forgotten entries are used again.
    waiting: FxHashMap<u64, Key<Entry>>,
    numbers: FxHashMap<Key<Entry>, u64>,
    next: u64,
    /// Entries whose grace has ended, but not for a process that is only polled.
    overdue: Vec<u64>,
    again: Vec<Resource>,
}

/// A resource without a final verdict.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Open {
    entry: Key<Entry>,
    last: Verdict,
}

impl Judge {
    /// A judge that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it can go on: one that was read from a file may say anything.
    pub(crate) fn is_sound(&self) -> bool {
        self.next < u64::MAX / 2
    }

    /// Appends each judgement that fell or changed. `changes` are what the ledger reported since
    /// the last call, all of them.
    pub fn judge(&mut self, ledger: &Ledger, changes: &[Change], out: &mut Vec<Judgement>) {
        let mut everything = false;
        self.again.clear();
        for &change in changes {
            match change {
                Change::Deleted(entry) => self.deleted(ledger, entry, out),
                Change::Resource(resource) => self.again.push(resource),
                Change::Moved(entry, resource) => out.extend(reassigned(ledger, entry, resource)),
                Change::Forgotten(resource) => {
                    self.open.remove(&resource);
                }
                Change::ForgottenEntry(entry) => {
                    if let Some(number) = self.numbers.remove(&entry) {
                        self.waiting.remove(&number);
                    }
                }
                Change::Everything => everything = true,
            }
        }
        self.deadlines(ledger);
        if everything {
            self.again.extend(self.open.keys());
        }
        self.again
            .sort_unstable_by_key(|resource| ledger.name(*resource));
        self.again.dedup();
        let mut again = std::mem::take(&mut self.again);
        for resource in again.drain(..) {
            self.look(ledger, resource, out);
        }
        // Its memory is used again.
        self.again = again;
    }

    fn deleted(&mut self, ledger: &Ledger, entry: Key<Entry>, out: &mut Vec<Judgement>) {
        let Some(record) = ledger.entry(entry) else {
            return;
        };
        let Some(end) = record.delete.as_ref().and_then(|delete| delete.end) else {
            return;
        };
        self.next += 1;
        self.waiting.insert(self.next, entry);
        self.numbers.insert(entry, self.next);
        let deadline = end.plus_ns(ledger.rules().grace_ns);
        self.deadlines.push(Reverse((deadline, self.next)));
        self.again.extend(record.resources());
        for moved in &record.moved {
            out.extend(reassigned(ledger, entry, moved.place));
        }
    }

    fn deadlines(&mut self, ledger: &Ledger) {
        let mut due = std::mem::take(&mut self.overdue);
        while let Some(&Reverse((deadline, number))) = self.deadlines.peek()
            && deadline <= ledger.delivered()
        {
            self.deadlines.pop();
            due.push(number);
        }
        for number in due {
            let Some(&entry) = self.waiting.get(&number) else {
                continue;
            };
            let Some(record) = ledger.entry(entry) else {
                continue;
            };
            let end = record.delete.as_ref().and_then(|delete| delete.end);
            let deadline = end.map(|end| end.plus_ns(ledger.rules().grace_ns));
            if deadline > Some(ledger.known_until(record.process)) {
                self.overdue.push(number);
                continue;
            }
            self.waiting.remove(&number);
            self.numbers.remove(&entry);
            self.again.extend(record.resources());
        }
    }

    fn look(&mut self, ledger: &Ledger, resource: Resource, out: &mut Vec<Judgement>) {
        let Some(owner) = ledger.owner(resource) else {
            self.open.remove(&resource);
            return;
        };
        let Some(verdict) = delete::verdict(ledger, owner.entry, resource) else {
            self.open.remove(&resource);
            return;
        };
        let known = self.open.get_mut(&resource);
        if let Some(open) = known
            && open.entry == owner.entry
            && open.last.claims_as(&verdict)
        {
            return;
        }
        let judgement = judgement(ledger, owner.entry, resource, verdict);
        if let Some(judgement) = judgement {
            self.open.insert(
                resource,
                Open {
                    entry: owner.entry,
                    last: judgement.verdict.clone(),
                },
            );
            if judgement.verdict != Verdict::Pending {
                out.push(judgement);
            }
        }
    }
}

/// Every judgement that stands now, in the order of the entries' places.
pub fn standing(ledger: &Ledger) -> impl Iterator<Item = Judgement> {
    standing_by_place(ledger).map(|(_, _, judgement)| judgement)
}

/// The same, each with the places of its entry and its resource.
pub(crate) fn standing_by_place(
    ledger: &Ledger,
) -> impl Iterator<Item = (Key<Entry>, Resource, Judgement)> {
    ledger.entries().flat_map(move |(entry, record)| {
        let owned = record.resources().iter().filter_map(move |&resource| {
            let verdict = delete::verdict(ledger, entry, resource)?;
            let judgement = judgement(ledger, entry, resource, verdict)?;
            Some((entry, resource, judgement))
        });
        let moved = record.moved.iter().filter_map(move |moved| {
            record.delete.as_ref()?.end?;
            let judgement = reassigned(ledger, entry, moved.place)?;
            Some((entry, moved.place, judgement))
        });
        owned.chain(moved)
    })
}

/// What an entry owned and another was given.
fn reassigned(ledger: &Ledger, entry: Key<Entry>, resource: Resource) -> Option<Judgement> {
    let name = ledger.name(resource)?;
    let moved = &ledger.entry(entry)?.moved;
    let moved = moved.iter().rev().find(|moved| moved.resource == name)?;
    let verdict = Verdict::Reassigned {
        to: moved.to.clone(),
        at: moved.at,
    };
    judgement(ledger, entry, moved.place, verdict)
}

fn judgement(
    ledger: &Ledger,
    entry: Key<Entry>,
    resource: Resource,
    verdict: Verdict,
) -> Option<Judgement> {
    Some(Judgement {
        entry: ledger.entry_name(entry),
        resource: ledger.name(resource)?,
        verdict,
        evidence: Evidence::gather(ledger, entry, resource)?,
        at: ledger.delivered(),
    })
}
