//! The running source: drains the ring, puts events in order, answers requests, until it ends.

mod audit;
mod births;

use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    maps::{Array, Map, MapData, MapError, PerCpuArray, RingBuf},
    programs::uprobe::UProbeLink,
};
use aya_log::EbpfLogger;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc as batches;

use self::{audit::Auditing, births::Births};
use super::{
    bits::Bits,
    counters::{self, Ledgered},
    decode::Decoder,
    log::StderrLog,
    marks::Marks,
    order::{HOLD_NS, Order},
    targets::Targets,
    waits::Waits,
};
use crate::{
    event::{Batch, BootTime, Event, SourceEnd, What},
    source::{
        Audits, BATCH_EVENTS, Followed, Request,
        clock::boot_time,
        gauges::{Drained, Gauges},
        probe_set::ProbeSet,
    },
};

/// Time between two looks at the ring.
const POLL: Duration = Duration::from_millis(10);
/// Time between two ticks when nothing happens.
const TICK: Duration = Duration::from_millis(50);
/// Time between two looks whether targets live and whether programs skipped runs, and between two
/// readings of how each kind of record fares.
const CHECK: Duration = Duration::from_millis(200);

/// Everything the source's thread works with.
pub(super) struct Session {
    ebpf: Ebpf,
    ring: RingBuf<MapData>,
    targets: Targets,
    counters: Ledgered,
    marks: Marks,
    waits: Option<Waits>,
    births: Births,
    decoder: Decoder,
    order: Order,
    sender: batches::Sender<Batch>,
    until: Until,
    gauges: Arc<Gauges>,
    /// What the programs have to say, if that is wanted.
    log: Option<EbpfLogger<StderrLog>>,
    /// When the drain before this one began.
    drained: BootTime,
    /// What is in the ring was written after this.
    in_ring_since: BootTime,
    ticked: Instant,
    checked: Instant,
    /// When the last look at skipped runs was.
    missed_since: BootTime,
    auditing: Auditing,
}

/// When a source ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When the last of its targets is gone.
    TargetsEnd,
    /// Never: only when it is told to.
    Stopped,
}

/// Whether the source goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

/// The reader is gone: nobody wants to know more.
struct ReaderGone;

impl Session {
    /// Takes over the loaded object; traces nobody yet.
    pub(super) fn new(
        mut ebpf: Ebpf,
        sender: batches::Sender<Batch>,
        has_waits: bool,
        audits: Audits,
    ) -> Result<Self, MapError> {
        let bits = |name| Bits::new(&ebpf, name).map_err(MapError::IoError);
        let (targets, blocked) = (bits("TARGETS")?, bits("BLOCKED")?);
        let waits = if has_waits {
            Some(Waits::new(
                blocked,
                take(&mut ebpf, "WAITS")?,
                take(&mut ebpf, "FUTEXES")?,
                take(&mut ebpf, "FUTEX_WAKERS")?,
            ))
        } else {
            None
        };
        let counters = Ledgered::new(take::<PerCpuArray<_, _>>(&mut ebpf, "COUNTERS")?);
        let gauges = Gauges::default();
        gauges.records(counters.counts());
        if let Some(Map::RingBuf(ring)) = ebpf.map("RING") {
            gauges.ring_is(ring.info()?.max_entries().into());
        }
        let now = boot_time();
        Ok(Self {
            ring: take::<RingBuf<MapData>>(&mut ebpf, "RING")?,
            targets: Targets::new(targets),
            counters,
            marks: Marks::new(take::<Array<_, _>>(&mut ebpf, "SITES")?),
            waits,
            births: Births::default(),
            ebpf,
            decoder: Decoder::default(),
            order: Order::default(),
            sender,
            until: Until::TargetsEnd,
            gauges: Arc::new(gauges),
            log: None,
            drained: now,
            in_ring_since: now,
            ticked: Instant::now(),
            checked: Instant::now(),
            missed_since: now,
            auditing: Auditing::new(audits),
        })
    }

    /// Passes on what the programs say, from now on.
    pub(super) fn pass_on_log(&mut self) -> Result<(), aya_log::Error> {
        self.log = Some(EbpfLogger::init_with_logger(&mut self.ebpf, StderrLog)?);
        Ok(())
    }

    /// Tells which deaths nothing watches: the first thing said.
    pub(super) fn say_unwatched(&self, probes: &ProbeSet) {
        let at = boot_time();
        let gaps = counters::unwatched(probes, at).into_iter();
        let gaps = gaps.map(|gap| What::Gap(Box::new(gap)));
        let _its_starter_reads = self.send(gaps.map(|what| Event { at, what }).collect());
    }

    /// How it fares, for others to read.
    pub(super) fn gauges(&self) -> Arc<Gauges> {
        Arc::clone(&self.gauges)
    }

    /// Gives up the mark sites, to be detached.
    pub(super) fn take_mark_links(&mut self) -> Vec<UProbeLink> {
        self.marks.take_links()
    }

    /// Attaches the mark sites of a program nobody runs yet.
    pub(super) fn attach_marks(&mut self, program: &Path) -> Result<Followed, String> {
        self.marks.attach(&mut self.ebpf, program)
    }

    /// Works until the end; tells it with the last event.
    pub(super) fn run(&mut self, until: Until, asked: &mpsc::Receiver<Request>) {
        self.until = until;
        let end = loop {
            self.wait_for_records();
            match self.step(asked) {
                Ok(Next::GoOn) => {}
                Ok(Next::Stop) => break None,
                Err(Stopped::ReaderGone) => return,
                Err(Stopped::Failed(error)) => break Some(error),
            }
        };
        let counts = self.counters.counts();
        self.gauges.records(counts.clone());
        let end = SourceEnd { error: end, counts };
        let event = Event {
            at: boot_time(),
            what: What::End(Box::new(end)),
        };
        let _reader_may_be_gone = self.send(vec![event]);
    }

    fn step(&mut self, asked: &mpsc::Receiver<Request>) -> Result<Next, Stopped> {
        self.drain(false)?;
        self.look_up_targets();
        self.mend(false)?;
        self.audit_now_and_then()?;
        loop {
            match asked.try_recv() {
                Ok(Request::Stop) | Err(mpsc::TryRecvError::Disconnected) => {
                    self.drain(true)?;
                    self.mend(true)?;
                    return Ok(Next::Stop);
                }
                Ok(request) => self.answer(request)?,
                Err(mpsc::TryRecvError::Empty) => break,
            }
        }
        if self.checked.elapsed() >= CHECK {
            self.checked = Instant::now();
            if self.targets.forget_the_dead() && self.until == Until::TargetsEnd {
                self.drain(true)?;
                return Ok(Next::Stop);
            }
        }
        Ok(Next::GoOn)
    }

    /// Sleeps until the poll interval is over or the kernel side forced a wake-up.
    fn wait_for_records(&self) {
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: POLL.subsec_nanos().into(),
        };
        // An interrupted or failed wait only means an early look.
        let _looked_early = poll(
            &mut [PollFd::new(&self.ring, PollFlags::IN)],
            Some(&timeout),
        );
    }

    fn answer(&mut self, request: Request) -> Result<(), Stopped> {
        match request {
            Request::Follow { tgid, done } => {
                let followed = self.follow(tgid)?;
                let _asker_may_be_gone = done.send(followed);
            }
            Request::Audit { heal, done } => {
                self.drain(true)?;
                self.audit(heal)?;
                let _asker_may_be_gone = done.send(());
            }
            Request::Refresh { tgid, fds, done } => {
                self.refresh(tgid, fds);
                self.drain(true)?;
                let _asker_may_be_gone = done.send(());
            }
            Request::Drain(done) => {
                self.drain(true)?;
                let _asker_may_be_gone = done.send(());
            }
            Request::EndWithTargets => self.until = Until::TargetsEnd,
            Request::Stop => {}
        }
        Ok(())
    }

    /// Takes what is in the ring and sends what is old enough; everything, if `all`.
    fn drain(&mut self, all: bool) -> Result<(), Stopped> {
        if let Some(log) = &mut self.log {
            log.flush();
        }
        let began = boot_time();
        let (drained, seen_until) = self.take_records(began, all);
        self.auditing.happened(drained.records());
        let mut events = Vec::new();
        if let Some(waits) = &mut self.waits {
            waits.sample(boot_time(), all, self.order.incoming());
        }
        let until = if all {
            BootTime(u64::MAX)
        } else {
            BootTime(seen_until.0.saturating_sub(HOLD_NS))
        };
        self.order.release(until, &mut events);
        self.births.note(&events);
        self.gaps(began, &drained, &mut events)?;
        if !events.is_empty() || all || self.ticked.elapsed() >= TICK {
            self.ticked = Instant::now();
            let at = if all { began } else { until };
            events.push(Event {
                at,
                what: What::Tick,
            });
        }
        self.drained = began;
        self.in_ring_since = BootTime(seen_until.0.saturating_sub(HOLD_NS));
        if !events.is_empty() {
            self.send(events)?;
        }
        Ok(())
    }

    /// Takes what is in the ring, and tells it with the next drain.
    fn empty_ring(&mut self) {
        let _told_by_the_next_drain = self.take_records(boot_time(), true);
    }

    /// Decodes what is in the ring, which was first looked at when this drain began. Returns what
    /// that was, and up to when everything has been seen.
    fn take_records(&mut self, began: BootTime, all: bool) -> (Drained, BootTime) {
        let started = Instant::now();
        let mut seen_until = began;
        let mut drained = Drained::default();
        while let Some(record) = self.ring.next() {
            let header = Decoder::header(&record);
            if let Some(header) = &header {
                self.counters.arrived(header);
            }
            let decoded = self.decoder.decode(&record, self.order.incoming());
            drained.add(record.len(), decoded.is_err());
            if all {
                // What is younger than the wish to have everything is not part of it; a busy
                // target would keep this loop for ever.
                if header.is_some_and(|header| header.time_ns > began.0 + HOLD_NS) {
                    break;
                }
            } else if drained.records() >= BATCH_EVENTS as u64 {
                // What is left in the ring is about as old as this record: no event later than
                // it may be released, and no tick may pass it.
                if let Some(header) = header {
                    seen_until = seen_until.min(BootTime(header.time_ns));
                }
                break;
            }
        }
        self.gauges.drained(drained, started.elapsed());
        (drained, seen_until)
    }

    /// Appends what was lost, and what arrived damaged.
    fn gaps(
        &mut self,
        now: BootTime,
        drained: &Drained,
        events: &mut Vec<Event>,
    ) -> Result<(), Stopped> {
        // Some of what was drained may have been written since the drain began.
        let damaged = counters::damaged(drained.damaged(), self.in_ring_since, boot_time());
        let mut gaps: Vec<_> = damaged.into_iter().collect();
        self.counters
            .gaps(self.drained, now, &mut gaps)
            .map_err(|error| {
                Stopped::Failed(format!("can't read the kernel's counters: {error}"))
            })?;
        if self.checked.elapsed() >= CHECK {
            self.counters
                .missed_runs(&self.ebpf, self.missed_since, now, &mut gaps);
            self.missed_since = now;
            self.gauges.records(self.counters.counts());
        }
        if gaps.iter().any(crate::event::Gap::hides_lives) {
            self.auditing.owe();
        }
        events.extend(gaps.into_iter().map(|gap| Event {
            at: gap.until,
            what: What::Gap(Box::new(gap)),
        }));
        Ok(())
    }

    fn send(&self, events: Vec<Event>) -> Result<(), ReaderGone> {
        self.sender
            .blocking_send(Batch { events })
            .map_err(|_| ReaderGone)
    }
}

/// Why the source ends early.
enum Stopped {
    ReaderGone,
    Failed(String),
}

impl From<ReaderGone> for Stopped {
    fn from(_: ReaderGone) -> Self {
        Self::ReaderGone
    }
}

/// Takes a map out of the object, as the type it must have.
fn take<T: TryFrom<Map, Error = MapError>>(ebpf: &mut Ebpf, name: &str) -> Result<T, MapError> {
    let missing = || MapError::InvalidName {
        name: name.to_owned(),
    };
    ebpf.take_map(name).ok_or_else(missing)?.try_into()
}
