//! `sharded`: many small locks, the key's hash chooses one (dashmap).

use dashmap::DashMap;

use super::{LifecycleMap, Value};

#[derive(Default)]
pub(super) struct ShardedMap(DashMap<String, Value>);

impl LifecycleMap for ShardedMap {
    fn insert(&self, key: &str, value: Value) -> Option<Value> {
        self.0.insert(key.to_owned(), value)
    }

    fn remove(&self, key: &str) -> Option<Value> {
        self.0.remove(key).map(|(_, value)| value)
    }

    fn visit(&self, key: &str, with: &mut dyn FnMut(&mut Value)) -> bool {
        self.0
            .get_mut(key)
            .map(|mut value| with(&mut value))
            .is_some()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
