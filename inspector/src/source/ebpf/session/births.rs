//! Births whose descriptors are to be looked up: what a number points at is read from /proc soon
//! after its birth, if it is still open then.
//!
//! The reading is an event like any other: it takes its place among the others by the time at
//! which it ended, so everything that happened before has been told when the ledger gets it, and
//! the ledger leaves alone what changed since it began. Reading never keeps the ring waiting for
//! long: a look takes a few links and two milliseconds at most, what it does not come to is the
//! next one's, and under a flood of births the oldest are left out and counted.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    time::{Duration, Instant},
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Session;
use crate::{
    event::{
        BootTime, Event, Targets, What,
        handle::HandleChange,
        id::{Fd, Tgid, Tid},
    },
    source::{
        clock::boot_time,
        gauges::TargetsReading,
        procfs::{
            PROC, socket,
            target::{self, Open},
        },
    },
};

/// How old a birth is before its descriptor is looked up: most that are closed at once are closed
/// by then.
const AGE_NS: u64 = 10_000_000;
/// Births that wait at most.
const MOST: usize = 16_384;
/// Descriptors that one look reads at most: some 5 µs each, a few times that with details.
const LINKS: usize = 128;
/// And for how long it goes on.
const TIME: Duration = Duration::from_millis(2);
/// Time between two readings of the tables of sockets, at least.
const SOCKETS_EVERY: Duration = Duration::from_millis(250);
/// And as a multiple of what the last one took.
const SOCKETS_REST: u32 = 20;
/// How long one such reading takes at most.
const SOCKETS_TIME: Duration = Duration::from_millis(5);
/// Sockets that wait at most.
const MOST_SOCKETS: usize = 1_024;
/// How often a socket is looked for: one that is neither bound nor connected is in no table.
const TRIES: u8 = 8;

/// What waits to be looked up.
#[derive(Default)]
pub(super) struct Births {
    /// The latest birth of a process's number.
    waiting: FxHashMap<(Tgid, Fd), Birth>,
    /// In the order of their times; some are closed, or replaced by a later one.
    order: VecDeque<(BootTime, Tgid, Fd)>,
    sockets: VecDeque<Socket>,
    sockets_due: Option<Instant>,
    read: u64,
    dropped: u64,
}

#[derive(Clone, Copy)]
struct Birth {
    at: BootTime,
    by: Tid,
}

/// A socket whose state no table has told yet.
#[derive(Clone, Copy)]
struct Socket {
    tgid: Tgid,
    reader: Tid,
    fd: Fd,
    inode: u64,
    tries: u8,
}

impl Births {
    /// Takes note of what was born and closed.
    pub(super) fn note(&mut self, events: &[Event]) {
        for event in events {
            let What::Handle(handle) = &event.what else {
                continue;
            };
            match handle.change {
                HandleChange::Born { fd, .. }
                | HandleChange::Duplicated { to: fd, .. }
                | HandleChange::Received { fd, .. } => {
                    let birth = Birth {
                        at: event.at,
                        by: handle.tid,
                    };
                    self.waiting.insert((handle.tgid, fd), birth);
                    self.order.push_back((event.at, handle.tgid, fd));
                }
                HandleChange::Closed { fd, .. } => {
                    self.waiting.remove(&(handle.tgid, fd));
                }
                _ => {}
            }
        }
        while self.order.len() > MOST {
            self.dropped += u64::from(self.take_oldest().is_some());
        }
    }

    /// Takes the oldest off the queue; `None` = it is closed, or born again.
    fn take_oldest(&mut self) -> Option<(Tgid, Fd, Birth)> {
        let (at, tgid, fd) = self.order.pop_front()?;
        let birth = *self.waiting.get(&(tgid, fd))?;
        if birth.at != at {
            return None;
        }
        self.waiting.remove(&(tgid, fd));
        Some((tgid, fd, birth))
    }

    /// Puts back what there was no time for: it is the first of the next look.
    fn put_back(&mut self, tgid: Tgid, fd: Fd, birth: Birth) {
        self.waiting.insert((tgid, fd), birth);
        self.order.push_front((birth.at, tgid, fd));
    }

    /// Those that are old enough, as many as one look reads, by the thread that made them.
    fn due(&mut self, now: BootTime) -> BTreeMap<(Tgid, Tid), Vec<(Fd, Birth)>> {
        let mut due: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut count = 0;
        while count < LINKS
            && let Some(&(at, ..)) = self.order.front()
            && now.since_ns(at) >= AGE_NS
        {
            if let Some((tgid, fd, birth)) = self.take_oldest() {
                due.entry((tgid, birth.by)).or_default().push((fd, birth));
                count += 1;
            }
        }
        due
    }

    /// Reads those that are due.
    fn look_up(&mut self, proc_root: &Path) -> Vec<Targets> {
        let mut told = Vec::new();
        if self.order.is_empty() {
            return told;
        }
        let started = Instant::now();
        let mut has_read = false;
        for ((tgid, by), fds) in self.due(boot_time()) {
            let has_time = || started.elapsed() < TIME;
            let mut open = None;
            if has_time() {
                open = Open::new(proc_root, tgid, by);
                if open.is_none() {
                    // The thread is gone, and with it what is not looked for through others.
                    continue;
                }
            }
            for (fd, birth) in fds {
                match &mut open {
                    // One at least, however slow the kernel is: no look comes to nothing.
                    Some(open) if has_time() || !has_read => {
                        open.read(fd);
                        has_read = true;
                    }
                    _ => self.put_back(tgid, fd, birth),
                }
            }
            let Some(open) = open else { continue };
            let Some(targets) = open.end() else { continue };
            self.read += targets.read.len() as u64;
            for seen in &targets.read {
                if let Some(inode) = seen.socket() {
                    self.sockets.push_back(Socket {
                        tgid,
                        reader: targets.reader,
                        fd: seen.fd,
                        inode,
                        tries: 0,
                    });
                }
            }
            told.push(targets);
        }
        while self.sockets.len() > MOST_SOCKETS {
            self.sockets.pop_front();
            self.dropped += 1;
        }
        told
    }

    /// Looks for sockets in the tables of their processes, now and then.
    fn look_for_sockets(&mut self, proc_root: &Path) -> Vec<Targets> {
        let started = Instant::now();
        if self.sockets.is_empty() || self.sockets_due.is_some_and(|due| started < due) {
            return Vec::new();
        }
        let mut by_process: BTreeMap<Tgid, Vec<Socket>> = BTreeMap::new();
        for socket in self.sockets.drain(..) {
            by_process.entry(socket.tgid).or_default().push(socket);
        }
        let mut told = Vec::new();
        for (tgid, sockets) in by_process {
            let wanted: FxHashSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
            let found = socket::find(proc_root, tgid, &wanted, started + SOCKETS_TIME);
            let mut by_reader: BTreeMap<Tid, Vec<Fd>> = BTreeMap::new();
            for mut socket in sockets {
                if found.contains_key(&socket.inode) {
                    by_reader.entry(socket.reader).or_default().push(socket.fd);
                } else if socket.tries < TRIES {
                    socket.tries += 1;
                    self.sockets.push_back(socket);
                }
            }
            for (reader, fds) in by_reader {
                // Another may have the number meanwhile: its link says which socket it is.
                let Some(mut open) = Open::new(proc_root, tgid, reader) else {
                    continue;
                };
                for fd in fds {
                    open.read(fd);
                }
                open.tell_sockets(&found);
                told.extend(open.end());
            }
        }
        let now = Instant::now();
        self.sockets_due = Some(now + SOCKETS_EVERY.max((now - started) * SOCKETS_REST));
        told
    }

    fn reading(&self) -> TargetsReading {
        TargetsReading {
            read: self.read,
            dropped: self.dropped,
            waiting: self.waiting.len(),
            sockets_waiting: self.sockets.len(),
        }
    }
}

impl Session {
    /// Looks up what new descriptors point at. Told with the next drain.
    pub(super) fn look_up_targets(&mut self) {
        let proc_root = Path::new(PROC);
        let told = self.births.look_up(proc_root);
        let sockets = self.births.look_for_sockets(proc_root);
        if told.is_empty() && sockets.is_empty() {
            return;
        }
        for targets in told.into_iter().chain(sockets) {
            self.tell_targets(targets);
        }
        self.gauges.targets(self.births.reading());
    }

    /// Reads anew what descriptors point at.
    pub(super) fn refresh(&mut self, tgid: Tgid, fds: Option<Vec<Fd>>) {
        if let Some(targets) = target::refresh(Path::new(PROC), tgid, fds) {
            self.tell_targets(targets);
        }
    }

    fn tell_targets(&mut self, targets: Targets) {
        self.order.incoming().push(Event {
            at: targets.ended,
            what: What::Targets(Box::new(targets)),
        });
    }
}

#[cfg(test)]
mod tests;
