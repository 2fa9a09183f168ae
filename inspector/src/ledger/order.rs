//! Order: what a birth or a close of a number means when calls of several threads overlap.
//!
//! Events come in order of arrival, roughly sorted by time. A birth counts at its call's exit, a
//! close at its call's entry; both really happen somewhere within the call. So, per number:
//!
//! - A **close of a number that is not open** closed a descriptor whose birth has not been told
//!   yet: it waits for the next birth that may have been under way meanwhile, and ends it.
//! - A **birth on a number that is open** means that the old descriptor left the table already:
//!   it is *closing*, and the close that still comes is the old one's, unless that close began
//!   after the new birth had returned.
//! - **Two deaths that overlap** (close with dup2 or close_range), or a birth within a
//!   close_range, leave the number *ambiguous*: the next operation on it or a scan settles it.
//!
//! A call of a thread began after that thread's previous event: two calls of one thread never
//! overlap.

use super::{
    Ledger,
    arena::Key,
    handle::{ClosedHow, Descriptor, NewDescriptor, State},
    identity::Origin,
    resource::Resource,
    table::Table,
};
use crate::event::id::{BootTime, Fd, Moment, Tid};

/// How long after it began to matter a call may still be under way in the kernel. A call that
/// makes a descriptor does not sleep after it has installed it; it can only be preempted.
pub(super) const WINDOW_NS: u64 = 1_000_000_000;

/// What is unfinished about one number.
#[derive(Clone, Debug, Default)]
pub(super) struct Odd {
    /// Descriptors that lost the number before their close returned, oldest first.
    closing: Vec<Closing>,
    /// Closes whose descriptor's birth has not been told.
    pending: Vec<Close>,
    /// A close that may or may not have closed a birth that has not been told.
    doubt: Option<Close>,
    /// The latest descriptor replaced an open one.
    replacing: Option<Replacing>,
}

#[derive(Clone, Copy, Debug)]
struct Closing {
    descriptor: Key<Descriptor>,
    replaced: BootTime,
}

/// A dup2 or dup3 onto an open number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replacing {
    pub(super) entry: BootTime,
    pub(super) exit: BootTime,
    pub(super) by: Tid,
}

/// A close, as it was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Close {
    /// When it counts: its entry, where that was seen.
    pub(super) at: BootTime,
    /// It began then or later.
    pub(super) earliest: BootTime,
    pub(super) returned: BootTime,
    pub(super) by: Tid,
    pub(super) references: Option<u32>,
    pub(super) how: ClosedHow,
}

/// A close_range that births may still overlap.
#[derive(Clone, Copy, Debug)]
pub(super) struct RangeClose {
    pub(super) first: Fd,
    pub(super) last: Fd,
    pub(super) close: Close,
}

impl Close {
    pub(super) fn moment_of(&self) -> Moment {
        Moment {
            earliest: self.earliest.min(self.at),
            latest: self.at,
        }
    }

    /// Whether a call of thread `by` that began after `begun_after` and returned at `returned`
    /// may have been under way when this close was.
    fn may_overlap(&self, by: Option<Tid>, begun_after: BootTime, returned: BootTime) -> bool {
        by != Some(self.by)
            && begun_after <= self.returned
            && returned >= self.earliest
            && returned <= self.returned.plus_ns(WINDOW_NS)
    }
}

impl Odd {
    fn is_empty(&self) -> bool {
        self.closing.is_empty()
            && self.pending.is_empty()
            && self.doubt.is_none()
            && self.replacing.is_none()
    }
}

impl Ledger {
    /// A descriptor was born whose call began after `begun_after`.
    pub(super) fn place(&mut self, new: NewDescriptor, begun_after: BootTime) -> Key<Descriptor> {
        let table = &self.tables[new.table];
        if table.odd.is_empty()
            && table.ranges.is_empty()
            && table
                .slots
                .get(new.fd)
                .is_none_or(|latest| !self.descriptors[latest].is_open())
        {
            return self.insert_descriptor(new);
        }
        let at = new.born.latest;
        let mut ambiguous = false;
        if let Some(odd) = self.tables[new.table].odd.get_mut(&new.fd.0) {
            odd.replacing = None;
            let told = odd.pending.len();
            odd.pending
                .retain(|close| at <= close.returned.plus_ns(WINDOW_NS));
            self.counters.closes_of_unseen += (told - odd.pending.len()) as u64;
            let cancels = odd
                .pending
                .iter()
                .position(|close| close.may_overlap(new.born_by, begun_after, at));
            let doubt = odd.doubt.take();
            ambiguous = doubt.is_some_and(|close| close.may_overlap(new.born_by, begun_after, at));
            if let Some(cancels) = cancels {
                let close = odd.pending.remove(cancels);
                self.tidy(new.table, new.fd);
                return self.born_closed(new, &close);
            }
            self.tidy(new.table, new.fd);
        }
        if let Some(old) = self.open_at(new.table, new.fd) {
            let descriptor = &self.descriptors[old];
            if descriptor.origin != Origin::Announced && descriptor.born.latest >= at {
                self.announce(old, &new);
                return old;
            }
            self.displaced(old, at);
        }
        ambiguous |= self.in_range_close(&new, begun_after);
        let key = self.insert_descriptor(new);
        if ambiguous {
            self.make_ambiguous(key, at);
        }
        key
    }

    /// A birth that its close overtook. The number may have its next owner already.
    fn born_closed(&mut self, new: NewDescriptor, close: &Close) -> Key<Descriptor> {
        let successor = self.open_at(new.table, new.fd);
        let key = self.insert_descriptor(new);
        self.close_descriptor(key, close);
        if let Some(successor) = successor {
            self.tables[new.table].slots.set(new.fd, successor);
        }
        key
    }

    /// A scan had seen the descriptor before its birth was told.
    fn announce(&mut self, there: Key<Descriptor>, new: &NewDescriptor) {
        self.unlist(there);
        let before = self.descriptors[there].description;
        let record = &mut self.descriptors[there];
        if record.origin == Origin::Unseen {
            self.counters.handles_unseen = self.counters.handles_unseen.saturating_sub(1);
        }
        record.description = new.description;
        record.origin = new.origin;
        record.born = new.born;
        record.born_by = new.born_by;
        record.call = new.call;
        record.cloexec = new.cloexec;
        let target = self.descriptions[before].target.take();
        self.descriptions[before].live -= 1;
        self.release_description(before);
        let description = &mut self.descriptions[new.description];
        description.live += 1;
        description.records += 1;
        description.unaccounted = None;
        if description.target.is_none() {
            description.target = target;
        }
        self.list(there);
    }

    /// The number of an open descriptor was given to another.
    fn displaced(&mut self, old: Key<Descriptor>, at: BootTime) {
        let record = &mut self.descriptors[old];
        if let State::Ambiguous { since } = record.state {
            let died = Moment {
                earliest: since.min(at),
                latest: at,
            };
            self.close_for(old, died, ClosedHow::Found);
            return;
        }
        record.state = State::Closing { replaced: at };
        let (table, fd) = (record.table, record.fd);
        let table = &mut self.tables[table];
        table.open -= 1;
        table.odd.entry(fd.0).or_default().closing.push(Closing {
            descriptor: old,
            replaced: at,
        });
        self.changed(Resource::Handle(old));
    }

    fn in_range_close(&mut self, new: &NewDescriptor, begun_after: BootTime) -> bool {
        let at = new.born.latest;
        let ranges = &mut self.tables[new.table].ranges;
        ranges.retain(|range| at <= range.close.returned.plus_ns(WINDOW_NS));
        ranges.iter().any(|range| {
            (range.first..=range.last).contains(&new.fd)
                && range.close.may_overlap(new.born_by, begun_after, at)
        })
    }

    fn make_ambiguous(&mut self, key: Key<Descriptor>, since: BootTime) {
        let record = &mut self.descriptors[key];
        if record.state == State::Open {
            record.state = State::Ambiguous { since };
            self.counters.ambiguous += 1;
            self.changed(Resource::Handle(key));
        }
    }

    /// A close of a number succeeded.
    pub(super) fn close_number(&mut self, table: Key<Table>, fd: Fd, close: &Close) {
        let mut replacing = None;
        if !self.tables[table].odd.is_empty()
            && let Some(odd) = self.tables[table].odd.get_mut(&fd.0)
        {
            replacing = odd.replacing.take();
            let owed = odd
                .closing
                .iter()
                .position(|closing| closing.replaced >= close.earliest);
            if let Some(owed) = owed {
                let closing = odd.closing.remove(owed);
                self.close_descriptor(closing.descriptor, close);
                if close.at > closing.replaced
                    && let Some(current) = self.open_at(table, fd)
                {
                    // Its entry was not seen: it may as well have closed the number's new owner.
                    self.make_ambiguous(current, closing.replaced);
                }
                self.tidy(table, fd);
                return;
            }
            self.tidy(table, fd);
        }
        let latest = self.tables[table].slots.get(fd);
        match latest.map(|latest| (latest, self.descriptors[latest].state)) {
            Some((latest, State::Open)) => {
                let overlaps_replacement = replacing.is_some_and(|replacing| {
                    replacing.by != close.by
                        && close.earliest <= replacing.exit
                        && close.returned >= replacing.entry
                });
                if overlaps_replacement {
                    self.make_ambiguous(latest, close.at);
                } else {
                    self.close_descriptor(latest, close);
                }
            }
            Some((latest, State::Ambiguous { .. })) => self.close_descriptor(latest, close),
            Some((latest, State::Closed { at, returned, how })) => {
                let record = &self.descriptors[latest];
                let twin = record.closed_by != Some(close.by)
                    && how != ClosedHow::Close
                    && close.earliest <= returned
                    && close.returned >= at.earliest;
                let was_cancelled = how == ClosedHow::Close && at.latest < record.born.latest;
                let doubtful = twin || (was_cancelled && close.earliest >= record.born.latest);
                self.await_birth(table, fd, close, doubtful);
            }
            Some((_, State::Closing { .. })) => self.await_birth(table, fd, close, true),
            None => {
                // In a table that was not read yet it may have been open all along.
                let doubtful = self.tables[table].unsettled.is_some();
                self.await_birth(table, fd, close, doubtful);
            }
        }
    }

    fn await_birth(&mut self, table: Key<Table>, fd: Fd, close: &Close, doubtful: bool) {
        let odd = self.tables[table].odd.entry(fd.0).or_default();
        if doubtful {
            odd.doubt = Some(*close);
        } else {
            if odd.pending.len() >= MOST_PENDING {
                odd.pending.remove(0);
                self.counters.closes_of_unseen += 1;
            }
            odd.pending.push(*close);
        }
    }

    /// A close of a number was refused: it is not open.
    pub(super) fn close_refused(
        &mut self,
        table: Key<Table>,
        fd: Fd,
        begun_after: BootTime,
        at: BootTime,
    ) {
        let Some(open) = self.open_at(table, fd) else {
            return;
        };
        match self.descriptors[open].state {
            State::Ambiguous { since } => {
                let died = Moment {
                    earliest: since.min(at),
                    latest: at,
                };
                self.close_for(open, died, ClosedHow::Found);
            }
            // A close under way may have freed it; if none comes, a scan settles it.
            _ if self.descriptors[open].born.latest <= begun_after => {
                self.make_ambiguous(open, at);
            }
            _ => {}
        }
    }

    /// close_range succeeded.
    pub(super) fn close_range(&mut self, table: Key<Table>, range: RangeClose) {
        for (_, key) in self.tables[table].slots.within(range.first, range.last) {
            let record = &self.descriptors[key];
            if !record.is_open() {
                continue;
            }
            if record.born.latest > range.close.at && record.born_by != Some(range.close.by) {
                self.make_ambiguous(key, range.close.at);
            } else {
                self.close_descriptor(key, &range.close);
            }
        }
        let ranges = &mut self.tables[table].ranges;
        if ranges.len() >= MOST_PENDING {
            ranges.remove(0);
        }
        ranges.push(range);
    }

    /// dup2 or dup3 onto a number, before its new owner is placed there. Returns whether another
    /// close of the number overlapped.
    pub(super) fn replace(&mut self, table: Key<Table>, fd: Fd, replacing: Replacing) -> bool {
        let Some(latest) = self.tables[table].slots.get(fd) else {
            return false;
        };
        let record = &self.descriptors[latest];
        match record.state {
            State::Open | State::Ambiguous { .. } => {
                let close = Close {
                    at: replacing
                        .entry
                        .max(record.born.earliest)
                        .min(replacing.exit),
                    earliest: replacing.entry,
                    returned: replacing.exit,
                    by: replacing.by,
                    references: None,
                    how: ClosedHow::Replaced,
                };
                self.close_descriptor(latest, &close);
                true
            }
            State::Closed { returned, .. } => {
                let by = record.closed_by;
                if by.is_some() && by != Some(replacing.by) && returned >= replacing.entry {
                    // Which of the two came first is not known: mark the new owner.
                    self.await_birth(
                        table,
                        fd,
                        &Close {
                            at: replacing.entry,
                            earliest: replacing.entry,
                            returned: replacing.exit,
                            by: by.unwrap_or(replacing.by),
                            references: None,
                            how: ClosedHow::Close,
                        },
                        true,
                    );
                }
                false
            }
            State::Closing { .. } => false,
        }
    }

    /// Remembers that the latest descriptor of the number replaced an open one.
    pub(super) fn replaced(&mut self, table: Key<Table>, fd: Fd, replacing: Replacing) {
        let odd = self.tables[table].odd.entry(fd.0).or_default();
        odd.replacing = Some(replacing);
    }

    /// The number was used successfully: it is open.
    pub(super) fn proven_open(&mut self, key: Key<Descriptor>) {
        let record = &mut self.descriptors[key];
        if matches!(record.state, State::Ambiguous { .. }) {
            record.state = State::Open;
            self.changed(Resource::Handle(key));
        }
    }

    /// The closes that are under way returned with the table's death.
    pub(super) fn resolve_all_closing(&mut self, table: Key<Table>, died: Moment) {
        let closing: Vec<_> = self.tables[table]
            .odd
            .values()
            .flat_map(|odd| odd.closing.iter().copied())
            .collect();
        for closing in closing {
            let moment = Moment {
                earliest: self.descriptors[closing.descriptor]
                    .born
                    .latest
                    .min(closing.replaced),
                latest: closing.replaced.min(died.latest).max(
                    self.descriptors[closing.descriptor]
                        .born
                        .latest
                        .min(closing.replaced),
                ),
            };
            self.close_for(closing.descriptor, moment, ClosedHow::Found);
        }
    }

    /// Descriptors of a number that lost it before their close returned.
    pub(super) fn closing_at(&self, table: Key<Table>, fd: Fd) -> Option<Key<Descriptor>> {
        let odd = self.tables[table].odd.get(&fd.0)?;
        Some(odd.closing.last()?.descriptor)
    }

    fn tidy(&mut self, table: Key<Table>, fd: Fd) {
        let odd = &mut self.tables[table].odd;
        if odd.get(&fd.0).is_some_and(Odd::is_empty) {
            odd.remove(&fd.0);
        }
    }
}

/// Most unfinished closes kept for one number, and most range closes for one table.
const MOST_PENDING: usize = 16;
