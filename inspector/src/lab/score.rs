//! Detection's claims against the oracle's truth, in numbers.
//!
//! Positive = not released at the delete's end + grace. `retained` and `late` say positive,
//! `gone` says negative. What says neither (`unknown`, `pending`, `reassigned`, or no verdict at
//! all) counts against recall, whatever the truth is; `retained` for what was released, or for
//! what never was the key's, counts against precision. Fewer keys than stated is a failure, and
//! so is a truth that the oracle's own readings leave undecided.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    detection::{Claim, Named, Said},
    oracle::Truth,
};

/// Whose a resource is: a key and which store of it; `None` where only the resource is known to
/// be some key's (a burst).
pub type Owner = Option<(Vec<u8>, u32)>;

/// What the oracle knows of one resource of a deleted entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whose.
    pub owner: Owner,
    /// The resource.
    pub resource: Named,
    /// What became of it.
    pub truth: Truth,
}

/// The score of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Said retained, was.
    pub tp: u64,
    /// Said retained, was not.
    pub fp: u64,
    /// Said gone, was not.
    #[serde(rename = "fn")]
    pub fn_: u64,
    /// Said gone, was.
    pub tn: u64,
    /// Said neither.
    pub unknown: u64,
    /// Resources the oracle knows.
    pub n: u64,
    /// Keys stored and deleted.
    pub keys: u64,
    /// Keys there should have been.
    pub keys_stated: u64,
    /// Resources of which the oracle itself cannot tell.
    pub undecided: u64,
}

impl Score {
    /// Of all that was said retained, how much was; 1 where nothing was said.
    pub fn precision(&self) -> f64 {
        ratio(self.tp, self.tp + self.fp)
    }

    /// Of all that was retained or not answered, how much was said; 1 where there was nothing.
    pub fn recall(&self) -> f64 {
        ratio(self.tp, self.tp + self.fn_ + self.unknown)
    }

    /// Whether nothing was wrong, left open or left out.
    pub fn is_perfect(&self) -> bool {
        self.fp == 0
            && self.fn_ == 0
            && self.unknown == 0
            && self.undecided == 0
            && self.n > 0
            && self.keys >= self.keys_stated
    }
}

/// Scores the last claim about each resource.
pub fn score(known: &[Known], claims: &[Claim], keys: u64, keys_stated: u64) -> Score {
    let mut score = Score {
        n: known.len() as u64,
        keys,
        keys_stated,
        ..Score::default()
    };
    let mut said = Claims::new(claims);
    for known in known {
        let said = said.take(known);
        match (said, known.truth) {
            (_, Truth::Undecided) => score.undecided += 1,
            (Some(Said::Retained { .. } | Said::Late), Truth::Retained) => score.tp += 1,
            (Some(Said::Retained { .. } | Said::Late), Truth::Released) => score.fp += 1,
            (Some(Said::Gone { .. }), Truth::Retained) => score.fn_ += 1,
            (Some(Said::Gone { .. }), Truth::Released) => score.tn += 1,
            (Some(Said::Pending | Said::Reassigned | Said::Unknown) | None, _) => {
                score.unknown += 1;
            }
        }
    }
    score.fp += said.strays();
    score
}

/// The last claim of each resource, by owner and number.
struct Claims {
    last: HashMap<(Owner, Named), Said>,
    loose: HashMap<Named, (Owner, Said)>,
}

impl Claims {
    fn new(claims: &[Claim]) -> Self {
        let mut last = HashMap::new();
        let mut loose = HashMap::new();
        for claim in claims {
            let owner = Some((claim.key.clone(), claim.generation));
            last.insert((owner.clone(), claim.resource), claim.said);
            loose.insert(claim.resource, (owner, claim.said));
        }
        Self { last, loose }
    }

    fn take(&mut self, known: &Known) -> Option<Said> {
        if known.owner.is_some() {
            return self.last.remove(&(known.owner.clone(), known.resource));
        }
        let (owner, said) = self.loose.remove(&known.resource)?;
        self.last.remove(&(owner, known.resource));
        Some(said)
    }

    /// Resources said retained of which the oracle knows nothing, or not as that key's.
    fn strays(&self) -> u64 {
        let positive = |said: &&Said| matches!(said, Said::Retained { .. } | Said::Late);
        self.last.values().filter(positive).count() as u64
    }
}

/// Counts here are far below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of one run are far below 2^53"
)]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::detection::When;

    const GONE: Said = Said::Gone {
        earliest: When::During,
        latest: When::During,
    };
    const RETAINED: Said = Said::Retained { life: None };

    /// Keys 0..n with one thread and one handle each, all with the same truth.
    fn known(n: u32, truth: Truth) -> Vec<Known> {
        (0..n)
            .flat_map(|key| {
                [
                    Named::Thread { tid: 100 + key },
                    Named::Handle { fd: 10 + key },
                ]
                .map(|resource| Known {
                    owner: Some((vec![key.to_le_bytes()[0]], 1)),
                    resource,
                    truth,
                })
            })
            .collect()
    }

    fn claims(known: &[Known], said: Said) -> Vec<Claim> {
        known
            .iter()
            .map(|known| {
                let (key, generation) = known.owner.clone().unwrap();
                Claim {
                    key,
                    generation,
                    resource: known.resource,
                    said,
                }
            })
            .collect()
    }

    #[test]
    fn all_right_is_one_and_one() {
        for (truth, said) in [(Truth::Retained, RETAINED), (Truth::Released, GONE)] {
            let known = known(100, truth);
            let score = score(&known, &claims(&known, said), 100, 100);
            assert!(score.is_perfect());
            assert_eq!((score.precision(), score.recall()), (1.0, 1.0));
            assert_eq!(score.tp + score.tn, 200);
        }
    }

    #[test]
    fn late_means_it_was_there_at_the_end_of_the_grace() {
        let known = known(1, Truth::Retained);
        assert_eq!(score(&known, &claims(&known, Said::Late), 1, 1).tp, 2);
    }

    #[test]
    fn dropped_verdicts_lower_recall() {
        for (truth, said) in [(Truth::Retained, RETAINED), (Truth::Released, GONE)] {
            let known = known(100, truth);
            let mut claims = claims(&known, said);
            claims.truncate(199);
            let score = score(&known, &claims, 100, 100);
            assert_eq!(score.unknown, 1);
            assert!(score.recall() < 1.0, "{said:?}");
            assert!(!score.is_perfect());
        }
    }

    #[test]
    fn no_answer_lowers_recall_whatever_the_truth() {
        for truth in [Truth::Retained, Truth::Released] {
            for said in [Said::Unknown, Said::Pending, Said::Reassigned] {
                let known = known(10, truth);
                let score = score(&known, &claims(&known, said), 10, 10);
                assert_eq!((score.unknown, score.recall()), (20, 0.0));
            }
        }
    }

    #[test]
    fn an_overlooked_leak_lowers_recall() {
        let known = known(10, Truth::Retained);
        let mut claims = claims(&known, RETAINED);
        claims[3].said = GONE;
        let score = score(&known, &claims, 10, 10);
        assert_eq!((score.fn_, score.tp), (1, 19));
        assert!((score.recall() - 0.95).abs() < 1e-9);
    }

    #[test]
    fn a_false_alarm_lowers_precision() {
        let known = known(10, Truth::Released);
        let mut claims = claims(&known, GONE);
        claims[3].said = RETAINED;
        let score = score(&known, &claims, 10, 10);
        assert_eq!((score.fp, score.precision()), (1, 0.0));
    }

    #[test]
    fn a_leak_pinned_on_the_wrong_key_is_wrong_twice() {
        let known = known(10, Truth::Retained);
        let mut claims = claims(&known, RETAINED);
        claims[0].key = vec![99];
        let score = score(&known, &claims, 10, 10);
        assert_eq!((score.unknown, score.fp), (1, 1));
        assert!(score.precision() < 1.0 && score.recall() < 1.0);
    }

    #[test]
    fn a_second_generation_is_another_entry() {
        let known = known(1, Truth::Retained);
        let mut claims = claims(&known, RETAINED);
        claims[0].generation = 2;
        assert_eq!(score(&known, &claims, 1, 1).unknown, 1);
    }

    #[test]
    fn the_last_claim_counts() {
        let known = known(1, Truth::Released);
        let mut all = claims(&known, Said::Pending);
        all.extend(claims(&known, GONE));
        assert!(score(&known, &all, 1, 1).is_perfect());
    }

    #[test]
    fn too_few_keys_or_nothing_at_all_is_a_failure() {
        let known = known(10, Truth::Released);
        let claims = claims(&known, GONE);
        assert!(!score(&known, &claims, 10, 11).is_perfect());
        assert!(!score(&[], &[], 0, 0).is_perfect());
    }

    #[test]
    fn an_undecided_truth_is_a_failure_and_no_point() {
        let known = known(1, Truth::Undecided);
        let score = score(&known, &claims(&known, GONE), 1, 1);
        assert_eq!((score.undecided, score.tn), (2, 0));
        assert!(!score.is_perfect());
    }

    #[test]
    fn in_a_burst_the_resource_alone_counts() {
        let mut known = known(3, Truth::Retained);
        let claims = claims(&known, RETAINED);
        for known in &mut known {
            known.owner = None;
        }
        let score = score(&known, &claims, 3, 3);
        assert!(score.is_perfect());
        assert_eq!(score.tp, 6);
    }
}
