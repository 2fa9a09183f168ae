//! When an open file description is released, and what proves it.
//!
//! - A close that read one reference released it, whatever the ledger believed.
//! - A close that read more: each open descriptor the ledger knows accounts for one, each close
//!   that overlapped this one for one more. Where nothing is left over, the known descriptors
//!   hold it, or the last of the overlapping closes released it.
//! - What is left over is a call in progress on it, or a holder that was not seen: the handle is
//!   *closed here*, and the rule of calls in progress (`calls.rs`) may settle it.
//! - A close that read no count (dup2, close_range, exec, exit): released with its last known
//!   descriptor, if every descriptor of it was seen being made.
//! - A new `struct file` at its address: it was released before.

use super::{
    Ledger,
    arena::Key,
    calls::CallWait,
    handle::{ClosedHow, Description, Descriptor, Reach, State},
    order::Close,
    resource::Resource,
    table::Table,
};
use crate::event::id::{BootTime, CallNumber, Fd, Moment, Tid};

/// What proves a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Proof {
    /// The close read one reference.
    LastReference,
    /// The close read more, and overlapping closes account for the others.
    OverlappingCloses,
    /// No count was read; every descriptor of it was seen being made, and all are closed.
    LastKnownDescriptor,
    /// Its address was given to a new description.
    AddressReused,
    /// The close read more; no call that began before it is in progress any more.
    CallsEnded,
}

/// References of a description without a known open descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unaccounted {
    /// References at the last close, its own included; `None` = not read.
    pub references: Option<u32>,
    /// The last close.
    pub closed: Moment,
    /// A call in progress on it: the thread and the call.
    pub held_by_call: Option<(Tid, CallNumber)>,
}

impl Ledger {
    /// Closes a descriptor by a call.
    pub(super) fn close_descriptor(&mut self, key: Key<Descriptor>, close: &Close) {
        let record = &mut self.descriptors[key];
        record.closed_by = Some(close.by);
        self.close(
            key,
            close.moment_of(),
            close.returned,
            close.how,
            close.references,
        );
    }

    /// Closes a descriptor without a call of its own.
    pub(super) fn close_for(&mut self, key: Key<Descriptor>, died: Moment, how: ClosedHow) {
        self.close(key, died, died.latest, how, None);
    }

    fn close(
        &mut self,
        key: Key<Descriptor>,
        at: Moment,
        returned: BootTime,
        how: ClosedHow,
        references: Option<u32>,
    ) {
        let record = &mut self.descriptors[key];
        let was_open = record.is_open();
        let was_ambiguous = matches!(record.state, State::Ambiguous { .. });
        if record.closed().is_none() {
            self.tally.closed(how);
            let process = self.tables[record.table].process;
            if let Some(process) = self.processes.get_mut(process) {
                process.tally.closed(how);
            }
        }
        record.state = State::Closed { at, returned, how };
        let (table, fd, description) = (record.table, record.fd, record.description);
        if was_open {
            self.tables[table].open -= 1;
        }
        if self.descriptors[key].owner.is_none() {
            self.unlist(key);
        }
        let shared = &mut self.descriptions[description];
        shared.live -= 1;
        shared.overlapping = if at.earliest <= shared.last_return {
            shared.overlapping.saturating_add(1)
        } else {
            0
        };
        shared.last_return = shared.last_return.max(returned);
        self.account(description, table, fd, at, references);
        self.changed(Resource::Handle(key));
        self.description_changed(description);
        self.retire(Resource::Handle(key));
        if was_ambiguous {
            self.settle_rivals(table, fd, at);
        }
    }

    /// Decides what a close says about the description.
    fn account(
        &mut self,
        description: Key<Description>,
        table: Key<Table>,
        fd: Fd,
        closed: Moment,
        references: Option<u32>,
    ) {
        let shared = &self.descriptions[description];
        let (live, returned) = (shared.live, shared.last_return);
        if references == Some(1) {
            if live > 0 {
                self.part_holders(description, closed.latest);
            }
            self.released(description, closed, Proof::LastReference);
            return;
        }
        if live > 0 {
            return;
        }
        match references {
            Some(references) if references.saturating_sub(1) <= shared.overlapping => {
                let last = Moment {
                    earliest: closed.earliest,
                    latest: returned.max(closed.latest),
                };
                self.released(description, last, Proof::OverlappingCloses);
            }
            None if shared.reach.is_exclusive() => {
                self.released(description, closed, Proof::LastKnownDescriptor);
            }
            _ => {
                self.descriptions[description].unaccounted = Some(Box::new(Unaccounted {
                    references,
                    closed,
                    held_by_call: None,
                }));
                if references.is_some() {
                    self.await_calls(CallWait::new(description, table, fd, closed, returned));
                }
            }
        }
    }

    pub(super) fn released(&mut self, description: Key<Description>, at: Moment, proof: Proof) {
        let shared = &mut self.descriptions[description];
        if shared.released.is_some() {
            return;
        }
        shared.released = Some(at);
        shared.proof = proof;
        shared.unaccounted = None;
        if let Some(file) = shared.file {
            let address = file.0.get();
            if self.by_file.get(&address) == Some(&description) {
                self.by_file.remove(&address);
            }
        }
        self.description_changed(description);
    }

    /// A call that overlapped the last close took a reference before that close gave its own up,
    /// and after it had counted.
    pub(super) fn revive(&mut self, description: Key<Description>) {
        let shared = &mut self.descriptions[description];
        if shared.released.take().is_some() {
            // Or it was released, and its address is that of a birth which is still to be told.
            shared.awaits_birth = true;
            shared.reach.shared = true;
            if let Some(file) = shared.file {
                self.by_file.entry(file.0.get()).or_insert(description);
            }
            self.description_changed(description);
        }
    }

    /// A copy of its table may or may not hold it.
    pub(super) fn may_be_copied(&mut self, description: Key<Description>) {
        let released = self.descriptions[description].released;
        self.revive(description);
        let shared = &mut self.descriptions[description];
        shared.reach.shared = true;
        if let (0, Some(closed)) = (shared.live, released) {
            shared.unaccounted = Some(Box::new(Unaccounted {
                references: None,
                closed,
                held_by_call: None,
            }));
        }
        self.description_changed(description);
    }

    /// The close of the last reference contradicts descriptors believed to share it.
    fn part_holders(&mut self, description: Key<Description>, at: BootTime) {
        let holders: Vec<_> = self.holders(description).collect();
        for holder in holders {
            self.part(holder, at);
        }
    }

    /// A descriptor does not refer to what was believed, but to something that is not known.
    pub(super) fn part(&mut self, holder: Key<Descriptor>, at: BootTime) {
        let before = self.descriptors[holder].description;
        let kind = self.descriptions[before].kind;
        let reach = Reach {
            before: true,
            ..Reach::default()
        };
        let other = self.new_description(kind, None, reach, at);
        self.unlist(holder);
        let left = &mut self.descriptions[before];
        left.live -= 1;
        if left.live == 0 && left.released.is_none() && left.unaccounted.is_none() {
            left.unaccounted = Some(Box::new(Unaccounted {
                references: None,
                closed: Moment::exact(at),
                held_by_call: None,
            }));
        }
        self.descriptors[holder].description = other;
        let shared = &mut self.descriptions[other];
        shared.live += 1;
        shared.records += 1;
        self.list(holder);
        self.release_description(before);
        self.counters.parted += 1;
        self.changed(Resource::Handle(holder));
    }

    /// A new description has the address of this one.
    pub(super) fn address_reused(&mut self, before: Key<Description>, at: BootTime) {
        let Some(shared) = self.descriptions.get(before) else {
            return;
        };
        if let Some(unaccounted) = &shared.unaccounted
            && shared.live == 0
        {
            let moment = Moment {
                earliest: unaccounted.closed.earliest.min(at),
                latest: at,
            };
            self.released(before, moment, Proof::AddressReused);
        }
    }

    /// One descriptor record less refers to the description.
    pub(super) fn release_description(&mut self, description: Key<Description>) {
        let shared = &mut self.descriptions[description];
        shared.records = shared.records.saturating_sub(1);
        self.drop_description(description);
    }

    /// Forgets a description that no descriptor record refers to.
    pub(super) fn drop_description(&mut self, description: Key<Description>) {
        let shared = &self.descriptions[description];
        if shared.records == 0 {
            if let Some(file) = shared.file {
                let address = file.0.get();
                if self.by_file.get(&address) == Some(&description) {
                    self.by_file.remove(&address);
                }
            }
            self.descriptions.remove(description);
        }
    }
}
