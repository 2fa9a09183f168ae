//! `signal`: tell the entry to stop and remove the key without waiting. The entry's own thread
//! lets go of the descriptors when it ends.

use super::Deleting;

pub(super) fn run(deleting: &Deleting<'_>) {
    deleting.visit(|value| value.entry().stop());
    drop(deleting.unlink());
}
