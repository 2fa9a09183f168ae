//! Tables as the kernel itself copied them: at a fork, at exec, at unshare.
//!
//! The kernel's list says which numbers are open; it is never computed from the parent's. What
//! each number refers to is taken from the table it was copied from: the same open file
//! description.

use super::{
    Ledger,
    arena::Key,
    handle::{ClosedHow, Description, NewDescriptor, Reach},
    identity::Origin,
    table::{Table, WhyUnsettled},
    thread::Thread,
};
use crate::event::{
    TableRead,
    handle::HandleKind,
    id::{BootTime, Fd, FilesAddress, Moment, Tid},
    table::TableWhy,
};

impl Ledger {
    /// The caller's table at an exec: its own from now on, a copy if others used it.
    pub(super) fn exec_table(
        &mut self,
        caller: Key<Thread>,
        files: Option<FilesAddress>,
        at: BootTime,
    ) {
        let table = self.table_of(caller);
        if self.tables[table].users.len() > 1 {
            let process = self.threads[caller].process;
            let own = self.table_awaiting_read(files, process, Some(table), at);
            self.use_table(caller, own, at);
        } else {
            self.correct_files(table, files);
            self.unsettle(table, WhyUnsettled::AwaitingRead, at);
        }
    }

    pub(super) fn table_read(&mut self, at: BootTime, read: &TableRead) {
        let owner = self.thread_on_demand(read.owner, read.tgid, at);
        let (table, from) = match read.why {
            TableWhy::Fork => self.forked_table(owner, read, at),
            TableWhy::Exec => {
                let table = self.table_of(owner);
                (table, self.copied_from(table))
            }
            TableWhy::Unshare => self.unshared_table(owner, read, at),
        };
        self.learn_files(table, read.files);
        self.take_over(table, from, at, read);
        let record = &mut self.tables[table];
        record.copied_from = None;
        if read.complete {
            if matches!(
                record.unsettled,
                Some((WhyUnsettled::AwaitingRead | WhyUnsettled::NotScanned, _))
            ) {
                record.unsettled = None;
            }
            record.settled = record.settled.max(Some(at));
        } else {
            record.unsettled = Some((WhyUnsettled::Incomplete, at));
        }
        self.table_changed(table);
    }

    fn forked_table(
        &mut self,
        owner: Key<Thread>,
        read: &TableRead,
        at: BootTime,
    ) -> (Key<Table>, Option<Key<Table>>) {
        let table = self.table_of(owner);
        let parents = self
            .by_tid
            .get(&read.by.0)
            .map(|&parent| self.table_of(parent));
        let is_parents = Some(table) == parents;
        if is_parents || self.tables[table].users.len() > 1 {
            // The clone's flags said shared, or the child was met before its birth.
            let process = self.threads[owner].process;
            let own = self.table_awaiting_read(read.files, process, parents, at);
            self.use_table(owner, own, at);
            return (own, parents);
        }
        (table, self.copied_from(table).or(parents))
    }

    fn unshared_table(
        &mut self,
        owner: Key<Thread>,
        read: &TableRead,
        at: BootTime,
    ) -> (Key<Table>, Option<Key<Table>>) {
        let table = self.table_of(owner);
        let record = &self.tables[table];
        let same = matches!((record.files, read.files), (Some(known), Some(told)) if known == told);
        if same || (record.users.len() == 1 && record.files.is_none()) {
            return (table, None);
        }
        let process = self.threads[owner].process;
        let own = self.table_awaiting_read(read.files, process, Some(table), at);
        // The descriptors are linked before the old table may die with this user.
        self.take_over(own, Some(table), at, read);
        self.use_table(owner, own, at);
        (own, None)
    }

    /// Makes the ledger's table what the kernel's list says.
    fn take_over(
        &mut self,
        table: Key<Table>,
        from: Option<Key<Table>>,
        at: BootTime,
        read: &TableRead,
    ) {
        let mut listed = read.open.iter().peekable();
        if read.complete {
            for (fd, key) in self.tables[table].slots.within(Fd(0), Fd(u32::MAX)) {
                while listed.next_if(|(open, _)| *open < fd).is_some() {}
                let is_listed = listed.peek().is_some_and(|(open, _)| *open == fd);
                let record = &self.descriptors[key];
                if !is_listed && record.is_open() && record.born.latest <= at {
                    let how = match read.why {
                        TableWhy::Exec => ClosedHow::Exec,
                        TableWhy::Fork | TableWhy::Unshare => ClosedHow::Found,
                    };
                    self.close_for(key, Moment::exact(at), how);
                }
            }
        }
        for &(fd, cloexec) in &read.open {
            if let Some(there) = self.tables[table].slots.get(fd) {
                let record = &self.descriptors[there];
                if record.is_open() {
                    self.descriptors[there].cloexec = Some(cloexec);
                    self.proven_open(there);
                    continue;
                }
                if record.born.latest >= at {
                    // Born and closed since: the list is older.
                    continue;
                }
            }
            let description = from.and_then(|from| self.copied_description(from, fd));
            let is_copy = description.is_some() || from.is_some();
            let description = description.unwrap_or_else(|| {
                let reach = Reach {
                    before: true,
                    ..Reach::default()
                };
                self.new_description(HandleKind::Unknown, None, reach, at)
            });
            let new = NewDescriptor {
                table,
                fd,
                description,
                origin: if is_copy {
                    Origin::Inherited
                } else {
                    Origin::Unseen
                },
                born: Moment::exact(at),
                born_by: Some(Tid(read.by.0)),
                call: None,
                cloexec: Some(cloexec),
            };
            self.insert_descriptor(new);
            self.description_changed(description);
        }
    }

    /// What a number of the copied table refers to. Where its descriptor is closed already, its
    /// close overtook the copy, unless the description is known to be released.
    fn copied_description(&mut self, from: Key<Table>, fd: Fd) -> Option<Key<Description>> {
        let latest = self.tables[from].slots.get(fd)?;
        let record = &self.descriptors[latest];
        let description = record.description;
        (record.is_open() || self.descriptions[description].released.is_none())
            .then_some(description)
    }
}
