//! Deletes, as their marks tell them: begin, unlink, end.

use crate::event::{Mark, id::BootTime, text::Text};
use crate::ledger::{
    Ledger,
    arena::Key,
    entry::{Delete, Entry, Removal},
    resource::Change,
    thread::Thread,
};

/// Most open deletes of one thread.
const MOST_OPEN: usize = 64;

impl Ledger {
    pub(in crate::ledger) fn delete_begin(
        &mut self,
        thread: Key<Thread>,
        mark: &Mark,
        policy: Option<&Text>,
        at: BootTime,
    ) {
        let process = self.threads[thread].process;
        let latest = self.latest(process, mark.map, &mark.key);
        let own_span = self
            .live_mut(thread)
            .spans
            .iter()
            .rev()
            .find(|span| Some(span.entry) == latest)
            .copied();
        let entry = match (own_span, latest) {
            // A store that deletes what it replaces, then inserts.
            (Some(span), _) if span.replaces.is_some() => span.replaces,
            (_, Some(entry)) => Some(entry),
            (_, None) => None,
        };
        let entry = entry.unwrap_or_else(|| self.add_entry(process, mark, None));
        let storing_elsewhere = own_span.is_none() && self.entries[entry].is_storing();
        let record = &mut self.entries[entry];
        record.contested |= storing_elsewhere;
        let how = Removal::Deleted {
            policy: policy.cloned(),
        };
        match &mut record.delete {
            Some(delete) if delete.end.is_some() => {
                self.counters.deletes_of_nothing += 1;
                return;
            }
            Some(delete) if delete.how == Removal::Overwritten && own_span.is_some() => {
                delete.begin = Some(at);
                delete.how = how;
            }
            Some(delete) => delete.deleters = delete.deleters.saturating_add(1),
            None => {
                record.delete = Some(Delete {
                    begin: Some(at),
                    unlink: None,
                    end: None,
                    how,
                    deleters: 1,
                });
            }
        }
        self.finish_entry(entry);
        self.pin(entry);
        let deletes = &mut self.live_mut(thread).deletes;
        deletes.push(entry);
        if deletes.len() > MOST_OPEN {
            let oldest = deletes.remove(0);
            self.unpin(oldest);
        }
    }

    /// The delete that a mark of this thread speaks of.
    pub(in crate::ledger) fn open_delete(
        &self,
        thread: Key<Thread>,
        mark: &Mark,
    ) -> Option<Key<Entry>> {
        let record = &self.threads[thread];
        let deletes = &record.live.as_ref()?.deletes;
        let own = deletes
            .iter()
            .rev()
            .find(|&&entry| self.is_of(entry, mark))
            .copied();
        own.or_else(|| self.latest(record.process, mark.map, &mark.key))
    }

    pub(in crate::ledger) fn delete_unlink(
        &mut self,
        thread: Key<Thread>,
        mark: &Mark,
        at: BootTime,
    ) {
        match self
            .open_delete(thread, mark)
            .map(|entry| &mut self.entries[entry])
        {
            Some(Entry {
                delete: Some(delete),
                ..
            }) if delete.end.is_none() => {
                delete.unlink.get_or_insert(at);
            }
            _ => self.counters.marks_without_begin += 1,
        }
    }

    pub(in crate::ledger) fn delete_end(&mut self, thread: Key<Thread>, mark: &Mark, at: BootTime) {
        let Some(entry) = self.open_delete(thread, mark) else {
            self.counters.marks_without_begin += 1;
            return;
        };
        let deletes = &mut self.live_mut(thread).deletes;
        if let Some(place) = deletes.iter().rposition(|&open| open == entry) {
            deletes.remove(place);
            self.unpin(entry);
        }
        self.finish_entry(entry);
        let record = &mut self.entries[entry];
        let delete = record.delete.get_or_insert(Delete {
            begin: None,
            unlink: None,
            end: None,
            how: Removal::Deleted { policy: None },
            deleters: 1,
        });
        delete.deleters = delete.deleters.saturating_sub(1);
        if delete.end.is_none() && delete.deleters == 0 {
            self.delete_ended(entry, at);
        }
    }

    pub(in crate::ledger) fn delete_ended(&mut self, entry: Key<Entry>, at: BootTime) {
        if let Some(delete) = &mut self.entries[entry].delete {
            delete.end = Some(at);
        }
        self.changes.push(Change::Deleted(entry));
    }
}
