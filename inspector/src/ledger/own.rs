//! Ownership: which entry a resource belongs to, and by which rule.
//!
//! In this order: an `own` mark; birth inside the innermost open store span of the thread;
//! birth on a thread that an entry owns. A duplicate, a fork's copy or a passed descriptor
//! follows its open file description without an owner of its own: it is a *holder* of what the
//! owned descriptor refers to.

use super::{
    Ledger,
    arena::Key,
    entry::{Entry, Moved},
    handle::Descriptor,
    resource::{Change, Resource},
    thread::Thread,
};
use crate::event::id::BootTime;

/// Whose a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owner {
    /// The entry.
    pub entry: Key<Entry>,
    /// Why.
    pub rule: Rule,
    /// A thread that was born in this entry's span and then worked inside another key's.
    pub shared: bool,
    /// Its place among the entry's resources.
    pub(super) place: u32,
}

/// The rules of ownership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Rule {
    /// An `own` mark gave it to the entry.
    Own,
    /// It was born inside the entry's store span.
    Span,
    /// It was born on a thread that the entry owns.
    Descent,
    /// It refers to the same open file description as one that the entry owns.
    SameDescription,
}

impl Rule {
    /// The word for it, everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own mark",
            Self::Span => "span",
            Self::Descent => "descent",
            Self::SameDescription => "same description",
        }
    }
}

impl Ledger {
    pub(super) fn own_thread_at_birth(&mut self, thread: Key<Thread>, parent: Key<Thread>) {
        if let Some((entry, rule)) = self.owner_at_birth(parent) {
            self.own_at_birth(Resource::Thread(thread), entry, rule);
        }
    }

    pub(super) fn own_handle_at_birth(&mut self, handle: Key<Descriptor>, by: Key<Thread>) {
        if let Some((entry, rule)) = self.owner_at_birth(by)
            && self.descriptors.get(handle).is_some()
        {
            self.own_at_birth(Resource::Handle(handle), entry, rule);
        }
    }

    /// Whose is what this thread makes now.
    fn owner_at_birth(&self, by: Key<Thread>) -> Option<(Key<Entry>, Rule)> {
        let thread = &self.threads[by];
        if let Some(span) = thread.live.as_ref()?.spans.last() {
            return Some((span.entry, Rule::Span));
        }
        let owner = thread.owner.filter(|owner| !owner.shared)?;
        // A program that was executed since then knows nothing of the entry.
        (thread.name.epoch == 0).then_some((owner.entry, Rule::Descent))
    }

    fn own_at_birth(&mut self, resource: Resource, entry: Key<Entry>, rule: Rule) {
        let record = &mut self.entries[entry];
        if let Some(delete) = &record.delete
            && delete.end.is_some()
        {
            // Not among what the entry owned when it was deleted.
            record.born_after_delete += 1;
            return;
        }
        if self.owner(resource).is_none() {
            self.own(resource, entry, rule);
        }
    }

    /// Gives a resource to an entry. Its former entry keeps a note.
    pub(super) fn own_by_mark(&mut self, resource: Resource, entry: Key<Entry>, at: BootTime) {
        if let Some(before) = self.owner(resource) {
            if before.entry == entry {
                self.set_owner(
                    resource,
                    Some(Owner {
                        rule: Rule::Own,
                        shared: false,
                        ..before
                    }),
                );
                self.changed(resource);
                return;
            }
            self.disown(resource);
            if let Some(name) = self.name(resource) {
                let to = self.entry_name(entry);
                let record = &mut self.entries[before.entry];
                record.moved.push(Moved {
                    resource: name,
                    place: resource,
                    to,
                    at,
                });
                self.changes.push(Change::Forgotten(resource));
                if record
                    .delete
                    .as_ref()
                    .is_some_and(|delete| delete.end.is_some())
                {
                    self.changes.push(Change::Moved(before.entry, resource));
                }
                // It may come back to an entry that it was taken from.
                let moved = &mut self.entries[entry].moved;
                moved.retain(|moved| moved.resource != name);
            }
        }
        self.own(resource, entry, Rule::Own);
        self.changed(resource);
    }

    fn own(&mut self, resource: Resource, entry: Key<Entry>, rule: Rule) {
        let resources = &mut self.entries[entry].resources;
        let place = u32::try_from(resources.len()).expect("records end before 2^32");
        resources.push(resource);
        self.set_owner(
            resource,
            Some(Owner {
                entry,
                rule,
                shared: false,
                place,
            }),
        );
    }

    /// Takes a resource from its entry.
    pub(super) fn disown(&mut self, resource: Resource) {
        let Some(owner) = self.owner(resource) else {
            return;
        };
        let place = owner.place as usize;
        let resources = &mut self.entries[owner.entry].resources;
        resources.swap_remove(place);
        if let Some(&moved) = resources.get(place)
            && let Some(of_moved) = self.owner(moved)
        {
            // Not by `set_owner`: the moved one keeps its place among its description's.
            let of_moved = Some(Owner {
                place: owner.place,
                ..of_moved
            });
            match moved {
                Resource::Thread(thread) => self.threads[thread].owner = of_moved,
                Resource::Handle(handle) => self.descriptors[handle].owner = of_moved,
            }
        }
        self.set_owner(resource, None);
        self.let_go(owner.entry);
    }

    fn set_owner(&mut self, resource: Resource, owner: Option<Owner>) {
        match resource {
            Resource::Thread(thread) => self.threads[thread].owner = owner,
            Resource::Handle(handle) => {
                // Owned descriptors stand first in their description's list.
                self.unlist(handle);
                self.descriptors[handle].owner = owner;
                if owner.is_some() || self.descriptors[handle].is_open() {
                    self.list(handle);
                }
            }
        }
    }

    /// A thread works inside a key's span: if another key owns it, it is shared.
    pub(super) fn works_for(&mut self, thread: Key<Thread>, entry: Key<Entry>) {
        let Some(owner) = self.threads[thread].owner else {
            return;
        };
        let (own, other) = (&self.entries[owner.entry], &self.entries[entry]);
        let is_same_key =
            own.process == other.process && own.map == other.map && own.key == other.key;
        if is_same_key || owner.shared || owner.rule == Rule::Own {
            return;
        }
        self.threads[thread].owner = Some(Owner {
            shared: true,
            ..owner
        });
        self.changed(Resource::Thread(thread));
    }

    /// The entry a handle belongs to, its own or that of its open file description.
    pub fn owner_of_handle(&self, handle: Key<Descriptor>) -> Option<(Key<Entry>, Rule)> {
        let descriptor = self.descriptors.get(handle)?;
        if let Some(owner) = descriptor.owner {
            return Some((owner.entry, owner.rule));
        }
        let first = self.descriptions[descriptor.description].first?;
        let owner = self.descriptors[first].owner?;
        Some((owner.entry, Rule::SameDescription))
    }
}
