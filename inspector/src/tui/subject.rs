//! What a screen can point at, by identity: a selection follows the entity, never the row.

use crate::{
    event::id::Tgid,
    ledger::{
        Ledger,
        arena::Key,
        entry::Entry,
        handle::Descriptor,
        identity::{EntryName, HandleName, ThreadName},
        resource::Resource,
        thread::Thread,
    },
};

/// A place in the ledger, or a number: quick to compare, true only as long as nothing is
/// forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// An entry.
    Entry(Key<Entry>),
    /// A thread.
    Thread(Key<Thread>),
    /// A handle.
    Handle(Key<Descriptor>),
    /// A futex word.
    Word(Tgid, u64),
    /// The event of this number.
    Event(u64),
    /// The group of this number.
    Group(usize),
    /// The finding of this number.
    Finding(u64),
}

impl From<Resource> for Place {
    fn from(resource: Resource) -> Self {
        match resource {
            Resource::Thread(thread) => Self::Thread(thread),
            Resource::Handle(handle) => Self::Handle(handle),
        }
    }
}

/// Who stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Where.
    pub place: Place,
    name: Name,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Entry(EntryName),
    Thread(ThreadName),
    Handle(HandleName),
    Number,
}

impl Subject {
    /// Who stands at `place` now; `None` = it was forgotten.
    pub fn at(ledger: &Ledger, place: Place) -> Option<Self> {
        let name = match place {
            Place::Entry(entry) => {
                ledger.entry(entry)?;
                Name::Entry(ledger.entry_name(entry))
            }
            Place::Thread(thread) => Name::Thread(ledger.thread(thread)?.name),
            Place::Handle(handle) => Name::Handle(ledger.handle_name(handle)?),
            Place::Word(..) | Place::Event(_) | Place::Group(_) | Place::Finding(_) => Name::Number,
        };
        Some(Self { place, name })
    }

    /// Whether it still stands there: a forgotten record's place may be another's by now.
    pub fn is_there(&self, ledger: &Ledger) -> bool {
        let Some(now) = Self::at(ledger, self.place) else {
            return false;
        };
        match (&self.name, &now.name) {
            // Its start may be learned, and it may execute another program.
            (Name::Thread(before), Name::Thread(now)) => {
                before.tgid == now.tgid
                    && (before.start == now.start || before.start.is_none())
                    && before.epoch <= now.epoch
            }
            (before, now) => before == now,
        }
    }
}
