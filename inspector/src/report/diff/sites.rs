//! Sites: what made resources, and what became of these in each of two runs.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use super::Pair;
use crate::{
    event::{id::CallNumber, text::Text},
    pattern::pattern,
    verdict::{
        Judgement,
        evidence::Kind,
        growth::{Group, What},
        wording::CallWord,
    },
};

/// What the resources of a site have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteName {
    /// What they are.
    pub what: What,
    /// The pattern of their targets, or of their names; `None` = not known.
    pub target: Option<Text>,
    /// The number of the call that made them; `None` = not known, and for threads.
    pub call: Option<u16>,
}

/// What became of the resources of a site in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that were there before the run, or were inherited.
    pub found: u64,
    /// Born in it.
    pub births: u64,
    /// Ended by their program.
    pub deaths: u64,
    /// Born in it and not ended by their program: alive at the run's end, or at their process's. Of
    /// the processes that ended, the one that left most counts: more short processes are no leak.
    pub survivors: u64,
    /// How many there are of each verdict, by its first word.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Births less deaths of each process, and whether it ended, until all are counted.
    processes: BTreeMap<Option<(u32, u64)>, (i64, bool)>,
}

/// A site, and what became of it in both runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Which.
    pub name: SiteName,
    /// `None` = that run has no resource of it.
    pub of: Pair<Option<Tally>>,
}

impl SiteName {
    pub(super) fn of_group(group: &Group) -> Self {
        Self {
            what: group.name.what,
            target: group.name.target.clone(),
            call: group.name.call.map(|call| call.0),
        }
    }

    pub(super) fn of_judgement(judgement: &Judgement) -> Self {
        match &judgement.evidence.what {
            Kind::Thread(comm) => Self {
                what: What::Thread,
                target: Some(pattern(comm.bytes())),
                call: None,
            },
            Kind::Handle(kind, target) => Self {
                what: What::Handle(*kind),
                target: target.as_ref().map(|target| pattern(target.bytes())),
                call: judgement.evidence.born.call.map(|call| call.0),
            },
        }
    }
}

impl Display for SiteName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = self.what.word();
        f.write_str(word)?;
        // Where it says more than what they are: not of `socket socket`.
        match &self.target {
            Some(target) if target.bytes() != word.as_bytes() => write!(f, " {target}")?,
            _ => {}
        }
        match self.call {
            Some(call) => write!(f, " by {}", CallWord(CallNumber(call))),
            None => Ok(()),
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, group: &Group) {
        self.found += group.found;
        self.births += group.births;
        self.deaths += group.deaths;
        let process = group.name.process;
        let process = process.map(|process| (process.tgid.0, process.born.0));
        let (net, has_ended) = self.processes.entry(process).or_default();
        *net += group.net();
        *has_ended = group.has_ended();
    }

    /// Every group is counted.
    pub(super) fn finish(&mut self) {
        let mut most_left = 0;
        for (net, has_ended) in std::mem::take(&mut self.processes).into_values() {
            let left = u64::try_from(net).unwrap_or(0);
            if has_ended {
                most_left = left.max(most_left);
            } else {
                self.survivors += left;
            }
        }
        self.survivors += most_left;
    }

    /// How many there are of a verdict.
    pub fn count(&self, word: &str) -> u64 {
        self.verdicts.get(word).copied().unwrap_or(0)
    }
}

impl Site {
    /// A number of both; none where there is no resource.
    pub fn pair(&self, count: impl Fn(&Tally) -> u64) -> Pair<u64> {
        self.of.map(|tally| tally.as_ref().map_or(0, &count))
    }

    /// By how many its survivors became more.
    pub fn more_survivors(&self) -> i64 {
        self.pair(|tally| tally.survivors).more()
    }

    /// By how many the verdicts of one word became more.
    pub fn more_verdicts(&self, word: &str) -> i64 {
        self.pair(|tally| tally.count(word)).more()
    }

    /// Whether more survive than before, or more are retained.
    pub fn is_worse(&self) -> bool {
        self.more_survivors() > 0 || self.more_verdicts("retained") > 0
    }

    /// Whether fewer survive than before, or fewer are retained, and nothing is worse.
    pub fn is_better(&self) -> bool {
        !self.is_worse() && (self.more_survivors() < 0 || self.more_verdicts("retained") < 0)
    }

    /// Whether both runs have the same numbers of it.
    pub fn is_alike(&self) -> bool {
        self.of.a == self.of.b
    }

    /// Those that got worse first, the worst of them first; those that got better last.
    pub(super) fn order(&self) -> (bool, Reverse<i64>, SiteName) {
        let change = self.more_survivors().max(self.more_verdicts("retained"));
        let change = if self.is_better() {
            self.more_survivors().min(self.more_verdicts("retained"))
        } else {
            change
        };
        (!self.is_worse(), Reverse(change), self.name.clone())
    }
}

impl Pair<u64> {
    /// By how much B is more.
    pub fn more(&self) -> i64 {
        self.b.cast_signed().saturating_sub(self.a.cast_signed())
    }
}
