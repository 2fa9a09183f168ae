//! The map kinds, behind one trait. A kind is one file below and one row here.

mod mutex;
mod sharded;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::entry::Value;

/// What a lifecycle map can do, whatever its kind.
pub(super) trait LifecycleMap: Send + Sync {
    /// Puts a value under a key; gives back the value it replaced.
    fn insert(&self, key: &str, value: Value) -> Option<Value>;
    /// Takes the key out.
    fn remove(&self, key: &str) -> Option<Value>;
    /// Shows the value under a key to `with`, under the map's lock; false = no such key.
    fn visit(&self, key: &str, with: &mut dyn FnMut(&mut Value)) -> bool;
    /// How many keys there are.
    fn len(&self) -> usize;
}

/// Which map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum MapKind {
    /// One lock around a hash map.
    Mutex,
    /// Sharded locks (dashmap).
    Sharded,
}

impl MapKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Mutex, Self::Sharded];

    /// Its name on the command line and in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::Sharded => "sharded",
        }
    }

    /// What it is, for the catalogue.
    pub fn about(self) -> &'static str {
        match self {
            Self::Mutex => "one lock around a hash map",
            Self::Sharded => "sharded locks (dashmap)",
        }
    }

    /// An empty map.
    pub(super) fn make(self) -> Box<dyn LifecycleMap> {
        match self {
            Self::Mutex => Box::new(mutex::MutexMap::default()),
            Self::Sharded => Box::new(sharded::ShardedMap::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::entry::{EntryKind, Hold, Shared, Spec};

    #[test]
    fn every_kind_is_a_map() {
        let shared = Shared::open();
        let value = || {
            EntryKind::Watcher
                .open(&Spec {
                    key: "k-1",
                    tick_ns: 100_000_000,
                    hold: Hold::Raii,
                    shared: &shared,
                })
                .unwrap()
        };
        for kind in MapKind::ALL {
            let map = kind.make();
            assert_eq!(map.len(), 0);
            assert!(map.insert("k-1", value()).is_none());
            assert!(map.insert("k-1", value()).is_some(), "replaces");
            assert!(map.insert("k-2", value()).is_none());
            assert_eq!(map.len(), 2);
            let mut seen = 0;
            assert!(map.visit("k-2", &mut |_| seen += 1));
            assert!(!map.visit("k-3", &mut |_| seen += 1));
            assert_eq!(seen, 1);
            assert!(map.remove("k-1").is_some());
            assert!(map.remove("k-1").is_none());
            assert_eq!(map.len(), 1, "{}", kind.name());
        }
    }
}
