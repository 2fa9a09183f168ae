//! `delete-and-stop`: whoever removes the key owns the entry: remove it, then stop it and wait
//! until it has stopped. No reader finds a stopped entry in the map.

use super::Deleting;
use crate::lab::entry::wait;

pub(super) fn run(deleting: &Deleting<'_>) {
    let Some(mut value) = deleting.unlink() else {
        return;
    };
    let entry = value.entry();
    entry.stop();
    if let Some(thread) = entry.take_thread() {
        wait(thread);
    }
}
