//! The delete policies: what a program does when it deletes a key. A policy is one file below
//! and one row here.

mod bare;
mod delete_and_stop;
mod drop;
mod signal;
mod stop_wait_delete;

use std::ffi::CStr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{
    entry::{Hold, Value},
    map::LifecycleMap,
    told::Marker,
};

/// Which policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Remove the key, nothing else.
    Bare,
    /// Tell the entry to stop, remove the key, do not wait.
    Signal,
    /// Stop, wait for the stop, remove the key: the safe three steps.
    StopWaitDelete,
    /// Remove the key, then stop the entry and wait (the owner pattern).
    DeleteAndStop,
    /// Remove the key; the value's end stops and closes (RAII).
    Drop,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Bare,
        Self::Signal,
        Self::StopWaitDelete,
        Self::DeleteAndStop,
        Self::Drop,
    ];

    /// Its name on the command line, in the protocol and in the marks.
    pub fn name(self) -> &'static str {
        self.c_name()
            .to_str()
            .expect("the names below are plain ASCII")
    }

    fn c_name(self) -> &'static CStr {
        match self {
            Self::Bare => c"bare",
            Self::Signal => c"signal",
            Self::StopWaitDelete => c"stop-wait-delete",
            Self::DeleteAndStop => c"delete-and-stop",
            Self::Drop => c"drop",
        }
    }

    /// What it does, for the catalogue.
    pub fn about(self) -> &'static str {
        match self {
            Self::Bare => "remove the key, nothing else",
            Self::Signal => "tell the entry to stop, remove the key, do not wait",
            Self::StopWaitDelete => "stop, wait for it, remove the key: the safe three steps",
            Self::DeleteAndStop => "remove the key, then stop the entry and wait for it",
            Self::Drop => "remove the key; the value's Drop stops, waits and closes",
        }
    }

    /// How values must hold their entry for this policy to mean what it says.
    pub fn hold(self) -> Hold {
        match self {
            Self::Drop => Hold::Raii,
            Self::Bare | Self::Signal | Self::StopWaitDelete | Self::DeleteAndStop => Hold::Plain,
        }
    }

    /// Deletes `key`, marked; false = there was no such key (then nothing is marked).
    pub(super) fn delete(self, map: &dyn LifecycleMap, marker: &Marker, key: &str) -> bool {
        if !map.visit(key, &mut |_| {}) {
            return false;
        }
        let deleting = Deleting { map, marker, key };
        marker.delete_begin(key, self.c_name());
        match self {
            Self::Bare => bare::run(&deleting),
            Self::Signal => signal::run(&deleting),
            Self::StopWaitDelete => stop_wait_delete::run(&deleting),
            Self::DeleteAndStop => delete_and_stop::run(&deleting),
            Self::Drop => drop::run(&deleting),
        }
        marker.delete_end(key);
        true
    }
}

/// A delete in progress.
struct Deleting<'a> {
    map: &'a dyn LifecycleMap,
    marker: &'a Marker,
    key: &'a str,
}

impl Deleting<'_> {
    /// Takes the key out of the map; what it held lives until the returned value is dropped.
    fn unlink(&self) -> Option<Value> {
        let value = self.map.remove(self.key);
        self.marker.delete_unlink(self.key);
        value
    }

    /// Works on the value while it is still in the map, under the map's lock.
    fn visit(&self, mut with: impl FnMut(&mut Value)) {
        self.map.visit(self.key, &mut with);
    }
}
