//! The block that is being filled: rows, and what they come to.

use crate::{
    event::{Batch, BootTime, Event, Gap, What, loss::Layer, mark::Declared},
    trace::{block::Digest, field::Context, row},
    verdict::Judgement,
};

/// The rows so far.
#[derive(Debug, Default)]
pub(super) struct OpenBlock {
    rows: Vec<u8>,
    context: Context,
    digest: Digest,
    kinds: [u32; row::KINDS.len()],
}

/// A block that is full.
#[derive(Debug)]
pub(super) struct ClosedBlock {
    pub(super) rows: Vec<u8>,
    pub(super) digest: Digest,
    /// Events by [`row::KINDS`].
    kinds: [u32; row::KINDS.len()],
}

impl OpenBlock {
    pub(super) fn take(&mut self, batch: &Batch, fallen: &[Judgement]) {
        for event in &batch.events {
            self.add(event);
        }
        let is_bad = |one: &&Judgement| one.verdict.is_bad();
        let bad = fallen.iter().filter(is_bad).count();
        self.digest.bad_verdicts += u32::try_from(bad).unwrap_or(u32::MAX);
    }

    fn add(&mut self, event: &Event) {
        let digest = &mut self.digest;
        if digest.events == 0 {
            digest.min_ns = event.at.0;
            digest.max_ns = event.at.0;
        }
        digest.events += 1;
        digest.min_ns = digest.min_ns.min(event.at.0);
        digest.max_ns = digest.max_ns.max(event.at.0);
        match &event.what {
            What::Mark(mark) if mark.what == Declared::DeleteEnd => digest.deletes += 1,
            What::Gap(gap) => {
                let lost = u32::try_from(gap.total()).unwrap_or(u32::MAX);
                digest.lost = digest.lost.saturating_add(lost);
            }
            _ => {}
        }
        self.kinds[row::kind(&event.what)] += 1;
        row::put(event, &mut self.context, &mut self.rows);
    }

    pub(super) fn events(&self) -> u32 {
        self.digest.events
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.len()
    }

    /// From its first event until now.
    pub(super) fn age_ns(&self, now: BootTime) -> u64 {
        now.since_ns(BootTime(self.digest.min_ns))
    }

    /// What it holds, with so much that lives at its end. The next one is empty.
    pub(super) fn close(&mut self, threads: u32, handles: u32) -> ClosedBlock {
        let Self {
            rows,
            digest,
            kinds,
            ..
        } = std::mem::take(self);
        // The next one is likely to be as long.
        self.rows.reserve(rows.len());
        ClosedBlock {
            rows,
            digest: Digest {
                threads,
                handles,
                ..digest
            },
            kinds,
        }
    }
}

impl ClosedBlock {
    /// What its loss is.
    pub(super) fn as_lost(&self) -> Gap {
        let counted = row::KINDS.iter().zip(self.kinds);
        let lost = counted.filter(|(_, count)| *count > 0);
        Gap {
            layer: Layer::Recorder,
            cpu: None,
            lost: lost
                .map(|((_, name), count)| (*name, u64::from(count)))
                .collect(),
            from: BootTime(self.digest.min_ns),
            until: BootTime(self.digest.max_ns),
        }
    }
}
