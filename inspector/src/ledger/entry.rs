//! Entries: what the application stores under its keys, their spans and their deletes.

mod deletion;
pub(super) mod giving;
pub(super) mod span;

use super::{
    Ledger,
    arena::Key,
    identity::{EntryName, ResourceName},
    process::{KeyHistory, Process},
    resource::Resource,
};
use crate::event::{
    Mark,
    id::BootTime,
    mark::{self, Declared, MapId},
    text::Text,
};

/// What was stored under a key, once.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
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
    /// Resources born on its threads, or in its span, after its delete.
    pub born_after_delete: u64,
    /// Dead resources that the retention rule has forgotten.
    pub forgotten: u64,
    /// What it owns.
    pub(super) resources: Vec<Resource>,
    /// Open spans and deletes that refer to it.
    pub(super) pins: u32,
    /// Whether the retention rule may forget it.
    pub(super) stage: Stage,
}

/// How the retention rule sees an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Stage {
    /// It stands, or is being stored.
    Current,
    /// Its delete began, or its memory is gone: it will be forgotten one day.
    Finished,
    /// That day had come, but what it owned still lives: it is kept until that is dead.
    HoldsLiving,
}

/// A delete.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
            stage: Stage::Current,
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
