//! Order, where two owners of a number contend: dup2 onto it, rivals, what is still closing.

use crate::event::id::{Fd, Moment};
use crate::ledger::{
    Ledger,
    arena::Key,
    handle::{ClosedHow, Descriptor, State},
    order::Replacing,
    resource::Resource,
    table::Table,
};

impl Ledger {
    /// dup2 or dup3 onto a number, before its new owner is placed there: what is surely open
    /// there closes.
    pub(in crate::ledger) fn replace(&mut self, table: Key<Table>, fd: Fd, onto: Replacing) {
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
    pub(in crate::ledger) fn proven_open(&mut self, key: Key<Descriptor>) {
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
    pub(in crate::ledger) fn resolve_all_closing(&mut self, table: Key<Table>, died: Moment) {
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

    /// Descriptors beside the latest that a number may have meant lately.
    pub(in crate::ledger) fn others_at(&self, table: Key<Table>, fd: Fd) -> Vec<Key<Descriptor>> {
        let Some(odd) = self.tables[table].odd.get(&fd.0) else {
            return Vec::new();
        };
        let closing = odd.closing.iter().rev().map(|closing| closing.descriptor);
        closing.chain(odd.rivals.iter().copied()).collect()
    }
}
