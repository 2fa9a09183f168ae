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
const WINDOW_NS: u64 = 1_000_000_000;
/// The same, where the only ground for doubt is that a close_range was under way.
const RANGE_WINDOW_NS: u64 = 100_000_000;

/// What is unfinished about one number.
#[derive(Clone, Debug, Default)]
pub(super) struct Odd {
    /// Descriptors that lost the number before their close returned, oldest first.
    closing: Vec<Closing>,
    /// Closes whose descriptor's birth has not been told.
    pending: Vec<Pending>,
    /// A close that may or may not have closed a birth that has not been told.
    doubt: Option<Close>,
    /// The latest descriptor was put there by dup2 or dup3.
    replacing: Option<Replacing>,
    /// Descriptors that may have the number instead of the latest, which is ambiguous then.
    rivals: Vec<Key<Descriptor>>,
    /// An ambiguous descriptor lost the number then: if it was open till then, its close is still
    /// to be told.
    perhaps_owed: Option<BootTime>,
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

/// A close whose descriptor's birth has not been told.
#[derive(Clone, Copy, Debug)]
struct Pending {
    close: Close,
    /// The close that the latest descriptor is said to have died of, if the two overlapped: it
    /// may be the other way round.
    twin: Option<Close>,
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

impl Replacing {
    fn close(self, by: Tid, how: ClosedHow) -> Close {
        Close {
            at: self.entry,
            earliest: self.entry,
            returned: self.exit,
            by,
            references: None,
            how,
        }
    }
}

impl Odd {
    fn is_empty(&self) -> bool {
        self.closing.is_empty()
            && self.pending.is_empty()
            && self.doubt.is_none()
            && self.replacing.is_none()
            && self.rivals.is_empty()
            && self.perhaps_owed.is_none()
    }
}

impl Ledger {
    /// A descriptor was born, by a call that began after `begun_after`; `onto` if by dup2 or dup3.
    pub(super) fn place(
        &mut self,
        new: NewDescriptor,
        begun_after: BootTime,
        onto: Option<Replacing>,
    ) -> Key<Descriptor> {
        self.overlaps_copy(&new, begun_after);
        let key = if self.is_plain(&new) {
            self.insert_descriptor(new)
        } else {
            self.place_among(new, begun_after, onto)
        };
        if let Some(onto) = onto {
            let odd = self.tables[new.table].odd.entry(new.fd.0).or_default();
            odd.replacing = Some(onto);
        }
        key
    }

    /// Whether nothing stands in the way of a birth.
    fn is_plain(&self, new: &NewDescriptor) -> bool {
        let table = &self.tables[new.table];
        let latest = table.slots.get(new.fd);
        table.odd.is_empty()
            && table.ranges.is_empty()
            && latest.is_none_or(|latest| !self.descriptors[latest].is_open())
    }

    fn place_among(
        &mut self,
        new: NewDescriptor,
        begun_after: BootTime,
        onto: Option<Replacing>,
    ) -> Key<Descriptor> {
        let at = new.born.latest;
        let mut ambiguous = self.in_range_close(&new, begun_after);
        let mut contests = onto.is_some();
        if let Some(odd) = self.tables[new.table].odd.get_mut(&new.fd.0) {
            let overlaps = |close: &Close| close.may_overlap(new.born_by, begun_after, at);
            contests |= odd
                .replacing
                .take()
                .is_some_and(|onto| new.born_by != Some(onto.by) && begun_after <= onto.exit);
            let told = odd.pending.len();
            odd.pending
                .retain(|pending| at <= pending.close.returned.plus_ns(WINDOW_NS));
            self.counters.closes_of_unseen += (told - odd.pending.len()) as u64;
            ambiguous |= odd.doubt.as_ref().is_some_and(overlaps);
            // A close that has not returned yet may still close the next one.
            odd.doubt = odd.doubt.filter(|close| at <= close.returned);
            let cancels = odd.pending.iter().position(|pending| {
                overlaps(&pending.close) || pending.twin.as_ref().is_some_and(overlaps)
            });
            let cancels = cancels.map(|place| odd.pending.remove(place).close);
            self.tidy(new.table, new.fd);
            match cancels {
                // It closed the new one, or one whose birth is still to be told and which the
                // new one replaced.
                Some(_) if onto.is_some() => ambiguous = true,
                Some(close) => return self.born_closed(new, &close),
                None => {}
            }
        }
        if let Some(old) = self.open_at(new.table, new.fd) {
            let descriptor = &self.descriptors[old];
            if descriptor.origin != Origin::Announced && descriptor.born.latest >= at {
                self.announce(old, &new);
                return old;
            }
            if contests {
                self.becomes_rival(old, at);
                ambiguous = true;
            } else {
                self.displaced(old, at);
            }
        }
        let key = self.insert_descriptor(new);
        if ambiguous {
            self.make_ambiguous(key, at);
        }
        key
    }

    /// A birth that its close overtook. The number may have its next owner already, and the
    /// address that the birth's exit found there may be the next owner's.
    fn born_closed(&mut self, mut new: NewDescriptor, close: &Close) -> Key<Descriptor> {
        let told = &mut self.descriptions[new.description];
        let (kind, mut reach) = (told.kind, told.reach);
        if told.live > 0 {
            // A fork may have copied the duplicate while it was there.
            told.reach.shared = true;
            reach.before = true;
        } else {
            self.drop_description(new.description);
        }
        new.description = self.new_description(kind, None, reach, close.at);
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
            let (table, fd) = (record.table, record.fd);
            self.close_for(old, died, ClosedHow::Found);
            let odd = self.tables[table].odd.entry(fd.0).or_default();
            odd.perhaps_owed = Some(at);
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

    /// The number is the old descriptor's or its rival's: which came first is not known.
    fn becomes_rival(&mut self, old: Key<Descriptor>, since: BootTime) {
        let record = &mut self.descriptors[old];
        record.state = State::Rival { since };
        let (table, fd) = (record.table, record.fd);
        let table = &mut self.tables[table];
        table.open -= 1;
        table.odd.entry(fd.0).or_default().rivals.push(old);
        self.counters.ambiguous += 1;
        self.changed(Resource::Handle(old));
    }

    /// A number that was ambiguous is closed: so are all that may have had it.
    pub(super) fn settle_rivals(&mut self, table: Key<Table>, fd: Fd, died: Moment) {
        let Some(odd) = self.tables[table].odd.get_mut(&fd.0) else {
            return;
        };
        let rivals = std::mem::take(&mut odd.rivals);
        self.tidy(table, fd);
        for rival in rivals {
            self.close_for(rival, died, ClosedHow::Found);
        }
    }

    fn in_range_close(&mut self, new: &NewDescriptor, begun_after: BootTime) -> bool {
        let at = new.born.latest;
        let ranges = &mut self.tables[new.table].ranges;
        ranges.retain(|range| at <= range.close.returned.plus_ns(RANGE_WINDOW_NS));
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
        let (mut replacing, mut perhaps_owed) = (None, None);
        if !self.tables[table].odd.is_empty()
            && let Some(odd) = self.tables[table].odd.get_mut(&fd.0)
        {
            (replacing, perhaps_owed) = (odd.replacing, odd.perhaps_owed);
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
        let perhaps_owed = perhaps_owed.is_some_and(|owed| close.earliest <= owed);
        if perhaps_owed && let Some(odd) = self.tables[table].odd.get_mut(&fd.0) {
            odd.perhaps_owed = None;
        }
        let latest = self.tables[table].slots.get(fd);
        match latest.map(|latest| (latest, self.descriptors[latest].state)) {
            Some((latest, State::Open)) => {
                let overlaps_replacement = replacing.is_some_and(|replacing| {
                    replacing.by != close.by
                        && close.earliest <= replacing.exit
                        && close.returned >= replacing.entry
                });
                let by_another = self.descriptors[latest].born_by != Some(close.by);
                if overlaps_replacement || (by_another && perhaps_owed) {
                    self.make_ambiguous(latest, close.at);
                    self.await_birth(table, fd, close, true);
                } else {
                    self.close_descriptor(latest, close);
                }
            }
            Some((latest, State::Ambiguous { .. })) => {
                let record = &self.descriptors[latest];
                // A close that began before the latest birth was told may have closed another.
                if record.born_by == Some(close.by) || close.earliest >= record.born.latest {
                    self.close_descriptor(latest, close);
                }
                // Or it closed a birth that is still to be told.
                self.await_birth(table, fd, close, true);
            }
            Some((latest, State::Closed { at, returned, how })) => {
                let record = &self.descriptors[latest];
                let twin = record.closed_by != Some(close.by)
                    && how != ClosedHow::Close
                    && close.earliest <= returned
                    && close.returned >= at.earliest;
                let was_cancelled = how == ClosedHow::Close && at.latest < record.born.latest;
                let doubtful =
                    twin || perhaps_owed || (was_cancelled && close.earliest >= record.born.latest);
                self.await_birth(table, fd, close, doubtful);
            }
            Some((_, State::Closing { .. } | State::Rival { .. })) => {
                self.await_birth(table, fd, close, true);
            }
            None => {
                // In a table that was not read yet it may have been open all along.
                let doubtful = self.tables[table].unsettled.is_some();
                self.await_birth(table, fd, close, doubtful);
            }
        }
    }

    fn await_birth(&mut self, table: Key<Table>, fd: Fd, close: &Close, doubtful: bool) {
        #[cfg(test)]
        if self.forgets_overtaking {
            return;
        }
        let latest = self.tables[table].slots.get(fd);
        let twin = latest.and_then(|latest| self.overlapping_close(latest, close));
        let odd = self.tables[table].odd.entry(fd.0).or_default();
        if doubtful {
            odd.doubt = Some(*close);
        } else {
            if odd.pending.len() >= MOST_PENDING {
                odd.pending.remove(0);
                self.counters.closes_of_unseen += 1;
            }
            odd.pending.push(Pending {
                close: *close,
                twin,
            });
        }
    }

    /// The close a descriptor died of, if another thread's close overlapped it.
    fn overlapping_close(&self, latest: Key<Descriptor>, close: &Close) -> Option<Close> {
        let record = &self.descriptors[latest];
        let State::Closed { at, returned, how } = record.state else {
            return None;
        };
        let by = record.closed_by?;
        let overlaps =
            by != close.by && close.earliest <= returned && close.returned >= at.earliest;
        overlaps.then_some(Close {
            at: at.latest,
            earliest: at.earliest,
            returned,
            by,
            references: None,
            how,
        })
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
        let record = &self.descriptors[open];
        if record.born.latest > begun_after {
            // The number may have been free before its birth.
            return;
        }
        if let State::Ambiguous { since } = record.state {
            let died = Moment {
                earliest: since.min(at),
                latest: at,
            };
            self.close_for(open, died, ClosedHow::Found);
            let odd = self.tables[table].odd.entry(fd.0).or_default();
            odd.perhaps_owed = Some(at);
        } else {
            // A close under way may have freed it; if none comes, a scan settles it.
            self.make_ambiguous(open, at);
        }
    }

    /// close_range succeeded.
    pub(super) fn close_range(&mut self, table: Key<Table>, range: RangeClose) {
        for (fd, key) in self.tables[table].slots.within(range.first, range.last) {
            // A close under way may have closed what was still there, or what comes after.
            let former = [Some(key), self.before(key)].into_iter().flatten();
            let overlapping = former
                .filter_map(|key| self.overlapping_close(key, &range.close))
                .next();
            if let Some(close) = overlapping {
                self.await_birth(table, fd, &close, true);
            }
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

    /// dup2 or dup3 onto a number, before its new owner is placed there: what is surely open
    /// there closes.
    pub(super) fn replace(&mut self, table: Key<Table>, fd: Fd, onto: Replacing) {
        let Some(latest) = self.tables[table].slots.get(fd) else {
            return;
        };
        let record = &self.descriptors[latest];
        match record.state {
            State::Open | State::Ambiguous { .. } => {
                let came_before =
                    record.born_by == Some(onto.by) || record.born.latest <= onto.entry;
                if came_before {
                    self.close_descriptor(latest, &onto.close(onto.by, ClosedHow::Replaced));
                }
            }
            State::Closed { returned, .. } => {
                if let Some(by) = record.closed_by
                    && by != onto.by
                    && returned >= onto.entry
                {
                    // It may have closed the number's new owner.
                    let close = onto.close(by, ClosedHow::Close);
                    self.await_birth(table, fd, &close, true);
                }
            }
            State::Closing { .. } | State::Rival { .. } => {}
        }
    }

    /// The number was used successfully: it is open.
    pub(super) fn proven_open(&mut self, key: Key<Descriptor>) {
        let record = &mut self.descriptors[key];
        if !matches!(record.state, State::Ambiguous { .. }) {
            return;
        }
        let odd = self.tables[record.table].odd.get(&record.fd.0);
        if odd.is_none_or(|odd| odd.rivals.is_empty()) {
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

    /// Whether a close of the number was told that returned at this time or later.
    pub(super) fn closed_since(&self, table: Key<Table>, fd: Fd, since: BootTime) -> bool {
        self.tables[table].odd.get(&fd.0).is_some_and(|odd| {
            let pending = odd.pending.iter().map(|pending| &pending.close);
            pending
                .chain(&odd.doubt)
                .any(|close| close.returned >= since)
        })
    }

    /// Descriptors beside the latest that a number may have meant lately.
    pub(super) fn others_at(&self, table: Key<Table>, fd: Fd) -> Vec<Key<Descriptor>> {
        let Some(odd) = self.tables[table].odd.get(&fd.0) else {
            return Vec::new();
        };
        let closing = odd.closing.iter().rev().map(|closing| closing.descriptor);
        closing.chain(odd.rivals.iter().copied()).collect()
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
