//! `own` marks: a resource is given to an entry, at once or when a poll finds it.

use crate::event::{
    Mark,
    id::{BootTime, Fd},
    mark::Owned,
};
use crate::ledger::{
    Ledger, arena::Key, entry::Entry, handle::Descriptor, process::Watch, resource::Resource,
    table::Table, thread::Thread,
};

/// An `own` mark that names a number a poll has not found yet.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(in crate::ledger) struct OwedOwn {
    table: u32,
    fd: Fd,
    entry: Key<Entry>,
    at: BootTime,
}

impl OwedOwn {
    /// The entry that it pins.
    pub(in crate::ledger) fn pinned(&self) -> Key<Entry> {
        self.entry
    }
}

/// Most `own` marks that wait for a poll.
const MOST_OWED: usize = 4096;

impl Ledger {
    pub(in crate::ledger) fn own_mark(
        &mut self,
        thread: Key<Thread>,
        mark: &Mark,
        owned: Owned,
        at: BootTime,
    ) {
        let process = self.threads[thread].process;
        let is_polled = matches!(self.processes[process].watch, Watch::Polls { .. });
        let resource = match owned {
            Owned::Handle(fd) => {
                let table = self.table_of(thread);
                let latest = self.tables[table].slots.get(fd);
                latest
                    .filter(|&latest| !is_polled || self.descriptors[latest].is_open())
                    .map(Resource::Handle)
            }
            Owned::Thread(tid) => match self.by_tid.get(&tid.0) {
                Some(&thread) => Some(Resource::Thread(thread)),
                // The mark shows that it lives; the next poll would have found it.
                None if is_polled => {
                    Some(Resource::Thread(self.thread_on_demand(tid, mark.tgid, at)))
                }
                None => self
                    .departed(process, tid)
                    .map(|departed| Resource::Thread(departed.thread)),
            },
        };
        let entry = match self.latest(process, mark.map, &mark.key) {
            Some(entry) if self.entries[entry].is_current() => entry,
            _ => {
                let entry = self.add_entry(process, mark, None);
                self.entries[entry].stored = Some(at);
                entry
            }
        };
        match (resource, owned) {
            (Some(resource), _) => self.own_by_mark(resource, entry, at),
            (None, Owned::Handle(fd)) if is_polled => {
                let table = self.tables[self.table_of(thread)].number;
                self.owe_own(OwedOwn {
                    table,
                    fd,
                    entry,
                    at,
                });
            }
            (None, _) => self.counters.owns_of_nothing += 1,
        }
    }

    /// A poll has not found the descriptor yet.
    pub(in crate::ledger) fn owe_own(&mut self, owed: OwedOwn) {
        self.pin(owed.entry);
        self.owed_owns.push(owed);
        if self.owed_owns.len() > MOST_OWED {
            let oldest = self.owed_owns.remove(0);
            self.unpin(oldest.entry);
            self.counters.owns_of_nothing += 1;
        }
    }

    /// A poll found a descriptor: gives it to the entry whose `own` mark named its number.
    pub(in crate::ledger) fn claim_owed(
        &mut self,
        table: Key<Table>,
        fd: Fd,
        handle: Key<Descriptor>,
    ) {
        let number = self.tables[table].number;
        let place = self
            .owed_owns
            .iter()
            .position(|owed| owed.table == number && owed.fd == fd);
        if let Some(place) = place {
            let owed = self.owed_owns.remove(place);
            self.unpin(owed.entry);
            self.own_by_mark(Resource::Handle(handle), owed.entry, owed.at);
        }
    }
}
