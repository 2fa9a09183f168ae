//! What the screens look at: the ledger with its verdicts, and what only screens want to know.

use super::{
    chronicle::Chronicle,
    history::{History, Sample},
    triage::Triage,
};
use crate::{
    event::{Batch, BootTime, What, id::Tgid, mark::Declared},
    ledger::{Ledger, LedgerRules, arena::Key, process::Process},
    pipeline::Pipeline,
    verdict::Judgement,
};

/// The observed world, as far as told. Pausing keeps a copy of it.
#[derive(Clone, Debug)]
pub struct World {
    pipeline: Pipeline,
    chronicle: Chronicle,
    history: History,
    /// What a target holds; a lab has none.
    triage: Option<Box<Triage>>,
    /// Events by kind, ever.
    kinds: [u64; KINDS.len()],
    /// What ended before this belongs to an earlier run, and is not shown.
    cleared: BootTime,
    live: Live,
    forgotten_at: BootTime,
    /// The judgements that fell with the last batch.
    fallen: Vec<Judgement>,
    /// Only the ledger took in what happened last.
    was_passed: bool,
}

/// Live resources of the run that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Threads.
    pub threads: u32,
    /// Open handles.
    pub handles: u32,
}

/// The kinds of event, as the performance view names them.
pub const KINDS: [&str; 7] = ["thread", "handle", "table", "wait", "mark", "scan", "gap"];

/// How often the waits of forgotten threads are swept away.
const SWEEP_NS: u64 = 10_000_000_000;

impl World {
    /// A world of which nothing is known.
    pub fn new(rules: LedgerRules) -> Self {
        Self {
            pipeline: Pipeline::new(rules),
            chronicle: Chronicle::default(),
            history: History::default(),
            triage: None,
            kinds: [0; KINDS.len()],
            cleared: BootTime(0),
            live: Live::default(),
            forgotten_at: BootTime(0),
            fallen: Vec::new(),
            was_passed: false,
        }
    }

    /// The same, of targets that are no lab: what they hold is counted by kind and pattern.
    pub fn of_targets(rules: LedgerRules) -> Self {
        Self {
            triage: Some(Box::default()),
            ..Self::new(rules)
        }
    }

    /// Takes in what happened long before what will be looked at: only the ledger needs it.
    pub fn pass(&mut self, batch: &Batch) {
        self.fallen = self.pipeline.take(batch);
        self.was_passed = true;
    }

    /// Looks at what came of what was passed.
    pub fn catch_up(&mut self) {
        if std::mem::take(&mut self.was_passed) {
            self.look_anew();
        }
    }

    /// Takes in what happened.
    pub fn take(&mut self, batch: &Batch) {
        self.catch_up();
        for event in &batch.events {
            let kind = match &event.what {
                What::Thread(_) => 0,
                What::Handle(_) => 1,
                What::Table(_) => 2,
                What::Wait(_) => 3,
                What::Mark(mark) => {
                    if mark.what == Declared::DeleteEnd {
                        self.history.deleted(event.at);
                    }
                    4
                }
                What::Scan(_) => 5,
                What::Gap(_) => 6,
                What::Targets(_) | What::Named(_) | What::Tick | What::End(_) => continue,
            };
            self.kinds[kind] += 1;
        }
        // One verdict more or less is the rows' affair: they ask the ledger for what stands.
        self.fallen = self.pipeline.take(batch);
        for event in &batch.events {
            self.chronicle.note(event, self.pipeline.ledger());
        }
        let now = self.ledger().now();
        if now.since_ns(self.forgotten_at) >= SWEEP_NS {
            self.forgotten_at = now;
            self.chronicle.forget(self.pipeline.ledger());
        }
        if let Some(triage) = &mut self.triage {
            triage.look(self.pipeline.ledger());
        }
        if self.history.is_due(now) {
            self.live = self.count();
            self.history.add(Sample {
                at: now,
                threads: self.live.threads,
                handles: self.live.handles,
            });
        }
    }

    /// Of the same kind, of which nothing is known.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let rules = self.ledger().rules();
        match self.triage {
            Some(_) => Self::of_targets(rules),
            None => Self::new(rules),
        }
    }

    /// Takes what a recording knows at a place for all that is known. What grows was not seen. How much of
    /// the past is kept from here on is not what the recorder kept.
    pub fn adopt(&mut self, known: Pipeline) {
        let rules = self.ledger().rules();
        self.pipeline = known.with_rules(rules);
        self.look_anew();
    }

    fn look_anew(&mut self) {
        if let Some(triage) = &mut self.triage {
            **triage = Triage::default();
            triage.look(self.pipeline.ledger());
        }
        self.live = self.count();
    }

    /// Takes note of a remark of the user's own.
    pub fn noted(&mut self, at: BootTime, text: &str) {
        self.chronicle.remark(at, text);
    }

    fn count(&self) -> Live {
        let ledger = self.ledger();
        let mut live = Live::default();
        for (key, _) in ledger.processes().filter(|(key, _)| self.shows(*key)) {
            live.threads += u32::try_from(ledger.threads_of(key).len()).unwrap_or(u32::MAX);
        }
        let tables = ledger
            .tables()
            .filter(|(_, table)| self.shows(table.process));
        live.handles = tables.map(|(_, table)| table.open).sum();
        live
    }

    /// What is known.
    pub fn ledger(&self) -> &Ledger {
        self.pipeline.ledger()
    }

    /// The ledger and its judge.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The judgements that fell with the last batch.
    pub fn fallen(&self) -> &[Judgement] {
        &self.fallen
    }

    /// What the ledger does not keep.
    pub fn chronicle(&self) -> &Chronicle {
        &self.chronicle
    }

    /// Live counts over time.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What targets hold, where they are no lab.
    pub fn triage(&self) -> Option<&Triage> {
        self.triage.as_deref()
    }

    /// Whether a mark ever came, or what it told of is known: stores and deletes are declared.
    pub fn declares_deletes(&self) -> bool {
        self.kinds[4] > 0 || self.ledger().entries().next().is_some()
    }

    /// How many processes live that are shown.
    pub fn live_processes(&self) -> usize {
        let live = super::triage::live_processes(self.ledger());
        live.filter(|(key, _)| self.shows(*key)).count()
    }

    /// Events by kind of [`KINDS`], ever.
    pub fn kinds(&self) -> &[u64; KINDS.len()] {
        &self.kinds
    }

    /// Live resources, counted with the last sample.
    pub fn live(&self) -> Live {
        self.live
    }

    /// Another run begins, whose process is `pid`: what there was before it is no longer shown.
    pub fn clear_but(&mut self, pid: u32) {
        let ledger = self.ledger();
        let process = ledger.process_by_tgid(Tgid(pid));
        let born = process
            .and_then(|key| ledger.process(key))
            .map(|process| process.born.latest);
        // Its birth is known to have been no later than this.
        self.cleared = BootTime(born.unwrap_or(ledger.now()).0.saturating_sub(1));
        self.history.clear();
        self.live = self.count();
    }

    /// When the run that is shown began; 0 = it is the first.
    pub fn cleared(&self) -> BootTime {
        self.cleared
    }

    /// Whether a process belongs to the run that is shown.
    pub fn shows(&self, process: Key<Process>) -> bool {
        self.cleared.0 == 0
            || self
                .ledger()
                .process(process)
                .is_some_and(|process| process.born.latest > self.cleared)
    }
}
