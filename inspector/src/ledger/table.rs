//! A descriptor table: who uses it, what stands at each number, and when it dies.

use rustc_hash::FxHashMap;

use super::{
    Ledger,
    arena::Key,
    handle::ClosedHow,
    order::{Odd, RangeClose},
    process::Process,
    slots::Slots,
    thread::{Thread, place},
};
use crate::event::{
    handle::Unsettled,
    id::{BootTime, Fd, FilesAddress, Moment, Tgid},
};

/// A descriptor table. It dies with its last user.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Table {
    /// Tables are numbered in the order of appearance; with `files`, its identity.
    pub number: u32,
    /// The kernel's address, used again after the table's death.
    pub files: Option<FilesAddress>,
    /// The process it was first seen with.
    pub process: Key<Process>,
    /// That process's number.
    pub tgid: Tgid,
    /// When its last user was gone.
    pub dead: Option<Moment>,
    /// Why its content is not known for certain, and since when.
    pub unsettled: Option<(WhyUnsettled, BootTime)>,
    /// Start of the last scan that settled it.
    pub settled: Option<BootTime>,
    /// How many descriptors are open.
    pub open: u32,
    /// Threads that use it.
    pub(super) users: Vec<Key<Thread>>,
    /// The latest descriptor of each number.
    pub(super) slots: Slots,
    /// Numbers with something unfinished.
    pub(super) odd: FxHashMap<u32, Odd>,
    /// Range closes that a birth may still overlap.
    pub(super) ranges: Vec<RangeClose>,
    /// Where its content was copied from, until the kernel's own copy arrives.
    pub(super) copied_from: Option<(Key<Table>, u32)>,
    /// When it was copied for other users lately, oldest first.
    pub(super) copied: Vec<BootTime>,
    /// Users that left, ever: a reader of `users` sees whether it must begin anew.
    pub(super) departures: u32,
    /// Descriptors it ever had.
    pub(super) births: u32,
    /// Descriptor records that refer to it.
    pub(super) records: u32,
}

/// Why a table's content is not known for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum WhyUnsettled {
    /// A call changed it in a way that can't be followed.
    Call(Unsettled),
    /// It is new, and the kernel's copy has not arrived.
    AwaitingRead,
    /// The kernel's copy arrived in part.
    Incomplete,
    /// Nothing announced it, and no scan has read it.
    NotScanned,
    /// The scan was refused, with this errno.
    Refused(i32),
}

impl Table {
    /// How many threads use it.
    pub fn user_count(&self) -> usize {
        self.users.len()
    }
}

impl Ledger {
    fn add_table(
        &mut self,
        files: Option<FilesAddress>,
        process: Key<Process>,
        unsettled: Option<(WhyUnsettled, BootTime)>,
        copied_from: Option<Key<Table>>,
    ) -> Key<Table> {
        self.counters.tables = self.counters.tables.wrapping_add(1);
        let tgid = self.processes[process].tgid;
        self.processes[process].records += 1;
        let copied_from = copied_from.map(|from| (from, self.tables[from].number));
        let table = self.tables.insert(Table {
            number: self.counters.tables,
            files,
            process,
            tgid,
            dead: None,
            unsettled,
            settled: None,
            open: 0,
            users: Vec::new(),
            slots: Slots::default(),
            odd: FxHashMap::default(),
            ranges: Vec::new(),
            copied_from,
            copied: Vec::new(),
            departures: 0,
            births: 0,
            records: 0,
        });
        if let Some(files) = files {
            // A table whose address this was is dead: its last user is on its way out.
            self.by_files.insert(files.0.get(), table);
        }
        table
    }

    /// The table of a process that nothing announced.
    pub(super) fn provisional_table(&mut self, process: Key<Process>, at: BootTime) -> Key<Table> {
        self.add_table(None, process, Some((WhyUnsettled::NotScanned, at)), None)
    }

    /// A new table whose content the kernel's copy will tell.
    pub(super) fn table_awaiting_read(
        &mut self,
        files: Option<FilesAddress>,
        process: Key<Process>,
        from: Option<Key<Table>>,
        at: BootTime,
    ) -> Key<Table> {
        self.add_table(files, process, Some((WhyUnsettled::AwaitingRead, at)), from)
    }

    /// The table a child shares with its parent: the parent's, unless the kernel says otherwise.
    pub(super) fn shared_table(
        &mut self,
        parents: Key<Table>,
        files: Option<FilesAddress>,
        process: Key<Process>,
        at: BootTime,
    ) -> Key<Table> {
        let Some(address) = files else {
            return parents;
        };
        match self.tables[parents].files {
            Some(known) if known == address => parents,
            None => {
                self.learn_files(parents, files);
                parents
            }
            Some(_) => {
                self.counters.wrong_tables += 1;
                match self.by_files.get(&address.0.get()) {
                    Some(&table) => table,
                    None => self.table_awaiting_read(files, process, None, at),
                }
            }
        }
    }

    /// The table this one is a copy of, unless it was forgotten.
    pub(super) fn copied_from(&self, table: Key<Table>) -> Option<Key<Table>> {
        let (from, number) = self.tables[table].copied_from?;
        (self.tables.get(from)?.number == number).then_some(from)
    }

    /// The table has another address than was believed.
    pub(super) fn correct_files(&mut self, table: Key<Table>, files: Option<FilesAddress>) {
        let record = &mut self.tables[table];
        if files.is_none() || record.files == files {
            return;
        }
        if let Some(wrong) = record.files.take() {
            self.counters.wrong_tables += 1;
            let address = wrong.0.get();
            if self.by_files.get(&address) == Some(&table) {
                self.by_files.remove(&address);
            }
        }
        self.learn_files(table, files);
    }

    /// Learns a table's address.
    pub(super) fn learn_files(&mut self, table: Key<Table>, files: Option<FilesAddress>) {
        let Some(files) = files else { return };
        let record = &mut self.tables[table];
        if record.files.is_none() {
            record.files = Some(files);
            self.by_files.insert(files.0.get(), table);
        }
    }

    pub(super) fn join_table(&mut self, thread: Key<Thread>, table: Key<Table>) {
        let users = &mut self.tables[table].users;
        let in_table = place(users.len());
        users.push(thread);
        let live = self.live_mut(thread);
        live.table = table;
        live.in_table = in_table;
    }

    /// The thread no longer uses its table, which dies if it was the last.
    pub(super) fn leave_table(&mut self, thread: Key<Thread>, left: Moment) {
        let live = self.live_mut(thread);
        let (table, in_table) = (live.table, live.in_table);
        let record = &mut self.tables[table];
        record.departures = record.departures.wrapping_add(1);
        record.users.swap_remove(in_table as usize);
        if let Some(&moved) = record.users.get(in_table as usize) {
            self.live_mut(moved).in_table = in_table;
        }
        if self.tables[table].users.is_empty() {
            self.table_dies(table, left);
        }
    }

    /// Moves a thread to another table.
    pub(super) fn use_table(&mut self, thread: Key<Thread>, table: Key<Table>, at: BootTime) {
        if self.table_of(thread) != table {
            self.leave_table(thread, Moment::exact(at));
            self.join_table(thread, table);
        }
    }

    fn table_dies(&mut self, table: Key<Table>, died: Moment) {
        self.resolve_all_closing(table, died);
        for (_, descriptor) in self.tables[table].slots.within(Fd(0), Fd(u32::MAX)) {
            if self.descriptors[descriptor].is_open() {
                self.close_for(descriptor, died, ClosedHow::TableDied);
            }
        }
        let record = &mut self.tables[table];
        record.dead = Some(died);
        record.odd = FxHashMap::default();
        record.ranges = Vec::new();
        record.slots = Slots::default();
        if let Some(files) = record.files {
            let address = files.0.get();
            if self.by_files.get(&address) == Some(&table) {
                self.by_files.remove(&address);
            }
        }
        self.forget_table_if_unused(table);
    }

    /// One descriptor record less refers to the table.
    pub(super) fn release_table(&mut self, table: Key<Table>) {
        let record = &mut self.tables[table];
        record.records = record.records.saturating_sub(1);
        self.forget_table_if_unused(table);
    }

    fn forget_table_if_unused(&mut self, table: Key<Table>) {
        let record = &self.tables[table];
        if record.records == 0 && record.dead.is_some() {
            let process = record.process;
            self.tables.remove(table);
            self.release_process(process);
        }
    }

    /// The table can't be followed from here on, until a scan settles it.
    pub(super) fn unsettle(&mut self, table: Key<Table>, why: WhyUnsettled, at: BootTime) {
        self.tables[table].unsettled = Some((why, at));
        self.table_changed(table);
    }

    /// Notes that verdicts on everything in the table may change.
    pub(super) fn table_changed(&mut self, table: Key<Table>) {
        for (_, key) in self.tables[table].slots.within(Fd(0), Fd(u32::MAX)) {
            if self.descriptors[key].is_open() {
                self.description_changed(self.descriptors[key].description);
            }
        }
    }
}
