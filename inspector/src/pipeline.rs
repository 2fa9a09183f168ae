//! The one loop every command uses: apply each event, then ask for the verdicts that fell.

#![forbid(unsafe_code)]

use crate::{
    event::Batch,
    ledger::{Ledger, LedgerRules, resource::Change},
    verdict::{Judge, Judgement, delete, judge},
};

/// A ledger and its judge.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Pipeline {
    ledger: Ledger,
    judge: Judge,
    changes: Vec<Change>,
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(rules: LedgerRules) -> Self {
        Self {
            ledger: Ledger::new(rules),
            judge: Judge::new(),
            changes: Vec::new(),
        }
    }

    /// Applies a batch. Returns each judgement that fell or changed with it.
    pub fn take(&mut self, batch: &Batch) -> Vec<Judgement> {
        let mut fallen = Vec::new();
        for event in &batch.events {
            self.ledger.apply(event);
            // A verdict falls with what shows it: batches are cut anywhere, and a recording
            // replayed in other batches gives the same verdicts.
            if self.ledger.has_changes() || matches!(event.what, crate::event::What::Tick) {
                self.ledger.take_changes(&mut self.changes);
                self.judge.judge(&self.ledger, &self.changes, &mut fallen);
            }
        }
        fallen
    }

    /// The same, but for the past beyond the latest `kept` of each: the dead that no entry owns,
    /// deleted entries whose resources all went in time, and those of which some did not.
    #[must_use]
    pub fn without_old_dead(mut self, kept: usize) -> Self {
        self.ledger.forget_settled(kept, delete::is_any_amiss);
        self.ledger.forget_unowned(kept);
        self.ledger.take_changes(&mut self.changes);
        // Whoever is forgotten has no verdict that could still change.
        self.judge
            .judge(&self.ledger, &self.changes, &mut Vec::new());
        self
    }

    /// The same, judged by other rules from now on.
    #[must_use]
    pub fn with_rules(mut self, rules: LedgerRules) -> Self {
        self.ledger.set_rules(rules);
        self
    }

    /// Whether its parts fit together, so that any events may follow: what was read from a file
    /// may say anything.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn check_sound(&self) -> Result<(), &'static str> {
        if !self.judge.is_sound() {
            return Err("the verdicts are not counted right");
        }
        self.ledger.check_sound()
    }

    /// What is known.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Every judgement that stands now, pending ones included.
    pub fn judgements(&self) -> impl Iterator<Item = Judgement> {
        judge::standing(&self.ledger)
    }
}

#[cfg(test)]
pub(crate) mod story;
