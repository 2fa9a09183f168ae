//! Where events come from, and what every source offers its reader.
//!
//! A source is one function that starts it and returns a [`Running`]: a bounded channel of
//! batches, a way to ask, and gauges of how it fares itself. No type of a particular source passes this module: whoever reads
//! `batches` can't tell the kernel's programs from /proc but by [`Running::kind`].

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use tokio::sync::{mpsc as batches, oneshot};

use crate::event::{
    Batch,
    id::{Fd, Tgid},
};

pub mod clock;
pub mod ebpf;
pub mod gauges;
pub mod probe_set;
pub mod procfs;
pub mod toll;

use gauges::Gauges;
use probe_set::ProbeSet;

/// Batches that wait at most between a source and its reader. A source whose reader is slow waits
/// here, and the kernel counts what it could not keep meanwhile.
pub const BATCHES: usize = 64;

/// Most events in one batch.
pub const BATCH_EVENTS: usize = 16_384;

/// A source at work.
#[derive(Debug)]
pub struct Running {
    /// What happened. Closed after the source's `End`.
    pub batches: batches::Receiver<Batch>,
    /// How to ask it.
    pub requests: mpsc::Sender<Request>,
    /// What it is.
    pub kind: SourceKind,
    /// How it fares while it runs; they stay as they were last when it has ended.
    pub gauges: Arc<Gauges>,
    /// Its thread. It ends after `End` was sent and everything is detached.
    pub thread: thread::JoinHandle<()>,
}

/// What a source rests on: every output says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// The kernel's programs.
    Ebpf(ProbeSet),
    /// /proc, read again and again: births and deaths between two readings are not seen, and
    /// times are intervals.
    Polling {
        /// The time from one reading to the next.
        every: Duration,
        /// Why there is nothing better.
        why: String,
    },
}

/// What a source can be asked. The answer comes as events; replies only say that they were sent.
#[derive(Debug)]
pub enum Request {
    /// Trace a process, and its children.
    Follow {
        /// The process.
        tgid: Tgid,
        /// Told when its baseline has been sent, or why it can't be traced.
        done: oneshot::Sender<Result<Followed, String>>,
    },
    /// Compare what is known with /proc.
    Audit {
        /// Whether the ledger may be corrected; [`AuditMode::Observe`] forbids it.
        heal: bool,
        /// Told when the audits have been sent.
        done: oneshot::Sender<()>,
    },
    /// Read anew what descriptors of a process point at. The answer comes as a `Targets` event.
    Refresh {
        /// The process.
        tgid: Tgid,
        /// Which of its descriptors; `None` = all that the table of its leader (or of a thread
        /// that lives) holds.
        fds: Option<Vec<Fd>>,
        /// Told when the event has been sent, or when there was nothing to read.
        done: oneshot::Sender<()>,
    },
    /// Send everything that has happened so far.
    Drain(oneshot::Sender<()>),
    /// End by itself when the last target is gone: no more of them will be named.
    EndWithTargets,
    /// End.
    Stop,
}

/// How a source compares what it told with /proc, beside the audits it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audits {
    /// What audits may do, whoever asks for them.
    pub mode: AuditMode,
    /// Time from one to the next. The first comes soon after a process is followed; each waits
    /// for a moment at which little happens, and twenty times as long as the last one took.
    /// `None` = only those asked for, and those that losses make necessary.
    pub every: Option<Duration>,
}

/// What audits may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditMode {
    /// Count what differs, then correct the ledger.
    #[default]
    Heal,
    /// Only count what differs: what would be wrong without audits stays visible.
    Observe,
}

impl Default for Audits {
    fn default() -> Self {
        Self {
            mode: AuditMode::Heal,
            every: Some(Duration::from_secs(10)),
        }
    }
}

/// What following a process came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Mark sites attached in its program.
    pub marks: usize,
    /// What could not be attached, and why.
    pub unusable: Vec<String>,
}
