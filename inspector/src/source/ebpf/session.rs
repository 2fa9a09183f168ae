//! The running source: drains the ring, puts events in order, answers requests, until it ends.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
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

use super::{
    bits::Bits,
    counters::{self, Ledgered},
    decode::Decoder,
    log::StderrLog,
    marks::Marks,
    order::{HOLD_NS, Order},
    targets::{Targets, is_gone},
    waits::Waits,
};
use crate::{
    event::{Batch, BootTime, Event, SourceEnd, What, id::Tgid, scan::ScanRole},
    source::{BATCH_EVENTS, Followed, Request, clock::boot_time, probe_set::ProbeSet, procfs},
};

/// Time between two looks at the ring.
const POLL: Duration = Duration::from_millis(10);
/// Time between two ticks when nothing happens.
const TICK: Duration = Duration::from_millis(50);
/// Time between two looks whether targets live and whether programs skipped runs.
const CHECK: Duration = Duration::from_millis(200);
/// Time between two audits that losses cause, at least.
const AUDIT_EVERY: Duration = Duration::from_millis(50);
/// And as a multiple of what the last one took.
const AUDIT_REST: u32 = 4;

/// Everything the source's thread works with.
pub(super) struct Session {
    ebpf: Ebpf,
    ring: RingBuf<MapData>,
    targets: Targets,
    counters: Ledgered,
    marks: Marks,
    waits: Option<Waits>,
    decoder: Decoder,
    order: Order,
    sender: batches::Sender<Batch>,
    until: Until,
    /// What the programs have to say, if that is wanted.
    log: Option<EbpfLogger<StderrLog>>,
    /// When the drain before this one began.
    drained: BootTime,
    ticked: Instant,
    checked: Instant,
    /// When the last look at skipped runs was.
    missed_since: BootTime,
    /// Something was lost since the last audit.
    owes_audit: bool,
    /// Not audited for losses before this.
    audit_due: Instant,
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
        let now = boot_time();
        Ok(Self {
            ring: take::<RingBuf<MapData>>(&mut ebpf, "RING")?,
            targets: Targets::new(targets),
            counters: Ledgered::new(take::<PerCpuArray<_, _>>(&mut ebpf, "COUNTERS")?),
            marks: Marks::new(take::<Array<_, _>>(&mut ebpf, "SITES")?),
            waits,
            ebpf,
            decoder: Decoder::default(),
            order: Order::default(),
            sender,
            until: Until::TargetsEnd,
            log: None,
            drained: now,
            ticked: Instant::now(),
            checked: Instant::now(),
            missed_since: now,
            owes_audit: false,
            audit_due: Instant::now(),
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
        let end = SourceEnd { error: end, counts };
        let event = Event {
            at: boot_time(),
            what: What::End(Box::new(end)),
        };
        let _reader_may_be_gone = self.send(vec![event]);
    }

    fn step(&mut self, asked: &mpsc::Receiver<Request>) -> Result<Next, Stopped> {
        self.drain(false)?;
        self.mend(false)?;
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
            Request::Drain(done) => {
                self.drain(true)?;
                let _asker_may_be_gone = done.send(());
            }
            Request::Stop => {}
        }
        Ok(())
    }

    /// Attach first, then the baseline: nothing is missed in between.
    fn follow(&mut self, tgid: Tgid) -> Result<Result<Followed, String>, Stopped> {
        if is_gone(tgid) {
            return Ok(Err(format!("there is no process {tgid}")));
        }
        self.targets.add(tgid);
        let program = PathBuf::from(format!("/proc/{tgid}/exe"));
        let followed = self.marks.attach(&mut self.ebpf, &program);
        let scan = match procfs::scan(Path::new(PROC), tgid, ScanRole::Baseline) {
            Ok(scan) => scan,
            Err(error) => return Ok(Err(format!("can't read /proc/{tgid}: {error}"))),
        };
        if let Some(waits) = &mut self.waits {
            for thread in scan.threads.iter().flatten() {
                waits.seed(tgid, thread.tid);
            }
        }
        let event = Event {
            at: scan.ended,
            what: What::Scan(Box::new(scan)),
        };
        self.send(vec![event])?;
        Ok(followed)
    }

    fn audit(&mut self, heal: bool) -> Result<(), Stopped> {
        for tgid in self.targets.now() {
            // A process that can't be read leaves what is unknown unknown.
            let Ok(scan) = procfs::scan(Path::new(PROC), Tgid(tgid), ScanRole::Audit { heal })
            else {
                continue;
            };
            // What changed while /proc was read must reach the ledger before the audit does: it
            // leaves alone what had an event in between.
            self.drain(true)?;
            self.send(vec![Event {
                at: scan.ended,
                what: What::Scan(Box::new(scan)),
            }])?;
        }
        Ok(())
    }

    /// Takes what is in the ring and sends what is old enough; everything, if `all`.
    fn drain(&mut self, all: bool) -> Result<(), Stopped> {
        if let Some(log) = &mut self.log {
            log.flush();
        }
        let began = boot_time();
        let mut seen_until = began;
        let mut taken = 0;
        while let Some(record) = self.ring.next() {
            let header = Decoder::header(&record);
            if let Some(header) = &header {
                self.counters.arrived(header);
            }
            if self.decoder.decode(&record, self.order.incoming()).is_err() {
                self.counters.damaged();
            }
            taken += 1;
            if all {
                // What is younger than the wish to have everything is not part of it; a busy
                // target would keep this loop for ever.
                if header.is_some_and(|header| header.time_ns > began.0 + HOLD_NS) {
                    break;
                }
            } else if taken >= BATCH_EVENTS {
                // What is left in the ring is about as old as this record: no event later than
                // it may be released, and no tick may pass it.
                if let Some(header) = header {
                    seen_until = seen_until.min(BootTime(header.time_ns));
                }
                break;
            }
        }
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
        self.gaps(began, &mut events)?;
        if !events.is_empty() || all || self.ticked.elapsed() >= TICK {
            self.ticked = Instant::now();
            let at = if all { began } else { until };
            events.push(Event {
                at,
                what: What::Tick,
            });
        }
        self.drained = began;
        if !events.is_empty() {
            self.send(events)?;
        }
        Ok(())
    }

    /// Audits if something was lost: only /proc can tell now what became of it. Not again and
    /// again while more is lost: reading /proc takes the time that reading the ring lacks.
    fn mend(&mut self, now: bool) -> Result<(), Stopped> {
        if !self.owes_audit || (!now && Instant::now() < self.audit_due) {
            return Ok(());
        }
        self.owes_audit = false;
        let began = Instant::now();
        self.audit(true)?;
        self.audit_due = Instant::now() + AUDIT_EVERY.max(began.elapsed() * AUDIT_REST);
        Ok(())
    }

    /// Appends what was lost.
    fn gaps(&mut self, now: BootTime, events: &mut Vec<Event>) -> Result<(), Stopped> {
        let mut gaps = Vec::new();
        self.counters
            .gaps(self.drained, now, &mut gaps)
            .map_err(|error| {
                Stopped::Failed(format!("can't read the kernel's counters: {error}"))
            })?;
        if self.checked.elapsed() >= CHECK {
            self.counters
                .missed_runs(&self.ebpf, self.missed_since, now, &mut gaps);
            self.missed_since = now;
        }
        self.owes_audit |= gaps.iter().any(crate::event::Gap::hides_lives);
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

/// Where processes are read.
const PROC: &str = "/proc";

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
