//! Verdicts: of a deleted entry and each resource it owned, whether the resource is gone.
//!
//! A verdict is a pure function of the ledger ([`delete`]); [`judge`] says which verdicts fell or
//! changed since it was last asked, and [`wording`] puts them into words. [`growth`] names suspects:
//! what no delete was declared for, and only grows.

#![forbid(unsafe_code)]

pub mod delete;
pub mod evidence;
pub mod growth;
pub mod judge;
#[cfg(test)]
mod tests;
pub mod wording;

pub use self::{evidence::Evidence, judge::Judge};
use crate::{
    event::id::{BootTime, CallNumber, Moment, Tid},
    ledger::{
        handle::State,
        identity::{EntryName, HandleName, ResourceName},
        table::WhyUnsettled,
    },
};

/// What is claimed of one resource of one deleted entry, and on what grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The entry.
    pub entry: EntryName,
    /// The resource.
    pub resource: ResourceName,
    /// The claim.
    pub verdict: Verdict,
    /// The grounds.
    pub evidence: Evidence,
    /// When it fell: everything before this had been delivered.
    pub at: BootTime,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Verdict {
    /// The delete has not ended, or its grace runs.
    Pending,
    /// Gone within the grace.
    Gone(How),
    /// Gone after the grace.
    Late {
        /// From the delete's end.
        after: Latency,
    },
    /// Still there after the grace.
    Retained(Retained),
    /// An `own` mark gave it to another entry.
    Reassigned {
        /// The other entry.
        to: EntryName,
        /// When.
        at: BootTime,
    },
    /// It can't be said.
    Unknown(Why),
}

impl Verdict {
    /// Whether the resource outlives its grace, or did.
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Late { .. } | Self::Retained(_))
    }
}

/// When, seen from the delete, a resource went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum How {
    /// Before the delete began.
    BeforeDelete,
    /// Between its begin and its end.
    DuringDelete,
    /// Before its end; whether before its begin is not known.
    BeforeEnd,
    /// After its end.
    After(Latency),
}

/// A duration that may be known only to lie between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Latency {
    /// Not less than this.
    pub least_ns: u64,
    /// Not more than this.
    pub most_ns: u64,
}

impl Latency {
    /// From a point in time to a moment after it.
    pub fn from(start: BootTime, until: Moment) -> Self {
        Self {
            least_ns: until.earliest.since_ns(start),
            most_ns: until.latest.since_ns(start),
        }
    }
}

/// How a resource is still there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Retained {
    /// A live thread.
    Thread(ThreadState),
    /// An open descriptor.
    Open,
    /// A closed descriptor whose open file description others hold.
    HeldBy {
        /// Some of them.
        holders: Vec<HandleName>,
        /// How many there are.
        count: usize,
    },
    /// A closed descriptor whose open file description a call in progress holds.
    HeldByCall {
        /// The thread in the call.
        tid: Tid,
        /// The call.
        call: CallNumber,
    },
}

/// What a retained thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ThreadState {
    /// It ran after the delete's end, within the last grace.
    Active {
        /// When it last ran.
        ran: BootTime,
    },
    /// It is in one uninterrupted wait since before the grace ended.
    Parked {
        /// Since when; `None` = before the attach.
        since: Option<BootTime>,
        /// The call; `None` = a fault or a stop.
        call: Option<CallNumber>,
    },
    /// It ran after the grace, and waits since longer than the last grace.
    Quiet {
        /// When it last ran.
        ran: BootTime,
    },
    /// It entered its exit and has not left the cpu for the last time.
    Exiting {
        /// When.
        since: BootTime,
    },
    /// No waits were sampled.
    NotKnown,
}

/// Why it can't be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Why {
    /// The thread works for several keys.
    Shared,
    /// A store and a delete of the key overlapped: which entry was deleted is not known.
    Contested,
    /// Calls on its number overlapped.
    Ambiguous,
    /// It left its table, and the call that closed it has not returned.
    Closing,
    /// Closed here; other references to its open file description existed.
    ClosedHere {
        /// References at the last close, its own included; `None` = not read.
        references: Option<u32>,
    },
    /// A lost event may hide its death.
    EventsLost,
    /// A lost mark may have given it to another entry.
    MarksLost,
    /// Its table is not known for certain.
    TableUnsettled(WhyUnsettled),
    /// It went around the end of the grace.
    AroundGrace(Latency),
}

impl Verdict {
    /// Whether nothing can change it any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Gone(_) | Self::Late { .. } | Self::Reassigned { .. } => true,
            Self::Unknown(why) => matches!(why, Why::AroundGrace(_)),
            Self::Pending | Self::Retained(_) => false,
        }
    }

    /// Whether two verdicts claim the same; what a thread does from moment to moment is no new
    /// claim.
    fn claims_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Retained(Retained::Thread(one)), Self::Retained(Retained::Thread(other))) => {
                one.claims_as(*other)
            }
            _ => self == other,
        }
    }
}

impl ThreadState {
    fn claims_as(self, other: Self) -> bool {
        let ran = |state| matches!(state, Self::Active { .. } | Self::Quiet { .. });
        std::mem::discriminant(&self) == std::mem::discriminant(&other) || (ran(self) && ran(other))
    }
}

/// Whether a handle's state leaves no doubt that it is in its table.
fn is_surely_open(state: State) -> bool {
    state == State::Open
}
