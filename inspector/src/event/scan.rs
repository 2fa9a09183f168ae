//! What one reading of /proc saw of one process.

use super::{
    handle::HandleKind,
    id::{BootTime, Fd, Tgid, Tid},
    limits::Limits,
    text::{Comm, Text},
};

/// One process, read from /proc between two times. Neither list is atomic: what changed between
/// `began` and `ended` may or may not be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// What the scan is for.
    pub role: ScanRole,
    /// The process.
    pub tgid: Tgid,
    /// Before the first read.
    pub began: BootTime,
    /// After the last.
    pub ended: BootTime,
    /// Its live threads (zombies are not among them); `None` = the process is gone.
    pub threads: Option<Vec<SeenThread>>,
    /// Its tables, each read once through one of the threads that use it.
    pub tables: Vec<SeenTable>,
    /// What limits it, where that was read too.
    pub limits: Option<Box<Limits>>,
}

/// What a scan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanRole {
    /// What lived before the attach: not news, labelled "before attach".
    Baseline,
    /// The polling source: what is new was born, what is missing died, since `since`.
    Poll {
        /// Start of the previous scan; `None` = this is the first.
        since: Option<BootTime>,
    },
    /// A comparison with what the ledger holds.
    Audit {
        /// Whether the ledger may be corrected, or only the drift counted.
        heal: bool,
    },
}

/// A live thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenThread {
    /// Its number.
    pub tid: Tid,
    /// Field 22 of its stat: its start in clock ticks (10 ms) since boot.
    pub start_ticks: u64,
    /// Its name.
    pub comm: Comm,
    /// Its state letter (R, S, D, T, …).
    pub state: u8,
}

/// A descriptor table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTable {
    /// The threads that use it; the first is the one it was read through.
    pub users: Vec<Tid>,
    /// Its descriptors in ascending order, or the errno that refused them.
    pub handles: Result<Vec<SeenHandle>, i32>,
}

/// An open descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenHandle {
    /// Its number.
    pub fd: Fd,
    /// What it is, from its link's target.
    pub kind: HandleKind,
    /// Whether it closes on exec, where fdinfo told.
    pub cloexec: Option<bool>,
    /// What it points at (the link's text).
    pub target: Text,
}
