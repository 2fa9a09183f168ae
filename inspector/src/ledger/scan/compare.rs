//! A table, compared with what a scan saw of it.

use crate::event::{
    Scan,
    handle::HandleKind,
    id::{BootTime, Fd},
    scan::{SeenHandle, SeenTable},
    text::Text,
};
use crate::ledger::{
    Ledger,
    arena::Key,
    handle::{ClosedHow, Descriptor, NewDescriptor, Reach},
    identity::Origin,
    scan::{Reading, record_born},
    table::{Table, WhyUnsettled},
    thread::Thread,
};

impl Ledger {
    /// Compares one of the scan's tables. `told` are those it told before: each is another.
    pub(super) fn compare_table(
        &mut self,
        scan: &Scan,
        seen: &SeenTable,
        reading: &Reading,
        told: &mut Vec<Key<Table>>,
    ) {
        let users: Vec<_> = seen
            .users
            .iter()
            .filter_map(|tid| self.by_tid.get(&tid.0).copied())
            .filter(|&thread| self.threads[thread].name.tgid == scan.tgid)
            .collect();
        let Some(&reader) = users.first() else {
            return;
        };
        let table = self.table_told(reader, reading, told);
        let handles = match &seen.handles {
            Ok(handles) => handles,
            Err(errno) => {
                if reading.heals && self.tables[table].settled.is_none() {
                    self.unsettle(table, WhyUnsettled::Refused(*errno), reading.ended);
                }
                return;
            }
        };
        if reading.heals {
            self.unite(table, &users[1..], reading.ended);
        }
        let mut listed = handles.iter().peekable();
        for (fd, key) in self.tables[table].slots.within(Fd(0), Fd(u32::MAX)) {
            while let Some(seen) = listed.next_if(|seen| seen.fd < fd) {
                self.handle_missed(table, seen, reading);
            }
            match listed.next_if(|seen| seen.fd == fd) {
                Some(seen) => self.handle_found(table, key, seen, reading),
                None => self.handle_not_found(key, reading),
            }
        }
        for seen in listed {
            self.handle_missed(table, seen, reading);
        }
        if reading.heals {
            let record = &mut self.tables[table];
            record.settled = record.settled.max(Some(reading.began));
            if record
                .unsettled
                .is_some_and(|(_, since)| since <= reading.began)
            {
                record.unsettled = None;
            }
        }
    }

    /// The table that the scan read through this thread. One that it told before can't be: the
    /// thread was given that on trust.
    fn table_told(
        &mut self,
        reader: Key<Thread>,
        reading: &Reading,
        told: &mut Vec<Key<Table>>,
    ) -> Key<Table> {
        let mut table = self.table_of(reader);
        if reading.heals && told.contains(&table) && self.live_mut(reader).provisional {
            let process = self.threads[reader].process;
            table = self.provisional_table(process, reading.began);
            self.use_table(reader, table, reading.began);
        }
        told.push(table);
        table
    }

    /// Threads that nothing announced were given a table on trust: the scan knows which.
    fn unite(&mut self, table: Key<Table>, users: &[Key<Thread>], at: BootTime) {
        for &user in users {
            let is_provisional = self.live_mut(user).provisional;
            if is_provisional {
                self.use_table(user, table, at);
            }
        }
    }

    fn handle_found(
        &mut self,
        table: Key<Table>,
        key: Key<Descriptor>,
        seen: &SeenHandle,
        reading: &Reading,
    ) {
        let record = &self.descriptors[key];
        if record.last_change() >= reading.began {
            return;
        }
        if !record.is_open() {
            self.handle_missed(table, seen, reading);
            return;
        }
        if self.is_other(key, seen.kind, &seen.target) {
            if reading.counts_drift {
                self.drift.handles_other += 1;
            }
            if reading.heals {
                self.close_for(
                    key,
                    reading.died(record_born(&self.descriptors[key])),
                    ClosedHow::Found,
                );
                self.insert_seen(table, seen, reading);
            }
            return;
        }
        if reading.heals {
            self.proven_open(key);
            let record = &mut self.descriptors[key];
            if let Some(cloexec) = seen.cloexec {
                record.cloexec = Some(cloexec);
            }
            let shared = &mut self.descriptions[record.description];
            shared.learn_target(seen.kind, &seen.target, reading.ended);
        }
    }

    /// Whether the number means something else than the ledger holds.
    pub(super) fn is_other(&self, key: Key<Descriptor>, kind: HandleKind, target: &Text) -> bool {
        let shared = &self.descriptions[self.descriptors[key].description];
        let points_elsewhere = |known: &Text| !may_be_one(known.bytes(), target.bytes());
        !may_be_told_as(shared.kind, kind) || shared.target.as_deref().is_some_and(points_elsewhere)
    }

    fn handle_missed(&mut self, table: Key<Table>, seen: &SeenHandle, reading: &Reading) {
        if self.closed_since(table, seen.fd, reading.began) {
            return;
        }
        if reading.counts_drift {
            self.drift.handles_missed += 1;
        }
        if reading.heals {
            self.insert_seen(table, seen, reading);
        }
    }

    fn insert_seen(&mut self, table: Key<Table>, seen: &SeenHandle, reading: &Reading) {
        let reach = Reach {
            before: reading.origin != Origin::Polled,
            ..Reach::default()
        };
        let description = self.new_description(seen.kind, None, reach, reading.ended);
        self.descriptions[description].learn_target(seen.kind, &seen.target, reading.ended);
        // The scan before would have found it.
        let scanned = match reading.origin {
            Origin::Unseen => self.tables[table].settled.unwrap_or_default(),
            _ => BootTime(0),
        };
        let handle = self.insert_descriptor(NewDescriptor {
            table,
            fd: seen.fd,
            description,
            origin: reading.origin,
            born: reading.born.not_before(scanned),
            born_by: None,
            call: None,
            cloexec: seen.cloexec,
        });
        self.claim_owed(table, seen.fd, handle);
    }

    fn handle_not_found(&mut self, key: Key<Descriptor>, reading: &Reading) {
        let record = &self.descriptors[key];
        if !record.is_open() || record.last_change() >= reading.began {
            return;
        }
        if reading.counts_drift {
            self.drift.handles_left += 1;
        }
        if reading.heals {
            let died = reading.died(record_born(record));
            self.close_for(key, died, ClosedHow::Found);
        }
    }
}

/// Whether a descriptor of a known kind may be told as another: by its link and its file alone, a
/// mount is what is mounted, and a message queue may pass for a file.
fn may_be_told_as(known: HandleKind, seen: HandleKind) -> bool {
    use HandleKind::{Device, Directory, File, Mount, Mqueue, Opened, Unknown};
    known == seen
        || matches!(known, Opened | Unknown)
        || matches!(seen, Opened | Unknown)
        || matches!(
            (known, seen),
            (Mount, File | Directory | Device) | (Mqueue, File) | (File, Mqueue)
        )
}

/// Whether two links may be of one file, read at different times. Paths change when files are
/// renamed and removed, and say no more than that both are paths; everything else keeps its
/// name and its inode number.
fn may_be_one(known: &[u8], seen: &[u8]) -> bool {
    let is_path = |link: &[u8]| link.starts_with(b"/") || link.starts_with(b"(unreachable)");
    known == seen || (is_path(known) && is_path(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_one_file_and_of_another() {
        for (known, seen, same) in [
            ("socket:[1]", "socket:[1]", true),
            ("socket:[1]", "socket:[2]", false),
            ("/tmp/a", "/tmp/a (deleted)", true),
            ("/tmp/a", "/tmp/renamed", true),
            ("/tmp/a", "pipe:[3]", false),
            ("anon_inode:[eventfd]", "anon_inode:[timerfd]", false),
            ("anon_inode:[eventfd]", "/tmp/a", false),
            ("/x", "(unreachable)/x", true),
        ] {
            assert_eq!(
                may_be_one(known.as_bytes(), seen.as_bytes()),
                same,
                "{known} {seen}"
            );
        }
    }

    #[test]
    fn kinds_of_one_file_and_of_another() {
        assert!(may_be_told_as(HandleKind::Opened, HandleKind::Pipe));
        assert!(may_be_told_as(HandleKind::Socket, HandleKind::Unknown));
        assert!(may_be_told_as(HandleKind::Mount, HandleKind::Directory));
        assert!(!may_be_told_as(HandleKind::File, HandleKind::Socket));
        assert!(!may_be_told_as(HandleKind::Directory, HandleKind::Mount));
        assert!(!may_be_told_as(HandleKind::Pipe, HandleKind::File));
    }
}
