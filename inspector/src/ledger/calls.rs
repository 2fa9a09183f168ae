//! Calls in progress: the rule that settles a handle that was *closed here* while other
//! references existed.
//!
//! A call on a descriptor holds its description until the call returns. If every descriptor of a
//! description was seen being made, none was passed on, and it is of a kind that memory can't
//! map, then only such a call can hold it after its last close. It is released once every thread
//! that used the table then has been seen past the call it was in: by an event of its own, by
//! its exit, or by a wait sample that shows it elsewhere. Where waits are not sampled a silent
//! thread settles nothing, and the handle stays `unknown (closed here)`.
//!
//! The check runs at ticks and remembers the first thread that is not past yet, so a thread that
//! stays in its call for hours costs one look a tick.

use super::{
    Ledger, arena::Key, handle::Description, release::Proof, table::Table, thread::Thread,
};
use crate::event::{
    handle::HandleKind,
    id::{BootTime, CallNumber, Fd, Moment, Tid},
    wait::Blocked,
};

/// A description that a call in progress may hold.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct CallWait {
    description: Key<Description>,
    table: Key<Table>,
    /// The table's number: its place may be used again.
    number: u32,
    fd: Fd,
    closed: Moment,
    returned: BootTime,
    /// When a call was last seen to hold it. A wait that ends is told, so it held it till then.
    held: BootTime,
    /// Users of the table before this place are past their calls.
    place: usize,
    /// The table's departures when the look through its users began.
    departures: u32,
}

/// Where a thread stands.
enum Standing {
    /// Past whatever call it was in at the close.
    Past,
    /// In this call on the number since before the close.
    Holds(CallNumber),
    /// Not known.
    NotKnown,
}

impl CallWait {
    pub(super) fn new(
        description: Key<Description>,
        table: Key<Table>,
        fd: Fd,
        closed: Moment,
        returned: BootTime,
    ) -> Self {
        Self {
            description,
            table,
            number: 0,
            fd,
            closed,
            returned,
            held: closed.earliest,
            place: 0,
            departures: 0,
        }
    }
}

impl Ledger {
    pub(super) fn await_calls(&mut self, mut wait: CallWait) {
        let shared = &self.descriptions[wait.description];
        if shared.reach.is_exclusive() && !can_be_mapped(shared.kind) {
            let table = &self.tables[wait.table];
            (wait.number, wait.departures) = (table.number, table.departures);
            self.call_waits.push(wait);
        }
    }

    /// Looks at every description that a call in progress may hold.
    pub(super) fn check_calls(&mut self, now: BootTime) {
        let mut waits = std::mem::take(&mut self.call_waits);
        waits.retain_mut(|wait| !self.check_call(wait, now));
        waits.append(&mut self.call_waits);
        self.call_waits = waits;
    }

    /// Returns whether there is nothing left to wait for.
    fn check_call(&mut self, wait: &mut CallWait, now: BootTime) -> bool {
        let Some(shared) = self.descriptions.get(wait.description) else {
            return true;
        };
        let Some(unaccounted) = &shared.unaccounted else {
            return true;
        };
        if unaccounted.closed != wait.closed || !shared.reach.is_exclusive() {
            return true;
        }
        if let Some(table) = self.tables.get(wait.table)
            && table.number == wait.number
        {
            if table.departures != wait.departures {
                // Users changed places.
                wait.departures = table.departures;
                wait.place = 0;
            }
            while let Some(&user) = table.users.get(wait.place) {
                match self.standing(user, wait) {
                    Standing::Past => wait.place += 1,
                    Standing::Holds(call) => {
                        let tid = self.threads[user].name.tid;
                        self.held_by_call(wait.description, Some((tid, call)));
                        wait.held = now;
                        return false;
                    }
                    Standing::NotKnown => {
                        self.held_by_call(wait.description, None);
                        return false;
                    }
                }
            }
        }
        let moment = Moment {
            earliest: wait.held,
            latest: now.max(wait.closed.latest),
        };
        self.released(wait.description, moment, Proof::CallsEnded);
        true
    }

    fn held_by_call(&mut self, description: Key<Description>, holder: Option<(Tid, CallNumber)>) {
        let shared = &mut self.descriptions[description];
        if let Some(unaccounted) = &mut shared.unaccounted
            && unaccounted.held_by_call != holder
        {
            unaccounted.held_by_call = holder;
            self.description_changed(description);
        }
    }

    fn standing(&self, user: Key<Thread>, wait: &CallWait) -> Standing {
        let thread = &self.threads[user];
        if thread.last_seen() >= wait.returned {
            return Standing::Past;
        }
        let Some(activity) = thread.activity() else {
            return Standing::NotKnown;
        };
        if activity.sampled <= wait.returned {
            return Standing::NotKnown;
        }
        let Some(blocked) = activity.blocked else {
            return Standing::Past;
        };
        if blocked.since.is_some_and(|since| since > wait.returned) {
            return Standing::Past;
        }
        match uses(&blocked, wait.fd) {
            Uses::No => Standing::Past,
            Uses::Yes(call) => Standing::Holds(call),
            Uses::Maybe => Standing::NotKnown,
        }
    }
}

enum Uses {
    No,
    Yes(CallNumber),
    Maybe,
}

/// Whether a blocked call holds the descriptor `fd` (numbers of x86-64 Linux).
fn uses(blocked: &Blocked, fd: Fd) -> Uses {
    let Some(call) = blocked.call else {
        // A fault or a stop, perhaps within a call.
        return Uses::Maybe;
    };
    let is = |argument: usize| blocked.args[argument] & 0xffff_ffff == u64::from(fd.0);
    let named = match call {
        // futex, nanosleep, clock_nanosleep, pause, wait4, waitid, rt_sigtimedwait,
        // rt_sigsuspend, sched_yield: their first argument is no descriptor.
        202 | 35 | 230 | 34 | 61 | 247 | 128 | 130 | 24 => false,
        // poll, select, pselect6, ppoll: the numbers lie in the caller's memory.
        7 | 23 | 270 | 271 => return Uses::Maybe,
        // sendfile, tee
        40 | 276 => is(0) || is(1),
        // splice, copy_file_range
        275 | 326 => is(0) || is(2),
        _ => is(0),
    };
    if named {
        Uses::Yes(CallNumber(call))
    } else {
        Uses::No
    }
}

/// Whether a mapping can hold a description of this kind beyond its descriptors.
fn can_be_mapped(kind: HandleKind) -> bool {
    match kind {
        HandleKind::Opened
        | HandleKind::File
        | HandleKind::Device
        | HandleKind::Memfd
        | HandleKind::MemfdSecret
        | HandleKind::PerfEvent
        | HandleKind::Bpf
        | HandleKind::IoUring
        | HandleKind::Unknown => true,
        // Of sockets only packet and TCP zero-copy receive rings are mapped.
        HandleKind::Socket
        | HandleKind::Directory
        | HandleKind::Pipe
        | HandleKind::Eventfd
        | HandleKind::Timerfd
        | HandleKind::Signalfd
        | HandleKind::Epoll
        | HandleKind::Inotify
        | HandleKind::Fanotify
        | HandleKind::Pidfd
        | HandleKind::Userfaultfd
        | HandleKind::FsContext
        | HandleKind::Mount
        | HandleKind::Landlock
        | HandleKind::Mqueue
        | HandleKind::Seccomp => false,
    }
}
