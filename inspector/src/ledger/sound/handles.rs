//! Whether tables, descriptors and open file descriptions fit together.

use crate::event::id::Fd;
use crate::ledger::{
    Ledger,
    arena::Key,
    handle::{Description, Descriptor, State},
    sound::{Counts, Unsound, ensure},
    table::Table,
};

impl Ledger {
    pub(super) fn check_tables(&self) -> Result<(), Unsound> {
        let (mut records, mut open) = (Counts::of(&self.tables), Counts::of(&self.tables));
        for (_, descriptor) in self.descriptors.iter() {
            let is_there = records.add(&self.tables, descriptor.table);
            ensure(is_there, "a descriptor's table is missing")?;
            if descriptor.is_open() {
                open.add(&self.tables, descriptor.table);
            }
        }
        for (key, table) in self.tables.iter() {
            let is_counted = table.records == records.get(key) && table.open == open.get(key);
            ensure(is_counted, "a table's descriptors are counted wrong")?;
            let is_alive = table.dead.is_none();
            ensure(is_alive || table.users.is_empty(), "a dead table has users")?;
            ensure(table.slots.is_sound(), "a number stands in the wrong place")?;
            for (fd, descriptor) in table.slots.within(Fd(0), Fd(u32::MAX)) {
                let record = self.descriptors.get(descriptor);
                let is_its = record.is_some_and(|record| record.table == key && record.fd == fd);
                ensure(is_its, "a number's descriptor is another's")?;
            }
            self.check_odd(key, table)?;
        }
        for (address, &table) in &self.by_files {
            let record = self.tables.get(table);
            let is_it = record.is_some_and(|record| {
                record.dead.is_none() && record.files.is_some_and(|at| at.0.get() == *address)
            });
            ensure(is_it, "an address is no live table's")?;
        }
        Ok(())
    }

    /// What is unfinished speaks of descriptors that are not closed, of each once.
    fn check_odd(&self, key: Key<Table>, table: &Table) -> Result<(), Unsound> {
        for (&number, odd) in &table.odd {
            let closing = odd.closing().map(|descriptor| (descriptor, true));
            let rivals = odd.rivals().map(|descriptor| (descriptor, false));
            let mut met = Vec::new();
            for (descriptor, is_closing) in closing.chain(rivals) {
                let is_it = self.descriptors.get(descriptor).is_some_and(|record| {
                    let is_so = match record.state {
                        State::Closing { .. } => is_closing,
                        State::Rival { .. } => !is_closing,
                        _ => false,
                    };
                    is_so && record.table == key && record.fd == Fd(number)
                });
                ensure(is_it, "what is unfinished is of another descriptor")?;
                met.push(descriptor.index());
            }
            let listed = met.len();
            met.sort_unstable();
            met.dedup();
            ensure(met.len() == listed, "a descriptor is unfinished twice")?;
        }
        Ok(())
    }

    pub(super) fn check_descriptors(&self) -> Result<(), Unsound> {
        let mut records = Counts::of(&self.descriptions);
        let mut live = Counts::of(&self.descriptions);
        for (_, descriptor) in self.descriptors.iter() {
            let is_there = records.add(&self.descriptions, descriptor.description);
            ensure(is_there, "a descriptor's description is missing")?;
            if descriptor.closed().is_none() {
                live.add(&self.descriptions, descriptor.description);
            }
        }
        for (key, description) in self.descriptions.iter() {
            let is_counted =
                description.records == records.get(key) && description.live == live.get(key);
            ensure(is_counted, "a description's descriptors are counted wrong")?;
        }
        Ok(())
    }

    /// The lists of descriptions end, and hold exactly the descriptors that say so.
    pub(super) fn check_descriptions(&self) -> Result<(), Unsound> {
        let mut listed = Counts::of(&self.descriptors);
        let mut places = 0;
        for (key, description) in self.descriptions.iter() {
            let (mut previous, mut next) = (None, description.first);
            let mut were_owned = true;
            while let Some(place) = next {
                let is_first = listed.add(&self.descriptors, place) && listed.get(place) == 1;
                ensure(is_first, "a list does not end")?;
                let record = &self.descriptors[place];
                let fits = is_of_list(record, key, previous);
                ensure(fits, "a list's descriptor is another's")?;
                let is_owned = record.owner.is_some();
                ensure(
                    were_owned || !is_owned,
                    "a list begins with what nobody owns",
                )?;
                were_owned = is_owned;
                (previous, next) = (next, record.next);
                places += 1;
            }
        }
        for (address, &description) in &self.by_file {
            let record = self.descriptions.get(description);
            let is_it =
                record.is_some_and(|record| record.file.is_some_and(|at| at.0.get() == *address));
            ensure(is_it, "an address is no description's")?;
        }
        let told = self.descriptors.iter().filter(|(_, one)| one.listed);
        ensure(told.count() == places, "a descriptor is in no list")
    }
}

fn is_of_list(
    record: &Descriptor,
    description: Key<Description>,
    previous: Option<Key<Descriptor>>,
) -> bool {
    record.listed && record.description == description && record.previous == previous
}
