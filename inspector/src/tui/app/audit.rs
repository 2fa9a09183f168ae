//! When handles are compared with /proc by themselves, so that what they point at is told.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{App, Connections};
use crate::source::Request;

/// Time from one comparison to the next, at least; never while a delete is judged, for reading a
/// handle holds it for a moment.
pub(super) const EVERY: Duration = Duration::from_secs(3);
/// And as a multiple of what it takes.
const REST: u32 = 50;

impl App {
    /// Compares with /proc now and then, so that what handles point at is known.
    pub(super) fn audit(&mut self, connections: &mut Connections) {
        let ledger = self.model.live.ledger();
        let took = connections.gauges.read().audits.last_ns;
        self.audit_wait = EVERY.max(Duration::from_nanos(took) * REST);
        if self.audited.elapsed() < self.audit_wait || self.model.source.probes.is_none() {
            return;
        }
        let now = ledger.now();
        let grace = ledger.rules().grace_ns;
        let is_judging = ledger.entries().any(|(_, entry)| {
            entry
                .delete
                .as_ref()
                .is_some_and(|delete| delete.end.is_none_or(|end| now.since_ns(end) <= grace))
        });
        let is_untold = ledger.handles().any(|(_, handle)| {
            handle.is_open()
                && ledger
                    .description(handle.description)
                    .is_some_and(|description| description.target.is_none())
        });
        if !is_judging && is_untold {
            self.audited = Instant::now();
            ask_audit(connections);
        }
    }
}

pub(super) fn ask_audit(connections: &mut Connections) {
    let (done, _nobody_waits) = oneshot::channel();
    (connections.request)(Request::Audit { heal: true, done });
}
