//! Two runs compared, before and after a change: site by site, delete by delete.
//!
//! A site is what made a resource, as far as both runs can tell it: its kind, the pattern of its
//! target (or of a thread's name) and the call that opened it. Processes are put together, because
//! their numbers are others in every run.

pub mod json;
pub mod latency;
mod rate;
pub mod sites;
pub mod text;

use std::collections::BTreeMap;

use self::{
    latency::Latencies,
    sites::{Site, SiteName, Tally},
};
use crate::{
    event::text::Text,
    ledger::entry::Removal,
    pipeline::Pipeline,
    verdict::{Judgement, growth::Growth},
};

/// A run: what is known at its end.
#[derive(Debug)]
pub struct Side<'a> {
    /// What it is of, for people; it is escaped already.
    pub name: String,
    /// How long it was.
    pub length_ns: u64,
    /// How many events are in it.
    pub events: u64,
    /// The ledger and the verdicts.
    pub pipeline: &'a Pipeline,
    /// The groups.
    pub growth: &'a Growth,
}

/// A value of the run before, A, and one of the run after, B.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair<T> {
    /// Of the run before.
    pub a: T,
    /// Of the run after.
    pub b: T,
}

/// What two runs differ in.
#[derive(Clone, Debug)]
pub struct Diff {
    /// What they are of.
    pub names: Pair<String>,
    /// How long they were.
    pub lengths_ns: Pair<u64>,
    /// How many events are in them.
    pub events: Pair<u64>,
    /// What can't be compared, and why: sentences without their end.
    pub not_comparable: Vec<String>,
    /// Every site of either, those that got worse first, and of these the worst.
    pub sites: Vec<Site>,
    /// All deletes.
    pub deletes: Pair<Deletes>,
    /// The same by the policies that the deletes name; `None` = those that name none.
    pub policies: BTreeMap<Option<Text>, Pair<Deletes>>,
}

/// How the deletes of a run fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletes {
    /// How many resources there are of each verdict, by its first word.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// How long after their deletes' ends the resources went.
    pub latencies: Latencies,
}

/// Beyond this ratio of their lengths, two runs' counts differ for that alone.
const LONGER: f64 = 1.1;

impl Diff {
    /// Compares two runs. What can't be compared is the caller's to say.
    pub fn of(sides: &Pair<Side<'_>>, not_comparable: Vec<String>) -> Self {
        let mut tallies: BTreeMap<SiteName, Pair<Option<Tally>>> = BTreeMap::new();
        let mut diff = Self {
            names: sides.map(|side| side.name.clone()),
            lengths_ns: sides.map(|side| side.length_ns),
            events: sides.map(|side| side.events),
            not_comparable,
            sites: Vec::new(),
            deletes: Pair::default(),
            policies: BTreeMap::new(),
        };
        for is_b in [false, true] {
            let side = sides.of(is_b);
            for group in side.growth.groups() {
                let site = tallies.entry(SiteName::of_group(group)).or_default();
                site.of_mut(is_b).get_or_insert_default().add(group);
            }
            for judgement in side.pipeline.judgements() {
                let site = tallies.entry(SiteName::of_judgement(&judgement));
                let tally = site.or_default().of_mut(is_b).get_or_insert_default();
                *tally.verdicts.entry(judgement.verdict.word()).or_default() += 1;
                diff.deletes.of_mut(is_b).add(&judgement);
                let policy = diff.policies.entry(policy(&judgement)).or_default();
                policy.of_mut(is_b).add(&judgement);
            }
        }
        for site in tallies.values_mut() {
            for tally in [&mut site.a, &mut site.b].into_iter().flatten() {
                tally.finish();
            }
        }
        diff.sites = tallies
            .into_iter()
            .map(|(name, of)| Site { name, of })
            .collect();
        diff.sites.sort_by_key(Site::order);
        for deletes in diff.policies.values_mut().chain([&mut diff.deletes]) {
            deletes.a.latencies.sort();
            deletes.b.latencies.sort();
        }
        diff
    }

    /// How many times as long the longer one is, and whether that is B. `None` = they are as good as
    /// equally long.
    pub fn longer(&self) -> Option<(f64, bool)> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more")]
        let Pair { a, b } = self.lengths_ns.map(|length| (*length).max(1) as f64);
        let times = a.max(b) / a.min(b);
        (times > LONGER).then_some((times, b > a))
    }

    /// The sites that got worse, the worst first.
    pub fn worse(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| site.is_worse())
    }

    /// The sites that got better, the best first.
    pub fn better(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().rev().filter(|site| site.is_better())
    }
}

impl Deletes {
    fn add(&mut self, judgement: &Judgement) {
        let verdict = &judgement.verdict;
        *self.verdicts.entry(verdict.word()).or_default() += 1;
        self.latencies.add(verdict);
    }

    /// How many there are of a verdict.
    pub fn count(&self, word: &str) -> u64 {
        self.verdicts.get(word).copied().unwrap_or(0)
    }
}

impl<T> Pair<T> {
    fn map<U>(&self, make: impl Fn(&T) -> U) -> Pair<U> {
        Pair {
            a: make(&self.a),
            b: make(&self.b),
        }
    }

    fn of(&self, is_b: bool) -> &T {
        if is_b { &self.b } else { &self.a }
    }

    fn of_mut(&mut self, is_b: bool) -> &mut T {
        if is_b { &mut self.b } else { &mut self.a }
    }
}

/// The policy that a delete names.
fn policy(judgement: &Judgement) -> Option<Text> {
    match &judgement.evidence.delete.as_ref()?.how {
        Removal::Deleted { policy } => policy.clone(),
        Removal::Overwritten => Some(Text::from(&b"overwritten"[..])),
    }
}
