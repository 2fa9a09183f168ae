//! Order, the closing side: which descriptor of a number a close ended.

use crate::event::id::{BootTime, Fd, Moment};
use crate::ledger::{
    Ledger,
    arena::Key,
    handle::{ClosedHow, Descriptor, State},
    order::{Close, MOST_PENDING, Pending, RangeClose},
    table::Table,
};

impl Ledger {
    /// A close of a number succeeded.
    pub(in crate::ledger) fn close_number(&mut self, table: Key<Table>, fd: Fd, close: &Close) {
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

    pub(in crate::ledger) fn await_birth(
        &mut self,
        table: Key<Table>,
        fd: Fd,
        close: &Close,
        doubtful: bool,
    ) {
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
    pub(in crate::ledger) fn overlapping_close(
        &self,
        latest: Key<Descriptor>,
        close: &Close,
    ) -> Option<Close> {
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
    pub(in crate::ledger) fn close_refused(
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
    pub(in crate::ledger) fn close_range(&mut self, table: Key<Table>, range: RangeClose) {
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

    /// Whether a close of the number was told that returned at this time or later.
    pub(in crate::ledger) fn closed_since(
        &self,
        table: Key<Table>,
        fd: Fd,
        since: BootTime,
    ) -> bool {
        self.tables[table].odd.get(&fd.0).is_some_and(|odd| {
            let pending = odd.pending.iter().map(|pending| &pending.close);
            pending
                .chain(&odd.doubt)
                .any(|close| close.returned >= since)
        })
    }
}
