//! What a driven child holds, by what it was told: which keys, and how much of its limits.

use std::collections::HashMap;

use crate::lab::{
    entry::{EntryKind, Hold},
    harness::HarnessError,
    plan::{Plan, SPARE_HANDLES, tick_ns},
    policy::Policy,
};

/// Most entries that may run at once.
const MOST_RUNNING: u32 = 10_000;

/// A child's keys, and what deletes left behind.
#[derive(Debug, Default)]
pub(super) struct Stock {
    /// Number of the next key, from 0.
    next: u32,
    keys: HashMap<String, (EntryKind, Hold)>,
    /// Entries whose threads run, those of deleted keys included.
    running: u32,
    /// Descriptors that are open, those of deleted keys included.
    handles: u64,
}

impl Stock {
    /// Why `count` more keys with such entries can't be stored in a child that may open `nofile`
    /// descriptors.
    pub(super) fn refusal(&self, count: u32, entry: EntryKind, nofile: u64) -> Option<String> {
        if count == 0 {
            return Some("no keys were asked for: choose a number from 1".to_owned());
        }
        let keys = self.running.saturating_add(count);
        if keys > MOST_RUNNING {
            return Some(format!(
                "{count} more keys would make {keys} entries that run, and {MOST_RUNNING} is the most: store fewer, delete some (bare leaves them running), or start the lab anew"
            ));
        }
        let needed = self.handles + u64::from(count) * entry.handles() + SPARE_HANDLES;
        (needed > nofile).then(|| {
            let limit = nofile;
            HarnessError::TooFewDescriptors {
                keys,
                needed,
                limit,
            }
            .to_string()
        })
    }

    /// A new key and the period of its entry, where at most `live` entries will run.
    pub(super) fn number(&mut self, live: u32) -> (String, u64) {
        let index = self.next;
        self.next += 1;
        (Plan::key(index), tick_ns(live, index))
    }

    /// Entries whose threads run.
    pub(super) fn running(&self) -> u32 {
        self.running
    }

    /// A key was stored.
    pub(super) fn stored(&mut self, key: String, entry: EntryKind, hold: Hold) {
        self.keys.insert(key, (entry, hold));
        self.running += 1;
        self.handles += entry.handles();
    }

    /// A key was deleted, its value held as `changed` says, if that says something.
    pub(super) fn deleted(&mut self, key: &str, policy: Policy, changed: Option<Hold>) {
        let Some((entry, hold)) = self.keys.remove(key) else {
            return;
        };
        let stops = match policy {
            Policy::Bare | Policy::Drop => changed.unwrap_or(hold) == Hold::Raii,
            Policy::Signal | Policy::StopWaitDelete | Policy::DeleteAndStop => true,
        };
        if stops {
            self.running -= 1;
            if hold != Hold::Unclosed {
                self.handles -= entry.handles();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(count: u32, hold: Hold) -> Stock {
        let mut stock = Stock::default();
        for _ in 0..count {
            let (key, _) = stock.number(count);
            stock.stored(key, EntryKind::Connection, hold);
        }
        stock
    }

    #[test]
    fn a_child_s_limits_are_kept() {
        let stock = stock(10, Hold::Plain);
        let refusal = |count, nofile| stock.refusal(count, EntryKind::Connection, nofile);
        assert_eq!(refusal(10, 56), None);
        assert_eq!(
            refusal(10, 55).unwrap(),
            "20 keys need 56 descriptors, and the limit is 55: use fewer keys, or raise the hard limit (`ulimit -Hn`, or LimitNOFILE=)"
        );
        assert_eq!(refusal(9_990, 1_000_000), None);
        assert!(refusal(9_991, 1_000_000).unwrap().contains("10001 entries"));
        assert!(refusal(u32::MAX, 1_000_000).is_some());
        assert!(refusal(0, 1_000_000).unwrap().contains("no keys"));
    }

    #[test]
    fn what_a_delete_leaves_behind_still_counts() {
        for (hold, policy, changed, left) in [
            (Hold::Plain, Policy::Bare, None, (1, 2)),
            (Hold::Plain, Policy::StopWaitDelete, None, (0, 0)),
            (Hold::Plain, Policy::Drop, Some(Hold::Raii), (0, 0)),
            (Hold::Raii, Policy::Drop, None, (0, 0)),
            (Hold::Raii, Policy::Bare, Some(Hold::Plain), (1, 2)),
            (Hold::Unclosed, Policy::StopWaitDelete, None, (0, 2)),
            (Hold::Unclosed, Policy::Drop, Some(Hold::Raii), (0, 2)),
        ] {
            let mut stock = stock(1, hold);
            stock.deleted("task-0001", policy, changed);
            stock.deleted("task-0001", policy, changed);
            assert_eq!((stock.running, stock.handles), left, "{hold:?} {policy:?}");
        }
    }

    #[test]
    fn keys_are_numbered_on_and_tick_slower_where_many_do() {
        let mut stock = stock(1, Hold::Plain);
        assert_eq!(stock.number(1), ("task-0002".to_owned(), 50_000_002));
        assert_eq!(
            stock.number(10_000),
            ("task-0003".to_owned(), 1_000_000_003)
        );
    }
}
