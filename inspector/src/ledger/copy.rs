//! Tables as the kernel itself copied them: at a fork, at exec, at unshare.
//!
//! The kernel's list says which numbers are open; it is never computed from the parent's. What
//! each number refers to is taken from the table it was copied from: the same open file
//! description. The kernel copies somewhere within the call: a number that changed meanwhile may
//! refer to either description, so its copy refers to one that is not known, and those it may be
//! count as shared.

use super::{
    Ledger,
    arena::Key,
    handle::{ClosedHow, Description, NewDescriptor, Reach, State},
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

/// A clone that takes longer than this copies gigabytes of page tables; a descriptor that changed
/// within it and longer ago is linked all the same.
const LONGEST_COPY_NS: u64 = 100_000_000;

/// Most copies of one table that a birth is compared with.
const MOST_COPIES: usize = 16;

/// How many former descriptors of a number a copy may have been linked to wrongly.
const MOST_EARLIER: usize = 8;

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
        let begun_after = self.copy_began_after(read, at);
        let (table, from) = match read.why {
            TableWhy::Fork => self.forked_table(owner, read, at),
            TableWhy::Exec => {
                let table = self.table_of(owner);
                (table, self.copied_from(table))
            }
            TableWhy::Unshare => self.unshared_table(owner, read, begun_after, at),
        };
        self.learn_files(table, read.files);
        self.take_over(table, from, begun_after, at, read);
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

    /// The copying call began after this: after its thread's previous event, and not long ago.
    fn copy_began_after(&self, read: &TableRead, at: BootTime) -> BootTime {
        let longest = BootTime(at.0.saturating_sub(LONGEST_COPY_NS));
        // The child's birth is told in the same call.
        let birth = self
            .by_tid
            .get(&read.owner.0)
            .filter(|_| read.why == TableWhy::Fork)
            .map_or(at, |&owner| self.threads[owner].born.latest);
        let last = self
            .by_tid
            .get(&read.by.0)
            .and_then(|&by| self.threads[by].live.as_ref())
            .map(|live| live.before(at.min(birth)));
        last.unwrap_or_default().max(longest)
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
            return (own, self.copied_from(own));
        }
        (table, self.copied_from(table).or(parents))
    }

    fn unshared_table(
        &mut self,
        owner: Key<Thread>,
        read: &TableRead,
        begun_after: BootTime,
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
        self.take_over(own, Some(table), begun_after, at, read);
        self.use_table(owner, own, at);
        (own, None)
    }

    /// Makes the ledger's table what the kernel's list says.
    fn take_over(
        &mut self,
        table: Key<Table>,
        from: Option<Key<Table>>,
        begun_after: BootTime,
        at: BootTime,
        read: &TableRead,
    ) {
        if let Some(from) = from {
            let copied = &mut self.tables[from].copied;
            if copied.len() >= MOST_COPIES {
                copied.remove(0);
            }
            copied.push(at);
        }
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
                    if read.why == TableWhy::Exec {
                        self.proven_open(there);
                    }
                    continue;
                }
                if record.born.latest >= at {
                    // Born and closed since: the list is older.
                    continue;
                }
            }
            let description = from.and_then(|from| self.copied_description(from, fd, begun_after));
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
                origin: if from.is_some() {
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

    /// What a number of the copied table refers to, if it did not change during the copy.
    fn copied_description(
        &mut self,
        from: Key<Table>,
        fd: Fd,
        begun_after: BootTime,
    ) -> Option<Key<Description>> {
        let latest = self.tables[from].slots.get(fd)?;
        let record = &self.descriptors[latest];
        let description = record.description;
        let others = self.others_at(from, fd);
        let is_only = others.is_empty()
            && self
                .before(latest)
                .is_none_or(|before| self.descriptors[before].last_change() <= begun_after);
        if is_only {
            match record.state {
                State::Open if record.born.latest <= begun_after => return Some(description),
                // Its close overtook the copy.
                State::Closed { returned, .. }
                    if record.born.latest <= begun_after && returned > begun_after =>
                {
                    self.revive(description);
                    return Some(description);
                }
                // Closed before the copy began: its number's next owner is not told yet.
                State::Closed { returned, .. } if returned <= begun_after => return None,
                _ => {}
            }
        }
        let mut earlier = Some(latest);
        while let Some(key) = earlier {
            let record = &self.descriptors[key];
            if record.closed().is_some() && record.last_change() <= begun_after {
                break;
            }
            earlier = self.before(key);
            self.may_be_copied(self.descriptors[key].description);
        }
        for other in others {
            self.may_be_copied(self.descriptors[other].description);
        }
        None
    }

    /// The birth of a number overlapped the last copy of its table: the copy may refer to it, or
    /// to what had the number before.
    pub(super) fn overlaps_copy(&mut self, new: &NewDescriptor, begun_after: BootTime) {
        let copied = &self.tables[new.table].copied;
        if copied.last().is_none_or(|&last| last < begun_after) {
            return;
        }
        let overlaps = |copied: BootTime| copied >= begun_after && copied <= new.born.latest;
        if !copied.iter().any(|&copied| overlaps(copied)) {
            return;
        }
        self.descriptions[new.description].reach.shared = true;
        let mut earlier = self.tables[new.table].slots.get(new.fd);
        for _ in 0..MOST_EARLIER {
            let Some(key) = earlier else { break };
            earlier = self.before(key);
            let description = self.descriptors[key].description;
            let copies: Vec<_> = self
                .holders(description)
                .filter(|&holder| {
                    let record = &self.descriptors[holder];
                    record.origin == Origin::Inherited
                        && record.fd == new.fd
                        && overlaps(record.born.latest)
                })
                .collect();
            for copy in copies {
                self.descriptions[description].reach.shared = true;
                self.part(copy, new.born.latest);
            }
        }
    }
}
