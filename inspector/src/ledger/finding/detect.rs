//! When a call is a finding.

use super::{
    BootTime, CallNumber, ClosedHow, Descriptor, Entry, FORMER, Fact, Fd, Finding, FindingKind,
    ForeignClose, Former, Ground, Key, Ledger, Limit, Rule, Same, State, Subject, Table, Thread,
};

/// A thread's call, and when it counts.
#[derive(Clone, Copy)]
pub(in crate::ledger) struct Call {
    pub(in crate::ledger) thread: Key<Thread>,
    pub(in crate::ledger) number: CallNumber,
    pub(in crate::ledger) at: BootTime,
}

/// ENFILE of `errno.h`: the system's limit; the other errno of a refused birth is EMFILE.
const ENFILE: u16 = 23;

impl Ledger {
    /// A close of a number was refused.
    pub(in crate::ledger) fn found_refused_close(&mut self, call: Call, fd: Fd) {
        let table = self.table_of(call.thread);
        let former = self.tables[table]
            .slots
            .get(fd)
            .and_then(|latest| self.former(latest, call.at, |_| true));
        let kind = match former {
            Some(_) => FindingKind::DoubleClose,
            None => FindingKind::CloseOfNothing,
        };
        self.found(call, kind, Some(fd), None, |ledger| {
            Some(match former {
                Some(former) => Fact::DoubleClose {
                    fd,
                    former: Box::new(ledger.former_subject(former)?),
                },
                None => Fact::CloseOfNothing { fd },
            })
        });
    }

    /// A birth was refused.
    pub(in crate::ledger) fn found_refused_birth(&mut self, call: Call, errno: u16) {
        let limit = if errno == ENFILE {
            Limit::System
        } else {
            Limit::Process
        };
        let kind = FindingKind::BirthRefused;
        self.found(call, kind, None, Some(limit), |ledger| {
            let open = ledger.tables[ledger.table_of(call.thread)].open;
            Some(Fact::BirthRefused { limit, open })
        });
    }

    /// A thread closed a number: whether another entry's, for an entry that had it before.
    pub(in crate::ledger) fn look_for_foreign_close(
        &mut self,
        call: Call,
        table: Key<Table>,
        fd: Fd,
    ) {
        let Call { thread, at, .. } = call;
        let Some((closed_for, ground)) = self.closes_for(thread) else {
            return;
        };
        let Some(closed) = self.tables[table].slots.get(fd) else {
            return;
        };
        let record = &self.descriptors[closed];
        // Only where it is certain which descriptor this very call closed.
        let is_certain = record.closed_by == Some(self.threads[thread].name.tid)
            && matches!(record.state, State::Closed { at: closed, how: ClosedHow::Close, .. }
                if closed.latest == at);
        let Some(owner) = record.owner.filter(|_| is_certain) else {
            return;
        };
        let born = record.born.latest;
        if self.handle_tainted(closed)
            || self.marks_tainted(born)
            || self.unsettled_since(table, born)
            || !self.are_strangers(closed_for, owner.entry)
        {
            return;
        }
        let had_it = |record: &Descriptor| {
            record
                .owner
                .is_some_and(|former| former.entry == closed_for)
        };
        let Some(former) = self
            .before(closed)
            .and_then(|before| self.former(before, at, had_it))
        else {
            return;
        };
        let kind = FindingKind::ForeignClose;
        self.found(call, kind, Some(fd), None, |ledger| {
            Some(Fact::ForeignClose(Box::new(ForeignClose {
                handle: ledger.subject(closed)?,
                owner: (ledger.entry_name(owner.entry), owner.rule),
                closed_for: ledger.entry_name(closed_for),
                ground,
                former: ledger.former_subject(former)?,
            })))
        });
    }

    /// The entry for which a thread closes what it closes now.
    fn closes_for(&self, thread: Key<Thread>) -> Option<(Key<Entry>, Ground)> {
        let record = &self.threads[thread];
        let live = record.live.as_ref()?;
        // Inside a store it may undo what that store made.
        if !live.spans.is_empty() {
            return None;
        }
        if let Some(&deleting) = live.deletes.last() {
            return Some((deleting, Ground::InDelete));
        }
        let owner = record.owner.filter(|owner| owner.rule == Rule::Own)?;
        let has_begun = self.entries[owner.entry].delete.is_some();
        has_begun.then_some((owner.entry, Ground::OwnedThread))
    }

    /// Whether a close for one entry has no business with the other: it is under another key, and
    /// no delete of it has begun, for which whoever closes might do so.
    fn are_strangers(&self, closed_for: Key<Entry>, owner: Key<Entry>) -> bool {
        let (this, other) = (&self.entries[closed_for], &self.entries[owner]);
        let is_same_key =
            (this.process, this.map, &this.key) == (other.process, other.map, &other.key);
        !is_same_key && other.delete.is_none() && !this.contested && !other.contested
    }

    /// Whether the table changed since then in a way that can't be followed.
    fn unsettled_since(&self, table: Key<Table>, time: BootTime) -> bool {
        let unsettled = self.tables[table].unsettled;
        unsettled.is_some_and(|(_, since)| since >= time)
    }

    /// The latest descriptor, from this one back, that had its number, was closed before a time
    /// and is as asked.
    fn former(
        &self,
        latest: Key<Descriptor>,
        at: BootTime,
        is_it: impl Fn(&Descriptor) -> bool,
    ) -> Option<Key<Descriptor>> {
        let mut place = Some(latest);
        for _ in 0..FORMER {
            let key = place?;
            let record = &self.descriptors[key];
            if is_it(record) && record.closed().is_some_and(|closed| closed.earliest <= at) {
                return Some(key);
            }
            place = self.before(key);
        }
        None
    }

    fn subject(&self, key: Key<Descriptor>) -> Option<Subject> {
        let record = self.descriptors.get(key)?;
        let description = &self.descriptions[record.description];
        Some(Subject {
            name: self.handle_name(key)?,
            kind: description.kind,
            target: description.known_as().cloned(),
            born: record.born,
            born_by: record.born_by,
            call: record.call,
            origin: record.origin,
        })
    }

    fn former_subject(&self, key: Key<Descriptor>) -> Option<Former> {
        let record = self.descriptors.get(key)?;
        let State::Closed { at, how, .. } = record.state else {
            return None;
        };
        Some(Former {
            handle: self.subject(key)?,
            closed: at,
            closed_by: record.closed_by,
            how,
        })
    }

    /// Counts a finding, and makes it unless it is one that is known already.
    fn found(
        &mut self,
        call: Call,
        kind: FindingKind,
        fd: Option<Fd>,
        limit: Option<Limit>,
        fact: impl FnOnce(&Self) -> Option<Fact>,
    ) {
        let record = &self.threads[call.thread];
        let (thread, comm) = (record.name, record.comm);
        let same = Same {
            thread,
            kind,
            fd: fd.filter(|_| kind.is_of_one_number()),
            limit,
        };
        if self.findings.repeats(&same, call.at) {
            return;
        }
        if let Some(fact) = fact(self) {
            let finding = Finding {
                number: 0,
                thread,
                comm,
                call: call.number,
                fact,
                count: 1,
                first: call.at,
                last: call.at,
                doubtful: false,
            };
            self.findings.add(same, finding);
        }
    }
}
