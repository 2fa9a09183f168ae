//! Changes of tables, call by call.

use super::{
    Ledger,
    arena::Key,
    finding::detect::Call,
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
        let returned = match event.change {
            HandleChange::Closed { returned, .. } | HandleChange::RangeClosed { returned, .. } => {
                returned
            }
            _ => at,
        };
        self.touch_thread(thread, at.max(returned));
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
                let description = self.born_description(kind, file, at);
                let handle = self.born(caller, fd, description, cloexec, None);
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
                let known = file
                    .and_then(|file| self.known_description(file))
                    .filter(|&known| self.is_surely_held(known));
                let description = known.unwrap_or_else(|| {
                    let new = self.new_description(HandleKind::Unknown, file, Reach::default(), at);
                    self.descriptions[new].awaits_birth = true;
                    new
                });
                self.descriptions[description].reach.received = true;
                let handle = self.born(caller, fd, description, cloexec, None);
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
                self.look_for_foreign_close(caller.call(), table, fd);
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
                self.found_refused_close(caller.call(), fd);
                self.close_refused(table, fd, caller.begun_after, at);
            }
            HandleChange::BirthRefused { errno } => {
                self.counters.births_refused += 1;
                self.found_refused_birth(caller.call(), errno);
            }
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
        let description = self.description_behind(table, from, file, caller.begun_after, at);
        let onto = replaces.map(|Replaces { entry }| Replacing {
            entry: entry.unwrap_or_default().max(caller.begun_after).min(at),
            exit: at,
            by: caller.event.tid,
        });
        if let Some(onto) = onto {
            self.replace(table, to, onto);
        }
        let handle = self.born(caller, to, description, cloexec, onto);
        self.own_handle_at_birth(handle, caller.thread);
    }

    fn born(
        &mut self,
        caller: &Caller,
        fd: Fd,
        description: Key<Description>,
        cloexec: bool,
        onto: Option<Replacing>,
    ) -> Key<Descriptor> {
        let begun_after = onto.map_or(caller.begun_after, |onto| onto.entry);
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
        self.place(new, begun_after, onto)
    }

    /// The description behind a number that was just duplicated. The kernel's address decides
    /// where it is known; else the number's latest descriptor, whose close may have overtaken
    /// the duplicate's birth.
    fn description_behind(
        &mut self,
        table: Key<Table>,
        from: Fd,
        file: Option<FileAddress>,
        begun_after: BootTime,
        at: BootTime,
    ) -> Key<Description> {
        let open = self.open_at(table, from);
        let behind = open.map(|open| self.descriptors[open].description);
        if let Some(known) = file.and_then(|file| self.known_description(file))
            && (behind == Some(known) || self.is_surely_held(known))
        {
            if let Some(latest) = self.tables[table].slots.get(from)
                && self.descriptors[latest].description != known
            {
                // The address is what the exit found: perhaps of the duplicate's successor.
                let other = self.descriptors[latest].description;
                self.descriptions[other].reach.shared = true;
                self.descriptions[known].reach.shared = true;
            }
            return known;
        }
        let latest = self.tables[table].slots.get(from);
        let others = self.others_at(table, from);
        for candidate in latest.into_iter().chain(others) {
            let record = &self.descriptors[candidate];
            let shared = &self.descriptions[record.description];
            let same_file = match (shared.file, file) {
                (Some(known), Some(told)) => known == told,
                _ => true,
            };
            let refuted =
                matches!(record.state, State::Closed { returned, .. } if returned <= begun_after);
            if same_file && !refuted {
                let description = record.description;
                self.revive(description);
                self.learn_file(description, file);
                return description;
            }
        }
        let reach = Reach {
            before: true,
            ..Reach::default()
        };
        let description = self.new_description(HandleKind::Unknown, file, reach, at);
        self.descriptions[description].awaits_birth = true;
        description
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
    fn call(&self) -> Call {
        Call {
            thread: self.thread,
            number: self.event.call,
            at: self.at,
        }
    }

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
