//! Descriptors (entries of a table) and open file descriptions (what they share).

mod holders;
mod name;

use super::{
    Ledger,
    arena::Key,
    identity::{HandleName, Origin},
    own::Owner,
    release::{Proof, Unaccounted},
    table::Table,
};
use crate::event::{
    handle::HandleKind,
    id::{BootTime, CallNumber, Fd, FileAddress, Moment, Tid},
    target::TargetDetail,
    text::Text,
};

/// An entry of a descriptor table. *Closed* is said of it; *released* of its description.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Descriptor {
    /// The table.
    pub table: Key<Table>,
    /// The number.
    pub fd: Fd,
    /// Which of the table's descriptors it is.
    pub generation: u32,
    /// What it refers to.
    pub description: Key<Description>,
    /// How the ledger came to know of it.
    pub origin: Origin,
    /// When it was born.
    pub born: Moment,
    /// The thread whose call made it.
    pub born_by: Option<Tid>,
    /// That call.
    pub call: Option<CallNumber>,
    /// Whether it closes on exec; `None` = not known.
    pub cloexec: Option<bool>,
    /// Whether it is open.
    pub state: State,
    /// The thread that closed it.
    pub closed_by: Option<Tid>,
    /// The entry it belongs to.
    pub owner: Option<Owner>,
    /// What had its number before.
    pub(super) before: Option<Key<Descriptor>>,
    /// Its neighbours in its description's list.
    pub(super) next: Option<Key<Descriptor>>,
    pub(super) previous: Option<Key<Descriptor>>,
    /// Whether it is in that list.
    pub(super) listed: bool,
}

/// Whether a descriptor is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum State {
    /// Open.
    Open,
    /// Open or closed: calls that overlapped decide it, and their order is not known.
    Ambiguous {
        /// Since when.
        since: BootTime,
    },
    /// Another descriptor, the latest of its number, may have its number: which of two calls came
    /// first is not known.
    Rival {
        /// Since when.
        since: BootTime,
    },
    /// Its number was given to another, so it left the table; the call that closed it has not
    /// returned.
    Closing {
        /// When the number's next owner was born.
        replaced: BootTime,
    },
    /// Closed.
    Closed {
        /// When: the call's entry, where that was seen.
        at: Moment,
        /// When the call returned.
        returned: BootTime,
        /// What closed it.
        how: ClosedHow,
    },
}

/// What closed a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ClosedHow {
    /// close.
    Close,
    /// close_range.
    RangeClose,
    /// dup2 or dup3 onto its number.
    Replaced,
    /// exec.
    Exec,
    /// Its table's last user is gone.
    TableDied,
    /// Its number was found closed, or given to another; the call was not seen.
    Found,
}

impl ClosedHow {
    /// Every cause, in the order of the declaration.
    pub const ALL: [Self; 6] = [
        Self::Close,
        Self::RangeClose,
        Self::Replaced,
        Self::Exec,
        Self::TableDied,
        Self::Found,
    ];

    /// The words for it, everywhere.
    pub fn words(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::RangeClose => "close_range",
            Self::Replaced => "dup2 onto it",
            Self::Exec => "exec",
            Self::TableDied => "its table's death",
            Self::Found => "found closed",
        }
    }
}

/// An open file description: shared by dup, fork and SCM_RIGHTS.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Description {
    /// What it is.
    pub kind: HandleKind,
    /// The kernel's address, used again after the release.
    pub file: Option<FileAddress>,
    /// What /proc said it points at.
    pub target: Option<Box<Text>>,
    /// When /proc said so last.
    pub target_read: BootTime,
    /// What /proc said of it beside that.
    pub detail: Option<Box<ReadDetail>>,
    /// The name by which it was opened, as the program gave it.
    pub name: Option<Box<Text>>,
    /// Open descriptors of it that the ledger knows.
    pub live: u32,
    /// How others than the known descriptors may come to hold it.
    pub reach: Reach,
    /// References that no known descriptor explains, at the last close.
    pub unaccounted: Option<Box<Unaccounted>>,
    /// When it was released.
    pub released: Option<Moment>,
    /// How that is known.
    pub proof: Proof,
    /// Open descriptors and owned ones, owned ones first.
    pub(super) first: Option<Key<Descriptor>>,
    /// Descriptor records that refer to it.
    pub(super) records: u32,
    /// It was duplicated before the birth of what was duplicated was told.
    pub(super) awaits_birth: bool,
    /// When the last close of one of its descriptors returned.
    pub(super) last_return: BootTime,
    /// Closes that overlapped the last one.
    pub(super) overlapping: u32,
}

/// What a link does not say, as it was at a time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ReadDetail {
    /// What was read.
    pub detail: TargetDetail,
    /// When.
    pub at: BootTime,
}

/// How others than the known descriptors may come to hold a description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reach {
    /// It was sent (SCM_RIGHTS) or registered.
    pub shared: bool,
    /// It was received.
    pub received: bool,
    /// It was open before the attach, or nothing announced it.
    pub before: bool,
}

impl Reach {
    /// Whether every descriptor of it was seen being made.
    pub fn is_exclusive(self) -> bool {
        self == Self::default()
    }
}

impl Descriptor {
    /// Whether it may still be in its table.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Ambiguous { .. })
    }

    /// When it was closed.
    pub fn closed(&self) -> Option<Moment> {
        match self.state {
            State::Closed { at, .. } => Some(at),
            _ => None,
        }
    }
}

impl Description {
    pub(super) fn new(kind: HandleKind, file: Option<FileAddress>, reach: Reach) -> Self {
        Self {
            kind,
            file,
            target: None,
            name: None,
            target_read: BootTime(0),
            detail: None,
            live: 0,
            reach,
            unaccounted: None,
            released: None,
            proof: Proof::LastReference,
            first: None,
            records: 0,
            awaits_birth: false,
            last_return: BootTime(0),
            overlapping: 0,
        }
    }
}

impl Description {
    /// What it points at, and when that was read; `None` = nobody has read it.
    pub fn points_at(&self) -> Option<(&Text, BootTime)> {
        Some((self.target.as_deref()?, self.target_read))
    }

    /// What to call it: what /proc said it points at, or else the name it was opened by.
    pub fn known_as(&self) -> Option<&Text> {
        self.target.as_deref().or(self.name.as_deref())
    }

    /// A reading of /proc tells what it points at.
    pub(super) fn learn_target(&mut self, kind: HandleKind, target: &Text, at: BootTime) {
        if matches!(self.kind, HandleKind::Opened | HandleKind::Unknown) {
            self.kind = kind;
        }
        if self.target.as_deref() != Some(target) {
            self.target = Some(Box::new(target.clone()));
        }
        self.target_read = self.target_read.max(at);
    }
}

/// A descriptor about to be added.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewDescriptor {
    pub(super) table: Key<Table>,
    pub(super) fd: Fd,
    pub(super) description: Key<Description>,
    pub(super) origin: Origin,
    pub(super) born: Moment,
    pub(super) born_by: Option<Tid>,
    pub(super) call: Option<CallNumber>,
    pub(super) cloexec: Option<bool>,
}

impl Ledger {
    /// Adds an open descriptor as the latest of its number.
    pub(super) fn insert_descriptor(&mut self, new: NewDescriptor) -> Key<Descriptor> {
        let table = &mut self.tables[new.table];
        table.births = table.births.wrapping_add(1);
        table.records += 1;
        table.open += 1;
        let generation = table.births;
        self.revive(new.description);
        let description = &mut self.descriptions[new.description];
        description.live += 1;
        description.records += 1;
        // Whoever shares it again explains what was not explained.
        description.unaccounted = None;
        self.counters.handles += 1;
        if new.origin == Origin::Unseen {
            self.counters.handles_unseen += 1;
        }
        if let (Origin::Announced, Some(call)) = (new.origin, new.call) {
            self.tally.born(call);
            let process = self.tables[new.table].process;
            if let Some(process) = self.processes.get_mut(process) {
                process.tally.born(call);
            }
        }
        let before = self.tables[new.table].slots.get(new.fd);
        let key = self.descriptors.insert(Descriptor {
            before,
            table: new.table,
            fd: new.fd,
            generation,
            description: new.description,
            origin: new.origin,
            born: new.born,
            born_by: new.born_by,
            call: new.call,
            cloexec: new.cloexec,
            state: State::Open,
            closed_by: None,
            owner: None,
            next: None,
            previous: None,
            listed: false,
        });
        self.tables[new.table].slots.set(new.fd, key);
        self.list(key);
        key
    }

    /// Who a handle is.
    pub fn handle_name(&self, handle: Key<Descriptor>) -> Option<HandleName> {
        let descriptor = self.descriptors.get(handle)?;
        let table = self.tables.get(descriptor.table)?;
        Some(HandleName {
            tgid: table.tgid,
            table: table.number,
            fd: descriptor.fd,
            generation: descriptor.generation,
        })
    }

    /// What had a descriptor's number before it, unless that was forgotten.
    pub(super) fn before(&self, key: Key<Descriptor>) -> Option<Key<Descriptor>> {
        let record = &self.descriptors[key];
        let before = record.before?;
        let there = self.descriptors.get(before)?;
        let is_it = there.table == record.table
            && there.fd == record.fd
            && there.generation < record.generation;
        is_it.then_some(before)
    }

    /// The open descriptor of a number, if there is one.
    pub(super) fn open_at(&self, table: Key<Table>, fd: Fd) -> Option<Key<Descriptor>> {
        let descriptor = self.tables[table].slots.get(fd)?;
        self.descriptors[descriptor].is_open().then_some(descriptor)
    }

    /// The description of a descriptor that was born: a new one, unless a duplicate of it was
    /// told first. The address is what the birth's exit found at the number: where that is the
    /// address of an open descriptor, it is that of a duplicate which has replaced the new one.
    pub(super) fn born_description(
        &mut self,
        kind: HandleKind,
        file: Option<FileAddress>,
        at: BootTime,
    ) -> Key<Description> {
        if let Some(file) = file
            && let Some(&known) = self.by_file.get(&file.0.get())
            && let Some(shared) = self.descriptions.get_mut(known)
            && std::mem::take(&mut shared.awaits_birth)
            && shared.released.is_none()
        {
            shared.kind = kind;
            return known;
        }
        let file = file.filter(|file| {
            let known = self.by_file.get(&file.0.get());
            known.is_none_or(|&known| !self.is_surely_held(known))
        });
        self.new_description(kind, file, Reach::default(), at)
    }

    /// A description for a new `struct file`. One that had its address before is released.
    pub(super) fn new_description(
        &mut self,
        kind: HandleKind,
        file: Option<FileAddress>,
        reach: Reach,
        at: BootTime,
    ) -> Key<Description> {
        let key = self
            .descriptions
            .insert(Description::new(kind, file, reach));
        if let Some(file) = file
            && let Some(before) = self.by_file.insert(file.0.get(), key)
        {
            self.address_reused(before, at);
        }
        key
    }
}
