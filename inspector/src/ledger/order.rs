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

mod contest;
mod overtake;

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
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
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

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Closing {
    descriptor: Key<Descriptor>,
    replaced: BootTime,
}

/// A dup2 or dup3 onto an open number.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Replacing {
    pub(super) entry: BootTime,
    pub(super) exit: BootTime,
    pub(super) by: Tid,
}

/// A close, as it was told.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Pending {
    close: Close,
    /// The close that the latest descriptor is said to have died of, if the two overlapped: it
    /// may be the other way round.
    twin: Option<Close>,
}

/// A close_range that births may still overlap.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
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
    /// Descriptors that lost the number before their close returned.
    pub(super) fn closing(&self) -> impl Iterator<Item = Key<Descriptor>> {
        self.closing.iter().map(|closing| closing.descriptor)
    }

    /// Descriptors that may have the number instead of the latest.
    pub(super) fn rivals(&self) -> impl Iterator<Item = Key<Descriptor>> {
        self.rivals.iter().copied()
    }

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
        // The new one is counted before the old one may go: they can be the same.
        let description = &mut self.descriptions[new.description];
        description.live += 1;
        description.records += 1;
        description.unaccounted = None;
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
        let seen = &mut self.descriptions[before];
        let told = (seen.kind, seen.target.take(), seen.target_read);
        seen.live -= 1;
        self.release_description(before);
        if let (kind, Some(target), read) = told {
            let description = &mut self.descriptions[new.description];
            if description.target.is_none() {
                description.learn_target(kind, &target, read);
            }
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

    fn tidy(&mut self, table: Key<Table>, fd: Fd) {
        let odd = &mut self.tables[table].odd;
        if odd.get(&fd.0).is_some_and(Odd::is_empty) {
            odd.remove(&fd.0);
        }
    }
}

/// Most unfinished closes kept for one number, and most range closes for one table.
const MOST_PENDING: usize = 16;
