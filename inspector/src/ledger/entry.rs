//! Entries: what the application stores under its keys, their spans and their deletes.

use super::{
    Ledger,
    arena::Key,
    handle::Descriptor,
    identity::{EntryName, ResourceName},
    process::{KeyHistory, Process, Watch},
    resource::{Change, Resource},
    table::Table,
    thread::Thread,
};
use crate::event::{
    Mark,
    id::{BootTime, Fd},
    mark::{self, Declared, MapId, Owned},
    text::Text,
};

/// What was stored under a key, once.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The process.
    pub process: Key<Process>,
    /// The map.
    pub map: MapId,
    /// The key.
    pub key: mark::Key,
    /// Counts the stores of this key.
    pub generation: u32,
    /// When its store began; `None` = not seen.
    pub store_began: Option<BootTime>,
    /// When its store ended; `None` = not yet, or not seen.
    pub stored: Option<BootTime>,
    /// How it was deleted.
    pub delete: Option<Delete>,
    /// A store and a delete of this key overlapped on two threads: which of the two entries the
    /// delete removed is not known.
    pub contested: bool,
    /// When its process executed another program or ended.
    pub voided: Option<BootTime>,
    /// What it owned and another entry was given.
    pub moved: Vec<Moved>,
    /// Resources born on its threads after its delete.
    pub born_after_delete: u64,
    /// Dead resources that the retention rule has forgotten.
    pub forgotten: u64,
    /// What it owns.
    pub(super) resources: Vec<Resource>,
    /// Open spans and deletes that refer to it.
    pub(super) pins: u32,
    /// Whether the retention rule may forget it one day.
    pub(super) is_finished: bool,
}

/// A delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// When it began; `None` = not seen.
    pub begin: Option<BootTime>,
    /// When the key left the map, as far as told.
    pub unlink: Option<BootTime>,
    /// When it returned; `None` = it has not: *deleting*.
    pub end: Option<BootTime>,
    /// What removed the entry.
    pub how: Removal,
    /// Deletes of this entry under way.
    pub(super) deleters: u32,
}

/// What removed an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// A delete, by the policy the application names.
    Deleted {
        /// The policy.
        policy: Option<Text>,
    },
    /// A store of the same key.
    Overwritten,
}

/// A resource that was given to another entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The resource.
    pub resource: ResourceName,
    /// Where it stands, unless its record was forgotten.
    pub place: Resource,
    /// Its new entry.
    pub to: EntryName,
    /// When.
    pub at: BootTime,
}

/// An open store span.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenSpan {
    /// The entry being stored.
    pub(super) entry: Key<Entry>,
    /// The entry it overwrites.
    replaces: Option<Key<Entry>>,
    /// The span's id.
    id: Option<u64>,
}

/// An `own` mark that names a number a poll has not found yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwedOwn {
    table: u32,
    fd: Fd,
    entry: Key<Entry>,
    at: BootTime,
}

/// Where an open span with an id stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenSpanId {
    thread: Key<Thread>,
    entry: Key<Entry>,
}

/// Most open spans, and most open deletes, of one thread.
const MOST_OPEN: usize = 64;
/// Most `own` marks that wait for a poll.
const MOST_OWED: usize = 4096;
/// Most open spans with an id, of one process.
const MOST_SPAN_IDS: usize = 1 << 20;

impl Ledger {
    pub(super) fn mark(&mut self, at: BootTime, mark: &Mark) {
        let thread = self.thread_on_demand(mark.tid, mark.tgid, at);
        match &mark.what {
            Declared::StoreBegin { span } => self.store_begin(thread, mark, *span, at),
            Declared::StoreEnd { span } => self.store_end(thread, mark, *span, at),
            Declared::Own(owned) => self.own_mark(thread, mark, *owned, at),
            Declared::DeleteBegin { policy } => {
                self.delete_begin(thread, mark, policy.as_ref(), at);
            }
            Declared::DeleteUnlink => self.delete_unlink(thread, mark, at),
            Declared::DeleteEnd => self.delete_end(thread, mark, at),
        }
        self.touch_thread(thread, at);
    }

    fn store_begin(&mut self, thread: Key<Thread>, mark: &Mark, id: Option<u64>, at: BootTime) {
        let process = self.threads[thread].process;
        if let Some(id) = id
            && let Some(&open) = self.processes[process].spans.get(&id)
            && self.is_of(open.entry, mark)
        {
            self.continue_span(thread, process, id, open);
            return;
        }
        let latest = self.latest(process, mark.map, &mark.key);
        let mut replaces = None;
        let mut contested = false;
        if let Some(before) = latest {
            let record = &mut self.entries[before];
            match &record.delete {
                None => {
                    record.delete = Some(Delete {
                        begin: Some(at),
                        unlink: None,
                        end: None,
                        how: Removal::Overwritten,
                        deleters: 1,
                    });
                    replaces = Some(before);
                    self.finish_entry(before);
                }
                // Its unlink, if it was not told, may come after this store.
                Some(delete) => contested = delete.end.is_none() && delete.unlink.is_none(),
            }
        }
        let entry = self.add_entry(process, mark, Some(at));
        self.entries[entry].contested = contested;
        self.pin(entry);
        if let Some(replaces) = replaces {
            self.pin(replaces);
        }
        if let Some(id) = id
            && self.processes[process].spans.len() < MOST_SPAN_IDS
        {
            self.processes[process]
                .spans
                .insert(id, OpenSpanId { thread, entry });
        }
        self.works_for(thread, entry);
        let span = OpenSpan {
            entry,
            replaces,
            id,
        };
        let spans = &mut self.live_mut(thread).spans;
        spans.push(span);
        if spans.len() > MOST_OPEN {
            let outermost = spans.remove(0);
            self.drop_span(process, outermost);
        }
    }

    /// A span with an id goes on, on this thread.
    fn continue_span(
        &mut self,
        thread: Key<Thread>,
        process: Key<Process>,
        id: u64,
        open: OpenSpanId,
    ) {
        if open.thread == thread {
            return;
        }
        let moved = self
            .threads
            .get_mut(open.thread)
            .and_then(|thread| thread.live.as_mut())
            .and_then(|live| {
                let place = live.spans.iter().rposition(|span| span.id == Some(id))?;
                Some(live.spans.remove(place))
            });
        let Some(span) = moved else {
            self.processes[process].spans.remove(&id);
            return;
        };
        self.works_for(thread, span.entry);
        self.live_mut(thread).spans.push(span);
        self.processes[process].spans.insert(
            id,
            OpenSpanId {
                thread,
                entry: open.entry,
            },
        );
    }

    fn store_end(&mut self, thread: Key<Thread>, mark: &Mark, id: Option<u64>, at: BootTime) {
        let process = self.threads[thread].process;
        let holder = id
            .and_then(|id| self.processes[process].spans.get(&id))
            .map_or(thread, |open| open.thread);
        let place = self
            .threads
            .get(holder)
            .and_then(|holder| holder.live.as_ref())
            .and_then(|live| {
                live.spans
                    .iter()
                    .rposition(|span| span.id == id && self.is_of(span.entry, mark))
            });
        let Some(place) = place else {
            self.counters.marks_without_begin += 1;
            return;
        };
        let spans = &mut self.live_mut(holder).spans;
        let span = spans.remove(place);
        // A span of this thread that was opened within and never closed ends with it.
        let inner = if id.is_none() {
            spans.split_off(place)
        } else {
            Vec::new()
        };
        for span in inner {
            if span.id.is_some() {
                self.live_mut(holder).spans.push(span);
            } else {
                self.drop_span(process, span);
            }
        }
        self.entries[span.entry].stored = Some(at);
        if let Some(before) = span.replaces
            && let Some(delete) = &mut self.entries[before].delete
            && delete.how == Removal::Overwritten
            && delete.end.is_none()
        {
            delete.unlink = Some(at);
            self.delete_ended(before, at);
        }
        self.drop_span(process, span);
    }

    fn drop_span(&mut self, process: Key<Process>, span: OpenSpan) {
        if let Some(id) = span.id {
            self.processes[process].spans.remove(&id);
        }
        self.unpin(span.entry);
        if let Some(replaces) = span.replaces {
            self.unpin(replaces);
        }
    }

    /// The thread's open spans and deletes end unfinished.
    pub(super) fn close_spans(&mut self, thread: Key<Thread>) {
        let process = self.threads[thread].process;
        let live = self.live_mut(thread);
        let spans = std::mem::take(&mut live.spans);
        let deletes = std::mem::take(&mut live.deletes);
        for span in spans {
            self.drop_span(process, span);
        }
        for entry in deletes {
            self.unpin(entry);
        }
    }

    fn own_mark(&mut self, thread: Key<Thread>, mark: &Mark, owned: Owned, at: BootTime) {
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
    fn owe_own(&mut self, owed: OwedOwn) {
        self.pin(owed.entry);
        self.owed_owns.push(owed);
        if self.owed_owns.len() > MOST_OWED {
            let oldest = self.owed_owns.remove(0);
            self.unpin(oldest.entry);
            self.counters.owns_of_nothing += 1;
        }
    }

    /// A poll found a descriptor: gives it to the entry whose `own` mark named its number.
    pub(super) fn claim_owed(&mut self, table: Key<Table>, fd: Fd, handle: Key<Descriptor>) {
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

    fn delete_begin(
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
    fn open_delete(&self, thread: Key<Thread>, mark: &Mark) -> Option<Key<Entry>> {
        let record = &self.threads[thread];
        let deletes = &record.live.as_ref()?.deletes;
        let own = deletes
            .iter()
            .rev()
            .find(|&&entry| self.is_of(entry, mark))
            .copied();
        own.or_else(|| self.latest(record.process, mark.map, &mark.key))
    }

    fn delete_unlink(&mut self, thread: Key<Thread>, mark: &Mark, at: BootTime) {
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

    fn delete_end(&mut self, thread: Key<Thread>, mark: &Mark, at: BootTime) {
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

    fn delete_ended(&mut self, entry: Key<Entry>, at: BootTime) {
        if let Some(delete) = &mut self.entries[entry].delete {
            delete.end = Some(at);
        }
        self.changes.push(Change::Deleted(entry));
    }

    fn add_entry(
        &mut self,
        process: Key<Process>,
        mark: &Mark,
        store_began: Option<BootTime>,
    ) -> Key<Entry> {
        self.processes[process].records += 1;
        let floor = self.processes[process].forgotten_generations;
        let before = self.history(process, mark.map, &mark.key);
        let generation = before
            .map_or(floor, |history| history.generation)
            .wrapping_add(1);
        let entry = self.entries.insert(Entry {
            process,
            map: mark.map,
            key: mark.key.clone(),
            generation,
            store_began,
            stored: None,
            delete: None,
            contested: false,
            voided: None,
            moved: Vec::new(),
            born_after_delete: 0,
            forgotten: 0,
            resources: Vec::new(),
            pins: 0,
            is_finished: false,
        });
        self.counters.entries += 1;
        self.processes[process]
            .maps
            .entry(mark.map)
            .or_default()
            .insert(
                mark.key.clone(),
                KeyHistory {
                    latest: entry,
                    generation,
                },
            );
        entry
    }

    fn history(&self, process: Key<Process>, map: MapId, key: &mark::Key) -> Option<KeyHistory> {
        self.processes[process].maps.get(&map)?.get(key).copied()
    }

    /// The latest entry of a key.
    fn latest(&self, process: Key<Process>, map: MapId, key: &mark::Key) -> Option<Key<Entry>> {
        Some(self.history(process, map, key)?.latest)
    }

    fn is_of(&self, entry: Key<Entry>, mark: &Mark) -> bool {
        self.entries
            .get(entry)
            .is_some_and(|entry| entry.map == mark.map && entry.key == mark.key)
    }

    /// The process's memory is another, or gone, and its entries with it.
    pub(super) fn void_entries(&mut self, process: Key<Process>) {
        let maps = std::mem::take(&mut self.processes[process].maps);
        self.processes[process].spans.clear();
        let now = self.now;
        for thread in self.processes[process].threads.clone() {
            self.close_spans(thread);
        }
        for history in maps
            .into_values()
            .flat_map(std::collections::HashMap::into_values)
        {
            let floor = &mut self.processes[process].forgotten_generations;
            *floor = (*floor).max(history.generation);
            let record = &mut self.entries[history.latest];
            record.voided = Some(now);
            self.finish_entry(history.latest);
        }
    }

    fn pin(&mut self, entry: Key<Entry>) {
        self.entries[entry].pins += 1;
    }

    fn unpin(&mut self, entry: Key<Entry>) {
        let pins = &mut self.entries[entry].pins;
        *pins = pins.saturating_sub(1);
    }

    /// Who an entry is.
    pub fn entry_name(&self, entry: Key<Entry>) -> EntryName {
        let record = &self.entries[entry];
        EntryName {
            tgid: self.processes[record.process].tgid,
            map: record.map,
            key: record.key.clone(),
            generation: record.generation,
        }
    }
}

impl Entry {
    /// What it owns, in no particular order.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Whether it is, or is about to be, under its key.
    fn is_current(&self) -> bool {
        self.voided.is_none()
            && self
                .delete
                .as_ref()
                .is_none_or(|delete| delete.end.is_none())
    }

    /// Whether its store is under way.
    fn is_storing(&self) -> bool {
        self.store_began.is_some() && self.stored.is_none() && self.pins > 0
    }
}
