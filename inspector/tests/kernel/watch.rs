//! A source at work in a test: its events so far, and the ledger they make.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use inspector::{
    event::{Batch, Event, id::Tgid, loss::Count},
    ledger::{Ledger, LedgerRules},
    source::{
        Followed, Request, SourceKind,
        clock::boot_time,
        ebpf::{load::LoadOptions, refusal::LoadError, start},
        gauges::Gauges,
    },
};
use tokio::sync::oneshot;

use crate::program::Program;

/// How long the source may take for anything.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Hooks are system wide and tests compare counts: one source at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Waits until no other source is at work in these tests.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running source.
pub(crate) struct Watch {
    /// What the events so far made.
    pub(crate) ledger: Ledger,
    /// The events so far.
    pub(crate) events: Vec<Event>,
    /// How the source fares.
    pub(crate) gauges: Arc<Gauges>,
    batches: mpsc::Receiver<Batch>,
    requests: mpsc::Sender<Request>,
    source: Option<JoinHandle<()>>,
    _alone: MutexGuard<'static, ()>,
}

impl Watch {
    /// Starts the source with `options`; `None` (and the reason on stdout) where the machine
    /// refuses root's programs.
    pub(crate) fn start(options: &LoadOptions) -> Option<Self> {
        // Tests say themselves when to compare with /proc.
        let mut options = options.clone();
        options.audits.every = None;
        Self::auditing(&options)
    }

    /// The same, with the audits that the options ask for.
    pub(crate) fn auditing(options: &LoadOptions) -> Option<Self> {
        let alone = alone();
        let mut running = match start::start(options) {
            Ok(running) => running,
            Err(
                refused @ (LoadError::Object(_)
                | LoadError::Programs(_)
                | LoadError::Capabilities { .. }
                | LoadError::Filtered(_)),
            ) => {
                println!("SKIPPED: {refused}");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let SourceKind::Ebpf(probes) = &running.kind else {
            panic!("asked for programs, got {:?}", running.kind)
        };
        let lacking: Vec<_> = probes.lacking().collect();
        assert!(lacking.is_empty(), "{lacking:#?}");
        let (sender, batches) = mpsc::channel();
        // Taken off its bounded channel at once: the source never waits for a test.
        thread::spawn(move || {
            while let Some(batch) = running.batches.blocking_recv() {
                if sender.send(batch).is_err() {
                    return;
                }
            }
        });
        Some(Self {
            ledger: Ledger::new(LedgerRules::default()),
            events: Vec::new(),
            gauges: running.gauges,
            batches,
            requests: running.requests,
            source: Some(running.thread),
            _alone: alone,
        })
    }

    /// Starts the source and follows `program`.
    pub(crate) fn follow(options: &LoadOptions, program: &Program) -> Option<Self> {
        let mut watch = Self::start(options)?;
        watch.also(program.tgid()).unwrap();
        Some(watch)
    }

    /// Follows one more process.
    pub(crate) fn also(&mut self, tgid: Tgid) -> Result<Followed, String> {
        let followed = self.ask(|done| Request::Follow { tgid, done });
        self.drain();
        followed
    }

    /// Applies everything that has happened so far, and what was sent before this.
    pub(crate) fn drain(&mut self) {
        let now = boot_time();
        self.ask(Request::Drain);
        self.until("the tick of a drain", |watch| {
            watch.ledger.delivered() >= now
        });
    }

    /// Compares with /proc, and lets the ledger be corrected if `heal`.
    pub(crate) fn audit(&mut self, heal: bool) {
        self.ask(|done| Request::Audit { heal, done });
        self.drain();
    }

    /// Compares with /proc and corrects nothing: at a quiet point nothing differs.
    #[track_caller]
    pub(crate) fn assert_no_drift(&mut self, when: &str) {
        let audits = self.ledger.drift().audits;
        self.audit(false);
        let drift = self.ledger.drift();
        assert!(drift.audits > audits, "nothing was compared {when}");
        assert_eq!(drift.total(), 0, "{drift:?} {when}");
    }

    /// Asks the source, and waits for its answer.
    pub(crate) fn ask<T>(&mut self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> T {
        let (done, mut answer) = oneshot::channel();
        self.requests.send(request(done)).unwrap();
        let asked = Instant::now();
        loop {
            match answer.try_recv() {
                Ok(answer) => return answer,
                Err(oneshot::error::TryRecvError::Closed) => panic!("the source is gone"),
                Err(oneshot::error::TryRecvError::Empty) => {
                    assert!(asked.elapsed() < SOON, "the source does not answer");
                    self.take_for(Duration::from_millis(1));
                }
            }
        }
    }

    /// Applies what comes within `time`.
    pub(crate) fn take_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(batch) = self
            .batches
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.apply(batch);
        }
    }

    fn apply(&mut self, batch: Batch) {
        for event in &batch.events {
            self.ledger.apply(event);
        }
        self.events.extend(batch.events);
    }

    /// Applies what comes until `seen` is true of the ledger.
    pub(crate) fn until(&mut self, what: &str, mut seen: impl FnMut(&Self) -> bool) {
        let asked = Instant::now();
        while !seen(self) {
            assert!(asked.elapsed() < SOON, "not seen: {what}");
            self.take_for(Duration::from_millis(5));
        }
    }

    /// Asks the source to end, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        // It may have ended by itself.
        let _may_be_gone = self.requests.send(Request::Stop);
    }

    /// Ends the source and returns how each kind of record fared.
    pub(crate) fn stop(&mut self) -> BTreeMap<&'static str, Count> {
        self.ask_to_stop();
        self.until("the source's end", |watch| watch.ledger.end().is_some());
        let end = self.ledger.end().unwrap();
        assert_eq!(end.error, None);
        end.counts.iter().copied().collect()
    }

    /// Waits until the source's thread is over, and everything is detached.
    pub(crate) fn join(&mut self) {
        let Some(source) = self.source.take() else {
            return;
        };
        let asked = Instant::now();
        while !source.is_finished() {
            if asked.elapsed() > SOON {
                println!("the source's thread does not end");
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let _panic_is_shown = source.join();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ask_to_stop();
        self.join();
    }
}
