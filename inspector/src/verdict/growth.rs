//! What only grows: resources grouped by process, kind, target pattern and opening call.
//!
//! The ledger is looked at about once a second ([`Growth::sample`]). Births and deaths between two
//! looks count as long as the ledger keeps their records; those it has forgotten by then are told
//! by [`Growth::not_seen`].
//!
//! A group is a **suspect** if no delete is declared for its resources and, its first window left
//! out as the time it needs to fill, there are at least [`LEAST_WINDOWS`] equal windows of which
//! [`GREW`] grew and none shrank, with at least [`LEAST_MORE`] resources more at their end. Windows
//! cover the whole run: when there are 16, each two become one. The end of a process is no
//! shrinking: a group is judged by what it did while its process lived. A suspect is never called
//! a leak: a cache that fills looks the same.

mod group;
#[cfg(test)]
mod tests;
mod windows;

use rustc_hash::FxHashMap;

pub use self::group::{Fate, Group, GroupName, Suspect, What};
use self::windows::Windows;
use crate::{
    event::{handle::HandleKind, id::BootTime, text::Text},
    ledger::{
        Ledger,
        arena::Key,
        handle::{ClosedHow, Description, Descriptor, State},
        identity::Origin,
        process::Process,
        thread::Thread,
    },
    pattern::pattern,
};

/// Fewest windows that a suspect needs.
pub const LEAST_WINDOWS: usize = 6;
/// Of four windows, how many must have grown.
pub const GREW: usize = 3;
/// Fewest resources by which a suspect grew.
pub const LEAST_MORE: u64 = 8;

/// Most groups; what would need another is put together, by kind.
const MOST_GROUPS: usize = 16_384;

/// A process's end kills its threads around the time at which its main thread enters its exit: those
/// that went longer before went by themselves.
const END_NS: u64 = 100_000;

/// The groups, and which records they have counted.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    groups: Vec<Group>,
    by_name: FxHashMap<GroupName, u32>,
    /// By the cell of the record.
    handles: Vec<Option<Noted>>,
    threads: Vec<Option<Noted>>,
    windows: Windows,
    counted: u64,
}

/// A record that was counted.
#[derive(Clone, Copy, Debug)]
struct Noted {
    /// Tells the record from others that have its cell later.
    identity: (u64, u32),
    group: u32,
    fate: Fate,
    /// What its group's name was made of.
    traits: Traits,
}

/// What may change of a resource, and move it to another group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traits {
    owned: bool,
    /// Whether its target is known; of a thread, its name.
    known: u64,
}

impl Growth {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at every record. Call it about once a second, and once more when all is delivered.
    pub fn sample(&mut self, ledger: &Ledger) {
        for group in &mut self.groups {
            group.oldest = None;
        }
        self.handles(ledger);
        self.threads(ledger);
        for group in &mut self.groups {
            group.ended |= !is_alive(ledger, &group.name);
        }
        self.windows.reach(ledger.now(), &mut self.groups);
    }

    /// Every group that ever was, in the order of their first resources.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The suspects, those that grew most first.
    pub fn suspects(&self) -> Vec<(&Group, Suspect)> {
        let suspects = self.groups.iter().filter_map(|group| {
            let suspect = group.suspect()?;
            Some((group, suspect))
        });
        let mut suspects: Vec<_> = suspects.collect();
        suspects.sort_by_key(|(_, suspect)| std::cmp::Reverse(suspect.more));
        suspects
    }

    /// Resources that the ledger met and forgot between two looks: no group counts them.
    pub fn not_seen(&self, ledger: &Ledger) -> u64 {
        let counters = ledger.counters();
        (counters.handles + counters.threads).saturating_sub(self.counted)
    }

    fn handles(&mut self, ledger: &Ledger) {
        let mut notes = std::mem::take(&mut self.handles);
        let mut next = 0;
        for (key, handle) in ledger.handles() {
            let cell = key.index();
            self.vacated(&mut notes, next, cell);
            next = cell + 1;
            let fate = handle_fate(handle);
            let identity = (handle.born.latest.0, handle.generation);
            let note = self.current(&mut notes[cell], identity);
            // A target that is known stays: a file that is renamed is the same file.
            let known = note.is_some_and(|note| note.traits.known == 1)
                || ledger
                    .description(handle.description)
                    .is_some_and(|shared| shared.target.is_some());
            let traits = Traits {
                owned: handle.owner.is_some(),
                known: u64::from(known),
            };
            let group = match note {
                Some(note) if note.traits == traits => note.group,
                _ => self.group_of_handle(ledger, handle, traits),
            };
            let born = (handle.born.latest, is_birth(handle.origin));
            self.note(&mut notes[cell], (identity, group, fate, traits), born);
        }
        let cells = notes.len();
        self.vacated(&mut notes, next, cells);
        notes.truncate(next);
        self.handles = notes;
    }

    fn threads(&mut self, ledger: &Ledger) {
        let mut notes = std::mem::take(&mut self.threads);
        let mut next = 0;
        let ends = ends_of_processes(ledger);
        for (key, thread) in ledger.threads() {
            let cell = key.index();
            self.vacated(&mut notes, next, cell);
            next = cell + 1;
            let fate = thread_fate(ledger, thread, &ends);
            let identity = (thread.born.latest.0, thread.name.tid.0);
            let note = self.current(&mut notes[cell], identity);
            let traits = Traits {
                owned: thread.owner.is_some(),
                known: name_of(thread),
            };
            let group = match note {
                Some(note) if note.traits == traits => note.group,
                _ => self.group_of_thread(ledger, thread, traits),
            };
            let born = (thread.born.latest, is_birth(thread.origin));
            self.note(&mut notes[cell], (identity, group, fate, traits), born);
        }
        let cells = notes.len();
        self.vacated(&mut notes, next, cells);
        notes.truncate(next);
        self.threads = notes;
    }

    /// What was noted of a cell's record; another record that had the cell before is forgotten.
    fn current(&mut self, note: &mut Option<Noted>, identity: (u64, u32)) -> Option<Noted> {
        if let Some(other) = note.take_if(|note| note.identity != identity) {
            self.forgotten(other);
        }
        *note
    }

    /// Counts what is new about a record, and notes it.
    fn note(
        &mut self,
        note: &mut Option<Noted>,
        (identity, group, fate, traits): ((u64, u32), u32, Fate, Traits),
        (born, is_birth): (BootTime, bool),
    ) {
        match note {
            Some(before) if before.group == group && before.fate == fate => {}
            Some(before) => {
                self.groups[before.group as usize].uncount(before.fate, is_birth);
                self.groups[group as usize].count(fate, is_birth);
            }
            None => {
                self.counted += 1;
                self.groups[group as usize].count(fate, is_birth);
            }
        }
        if fate == Fate::Alive {
            let oldest = &mut self.groups[group as usize].oldest;
            *oldest = Some(oldest.map_or(born, |oldest| oldest.min(born)));
        }
        *note = Some(Noted {
            identity,
            group,
            fate,
            traits,
        });
    }

    /// No record is in the cells `from..until` any more. Makes room for the one at `until`.
    fn vacated(&mut self, notes: &mut Vec<Option<Noted>>, from: usize, until: usize) {
        if notes.len() <= until {
            notes.resize(until + 1, None);
        }
        for note in &mut notes[from..until] {
            if let Some(note) = note.take() {
                self.forgotten(note);
            }
        }
    }

    /// The ledger forgets only what is dead.
    fn forgotten(&mut self, note: Noted) {
        if note.fate == Fate::Alive {
            self.groups[note.group as usize].dies();
        }
    }

    fn group_of_handle(&mut self, ledger: &Ledger, handle: &Descriptor, traits: Traits) -> u32 {
        let shared = ledger.description(handle.description);
        let kind = shared.map_or(HandleKind::Unknown, |shared| shared.kind);
        let target = shared.and_then(Description::known_as);
        let process = ledger.table(handle.table).map(|table| table.process);
        self.group(GroupName {
            process: process.and_then(|process| name_of_process(ledger, process)),
            what: What::Handle(kind),
            target: target.map(|target| pattern(target.bytes())),
            call: handle.call,
            owned: traits.owned,
        })
    }

    fn group_of_thread(&mut self, ledger: &Ledger, thread: &Thread, traits: Traits) -> u32 {
        self.group(GroupName {
            process: name_of_process(ledger, thread.process),
            what: What::Thread,
            target: Some(pattern(thread.comm.bytes())),
            call: None,
            owned: traits.owned,
        })
    }

    fn group(&mut self, mut name: GroupName) -> u32 {
        if let Some(&group) = self.by_name.get(&name) {
            return group;
        }
        if self.groups.len() >= MOST_GROUPS {
            name.process = None;
            name.target = Some(Text::from(&b"*"[..]));
            name.call = None;
            if let Some(&group) = self.by_name.get(&name) {
                return group;
            }
        }
        let group = u32::try_from(self.groups.len()).expect("there are few more than most groups");
        let (complete, width_ns) = (self.windows.complete(), self.windows.width_ns());
        self.groups
            .push(Group::new(name.clone(), complete, width_ns));
        self.by_name.insert(name, group);
        group
    }
}

/// Who a process is: its number, and when it was born or first seen.
fn name_of_process(ledger: &Ledger, process: Key<Process>) -> Option<group::ProcessName> {
    let record = ledger.process(process)?;
    Some(group::ProcessName {
        tgid: record.tgid,
        born: record.born.latest,
    })
}

/// Whether the process of a group lives; groups put together live on.
fn is_alive(ledger: &Ledger, name: &GroupName) -> bool {
    let Some(process) = name.process else {
        return true;
    };
    let there = ledger.process_by_tgid(process.tgid);
    let record = there.and_then(|there| ledger.process(there));
    record.is_some_and(|record| record.born.latest == process.born)
}

fn is_birth(origin: Origin) -> bool {
    match origin {
        Origin::Announced | Origin::Polled | Origin::Unseen => true,
        Origin::BeforeAttach | Origin::Inherited => false,
    }
}

fn handle_fate(handle: &Descriptor) -> Fate {
    match handle.state {
        State::Open | State::Ambiguous { .. } | State::Rival { .. } => Fate::Alive,
        State::Closed {
            how: ClosedHow::TableDied,
            ..
        } => Fate::Ended,
        State::Closing { .. } | State::Closed { .. } => Fate::Died,
    }
}

/// When the main threads of dead processes entered their exit: where that was seen and is kept.
fn ends_of_processes(ledger: &Ledger) -> FxHashMap<Key<Process>, BootTime> {
    let mut ends = FxHashMap::default();
    for (_, thread) in ledger.threads() {
        let Some(exiting) = thread.exiting else {
            continue;
        };
        let process = ledger.process(thread.process);
        if process.is_some_and(|one| one.dead.is_some() && one.tgid.0 == thread.name.tid.0) {
            ends.insert(thread.process, exiting);
        }
    }
    ends
}

/// A thread that went while its process ended was not ended by its own code.
fn thread_fate(ledger: &Ledger, thread: &Thread, ends: &FxHashMap<Key<Process>, BootTime>) -> Fate {
    let Some(gone) = thread.gone else {
        return Fate::Alive;
    };
    let process = ledger.process(thread.process);
    if process.is_none_or(|process| process.dead.is_none()) {
        return Fate::Died;
    }
    let went = thread.exiting.unwrap_or(gone.latest);
    match ends.get(&thread.process) {
        Some(end) if end.since_ns(went) > END_NS => Fate::Died,
        _ => Fate::Ended,
    }
}

/// A thread's name as a number.
fn name_of(thread: &Thread) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = rustc_hash::FxHasher::default();
    thread.comm.hash(&mut hasher);
    hasher.finish()
}
