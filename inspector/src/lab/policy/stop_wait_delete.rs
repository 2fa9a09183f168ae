//! `stop-wait-delete`: stop, wait until it has stopped, then remove the key. The wait happens
//! outside the map's lock, and the descriptors close after it.

use super::Deleting;
use crate::lab::entry::wait;

pub(super) fn run(deleting: &Deleting<'_>) {
    let mut thread = None;
    deleting.visit(|value| {
        value.entry().stop();
        thread = value.entry().take_thread();
    });
    if let Some(thread) = thread {
        wait(thread);
    }
    drop(deleting.unlink());
}
