//! What a scenario must produce, as data, and whether it did.

use super::{
    detection::{Life, Said, When},
    oracle::HandleSort,
};

/// A kind of resource, as the oracle sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A thread.
    Thread,
    /// A handle of this sort.
    Handle(HandleSort),
}

/// What must become of one role's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    /// The kind.
    pub resource: Resource,
    /// What it is to the entry, in a word.
    pub role: &'static str,
    /// How many each key has.
    pub per_key: usize,
    /// The verdicts that are right; any one of them will do.
    pub allowed: &'static [Allowed],
}

/// A verdict that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Gone before the delete began.
    GoneBefore,
    /// Gone between its begin and its end.
    GoneDuring,
    /// Gone at most this long after its end.
    GoneAfter {
        /// Milliseconds.
        at_most_ms: u32,
    },
    /// Gone after the grace.
    Late,
    /// Still there.
    Retained,
    /// Still there and running. Met also where detection cannot tell whether it runs.
    RetainedActive,
    /// Still there, in one uninterrupted wait. Met also where detection cannot tell.
    RetainedParked,
}

/// Stopped and waited for: gone when the delete ends. A joined thread tells its joiner a moment
/// before the kernel is done with it, so its last step may fall just behind the delete's end.
pub const WAITED_FOR: &[Allowed] = &[
    Allowed::GoneBefore,
    Allowed::GoneDuring,
    Allowed::GoneAfter { at_most_ms: 50 },
];

/// Closed by the delete itself, before it returns.
pub const CLOSED_BY_THE_DELETE: &[Allowed] = &[Allowed::GoneDuring];

/// What became of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The key.
    pub key: String,
    /// The kind.
    pub resource: Resource,
    /// The verdict; `None` = there was none.
    pub said: Option<Said>,
}

/// What was not as expected, one line each; empty = all was.
pub fn unmet(expected: &[Expect], keys: &[String], outcomes: &[Outcome]) -> Vec<String> {
    let mut unmet = Vec::new();
    for key in keys {
        let of_key = || outcomes.iter().filter(|outcome| outcome.key == *key);
        for expect in expected {
            let mut count = 0;
            for outcome in of_key().filter(|outcome| outcome.resource == expect.resource) {
                count += 1;
                if !expect
                    .allowed
                    .iter()
                    .any(|allowed| allowed.is_met(outcome.said))
                {
                    unmet.push(format!(
                        "{key}: its {} ({}) should be {}, but is {}",
                        expect.role,
                        expect.resource.word(),
                        either(expect.allowed),
                        outcome
                            .said
                            .map_or_else(|| "without a verdict".to_owned(), words)
                    ));
                }
            }
            if count != expect.per_key {
                unmet.push(format!(
                    "{key}: should own {} {} ({}), but owns {count}",
                    expect.per_key,
                    expect.resource.word(),
                    expect.role
                ));
            }
        }
        for outcome in of_key() {
            if !expected
                .iter()
                .any(|expect| expect.resource == outcome.resource)
            {
                unmet.push(format!("{key}: should own no {}", outcome.resource.word()));
            }
        }
    }
    unmet
}

impl Resource {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Handle(sort) => sort.word(),
        }
    }
}

impl Allowed {
    /// Whether a verdict is this one, or, where it only gives an interval, may be.
    fn is_met(self, said: Option<Said>) -> bool {
        let Some(said) = said else { return false };
        match (self, said) {
            (Self::GoneBefore, Said::Gone { earliest, .. }) => earliest == When::Before,
            (Self::GoneDuring, Said::Gone { earliest, latest }) => {
                earliest <= When::During && latest >= When::During
            }
            (Self::GoneAfter { at_most_ms }, Said::Gone { earliest, latest }) => {
                let most = When::After {
                    ns: u64::from(at_most_ms) * 1_000_000,
                };
                earliest <= most && latest > When::During
            }
            (Self::Late, Said::Late) | (Self::Retained, Said::Retained { .. }) => true,
            (Self::RetainedActive, Said::Retained { life }) => life != Some(Life::Parked),
            (Self::RetainedParked, Said::Retained { life }) => life != Some(Life::Active),
            _ => false,
        }
    }

    /// In words, for the catalogue.
    pub fn words(self) -> String {
        match self {
            Self::GoneBefore => "gone before the delete".to_owned(),
            Self::GoneDuring => "gone during the delete".to_owned(),
            Self::GoneAfter { at_most_ms } => format!("gone at most {at_most_ms} ms after it"),
            Self::Late => "late".to_owned(),
            Self::Retained => "retained".to_owned(),
            Self::RetainedActive => "retained (active)".to_owned(),
            Self::RetainedParked => "retained (parked)".to_owned(),
        }
    }
}

/// A list of allowed verdicts in words.
pub fn either(allowed: &[Allowed]) -> String {
    let words: Vec<_> = allowed.iter().map(|allowed| allowed.words()).collect();
    words.join(" or ")
}

fn words(said: Said) -> String {
    match said {
        Said::Pending => "pending".to_owned(),
        Said::Gone { latest, .. } => match latest {
            When::Before => "gone before the delete".to_owned(),
            When::During => "gone during the delete".to_owned(),
            When::After { ns } => format!(
                "gone {}.{:03} ms after it",
                ns / 1_000_000,
                ns / 1000 % 1000
            ),
        },
        Said::Late => "late".to_owned(),
        Said::Retained { life: None } => "retained".to_owned(),
        Said::Retained {
            life: Some(Life::Active),
        } => "retained (active)".to_owned(),
        Said::Retained {
            life: Some(Life::Parked),
        } => "retained (parked)".to_owned(),
        Said::Reassigned => "reassigned".to_owned(),
        Said::Unknown => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMER: Resource = Resource::Handle(HandleSort::Timerfd);
    const EXPECTED: &[Expect] = &[
        Expect {
            resource: Resource::Thread,
            role: "worker",
            per_key: 1,
            allowed: &[Allowed::RetainedActive],
        },
        Expect {
            resource: TIMER,
            role: "timer",
            per_key: 1,
            allowed: WAITED_FOR,
        },
    ];

    fn check(outcomes: &[(Resource, Option<Said>)]) -> Vec<String> {
        let outcomes: Vec<_> = outcomes
            .iter()
            .map(|&(resource, said)| Outcome {
                key: "k".to_owned(),
                resource,
                said,
            })
            .collect();
        unmet(EXPECTED, &["k".to_owned()], &outcomes)
    }

    fn gone(earliest: When, latest: When) -> Option<Said> {
        Some(Said::Gone { earliest, latest })
    }

    fn retained(life: Option<Life>) -> (Resource, Option<Said>) {
        (Resource::Thread, Some(Said::Retained { life }))
    }

    #[test]
    fn met() {
        let after = When::After { ns: 50_000_000 };
        for (life, timer) in [
            (Some(Life::Active), gone(When::During, When::During)),
            (None, gone(When::Before, When::Before)),
            (None, gone(after, after)),
            (None, gone(When::Before, When::After { ns: u64::MAX })),
        ] {
            assert_eq!(check(&[retained(life), (TIMER, timer)]), [""; 0]);
        }
    }

    #[test]
    fn each_kind_of_failure_is_said() {
        let during = (TIMER, gone(When::During, When::During));
        let late = When::After { ns: 50_000_001 };
        for (outcomes, expected) in [
            (
                vec![retained(Some(Life::Parked)), during],
                "k: its worker (thread) should be retained (active), but is retained (parked)",
            ),
            (
                vec![retained(None), (TIMER, gone(late, late))],
                "k: its timer (timerfd) should be gone before the delete or gone during the delete or gone at most 50 ms after it, but is gone 50.000 ms after it",
            ),
            (
                vec![(Resource::Thread, None), during],
                "k: its worker (thread) should be retained (active), but is without a verdict",
            ),
            (vec![during], "k: should own 1 thread (worker), but owns 0"),
            (
                vec![
                    retained(None),
                    during,
                    (Resource::Handle(HandleSort::Pipe), None),
                ],
                "k: should own no pipe",
            ),
        ] {
            assert_eq!(check(&outcomes), [expected]);
        }
        assert_eq!(check(&[]).len(), 2, "a key that owns nothing is no success");
    }
}
