//! What can outlive a delete, by its place in the ledger.

use super::{
    Ledger, arena::Key, entry::Entry, handle::Descriptor, identity::ResourceName, own::Owner,
    thread::Thread,
};

/// A thread or a handle of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Resource {
    /// A thread.
    Thread(Key<Thread>),
    /// A handle.
    Handle(Key<Descriptor>),
}

/// What the verdicts have to look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Change {
    /// A delete ended.
    Deleted(Key<Entry>),
    /// Something changed about a resource of a deleted entry.
    Resource(Resource),
    /// A resource of a deleted entry was given to another.
    Moved(Key<Entry>, Resource),
    /// The record was forgotten; its place may mean another resource from now on.
    Forgotten(Resource),
    /// The entry was forgotten.
    ForgottenEntry(Key<Entry>),
    /// A scan or a gap changed what is known of everything.
    Everything,
}

impl Ledger {
    /// Who a resource is.
    pub fn name(&self, resource: Resource) -> Option<ResourceName> {
        match resource {
            Resource::Thread(thread) => Some(ResourceName::Thread(self.threads.get(thread)?.name)),
            Resource::Handle(handle) => Some(ResourceName::Handle(self.handle_name(handle)?)),
        }
    }

    /// The entry a resource belongs to, and by which rule.
    pub fn owner(&self, resource: Resource) -> Option<Owner> {
        match resource {
            Resource::Thread(thread) => self.threads.get(thread)?.owner,
            Resource::Handle(handle) => self.descriptors.get(handle)?.owner,
        }
    }

    /// Notes that a verdict may rest on what just changed.
    pub(super) fn changed(&mut self, resource: Resource) {
        if let Some(owner) = self.owner(resource)
            && self.entries[owner.entry].delete.is_some()
        {
            self.changes.push(Change::Resource(resource));
        }
    }

    /// Whether a verdict may have changed.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// What changed since this was last called.
    pub(crate) fn take_changes(&mut self, into: &mut Vec<Change>) {
        into.clear();
        std::mem::swap(&mut self.changes, into);
    }
}
