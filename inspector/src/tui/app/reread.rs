//! When what handles point at is read anew without being asked for, so that what is told is fresh.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{App, Connections};
use crate::{
    event::{
        Batch, BootTime, What,
        handle::HandleKind,
        id::{Fd, Tgid},
    },
    ledger::Ledger,
    source::Request,
};

/// Time from one reading to the next, at least; never while a delete is judged, for reading a handle
/// holds it for a moment.
pub(super) const EVERY: Duration = Duration::from_secs(3);
/// And as a multiple of what it takes.
const REST: u32 = 50;
/// Handles that are read anew at once.
const REREAD: usize = 2_048;

impl App {
    /// Reads anew what handles point at whose state changes, those first that were read longest
    /// ago; the lab's own are never touched.
    pub(super) fn reread(&mut self, connections: &mut Connections) {
        let ledger = self.model.live.ledger();
        let wait = EVERY.max(self.reread_took * REST);
        if self.model.watched.is_none() || self.reread.elapsed() < wait || is_judging(ledger) {
            return;
        }
        let changing = changing(ledger);
        if changing.is_empty() {
            return;
        }
        self.reread = Instant::now();
        self.reread_took = Duration::ZERO;
        for (tgid, fds) in changing {
            let (done, _nobody_waits) = oneshot::channel();
            let fds = Some(fds);
            (connections.request)(Request::Refresh { tgid, fds, done });
        }
    }

    /// Takes note of how long readings take.
    pub(super) fn time_readings(&mut self, batch: &Batch) {
        for event in &batch.events {
            if let What::Targets(targets) = &event.what {
                let took = targets.ended.since_ns(targets.began);
                self.reread_took = self.reread_took.max(Duration::from_nanos(took));
            }
        }
    }
}

/// Whether a delete is judged: reading a handle holds it for a moment.
fn is_judging(ledger: &Ledger) -> bool {
    let now = ledger.now();
    let grace = ledger.rules().grace_ns;
    ledger.entries().any(|(_, entry)| {
        entry
            .delete
            .as_ref()
            .is_some_and(|delete| delete.end.is_none_or(|end| now.since_ns(end) <= grace))
    })
}

/// Open handles whose state changes, by process: of too many those that were read longest ago.
fn changing(ledger: &Ledger) -> BTreeMap<Tgid, Vec<Fd>> {
    let open = ledger.handles().filter(|(_, handle)| handle.is_open());
    let changing = open.filter_map(|(_, handle)| {
        let shared = ledger.description(handle.description)?;
        let changes = matches!(
            shared.kind,
            HandleKind::Socket
                | HandleKind::Epoll
                | HandleKind::Timerfd
                | HandleKind::Eventfd
                | HandleKind::Pidfd
                | HandleKind::Inotify
        );
        let read = shared.points_at().map_or(BootTime(0), |(_, at)| at);
        changes.then_some((read, ledger.table(handle.table)?.tgid, handle.fd))
    });
    let mut changing: Vec<_> = changing.collect();
    if changing.len() > REREAD {
        changing.select_nth_unstable(REREAD);
        changing.truncate(REREAD);
    }
    let mut of_process: BTreeMap<Tgid, Vec<Fd>> = BTreeMap::new();
    for (_, tgid, fd) in changing {
        of_process.entry(tgid).or_default().push(fd);
    }
    of_process
}
