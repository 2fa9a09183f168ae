//! What only the events tell and the ledger does not keep: waits, execs, gaps.

use std::io;

use super::Window;
use crate::{
    event::{
        Batch, Event, Gap, ThreadEvent, WaitEvent, What,
        id::{BootTime, Tid},
        wait::{Blocked, Waker},
    },
    export::past::{Ledgers, Same},
    ledger::{Ledger, arena::Key, thread::Thread},
    trace::read::Read,
};

/// What the window's events told.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How many there were.
    pub(super) events: u64,
    /// What was heard of threads, for each of the ledgers.
    pub(super) heard: Vec<Heard>,
    /// What was lost.
    pub(super) gaps: Vec<Gap>,
}

/// What was heard of the threads of a ledger.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Waits that ended.
    pub(super) waits: Vec<Wait>,
    /// Threads that executed a program or got another name.
    pub(super) renamed: Vec<Renamed>,
}

/// A wait that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) thread: Key<Thread>,
    pub(super) call: Option<u16>,
    /// `None` = it began before the attach.
    pub(super) since: Option<BootTime>,
    pub(super) ended: BootTime,
    /// The call's first argument: a futex's address, another call's descriptor.
    pub(super) on: u64,
    pub(super) waker: Option<Waker>,
}

/// A thread has another program or another name.
#[derive(Clone, Debug)]
pub(super) struct Renamed {
    pub(super) thread: Key<Thread>,
    pub(super) at: BootTime,
    pub(super) by_exec: bool,
    /// Escaped.
    pub(super) name: String,
}

impl Seen {
    /// Applies the window's events, one by one: who a number means may change with the next.
    pub(super) fn take(
        ledgers: &mut Ledgers,
        reads: &mut dyn Iterator<Item = Read>,
        window: Window,
        progress: &mut dyn FnMut(BootTime),
    ) -> io::Result<Self> {
        let mut seen = Self::default();
        let mut heard = Heard::default();
        let mut past: Vec<Heard> = Vec::new();
        let mut past_bytes = 0;
        let mut one = Batch::default();
        for read in reads {
            let batch = match read {
                Read::Batch(batch) => batch,
                Read::State(state) => {
                    if state.ledger().now() <= window.until {
                        let same = ledgers.adopt(*state);
                        let of_past = heard.split(&same);
                        past_bytes += of_past.bytes();
                        past.push(of_past);
                    }
                    continue;
                }
                Read::Note { .. } => continue,
            };
            if let Some(last) = batch.events.last() {
                progress(last.at);
            }
            for event in batch.events {
                if event.at > window.until {
                    continue;
                }
                seen.events += 1;
                one.events.clear();
                one.events.push(event);
                ledgers.take(&one);
                heard.note(ledgers.now.ledger(), &one.events[0]);
                if let What::Gap(gap) = &one.events[0].what {
                    seen.gaps.push(gap.as_ref().clone());
                }
            }
            ledgers.check_bytes(heard.bytes() + past_bytes)?;
        }
        seen.heard.push(heard);
        seen.heard.extend(past);
        Ok(seen)
    }
}

impl Heard {
    fn bytes(&self) -> usize {
        self.waits.capacity() * size_of::<Wait>() + self.renamed.capacity() * size_of::<Renamed>()
    }

    /// Leaves what is of threads that are known after a loss too, and returns the rest.
    fn split(&mut self, same: &Same) -> Self {
        Self {
            waits: split(&mut self.waits, same, |wait| &mut wait.thread),
            renamed: split(&mut self.renamed, same, |renamed| &mut renamed.thread),
        }
    }

    fn note(&mut self, ledger: &Ledger, event: &Event) {
        let thread = |tid| ledger.thread_by_tid(tid);
        match &event.what {
            What::Wait(wait) => {
                if let WaitEvent::Ended {
                    tid, wait, waker, ..
                } = **wait
                    && let Some(thread) = thread(tid)
                {
                    self.waits.push(Wait::new(thread, event.at, wait, waker));
                }
            }
            &What::Thread(ThreadEvent::Exec { tgid, comm, .. }) => {
                self.renamed
                    .extend(thread(Tid(tgid.0)).map(|thread| Renamed {
                        thread,
                        at: event.at,
                        by_exec: true,
                        name: comm.to_string(),
                    }));
            }
            &What::Thread(ThreadEvent::Renamed { tid, comm, .. }) => {
                self.renamed.extend(thread(tid).map(|thread| Renamed {
                    thread,
                    at: event.at,
                    by_exec: false,
                    name: comm.to_string(),
                }));
            }
            _ => {}
        }
    }
}

/// Leaves what is of these threads, by their places after the loss, and returns the rest.
fn split<T>(all: &mut Vec<T>, same: &Same, thread: fn(&mut T) -> &mut Key<Thread>) -> Vec<T> {
    let is_rest = |one: &mut T| match same.get(thread(one)) {
        Some(&known) => {
            *thread(one) = known;
            false
        }
        None => true,
    };
    all.extract_if(.., is_rest).collect()
}

impl Wait {
    fn new(thread: Key<Thread>, ended: BootTime, wait: Blocked, waker: Option<Waker>) -> Self {
        Self {
            thread,
            call: wait.call,
            since: wait.since,
            ended,
            on: wait.args[0],
            waker,
        }
    }
}

const _: () = assert!(size_of::<Wait>() <= 64, "waits are kept by the million");
