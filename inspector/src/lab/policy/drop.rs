//! `drop`: remove the key; the value itself stops, waits and closes when it is dropped.

use super::Deleting;

pub(super) fn run(deleting: &Deleting<'_>) {
    drop(deleting.unlink());
}
