//! Where events come from, and what every source offers its reader.
//!
//! A source is one function that starts it and returns a [`Running`]: a bounded channel of
//! batches, and a way to ask for more. No type of a particular source passes this module: whoever
//! reads `batches` tells the kernel's programs from /proc only by [`Running::kind`], and by what
//! the events themselves say.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::event::{Batch, id::Tgid};

pub mod ebpf;
pub mod procfs;

/// Batches that may wait between a source and its reader. When they do, the source waits too:
/// the kernel's ring is the buffer then, and counts what it has no room for.
pub const BATCHES: usize = 64;

/// A source that runs. Its last event is `What::End`; the channel closes after it. Dropping
/// `batches`, or every sender of `requests`, stops it too.
#[derive(Debug)]
pub struct Running {
    /// What it sees.
    pub batches: mpsc::Receiver<Batch>,
    /// What it is asked.
    pub requests: std::sync::mpsc::Sender<Request>,
    /// Which programs are attached; what is missing is no measurement of zero.
    pub probes: ProbeSet,
    /// Which source it is.
    pub kind: SourceKind,
}

/// What a source can be asked. Answers come as events; none carries data of its own.
#[derive(Debug)]
pub enum Request {
    /// Watch this process too (and its children). The answer is its first scan, by the eBPF source
    /// as a baseline; `threads: None` where it is gone already.
    Follow(Tgid),
    /// Compare with /proc: a scan of every process watched, with role `Audit`.
    Audit {
        /// Whether the ledger may be corrected, or only the drift counted.
        heal: bool,
    },
    /// Send everything that has happened so far, then answer here.
    Drain(oneshot::Sender<()>),
    /// Send what is left, and end.
    Stop,
}

/// Which source events come from: every output names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// The kernel's own programs: each event, at its time.
    Ebpf,
    /// Readings of /proc: what lives shorter than an interval is never seen, and times are
    /// intervals.
    Polling {
        /// From one reading to the next.
        every: Duration,
    },
}

/// Which programs are attached, and why others are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeSet {
    /// One row a program; empty for a source without programs.
    pub probes: Vec<ProbeStatus>,
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeStatus {
    /// The program's name.
    pub name: &'static str,
    /// Where it is attached: kind and name of the hook.
    pub hook: String,
    /// What is known through it, and unknown without.
    pub gives: &'static str,
    /// How it fares.
    pub state: ProbeState,
}

/// How a program fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// It runs.
    Attached,
    /// Left out, as asked.
    Disabled,
    /// This kernel does not have what it needs.
    Unsupported {
        /// What.
        why: String,
    },
    /// The kernel refused it.
    Refused {
        /// The kernel's reason.
        why: String,
    },
}

impl ProbeState {
    /// The word for it, everywhere.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Attached => "attached",
            Self::Disabled => "disabled",
            Self::Unsupported { .. } => "unsupported",
            Self::Refused { .. } => "refused",
        }
    }

    /// Why it does not run, where something hinders it.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Attached | Self::Disabled => None,
            Self::Unsupported { why } | Self::Refused { why } => Some(why),
        }
    }
}
