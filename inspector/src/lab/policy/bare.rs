//! `bare`: remove the key, nothing else. The value's end stops nothing.

use super::Deleting;

pub(super) fn run(deleting: &Deleting<'_>) {
    drop(deleting.unlink());
}
