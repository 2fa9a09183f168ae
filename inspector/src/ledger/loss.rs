//! What was lost, and which claims that taints.
//!
//! A lost `call` may hide a death or a birth of a handle, a lost `gone` the death of a thread, a
//! lost mark an `own`. A claim that something still lives is tainted by a gap that ended after
//! the last sign of its life, until a scan that began after the gap finds it alive.

use super::{
    Ledger, arena::Key, handle::Descriptor, resource::Change, table::Table, thread::Thread,
};
use crate::event::{
    Gap,
    id::BootTime,
    loss::{Layer, hides_nothing},
    name,
};

/// The gaps so far.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Losses {
    /// The latest gaps, oldest first.
    pub gaps: Vec<Gap>,
    /// Events lost, by kind.
    #[serde(with = "name::counts")]
    pub by_kind: Vec<(&'static str, u64)>,
    /// The same by the cpu that lost them as well, of every gap there was; `None` = not known.
    #[serde(with = "name::counts_by_cpu")]
    pub by_cpu: Vec<(Option<u16>, &'static str, u64)>,
    /// End of the last gap that may hide changes of tables.
    handles_until: Option<BootTime>,
    /// End of the last gap that may hide deaths of threads.
    threads_until: Option<BootTime>,
    /// End of the last gap that may hide marks.
    marks_until: Option<BootTime>,
}

/// How many gaps are kept one by one.
const KEPT: usize = 1024;

impl Losses {
    /// Events lost, all kinds together.
    pub fn total(&self) -> u64 {
        let counts = self.by_kind.iter().map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }
}

impl Ledger {
    pub(super) fn gap(&mut self, gap: &Gap) {
        if gap.total() > 0 {
            self.findings.doubt_since(gap.from);
        }
        let losses = &mut self.losses;
        for &(kind, count) in &gap.lost {
            match losses.by_kind.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None if count > 0 => losses.by_kind.push((kind, count)),
                None => {}
            }
            let same = |known: &&mut (Option<u16>, &'static str, u64)| {
                (known.0, known.1) == (gap.cpu, kind)
            };
            match losses.by_cpu.iter_mut().find(same) {
                Some((_, _, sum)) => *sum = sum.saturating_add(count),
                None if count > 0 => losses.by_cpu.push((gap.cpu, kind, count)),
                None => {}
            }
            if count == 0 && !matches!(gap.layer, Layer::Unwatched(_)) {
                continue;
            }
            let (handles, threads, marks) = match kind {
                "call" | "passed" | "table" | "unsettled" | "handle" => (true, false, false),
                "exiting" | "gone" => (false, true, false),
                "born" | "exec" => (true, true, false),
                "mark" => (false, false, true),
                _ if hides_nothing(kind) => (false, false, false),
                _ => (true, true, true),
            };
            let until = Some(gap.until);
            if handles {
                losses.handles_until = losses.handles_until.max(until);
            }
            if threads {
                losses.threads_until = losses.threads_until.max(until);
            }
            if marks {
                losses.marks_until = losses.marks_until.max(until);
            }
        }
        if losses.gaps.len() >= KEPT {
            losses.gaps.remove(0);
        }
        losses.gaps.push(gap.clone());
        self.changes.push(Change::Everything);
    }

    /// Whether a lost event may hide the handle's death.
    pub(crate) fn handle_tainted(&self, handle: Key<Descriptor>) -> bool {
        let Some(until) = self.losses.handles_until else {
            return false;
        };
        let record = &self.descriptors[handle];
        let settled = self.tables[record.table].settled.unwrap_or_default();
        until >= settled && until >= record.born.latest
    }

    /// Whether a lost event may hide births or deaths in the table since it was last settled.
    pub(crate) fn table_tainted(&self, table: Key<Table>) -> bool {
        let settled = self.tables[table].settled.unwrap_or_default();
        let until = self.losses.handles_until;
        until.is_some_and(|until| until >= settled)
    }

    /// Whether a lost event may hide the thread's death.
    pub(crate) fn thread_tainted(&self, thread: Key<Thread>) -> bool {
        let Some(until) = self.losses.threads_until else {
            return false;
        };
        let record = &self.threads[thread];
        let scanned = self.processes[record.process].scanned.unwrap_or_default();
        until >= scanned && until >= record.last_seen()
    }

    /// Whether a lost mark after `since` may have given the resource to another entry.
    pub(crate) fn marks_tainted(&self, since: BootTime) -> bool {
        self.losses.marks_until.is_some_and(|until| until >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Event, What},
        ledger::LedgerRules,
    };

    fn after(gaps: impl IntoIterator<Item = (Option<u16>, Vec<(&'static str, u64)>)>) -> Losses {
        let mut ledger = Ledger::new(LedgerRules::default());
        for (cpu, lost) in gaps {
            let gap = Gap {
                layer: Layer::Ring,
                cpu,
                lost,
                from: BootTime(1),
                until: BootTime(2),
            };
            ledger.apply(&Event {
                at: gap.until,
                what: What::Gap(Box::new(gap)),
            });
        }
        ledger.losses().clone()
    }

    #[test]
    fn losses_add_up_by_kind_and_by_cpu() {
        let losses = after([
            (Some(0), vec![("call", 3), ("born", 1)]),
            (Some(1), vec![("call", 5)]),
            (None, vec![("call", 7), ("gone", 0)]),
            (Some(0), vec![("call", 2)]),
        ]);
        assert_eq!(losses.by_kind, [("call", 17), ("born", 1)]);
        assert_eq!(
            losses.by_cpu,
            [
                (Some(0), "call", 5),
                (Some(0), "born", 1),
                (Some(1), "call", 5),
                (None, "call", 7),
            ]
        );
        assert_eq!(losses.total(), 18);
    }

    #[test]
    fn sums_outlive_the_gaps_that_are_kept() {
        let gaps = 3 * KEPT;
        let losses = after((0..gaps).map(|_| (Some(9), vec![("mark", 2)])));
        assert_eq!(losses.gaps.len(), KEPT);
        assert_eq!(losses.by_cpu, [(Some(9), "mark", 2 * gaps as u64)]);
    }
}
