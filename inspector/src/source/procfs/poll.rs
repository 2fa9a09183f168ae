//! The polling source: readings of /proc at an interval, for whoever may not use the kernel's
//! programs.
//!
//! What is born and dies within one interval is never seen; everything else is seen with the
//! interval in which it happened. The events are scans with role `Poll`, so that the ledger knows
//! what they can and can't tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fd::OwnedFd,
    fs::{Mode, OFlags},
    io::Errno,
};

use super::{limits, scan, target::refresh, task};
use crate::{
    event::{
        Batch, BootTime, Event, SourceEnd, What,
        id::{Tgid, Tid},
        loss::Count,
        scan::ScanRole,
    },
    source::{BATCHES, Followed, Request, Running, SourceKind, clock::boot_time, gauges::Gauges},
};

/// The shortest interval: below it the readings would only follow one another.
const SHORTEST: Duration = Duration::from_millis(1);

/// Time between two readings of what limits a process.
const LIMITS_EVERY: Duration = Duration::from_secs(1);

/// Why polling can't start.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// No such process (or one that `hidepid` hides).
    #[error("process {0} is not there")]
    Gone(Tgid),
    /// It is there, but can't be read.
    #[error("process {0} can't be read")]
    Unreadable(Tgid, #[source] std::io::Error),
    /// The source's thread can't be started.
    #[error("can't start a thread")]
    Thread(#[source] std::io::Error),
}

/// Reads these processes and their children every so often, on a thread of its own, until all of
/// them are gone or it is told to stop. A child is seen as one when it still has its parent at
/// the first reading after its birth; it is then followed whatever becomes of the parent.
///
/// The interval counts from one reading's start to the next one's; a reading that takes longer
/// than half of it is followed by a pause of its own length, so that no more than half a cpu is
/// spent. `why` there is nothing better is shown with every output.
///
/// # Errors
/// See [`PollError`]; a process whose descriptors alone are refused is none.
pub fn start(
    proc_root: PathBuf,
    pids: &[Tgid],
    every: Duration,
    why: String,
) -> Result<Running, PollError> {
    let every = every.max(SHORTEST);
    let (batches, received) = tokio::sync::mpsc::channel(BATCHES);
    let (requests, asked) = mpsc::channel();
    let gauges = Arc::new(Gauges::default());
    let mut poll = Poll {
        proc_root,
        targets: BTreeMap::new(),
        strangers: BTreeSet::new(),
        round_began: None,
        batches,
        gauges: Arc::clone(&gauges),
        scans: 0,
    };
    for &tgid in pids {
        poll.follow(tgid, None)?;
    }
    let thread = thread::Builder::new()
        .name("inspector-poll".into())
        .spawn(move || poll.run(&asked, every))
        .map_err(PollError::Thread)?;
    Ok(Running {
        batches: received,
        requests,
        kind: SourceKind::Polling { every, why },
        gauges,
        thread,
    })
}

struct Poll {
    proc_root: PathBuf,
    targets: BTreeMap<Tgid, Target>,
    /// Processes known to be nobody's child of ours. A number that is handed to such a child
    /// within one interval is overlooked.
    strangers: BTreeSet<u32>,
    /// Start of the last reading of everything.
    round_began: Option<BootTime>,
    batches: tokio::sync::mpsc::Sender<Batch>,
    gauges: Arc<Gauges>,
    scans: u64,
}

/// A process that is followed.
struct Target {
    /// Its start; another process may get its number.
    start_ticks: u64,
    /// What its next scan compares with: the start of the previous one.
    since: Option<BootTime>,
    /// When its limits were read last.
    limits_read: Option<Instant>,
}

/// The reader is gone.
struct Unread;

impl Poll {
    fn run(mut self, asked: &mpsc::Receiver<Request>, every: Duration) {
        let error = match self.rounds(asked, every) {
            Ok(error) => error,
            // Nobody would hear the end either.
            Err(Unread) => return,
        };
        let end = SourceEnd {
            error,
            counts: self.counts(),
        };
        let end = event(boot_time(), What::End(Box::new(end)));
        let _reader_gone = self.send(vec![end]);
    }

    /// Reads until everything is over; what went wrong, if something did.
    fn rounds(
        &mut self,
        asked: &mpsc::Receiver<Request>,
        every: Duration,
    ) -> Result<Option<String>, Unread> {
        loop {
            let began = Instant::now();
            if let Err(errno) = self.round()? {
                return Ok(Some(format!("can't read /proc: {errno}")));
            }
            let mut next = began + every.max(began.elapsed() * 2);
            while !self.targets.is_empty() {
                let pause = next.saturating_duration_since(Instant::now());
                match asked.recv_timeout(pause) {
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) | Ok(Request::Stop) => return Ok(None),
                    // It always does.
                    Ok(Request::EndWithTargets) => {}
                    Ok(Request::Follow { tgid, done }) => {
                        let followed = self.follow(tgid, None);
                        let followed = followed.map(|()| Followed::default());
                        let _asker_gone = done.send(followed.map_err(|error| error.to_string()));
                        next = Instant::now();
                    }
                    Ok(Request::Audit { heal, done }) => {
                        self.audit(heal)?;
                        let _asker_gone = done.send(());
                    }
                    Ok(Request::Refresh { tgid, fds, done }) => {
                        if let Some(targets) = refresh(&self.proc_root, tgid, fds) {
                            let what = What::Targets(Box::new(targets));
                            self.send(vec![event(boot_time(), what)])?;
                        }
                        let _asker_gone = done.send(());
                    }
                    Ok(Request::Drain(answer)) => {
                        if let Err(errno) = self.round()? {
                            return Ok(Some(format!("can't read /proc: {errno}")));
                        }
                        let _asker_gone = answer.send(());
                    }
                }
            }
            if self.targets.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Reads every target, and finds its new children.
    fn round(&mut self) -> Result<Result<(), Errno>, Unread> {
        let started = Instant::now();
        let began = boot_time();
        if let Err(errno) = self.find_children() {
            return Ok(Err(errno));
        }
        let mut events = Vec::new();
        let mut gone = Vec::new();
        for (&tgid, target) in &mut self.targets {
            let role = ScanRole::Poll {
                since: target.since,
            };
            // What can't be read now (no descriptors of our own left) is compared with the last
            // reading that could.
            let Ok(mut scan) = scan(&self.proc_root, tgid, role) else {
                continue;
            };
            let leader = scan
                .threads
                .iter()
                .flatten()
                .find(|seen| seen.tid.0 == tgid.0);
            if leader.is_some_and(|leader| leader.start_ticks != target.start_ticks) {
                scan.threads = None;
                scan.tables.clear();
            }
            if scan.threads.is_none() {
                gone.push(tgid);
            } else if target
                .limits_read
                .is_none_or(|at| at.elapsed() >= LIMITS_EVERY)
            {
                target.limits_read = Some(Instant::now());
                let read = limits::read(&self.proc_root, Path::new(limits::CGROUPS), tgid);
                scan.limits = Some(Box::new(read));
            }
            target.since = Some(scan.began);
            events.push(event(scan.ended, What::Scan(Box::new(scan))));
        }
        for tgid in gone {
            self.targets.remove(&tgid);
        }
        self.round_began = Some(began);
        self.gauges.polled(started.elapsed());
        self.send_with_tick(events).map(Ok)
    }

    fn audit(&mut self, heal: bool) -> Result<(), Unread> {
        let started = Instant::now();
        let role = ScanRole::Audit { heal };
        let events = self
            .targets
            .keys()
            .filter_map(|&tgid| scan(&self.proc_root, tgid, role).ok())
            .map(|scan| event(scan.ended, What::Scan(Box::new(scan))))
            .collect();
        self.gauges.audited(started.elapsed());
        self.send_with_tick(events)
    }

    /// Adds a process; its next scan compares with `since`.
    fn follow(&mut self, tgid: Tgid, since: Option<BootTime>) -> Result<(), PollError> {
        let unreadable = |errno: Errno| PollError::Unreadable(tgid, errno.into());
        let process = self.proc_root.join(tgid.0.to_string()).join("task");
        let process = match open_folder(&process) {
            Ok(process) => process,
            Err(Errno::NOENT | Errno::SRCH) => return Err(PollError::Gone(tgid)),
            Err(errno) => return Err(unreadable(errno)),
        };
        let threads = task::live(&process, &mut || {}).map_err(unreadable)?;
        // A leader that exited before its other threads is a zombie, and its start can't matter:
        // the number stays taken as long as they live.
        let Some(first) = threads.first() else {
            return Err(PollError::Gone(tgid));
        };
        let leader = threads.iter().find(|task| task.seen.tid.0 == tgid.0);
        let start_ticks = leader.unwrap_or(first).seen.start_ticks;
        self.targets.entry(tgid).or_insert(Target {
            start_ticks,
            since,
            limits_read: None,
        });
        Ok(())
    }

    /// Follows processes that are new since the last round and descend from a target.
    fn find_children(&mut self) -> Result<(), Errno> {
        let root = open_folder(&self.proc_root)?;
        let mut present = BTreeSet::new();
        task::numbers(&root, |pid| {
            present.insert(pid);
            Ok(())
        })?;
        self.strangers.retain(|pid| present.contains(pid));
        let mut parents = BTreeMap::new();
        for &pid in &present {
            if self.strangers.contains(&pid) || self.targets.contains_key(&Tgid(pid)) {
                continue;
            }
            if let Ok(Some(task)) = task::read(&root, Tid(pid)) {
                parents.insert(pid, task.parent);
            }
        }
        let mut children = Vec::new();
        for &pid in parents.keys() {
            if self.descends(pid, &parents) {
                children.push(Tgid(pid));
            } else {
                self.strangers.insert(pid);
            }
        }
        for child in children {
            // It may be gone again already.
            let _gone = self.follow(child, self.round_began);
        }
        Ok(())
    }

    /// Whether a chain of new processes leads from `pid` to a target.
    fn descends(&self, pid: u32, parents: &BTreeMap<u32, u32>) -> bool {
        let mut current = pid;
        // Parents read at different times could form a ring.
        for _ in 0..=parents.len() {
            match parents.get(&current) {
                Some(parent) if self.targets.contains_key(&Tgid(*parent)) => return true,
                Some(parent) => current = *parent,
                None => return false,
            }
        }
        false
    }

    /// Nothing it reads is lost on the way.
    fn counts(&self) -> Vec<(&'static str, Count)> {
        let count = Count {
            produced: self.scans,
            received: self.scans,
            lost: 0,
        };
        vec![("scan", count)]
    }

    fn send_with_tick(&mut self, mut events: Vec<Event>) -> Result<(), Unread> {
        self.scans += events.len() as u64;
        self.gauges.records(self.counts());
        events.push(event(boot_time(), What::Tick));
        self.send(events)
    }

    fn send(&self, events: Vec<Event>) -> Result<(), Unread> {
        self.batches
            .blocking_send(Batch { events })
            .map_err(|_| Unread)
    }
}

fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

fn event(at: BootTime, what: What) -> Event {
    Event { at, what }
}

#[cfg(test)]
mod tests;
