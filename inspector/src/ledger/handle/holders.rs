//! Who holds an open file description: the list of its open and its owned descriptors.

use crate::ledger::{
    Ledger,
    arena::Key,
    handle::{Description, Descriptor, State},
    resource::Resource,
};

impl Ledger {
    /// Puts a descriptor in its description's list: owned ones first.
    pub(in crate::ledger) fn list(&mut self, key: Key<Descriptor>) {
        let description = self.descriptors[key].description;
        let mut previous = None;
        let mut next = self.descriptions[description].first;
        if self.descriptors[key].owner.is_none() {
            while let Some(there) = next
                && self.descriptors[there].owner.is_some()
            {
                previous = next;
                next = self.descriptors[there].next;
            }
        }
        let descriptor = &mut self.descriptors[key];
        descriptor.previous = previous;
        descriptor.next = next;
        descriptor.listed = true;
        match previous {
            Some(previous) => self.descriptors[previous].next = Some(key),
            None => self.descriptions[description].first = Some(key),
        }
        if let Some(next) = next {
            self.descriptors[next].previous = Some(key);
        }
    }

    /// Takes a descriptor out of its description's list.
    pub(in crate::ledger) fn unlist(&mut self, key: Key<Descriptor>) {
        let descriptor = &mut self.descriptors[key];
        if !descriptor.listed {
            return;
        }
        descriptor.listed = false;
        let (previous, next) = (descriptor.previous.take(), descriptor.next.take());
        let description = descriptor.description;
        match previous {
            Some(previous) => self.descriptors[previous].next = next,
            None => self.descriptions[description].first = next,
        }
        if let Some(next) = next {
            self.descriptors[next].previous = previous;
        }
    }

    /// The open descriptors of a description, as far as the ledger knows them.
    pub fn holders(&self, description: Key<Description>) -> impl Iterator<Item = Key<Descriptor>> {
        let first = self
            .descriptions
            .get(description)
            .and_then(|description| description.first);
        std::iter::successors(first, |&key| self.descriptors[key].next)
            .filter(|&key| self.descriptors[key].is_open())
    }

    /// Notes that verdicts on a description's owned descriptors may change.
    pub(in crate::ledger) fn description_changed(&mut self, description: Key<Description>) {
        let mut next = self.descriptions[description].first;
        while let Some(key) = next {
            let descriptor = &self.descriptors[key];
            if descriptor.owner.is_none() {
                break;
            }
            next = descriptor.next;
            self.changed(Resource::Handle(key));
        }
    }

    /// Whether an open descriptor refers to it, in a table that is not dying: the tables of
    /// threads that exit go before their last switch is told.
    pub(in crate::ledger) fn is_surely_held(&self, description: Key<Description>) -> bool {
        self.holders(description).any(|holder| {
            let record = &self.descriptors[holder];
            let users = &self.tables[record.table].users;
            record.state == State::Open
                && users
                    .iter()
                    .any(|&user| self.threads[user].exiting.is_none())
        })
    }
}
