//! Watches without a screen: takes in events until it is time, and everything when it is asked to.

use std::{process::ExitStatus, time::Duration};

use anyhow::Context as _;
use tokio::{
    select,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{any::Opened, detect, recording::Recording, start, tell};
use crate::{
    check::CommandEnd,
    event::{Batch, What},
    ledger::{Ledger, LedgerRules},
    pipeline::Pipeline,
    report::history::Moments,
    source::{Request, Running, SourceKind},
};

/// A source and what is known through it.
#[derive(Debug)]
pub(super) struct Watch {
    running: Running,
    pipeline: Pipeline,
    moments: Moments,
    has_ended: bool,
    recording: Option<Recording>,
}

/// What ended a stretch of watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The source: its targets are gone.
    Source,
    /// The command.
    Command(ExitStatus),
    /// The time.
    Time,
    /// The user, by a signal.
    Signal(i32),
}

/// The signals that ask for the end, and the one that asks for a snapshot.
#[derive(Debug)]
pub(super) struct Asked {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    snapshot: Signal,
}

impl Asked {
    /// From now on they are listened to.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals can't be listened to");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            snapshot: listen(SignalKind::user_defined1())?,
        })
    }
}

impl Watch {
    /// Takes over a source.
    pub(super) fn new(opened: Opened, rules: LedgerRules) -> Self {
        let mut watch = Self {
            running: opened.running,
            pipeline: Pipeline::new(rules),
            moments: Moments::default(),
            has_ended: false,
            recording: None,
        };
        for batch in opened.early {
            watch.take(batch);
        }
        watch
    }

    /// Takes over a source whose events are written down from the first one on, where `start` begins a
    /// recording.
    ///
    /// # Errors
    /// Those of `start`.
    pub(super) fn recorded(
        mut opened: Opened,
        rules: LedgerRules,
        start: impl FnOnce(&SourceKind, &Pipeline) -> anyhow::Result<Option<Recording>>,
    ) -> anyhow::Result<Self> {
        let early = std::mem::take(&mut opened.early);
        let mut watch = Self::new(opened, rules);
        watch.recording = start(&watch.running.kind, &watch.pipeline)?;
        for batch in early {
            watch.take(batch);
        }
        Ok(watch)
    }

    /// What is known.
    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What it rests on.
    pub(super) fn kind(&self) -> &SourceKind {
        &self.running.kind
    }

    fn take(&mut self, mut batch: Batch) {
        if let Some(recording) = &self.recording {
            recording.redact(&mut batch);
        }
        // What falls stands in the ledger until it is asked for.
        let fallen = self.pipeline.take(&batch);
        if let Some(recording) = &mut self.recording {
            recording.take(&batch, &self.pipeline, &fallen);
        }
        self.moments.take(&batch, self.pipeline.ledger());
        let ends = |batch: &Batch| {
            let mut events = batch.events.iter();
            events.any(|event| matches!(event.what, What::End(_)))
        };
        self.has_ended |= ends(&batch);
    }

    /// Watches until the first of these: the source's end, the command's, the time, a signal. On
    /// SIGUSR1 everything that has happened is taken in, and `snapshot` called.
    ///
    /// # Errors
    /// Those of `snapshot`.
    pub(super) async fn until(
        &mut self,
        mut command: Option<&mut start::Running>,
        time: Option<Instant>,
        asked: &mut Asked,
        snapshot: &mut dyn FnMut(&Self) -> anyhow::Result<()>,
        each_second: &mut dyn FnMut(&Ledger),
    ) -> anyhow::Result<Ended> {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.has_ended {
            let command_ends = async {
                match command.as_mut() {
                    Some(command) => (&mut command.ended).await.ok(),
                    None => std::future::pending().await,
                }
            };
            let is_time = async {
                match time {
                    Some(time) => sleep_until(time).await,
                    None => std::future::pending().await,
                }
            };
            select! {
                biased;
                _ = asked.interrupt.recv() => return Ok(Ended::Signal(libc::SIGINT)),
                _ = asked.terminate.recv() => return Ok(Ended::Signal(libc::SIGTERM)),
                _ = asked.hangup.recv() => return Ok(Ended::Signal(libc::SIGHUP)),
                _ = asked.snapshot.recv() => {
                    self.drain().await;
                    match &mut self.recording {
                        Some(recording) if recording.is_flight() => {
                            if !recording.save("SIGUSR1", &self.pipeline) {
                                tell("the disk is too slow to save the recording now");
                            }
                        }
                        _ => snapshot(self)?,
                    }
                }
                status = command_ends => match status {
                    Some(status) => return Ok(Ended::Command(status)),
                    // Told before: it is not waited for twice.
                    None => command = None,
                },
                () = is_time => return Ok(Ended::Time),
                _ = second.tick() => {
                    each_second(self.pipeline.ledger());
                    if let Some(recording) = &mut self.recording {
                        recording.tell();
                    }
                }
                batch = self.running.batches.recv() => match batch {
                    Some(batch) => self.take(batch),
                    None => self.has_ended = true,
                },
            }
        }
        Ok(Ended::Source)
    }

    /// Takes in everything that has happened until now.
    pub(super) async fn drain(&mut self) {
        let (done, mut answer) = oneshot::channel();
        if self.has_ended || self.running.requests.send(Request::Drain(done)).is_err() {
            return;
        }
        self.answered(&mut answer).await;
    }

    /// Has everything compared with /proc, whose differences are told as drift.
    pub(super) async fn audit(&mut self, heal: bool) {
        let (done, mut answer) = oneshot::channel();
        let request = Request::Audit { heal, done };
        if self.has_ended || self.running.requests.send(request).is_err() {
            return;
        }
        self.answered(&mut answer).await;
    }

    /// The answer comes behind all that was sent before it: the channel's rest is that.
    async fn answered(&mut self, answer: &mut oneshot::Receiver<()>) {
        loop {
            select! {
                biased;
                _answered_or_ended = &mut *answer => break,
                batch = self.running.batches.recv() => match batch {
                    Some(batch) => self.take(batch),
                    None => break,
                },
            }
        }
        while let Ok(batch) = self.running.batches.try_recv() {
            self.take(batch);
        }
    }

    /// The command that is recorded has ended so, just now.
    pub(super) fn command_ended(&mut self, end: CommandEnd) {
        if let Some(recording) = &mut self.recording {
            recording.command_ended(end, &self.pipeline);
        }
    }

    /// Ends the source, takes in its last events, and waits until all is detached: what is known
    /// then, and what the time axis shows.
    pub(super) fn stop(self) -> (Pipeline, Moments) {
        let (pipeline, moments, recording) = self.end();
        if let Some(Err(error)) = recording.map(|one| one.finish(&pipeline)) {
            tell(&format!("{error:#}"));
        }
        (pipeline, moments)
    }

    /// The same, where the recording is what all this was for.
    ///
    /// # Errors
    /// Where it could not be written to its end.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let (pipeline, _, recording) = self.end();
        recording.map_or(Ok(()), |recording| recording.finish(&pipeline))
    }

    fn end(mut self) -> (Pipeline, Moments, Option<Recording>) {
        // One that has ended already does not listen.
        let _may_have_ended = self.running.requests.send(Request::Stop);
        while let Some(batch) = self.running.batches.blocking_recv() {
            self.take(batch);
        }
        detect::wait_for(self.running.thread, || {
            tell("the kernel is still detaching the probes; this ends when it has");
        });
        (self.pipeline, self.moments, self.recording)
    }
}
