//! `mutex`: one lock around a hash map.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{LifecycleMap, Value};

#[derive(Default)]
pub(super) struct MutexMap(Mutex<HashMap<String, Value>>);

impl MutexMap {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LifecycleMap for MutexMap {
    fn insert(&self, key: &str, value: Value) -> Option<Value> {
        self.lock().insert(key.to_owned(), value)
    }

    fn remove(&self, key: &str) -> Option<Value> {
        self.lock().remove(key)
    }

    fn visit(&self, key: &str, with: &mut dyn FnMut(&mut Value)) -> bool {
        self.lock().get_mut(key).map(with).is_some()
    }

    fn len(&self) -> usize {
        self.lock().len()
    }
}
