//! Changes of tables, call by call.

use super::{
    Ledger,
    arena::Key,
    handle::{ClosedHow, Description, Descriptor, NewDescriptor, Reach, State},
    identity::Origin,
    order::{Close, RangeClose, Replacing},
    table::{Table, WhyUnsettled},
    thread::Thread,
};
use crate::event::{
    HandleEvent,
    handle::{HandleChange, HandleKind, Replaces},
    id::{BootTime, Fd, FileAddress, Moment},
};

/// Who makes a change, and when.
#[derive(Clone, Copy)]
struct Caller {
    thread: Key<Thread>,
    table: Key<Table>,
    at: BootTime,
    /// The thread's previous event: the call began after it.
    begun_after: BootTime,
    event: HandleEvent,
}

impl Ledger {
    pub(super) fn handle_event(&mut self, at: BootTime, event: &HandleEvent) {
        let thread = self.thread_on_demand(event.tid, event.tgid, at);
        let live = self.live_mut(thread);
        // Two descriptors of one call come as two events of one time.
        let begun_after = if live.last < at {
            live.last
        } else {
            BootTime(0)
        };
        let caller = Caller {
            thread,
            table: live.table,
            at,
            begun_after,
            event: *event,
        };
        self.apply_change(&caller);
        self.touch_thread(thread, at);
    }

    fn apply_change(&mut self, caller: &Caller) {
        let (at, table) = (caller.at, caller.table);
        match caller.event.change {
            HandleChange::Born {
                fd,
                kind,
                cloexec,
                file,
            } => {
                let description = self.new_description(kind, file, Reach::default(), at);
                let handle = self.born(caller, fd, description, cloexec, caller.begun_after);
                self.own_handle_at_birth(handle, caller.thread);
            }
            HandleChange::Duplicated {
                from,
                to,
                cloexec,
                replaces,
                file,
            } => self.duplicated(caller, from, to, cloexec, replaces, file),
            HandleChange::Received { fd, cloexec, file } => {
                let known = file.and_then(|file| self.known_description(file));
                let description = known.unwrap_or_else(|| {
                    self.new_description(HandleKind::Unknown, file, Reach::default(), at)
                });
                self.descriptions[description].reach.received = true;
                let handle = self.born(caller, fd, description, cloexec, caller.begun_after);
                self.own_handle_at_birth(handle, caller.thread);
            }
            HandleChange::Shared { fd } => {
                if let Some(handle) = self.tables[table].slots.get(fd) {
                    let description = self.descriptors[handle].description;
                    self.descriptions[description].reach.shared = true;
                    self.description_changed(description);
                }
            }
            HandleChange::Closed {
                fd,
                entry_seen,
                returned,
                references,
            } => {
                let close = caller.close(entry_seen, returned, references, ClosedHow::Close);
                self.close_number(table, fd, &close);
            }
            HandleChange::RangeClosed {
                first,
                last,
                entry_seen,
                returned,
            } => {
                let close = caller.close(entry_seen, returned, None, ClosedHow::RangeClose);
                self.close_range(table, RangeClose { first, last, close });
            }
            HandleChange::CloexecSet { first, last, on } => {
                for (_, key) in self.tables[table].slots.within(first, last) {
                    if self.descriptors[key].is_open() {
                        self.descriptors[key].cloexec = Some(on);
                    }
                }
            }
            HandleChange::CloseRefused { fd } => {
                self.counters.closes_refused += 1;
                self.close_refused(table, fd, caller.begun_after, at);
            }
            HandleChange::BirthRefused { .. } => self.counters.births_refused += 1,
            HandleChange::Unsettled { why } => {
                self.unsettle(table, WhyUnsettled::Call(why), at);
            }
        }
    }

    fn duplicated(
        &mut self,
        caller: &Caller,
        from: Fd,
        to: Fd,
        cloexec: bool,
        replaces: Option<Replaces>,
        file: Option<FileAddress>,
    ) {
        let (at, table) = (caller.at, caller.table);
        if from == to {
            return;
        }
        let description = self.description_behind(table, from, file, at);
        let mut begun_after = caller.begun_after;
        let mut replaced = None;
        if let Some(Replaces { entry }) = replaces {
            begun_after = begun_after.max(entry.unwrap_or_default());
            let replacing = Replacing {
                entry: begun_after.min(at),
                exit: at,
                by: caller.event.tid,
            };
            if self.replace(table, to, replacing) {
                replaced = Some(replacing);
            }
        }
        let handle = self.born(caller, to, description, cloexec, begun_after);
        if let Some(replaced) = replaced {
            self.replaced(table, to, replaced);
        }
        self.own_handle_at_birth(handle, caller.thread);
    }

    fn born(
        &mut self,
        caller: &Caller,
        fd: Fd,
        description: Key<Description>,
        cloexec: bool,
        begun_after: BootTime,
    ) -> Key<Descriptor> {
        let new = NewDescriptor {
            table: caller.table,
            fd,
            description,
            origin: Origin::Announced,
            born: Moment::exact(caller.at),
            born_by: Some(caller.event.tid),
            call: Some(caller.event.call),
            cloexec: Some(cloexec),
        };
        self.place(new, begun_after)
    }

    /// The description behind a number that was just duplicated. The kernel's address decides
    /// where it is known; else the number's latest descriptor, whose close may have overtaken
    /// the duplicate's birth.
    fn description_behind(
        &mut self,
        table: Key<Table>,
        from: Fd,
        file: Option<FileAddress>,
        at: BootTime,
    ) -> Key<Description> {
        if let Some(known) = file.and_then(|file| self.known_description(file)) {
            if let Some(open) = self.open_at(table, from)
                && self.descriptors[open].description == known
            {
                self.proven_open(open);
            }
            return known;
        }
        let candidates = [
            self.tables[table].slots.get(from),
            self.closing_at(table, from),
        ];
        for candidate in candidates.into_iter().flatten() {
            let record = &self.descriptors[candidate];
            let shared = &self.descriptions[record.description];
            let same_file = match (shared.file, file) {
                (Some(known), Some(told)) => known == told,
                _ => true,
            };
            let refuted = shared.released.is_some()
                && matches!(record.state, State::Closed { returned, .. } if returned < at);
            if same_file && !refuted {
                let description = record.description;
                self.learn_file(description, file);
                return description;
            }
        }
        let reach = Reach {
            before: true,
            ..Reach::default()
        };
        self.new_description(HandleKind::Unknown, file, reach, at)
    }

    /// The unreleased description at a kernel address.
    fn known_description(&self, file: FileAddress) -> Option<Key<Description>> {
        let &known = self.by_file.get(&file.0.get())?;
        let shared = self.descriptions.get(known)?;
        shared.released.is_none().then_some(known)
    }

    fn learn_file(&mut self, description: Key<Description>, file: Option<FileAddress>) {
        let shared = &mut self.descriptions[description];
        if let (None, Some(file), None) = (shared.file, file, shared.released) {
            shared.file = Some(file);
            self.by_file.insert(file.0.get(), description);
        }
    }
}

impl Caller {
    fn close(
        &self,
        entry_seen: bool,
        returned: BootTime,
        references: Option<u32>,
        how: ClosedHow,
    ) -> Close {
        Close {
            at: self.at,
            earliest: if entry_seen {
                self.at
            } else {
                self.begun_after.min(self.at)
            },
            returned: returned.max(self.at),
            by: self.event.tid,
            references,
            how,
        }
    }
}
