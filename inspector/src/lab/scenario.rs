//! The catalogue: named settings with the verdicts they must produce. A scenario is one file
//! below and one row here.

mod accept_then_store;
mod bare_delete;
mod owner_map;
mod signal_no_wait;
mod unclosed_value;

use super::{
    entry::{Born, EntryKind, Hold},
    expect::Expect,
    policy::Policy,
};

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub point: &'static str,
    /// Whether `inspector` plays it unasked.
    pub shown: bool,
    /// Its variants, the leaky one first.
    pub variants: &'static [Variant],
}

/// One way to play it.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Which.
    pub which: Which,
    /// What each key owns.
    pub entry: EntryKind,
    /// How its value holds that.
    pub hold: Hold,
    /// Where that is born.
    pub born: Born,
    /// How keys are deleted.
    pub policy: Policy,
    /// What must become of it.
    pub expect: &'static [Expect],
    /// How long a delete may take at most, in milliseconds, if that is the point.
    pub delete_at_most_ms: Option<u32>,
}

/// As the article warns, or as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// As the article warns.
    Leaky,
    /// As it should be.
    Fixed,
}

impl Which {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leaky => "leaky",
            Self::Fixed => "fixed",
        }
    }
}

/// All of them.
pub const ALL: [&Scenario; 5] = [
    &bare_delete::SCENARIO,
    &unclosed_value::SCENARIO,
    &signal_no_wait::SCENARIO,
    &owner_map::SCENARIO,
    &accept_then_store::SCENARIO,
];

/// The one of this name.
pub fn by_name(name: &str) -> Option<&'static Scenario> {
    ALL.into_iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::lab::expect::Resource;

    #[test]
    fn names_are_unique_and_found() {
        let names: HashSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            assert_eq!(by_name(name).unwrap().name, name);
        }
        assert!(by_name("no-such-scenario").is_none());
        let shown = ALL.iter().filter(|scenario| scenario.shown);
        assert_eq!(
            shown.map(|scenario| scenario.name).collect::<Vec<_>>(),
            [
                "bare-delete",
                "unclosed-value",
                "signal-no-wait",
                "owner-map"
            ]
        );
    }

    #[test]
    fn every_variant_expects_something_of_everything_it_owns() {
        for scenario in ALL {
            assert!(!scenario.variants.is_empty() && !scenario.point.is_empty());
            let mut seen = Vec::new();
            for variant in scenario.variants {
                let name = format!("{} {}", scenario.name, variant.which.name());
                assert!(!seen.contains(&variant.which), "{name} twice");
                seen.push(variant.which);
                let per_key = |thread: bool| -> usize {
                    let of_kind =
                        |expect: &&Expect| (expect.resource == Resource::Thread) == thread;
                    let expects = variant.expect.iter().filter(of_kind);
                    expects.map(|expect| expect.per_key).sum()
                };
                assert_eq!(per_key(true), 1, "{name}: threads");
                assert_eq!(
                    per_key(false) as u64,
                    variant.entry.handles(),
                    "{name}: handles"
                );
                assert!(
                    variant
                        .expect
                        .iter()
                        .all(|expect| !expect.allowed.is_empty())
                );
                assert!(
                    variant.policy.hold() == variant.hold || variant.hold == Hold::Unclosed,
                    "{name}: the value is held as its policy means it"
                );
            }
        }
    }
}
