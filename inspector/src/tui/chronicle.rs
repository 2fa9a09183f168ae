//! What the ledger does not keep and a screen wants to show: the latest events, and when each
//! thread was woken.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::{
    event::{
        Event, Scan, WaitEvent, What,
        id::BootTime,
        text::Text,
        wait::{Blocked, Waker},
    },
    ledger::{Ledger, arena::Key, identity::ThreadName, thread::Thread},
};

/// Events kept, waits aside.
const EVENTS: usize = 20_000;
/// Ended waits kept among the events: there are so many that they would drive out all others.
const WAIT_EVENTS: usize = 5_000;
/// Steps with wake-ups kept for each thread.
const STEPS: usize = 512;
/// Ended waits kept for each thread.
const WAITS: usize = 12;
/// Length of a step in which wake-ups are counted.
pub const STEP_NS: u64 = 250_000_000;

/// The latest events, and threads' waits.
#[derive(Clone, Debug, Default)]
pub struct Chronicle {
    events: VecDeque<(u64, Event)>,
    wait_events: VecDeque<(u64, Event)>,
    threads: FxHashMap<Key<Thread>, Waits>,
    /// The user's own remarks in a recording.
    remarks: Vec<(u64, BootTime, Text)>,
    /// Counts every event that was ever kept: the number of the newest.
    newest: u64,
}

/// A thread's ended waits. Those shorter than the source's threshold are not among them.
#[derive(Clone, Debug)]
pub struct Waits {
    name: ThreadName,
    /// Steps (since boot) in which waits ended, and how many, oldest first.
    pub steps: VecDeque<(u32, u32)>,
    /// The last of them.
    pub last: VecDeque<EndedWait>,
}

/// A wait that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedWait {
    /// What it was.
    pub wait: Blocked,
    /// When it ended.
    pub ended: BootTime,
    /// Who ended it.
    pub waker: Option<Waker>,
}

impl Chronicle {
    /// Takes note of an event that the ledger has applied.
    pub fn note(&mut self, event: &Event, ledger: &Ledger) {
        if !event.is_news() {
            return;
        }
        let mut most = EVENTS;
        let mut ring = &mut self.events;
        if let What::Wait(wait) = &event.what {
            let WaitEvent::Ended {
                tid, wait, waker, ..
            } = **wait
            else {
                return;
            };
            let Some(thread) = ledger.thread_by_tid(tid) else {
                return;
            };
            let Some(record) = ledger.thread(thread) else {
                return;
            };
            let ended = EndedWait {
                wait,
                ended: event.at,
                waker,
            };
            self.threads
                .entry(thread)
                .or_insert_with(|| Waits::new(record.name))
                .add(record.name, ended);
            most = WAIT_EVENTS;
            ring = &mut self.wait_events;
        }
        if ring.len() >= most {
            ring.pop_front();
        }
        self.newest += 1;
        ring.push_back((self.newest, kept(event)));
    }

    /// Takes note of a remark of the user's own.
    pub fn remark(&mut self, at: BootTime, text: &str) {
        self.newest += 1;
        let remark = (self.newest, at, Text::from(text.as_bytes()));
        self.remarks.push(remark);
    }

    /// The remarks with their numbers, newest first.
    pub fn remarks(&self) -> impl Iterator<Item = &(u64, BootTime, Text)> {
        self.remarks.iter().rev()
    }

    /// Forgets the waits of threads that the ledger has forgotten.
    pub fn forget(&mut self, ledger: &Ledger) {
        self.threads.retain(|&thread, waits| {
            ledger
                .thread(thread)
                .is_some_and(|record| record.name == waits.name)
        });
    }

    /// A thread's waits.
    pub fn waits(&self, thread: Key<Thread>, name: &ThreadName) -> Option<&Waits> {
        self.threads
            .get(&thread)
            .filter(|waits| waits.name == *name)
    }

    /// The event of this number, while it is kept.
    pub fn event(&self, number: u64) -> Option<&Event> {
        [&self.events, &self.wait_events]
            .into_iter()
            .find_map(|kept| {
                let place = kept
                    .binary_search_by_key(&number, |(number, _)| *number)
                    .ok()?;
                Some(&kept[place].1)
            })
    }

    /// The latest events with their numbers, waits behind all others, each newest first.
    pub fn events(&self) -> impl Iterator<Item = (u64, &Event)> {
        let kept = self
            .events
            .iter()
            .rev()
            .chain(self.wait_events.iter().rev());
        kept.map(|(number, event)| (*number, event))
    }
}

/// What is kept of an event: of a scan not what it saw, which the ledger holds.
fn kept(event: &Event) -> Event {
    let What::Scan(scan) = &event.what else {
        return event.clone();
    };
    let kept = Scan {
        threads: scan.threads.clone(),
        tables: Vec::new(),
        limits: None,
        ..**scan
    };
    Event {
        at: event.at,
        what: What::Scan(Box::new(kept)),
    }
}

impl Waits {
    fn new(name: ThreadName) -> Self {
        Self {
            name,
            steps: VecDeque::new(),
            last: VecDeque::new(),
        }
    }

    /// Takes note of a wait of the thread of this name.
    fn add(&mut self, name: ThreadName, ended: EndedWait) {
        if self.name != name {
            *self = Self::new(name);
        }
        let step = u32::try_from(ended.ended.0 / STEP_NS).unwrap_or(u32::MAX);
        match self.steps.back_mut() {
            Some((last, count)) if *last == step => *count += 1,
            _ => {
                if self.steps.len() >= STEPS {
                    self.steps.pop_front();
                }
                self.steps.push_back((step, 1));
            }
        }
        if self.last.len() >= WAITS {
            self.last.pop_front();
        }
        self.last.push_back(ended);
    }

    /// Since when wake-ups are known: before this, some may have been forgotten.
    pub fn known_since(&self) -> BootTime {
        match self.steps.front() {
            Some((step, _)) if self.steps.len() >= STEPS => BootTime(u64::from(*step) * STEP_NS),
            _ => BootTime(0),
        }
    }

    /// Wake-ups between two times, to the step.
    pub fn between(&self, from: BootTime, until: BootTime) -> u64 {
        let (first, last) = (from.0 / STEP_NS, until.0 / STEP_NS);
        let start = self
            .steps
            .partition_point(|(step, _)| u64::from(*step) < first);
        self.steps
            .range(start..)
            .take_while(|(step, _)| u64::from(*step) <= last)
            .map(|(_, count)| u64::from(*count))
            .sum()
    }
}
