//! The names by which files were opened.

use crate::{
    event::{Named, id::BootTime},
    ledger::Ledger,
};

/// How long after a birth its name is told at most. The two are told one after the other; another
/// thread's birth on the number may have come in between, and has another maker.
const SOON_NS: u64 = 10_000_000;

impl Ledger {
    /// The descriptor that the call made, open or not, was opened by this name.
    pub(in crate::ledger) fn named(&mut self, at: BootTime, named: &Named) {
        let Some(&thread) = self.by_tid.get(&named.tid.0) else {
            return;
        };
        if named.is_cut || self.threads[thread].name.tgid != named.tgid {
            return;
        }
        let table = self.table_of(thread);
        let mut latest = self.tables[table].slots.get(named.fd);
        while let Some(key) = latest {
            let record = &self.descriptors[key];
            let born = record.born.latest;
            if at.since_ns(born) > SOON_NS {
                return;
            }
            if record.born_by == Some(named.tid) && record.call == Some(named.call) && born <= at {
                let shared = &mut self.descriptions[record.description];
                if shared.name.is_none() {
                    shared.name = Some(Box::new(named.name.clone()));
                }
                return;
            }
            latest = self.before(key);
        }
    }
}
