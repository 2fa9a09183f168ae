//! What descriptors point at, as a reading of /proc says: of those that did not change since it
//! began.

use crate::event::{Targets, id::BootTime, target::SeenTarget};
use crate::ledger::{
    Ledger,
    arena::Key,
    handle::{Descriptor, ReadDetail, State},
};

impl Ledger {
    pub(in crate::ledger) fn targets(&mut self, targets: &Targets) {
        let Some(&reader) = self.by_tid.get(&targets.reader.0) else {
            return;
        };
        if self.threads[reader].name.tgid != targets.tgid {
            return;
        }
        let table = self.table_of(reader);
        for seen in &targets.read {
            let Some(key) = self.open_at(table, seen.fd) else {
                continue;
            };
            let record = &self.descriptors[key];
            if record.state == State::Open
                && record.last_change() < targets.began
                && !self.is_other(key, seen.kind, &seen.target)
            {
                self.points_at(key, seen, targets.ended);
            }
        }
    }

    fn points_at(&mut self, key: Key<Descriptor>, seen: &SeenTarget, at: BootTime) {
        let shared = &mut self.descriptions[self.descriptors[key].description];
        shared.learn_target(seen.kind, &seen.target, at);
        if let Some(detail) = &seen.detail {
            shared.detail = Some(Box::new(ReadDetail {
                detail: detail.clone(),
                at,
            }));
        }
    }
}
