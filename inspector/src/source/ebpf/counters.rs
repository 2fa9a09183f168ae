//! What the kernel side produced and lost, read after every drain and told as gaps.

use std::fs;

use aya::{
    Ebpf,
    maps::{MapData, MapError, PerCpuArray},
};
use inspector_ebpf::abi::{
    loss::{Counters, full},
    record::{Header, kind},
};
use zerocopy::FromBytes as _;

use crate::{
    event::{
        BootTime, Gap,
        loss::{Count, DAMAGED, Layer},
    },
    source::probe_set::ProbeSet,
};

type Raw = [u8; size_of::<Counters>()];

/// The counters, what they said last, and what arrived.
pub(super) struct Ledgered {
    map: PerCpuArray<MapData, Raw>,
    /// By cpu.
    last: Vec<Counters>,
    /// By kind.
    received: [u64; kind::COUNT],
    /// Programs, the kind their records are of, and their skipped runs so far.
    missed: Vec<(&'static str, &'static str, u64)>,
}

/// Programs whose skipped runs lose records, and the kind lost. A skipped entry program only
/// makes a death count at its return; that stands in the record itself.
const RECORD_PROGRAMS: &[(&str, &str)] = &[
    ("exit_call", "call"),
    ("task_born", "born"),
    ("task_renamed", "renamed"),
    ("task_execed", "exec"),
    ("task_exiting", "exiting"),
    ("task_gone", "gone"),
    ("task_switched", "gone"),
    ("mark_passed", "mark"),
];

/// Programs without which something that died is taken to live, and the kind of their records.
const DEATH_PROGRAMS: &[(&str, &str)] = &[
    ("exit_call", "call"),
    ("task_execed", "exec"),
    ("task_gone", "gone"),
    ("task_switched", "gone"),
    ("mark_passed", "mark"),
];

/// The gaps, without an end, of those among them that should watch and don't.
pub(super) fn unwatched(probes: &ProbeSet, now: BootTime) -> Vec<Gap> {
    let silent = probes.silent();
    silent
        .filter_map(|probe| {
            let &(program, kind) = DEATH_PROGRAMS
                .iter()
                .find(|(name, _)| *name == probe.name)?;
            Some(Gap {
                layer: Layer::Unwatched(program),
                cpu: None,
                lost: vec![(kind, 0)],
                from: now,
                until: BootTime(u64::MAX),
            })
        })
        .collect()
}

/// The gap of so many records that could not be decoded, if there are any. What they would have
/// told is not known, their kind included: it may have been anybody's birth, death or mark.
pub(super) fn damaged(records: u64, from: BootTime, until: BootTime) -> Option<Gap> {
    (records > 0).then(|| Gap {
        layer: Layer::Damaged,
        cpu: None,
        lost: vec![(DAMAGED, records)],
        from: from.min(until),
        until,
    })
}

impl Ledgered {
    pub(super) fn new(map: PerCpuArray<MapData, Raw>) -> Self {
        Self {
            map,
            last: Vec::new(),
            received: [0; kind::COUNT],
            missed: RECORD_PROGRAMS
                .iter()
                .map(|&(program, kind)| (program, kind, 0))
                .collect(),
        }
    }

    /// Notes a record that arrived.
    pub(super) fn arrived(&mut self, header: &Header) {
        if let Some(count) = self.received.get_mut(usize::from(header.kind)) {
            *count += 1;
        }
    }

    /// Reads the counters and tells what was lost since the last time. `drained` is when the
    /// drain before this one began: what is lost now was lost after it.
    pub(super) fn gaps(
        &mut self,
        drained: BootTime,
        now: BootTime,
        out: &mut Vec<Gap>,
    ) -> Result<(), MapError> {
        let values = self.map.get(&0, 0)?;
        for (cpu, raw) in values.iter().enumerate() {
            let Ok(counters) = Counters::read_from_bytes(raw) else {
                continue;
            };
            if cpu >= self.last.len() {
                self.last
                    .push(zerocopy::transmute!([0_u8; size_of::<Counters>()]));
            }
            let last = std::mem::replace(&mut self.last[cpu], counters);
            let cpu_number = u16::try_from(cpu).ok();
            if counters.lost_total > last.lost_total {
                let lost = kind::NAMES
                    .iter()
                    .zip(counters.lost.iter().zip(&last.lost))
                    .filter(|(_, (now, before))| now > before)
                    .map(|(&name, (now, before))| (name, now - before))
                    .collect();
                let until = BootTime(counters.last_loss_ns);
                out.push(Gap {
                    layer: Layer::Ring,
                    cpu: cpu_number,
                    lost,
                    from: drained.min(until),
                    until,
                });
            }
            for (index, (&now_full, &before)) in counters.full.iter().zip(&last.full).enumerate() {
                if now_full > before {
                    let lost = vec![("update", now_full - before)];
                    let layer = Layer::Map(full::NAMES[index]);
                    out.push(Gap {
                        layer,
                        cpu: cpu_number,
                        lost,
                        from: drained,
                        until: now,
                    });
                }
            }
        }
        Ok(())
    }

    /// Asks the kernel how many runs it skipped (a program is not run inside itself), and tells
    /// what that lost since the last time.
    pub(super) fn missed_runs(
        &mut self,
        ebpf: &Ebpf,
        since: BootTime,
        now: BootTime,
        out: &mut Vec<Gap>,
    ) {
        for (program, kind, before) in &mut self.missed {
            let Some(misses) = ebpf.program(program).and_then(recursion_misses) else {
                continue;
            };
            if misses > *before {
                let lost = vec![(*kind, misses - *before)];
                out.push(Gap {
                    layer: Layer::Missed,
                    cpu: None,
                    lost,
                    from: since,
                    until: now,
                });
                *before = misses;
            }
        }
    }

    /// How each kind fared.
    pub(super) fn counts(&self) -> Vec<(&'static str, Count)> {
        (0..kind::COUNT)
            .map(|index| {
                let produced = self.last.iter().map(|cpu| cpu.produced[index]).sum();
                let lost = self.last.iter().map(|cpu| cpu.lost[index]).sum();
                let received = self.received[index];
                (
                    kind::NAMES[index],
                    Count {
                        produced,
                        received,
                        lost,
                    },
                )
            })
            .collect()
    }
}

/// `recursion_misses` of a program's fdinfo (Linux 5.12, upstream 9ed9e9ba2337).
fn recursion_misses(program: &aya::programs::Program) -> Option<u64> {
    use std::os::fd::{AsFd as _, AsRawFd as _};
    let fd = program.fd().ok()?;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_fd().as_raw_fd())).ok()?;
    info.lines()
        .find_map(|line| line.strip_prefix("recursion_misses:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Event, What},
        ledger::{Ledger, LedgerRules},
    };

    #[test]
    fn a_damaged_record_may_hide_anything() {
        assert_eq!(damaged(0, BootTime(1), BootTime(2)), None);
        let gap = damaged(3, BootTime(10), BootTime(20)).unwrap();
        assert_eq!((gap.layer, gap.total()), (Layer::Damaged, 3));
        assert_eq!((gap.from, gap.until), (BootTime(10), BootTime(20)));
        assert!(gap.hides_lives());
        let mut ledger = Ledger::new(LedgerRules::default());
        ledger.apply(&Event {
            at: gap.until,
            what: What::Gap(Box::new(gap)),
        });
        assert_eq!(ledger.losses().by_kind, [(DAMAGED, 3)]);
        assert!(ledger.marks_tainted(BootTime(20)));
        assert!(!ledger.marks_tainted(BootTime(21)));
    }
}
