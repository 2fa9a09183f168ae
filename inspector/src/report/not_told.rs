//! What a report can't tell of what it was asked for, and why: for people and for programs alike.

use crate::{
    event::handle::HandleKind, ledger::Ledger, source::SourceKind, verdict::growth::Growth,
};

/// Sentences without their end. None = everything is told.
pub(super) fn not_told(source: &SourceKind, ledger: &Ledger, growth: &Growth) -> Vec<String> {
    let mut not_told = Vec::new();
    if let SourceKind::Polling { .. } = source {
        not_told.push("what was born and died between two readings of /proc".to_owned());
    }
    let live = ledger.tables().filter(|(_, table)| table.dead.is_none());
    let unsettled = live.filter(|(_, table)| table.unsettled.is_some()).count();
    if unsettled > 0 {
        not_told.push(format!(
            "all that is in {unsettled} descriptor tables, which no scan has settled"
        ));
    }
    if has_ring(ledger) {
        not_told.push(
            "descriptors that are registered with io_uring (direct descriptors), which are in no \
             table: there is an io_uring"
                .to_owned(),
        );
    }
    let not_seen = growth.not_seen(ledger);
    if not_seen > 0 {
        not_told.push(format!(
            "the groups of {not_seen} resources that were forgotten before they were counted"
        ));
    }
    let unseen = ledger.counters().handles_unseen + ledger.counters().threads_unseen;
    if unseen > 0 {
        not_told.push(format!(
            "when {unseen} resources were born that no event announced"
        ));
    }
    not_told
}

/// Whether an io_uring is open, or was opened: it may go on without its descriptor.
fn has_ring(ledger: &Ledger) -> bool {
    let mut births = ledger.tally().births();
    let is_open = || {
        let mut handles = ledger.handles();
        handles.any(|(_, handle)| {
            let shared = ledger.description(handle.description);
            shared.is_some_and(|shared| shared.kind == HandleKind::IoUring)
        })
    };
    births.any(|(call, _)| i64::from(call.0) == libc::SYS_io_uring_setup) || is_open()
}
