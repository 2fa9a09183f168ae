//! What works on this machine, what each lack costs, and the command that mends it.
//!
//! [`facts`] reads, [`trial`] tries, [`check`] judges, [`mod@print`] says it.

use std::path::Path;

use crate::source::{ebpf::refusal::LoadError, probe_set::ProbeSet};

pub mod check;
pub mod facts;
pub mod print;
pub mod trial;

use check::{Check, State};
use facts::Facts;
use trial::Trials;

/// An examination.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was read.
    pub facts: Facts,
    /// What was tried.
    pub trials: Trials,
    /// What both mean, in the order they are shown.
    pub checks: Vec<Check>,
    /// How each program fared, where they could be loaded.
    pub probes: Option<ProbeSet>,
    /// Why not, where they could not.
    pub refused: Option<String>,
}

impl Report {
    /// Examines the running system; `loaded` is what came of loading the programs.
    pub fn examine(loaded: Result<ProbeSet, LoadError>) -> Self {
        let (probes, refused) = match loaded {
            Ok(probes) => (Some(probes), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self {
            refused,
            ..Self::new(Facts::read(Path::new("/")), Trials::run(), probes)
        }
    }

    /// Judges facts and trials.
    pub fn new(facts: Facts, trials: Trials, probes: Option<ProbeSet>) -> Self {
        Self {
            checks: check::all(&facts, &trials),
            facts,
            trials,
            probes,
            refused: None,
        }
    }

    /// Whether every probe can work here.
    pub fn ok(&self) -> bool {
        let checks = self.checks.iter().all(|check| check.state != State::Lack);
        let programs = self.probes.iter().flat_map(|set| &set.probes);
        checks
            && self.refused.is_none()
            && programs
                .into_iter()
                .all(|probe| probe.state.why().is_none())
    }
}

#[cfg(test)]
mod tests;
