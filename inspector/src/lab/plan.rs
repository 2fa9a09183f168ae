//! What one run does: settings of a scenario's variant or of a plain policy run.

use std::time::Duration;

use super::{
    entry::{Born, EntryKind, Hold},
    expect::Expect,
    map::MapKind,
    policy::Policy,
    scenario::{Scenario, Variant},
};

/// Descriptors of the child that are no key's.
pub(super) const SPARE_HANDLES: u64 = 16;
/// [`Plan::last_word`], unless there is a reason: a hundred times what it takes on an idle machine.
pub const LAST_WORD: Duration = Duration::from_secs(3);
/// Shortest period of an entry's timer. Well below the shortest sensible grace, so that a ticker
/// left behind shows as active; longer where many keys tick.
const TICK_NS: u64 = 50_000_000;
/// The period grows by this with each live key: 10,000 tickers then wake 10,000 times a second.
const TICK_PER_KEY_NS: u64 = 100_000;

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Map kind.
    pub map: MapKind,
    /// Entry kind.
    pub entry: EntryKind,
    /// How values hold their entry.
    pub hold: Hold,
    /// Where entries are born.
    pub born: Born,
    /// How keys are deleted.
    pub policy: Policy,
    /// How many keys.
    pub keys: u32,
    /// How they come and go.
    pub pace: Pace,
    /// Decides the order of the deletes.
    pub seed: u64,
    /// How long after a delete a resource may live.
    pub grace: Duration,
    /// How long after that detection may take to say its last word.
    pub last_word: Duration,
}

/// How fast keys are stored and deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// One at a time, each checked by the oracle before the next; at most so many a second.
    Checked {
        /// Operations a second.
        rate: Option<u32>,
    },
    /// All at once. Which key owns what is then not checked, only what became of it.
    Burst,
}

/// A plan with its heading and what it must produce.
#[derive(Clone, Debug)]
pub struct Run {
    /// The plan.
    pub plan: Plan,
    /// The scenario and its variant; `None` = a policy run, which must score 1 and 1.
    pub scenario: Option<(&'static Scenario, &'static Variant)>,
}

impl Run {
    /// What must become of each key's resources.
    pub fn expected(&self) -> &'static [Expect] {
        self.scenario.map_or(&[], |(_, variant)| variant.expect)
    }

    /// How long a delete may take.
    pub fn delete_at_most(&self) -> Option<Duration> {
        let (_, variant) = self.scenario?;
        variant
            .delete_at_most_ms
            .map(|most| Duration::from_millis(u64::from(most)))
    }

    /// Its name in headings.
    pub fn name(&self) -> String {
        match self.scenario {
            Some((scenario, variant)) => format!("{} · {}", scenario.name, variant.which.name()),
            None => format!("policy · {}", self.plan.policy.name()),
        }
    }
}

impl Plan {
    /// Key number `index`, from 0.
    pub fn key(index: u32) -> String {
        format!("task-{:04}", index + 1)
    }

    /// The period of key number `index`.
    pub fn tick_ns(&self, index: u32) -> u64 {
        tick_ns(self.keys, index)
    }

    /// Descriptors the child needs.
    pub fn handles(&self) -> u64 {
        u64::from(self.keys) * self.entry.handles() + SPARE_HANDLES
    }

    /// The order of the deletes: a shuffle that follows from the seed alone.
    pub fn delete_order(&self) -> Vec<u32> {
        let mut order: Vec<_> = (0..self.keys).collect();
        let mut state = self.seed;
        for last in (1..order.len()).rev() {
            // The product's upper half is even enough for an order.
            let bound = last as u128 + 1;
            let chosen = (u128::from(splitmix(&mut state)) * bound) >> 64;
            order.swap(
                last,
                usize::try_from(chosen).expect("below the list's length"),
            );
        }
        order
    }
}

/// The period of key number `index` where `keys` are live: no two are alike, so that the oracle can
/// tell timers apart.
pub(super) fn tick_ns(keys: u32, index: u32) -> u64 {
    TICK_NS.max(u64::from(keys) * TICK_PER_KEY_NS) + u64::from(index) + 1
}

/// Steele, Lea and Flood's `splitmix64`: a full-period generator of one word.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn plan(keys: u32, seed: u64) -> Plan {
        Plan {
            map: MapKind::Mutex,
            entry: EntryKind::Connection,
            hold: Hold::Plain,
            born: Born::Inside,
            policy: Policy::Bare,
            keys,
            pace: Pace::Checked { rate: None },
            seed,
            grace: Duration::from_secs(1),
            last_word: LAST_WORD,
        }
    }

    #[test]
    fn a_seed_repeats_its_order_and_another_gives_another() {
        let order = plan(200, 1).delete_order();
        assert_eq!(order, plan(200, 1).delete_order());
        assert_ne!(order, plan(200, 2).delete_order());
        assert_eq!(order.iter().collect::<HashSet<_>>().len(), 200);
        assert_ne!(order, (0..200).collect::<Vec<_>>());
        assert_eq!(plan(1, 1).delete_order(), [0]);
    }

    #[test]
    fn no_two_keys_tick_alike() {
        let plan = plan(10_000, 1);
        let ticks: HashSet<_> = (0..10_000).map(|index| plan.tick_ns(index)).collect();
        assert_eq!(ticks.len(), 10_000);
        assert_eq!(plan.handles(), 20_016);
        assert_eq!(Plan::key(0), "task-0001");
        assert_eq!(Plan::key(9_999), "task-10000");
    }
}
