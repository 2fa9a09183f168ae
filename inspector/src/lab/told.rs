//! Every mark of the child passes here: it reaches the probes always, and the harness as well
//! where no probe can be attached.
//!
//! Without privileges nothing can attach a uprobe. A harness that polls /proc then asks the child
//! to repeat its marks in its replies; they carry the same words and the same clock. Such a
//! harness does not see births as they happen either, so what is born in a store's span is given
//! to its key by `own` marks as well.

use std::{
    ffi::CStr,
    sync::{Mutex, PoisonError},
};

use rustix::time::{ClockId, clock_gettime};

use super::{
    mark::{self, Owned},
    protocol::{ToldMark, ToldWhat},
};

/// Declares what the child does with one map.
pub(super) struct Marker {
    map: u64,
    told: Option<Mutex<Vec<ToldMark>>>,
}

impl Marker {
    /// Marks for the map of this id; `repeat` keeps a copy of each for [`Self::take_told`].
    pub(super) fn new(map: u64, repeat: bool) -> Self {
        Self {
            map,
            told: repeat.then(Mutex::default),
        }
    }

    /// Whether marks are repeated.
    pub(super) fn repeats(&self) -> bool {
        self.told.is_some()
    }

    pub(super) fn store_begin(&self, key: &str) {
        self.tell(key, ToldWhat::StoreBegin);
        mark::store_begin(self.map, key.as_bytes(), 0);
    }

    pub(super) fn store_end(&self, key: &str) {
        mark::store_end(self.map, key.as_bytes(), 0);
        self.tell(key, ToldWhat::StoreEnd);
    }

    /// A descriptor that was born outside the span belongs to `key` from now on.
    pub(super) fn own_handle(&self, key: &str, fd: u32) {
        mark::own(self.map, key.as_bytes(), Owned::Handle(fd));
        self.tell(key, ToldWhat::OwnHandle { handle: fd });
    }

    /// A thread that was born outside the span belongs to `key` from now on.
    pub(super) fn own_thread(&self, key: &str, tid: u32) {
        mark::own(self.map, key.as_bytes(), Owned::Thread(tid));
        self.tell(key, ToldWhat::OwnThread { thread: tid });
    }

    pub(super) fn delete_begin(&self, key: &str, policy: &CStr) {
        self.tell(
            key,
            ToldWhat::DeleteBegin {
                policy: policy.to_string_lossy().into_owned(),
            },
        );
        mark::delete_begin(self.map, key.as_bytes(), policy);
    }

    pub(super) fn delete_unlink(&self, key: &str) {
        mark::delete_unlink(self.map, key.as_bytes());
        self.tell(key, ToldWhat::DeleteUnlink);
    }

    pub(super) fn delete_end(&self, key: &str) {
        mark::delete_end(self.map, key.as_bytes());
        self.tell(key, ToldWhat::DeleteEnd);
    }

    /// The marks since the last call, in order; none unless they are repeated.
    pub(super) fn take_told(&self) -> Vec<ToldMark> {
        self.told.as_ref().map_or_else(Vec::new, |told| {
            std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }

    fn tell(&self, key: &str, what: ToldWhat) {
        let Some(told) = &self.told else { return };
        let mark = ToldMark {
            at_ns: boot_ns(),
            tid: rustix::thread::gettid().as_raw_pid().unsigned_abs(),
            map: self.map,
            key: key.to_owned(),
            what,
        };
        told.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(mark);
    }
}

/// Now, in nanoseconds since boot: the clock of all events.
pub(super) fn boot_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).expect("the time since boot is not negative");
    let nanoseconds = u64::try_from(now.tv_nsec).expect("a timespec's fraction is not negative");
    seconds * 1_000_000_000 + nanoseconds
}
