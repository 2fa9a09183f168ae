//! The live threads of a document.

use serde::{Serialize, Serializer};

use super::{At, Owned, owned};
use crate::{
    event::id::CallNumber,
    ledger::{Ledger, thread::Thread},
    verdict::wording::CallWord,
};

pub(super) struct Threads<'a>(pub(super) &'a Ledger);

/// A live thread.
#[derive(Serialize)]
struct Row {
    tid: u32,
    pid: u32,
    start_ns: Option<u64>,
    epoch: u32,
    comm: String,
    born_ns: At,
    parent_tid: Option<u32>,
    origin: &'static str,
    /// `blocked`, `running` or `exiting`; `null` = no waits were sampled.
    state: Option<&'static str>,
    /// What it is blocked in.
    blocked: Option<Blocked>,
    /// When its state was seen.
    sampled_ns: Option<u64>,
    owner: Option<Owned>,
}

#[derive(Serialize)]
struct Blocked {
    /// `null` = a fault or a stop.
    call: Option<String>,
    /// `null` = before the attach.
    since_ns: Option<u64>,
}

impl Serialize for Threads<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let live = self.0.threads().filter(|(_, thread)| thread.gone.is_none());
        let mut live: Vec<_> = live.map(|(_, thread)| thread).collect();
        live.sort_unstable_by_key(|thread| (thread.name.tgid, thread.name.tid));
        serializer.collect_seq(live.into_iter().map(|thread| row(self.0, thread)))
    }
}

fn row(ledger: &Ledger, thread: &Thread) -> Row {
    let activity = thread.activity();
    let blocked = activity.and_then(|activity| activity.blocked);
    Row {
        tid: thread.name.tid.0,
        pid: thread.name.tgid.0,
        start_ns: thread.name.start.map(|at| at.0),
        epoch: thread.name.epoch,
        comm: thread.comm.to_string(),
        born_ns: thread.born.into(),
        parent_tid: thread.parent.map(|tid| tid.0),
        origin: thread.origin.word(),
        state: state(thread),
        blocked: blocked.map(|blocked| Blocked {
            call: blocked
                .call
                .map(|call| CallWord(CallNumber(call)).to_string()),
            since_ns: blocked.since.map(|at| at.0),
        }),
        sampled_ns: activity.map(|activity| activity.sampled.0),
        owner: owned(ledger, thread.owner),
    }
}

/// The word for what a live thread does.
pub(crate) fn state(thread: &Thread) -> Option<&'static str> {
    if thread.exiting.is_some() {
        return Some("exiting");
    }
    let blocked = thread.activity()?.blocked;
    Some(blocked.map_or("running", |_| "blocked"))
}
