//! The one grammar of verdicts and their grounds.
//!
//! ```text
//! verdict   = "pending" | "gone (" when ")" | "late (gone " latency " after the delete)"
//!           | "retained (" how ")" | "reassigned (to " entry ")" | "unknown (" why ")"
//! when      = "before delete" | "during delete" | "before the delete's end"
//!           | latency " after the delete"
//! how       = "active" | "parked" … | "open" | "held by " holders
//! latency   = duration | "between " number " and " duration | "at most " duration
//! entry     = map ":" key "#" generation
//! ```
//!
//! Everything that comes from other processes is escaped by [`crate::event::text`].

mod finding;
pub mod quantity;

use std::fmt::{self, Display, Formatter};

use self::quantity::{Duration, Seen};
use super::{
    How, Retained, ThreadState, Verdict, Why,
    evidence::{Born, Evidence, Kind, Last, NotKnown},
};
use crate::{
    event::{
        handle::Unsettled,
        id::{BootTime, CallNumber, Moment},
        wait::Waking,
    },
    ledger::{
        entry::{Delete, Removal},
        identity::{EntryName, HandleName, ResourceName, ThreadName},
        release::Proof,
        table::WhyUnsettled,
        thread::GoneHow,
    },
};

impl Verdict {
    /// Its first word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Gone(_) => "gone",
            Self::Late { .. } => "late",
            Self::Retained(_) => "retained",
            Self::Reassigned { .. } => "reassigned",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            _ => write!(f, "{} ({})", self.word(), self.how()),
        }
    }
}

impl Verdict {
    /// What follows its first word.
    pub fn how(&self) -> impl Display {
        fmt::from_fn(move |f| match self {
            Self::Pending => f.write_str("its grace runs"),
            Self::Gone(how) => how.fmt(f),
            Self::Late { after } => write!(f, "gone {after} after the delete"),
            Self::Retained(how) => how.fmt(f),
            Self::Reassigned { to, .. } => write!(f, "to {to}"),
            Self::Unknown(why) => why.fmt(f),
        })
    }
}

impl Display for How {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeDelete => f.write_str("before delete"),
            Self::DuringDelete => f.write_str("during delete"),
            Self::BeforeEnd => f.write_str("before the delete's end"),
            Self::After(latency) => write!(f, "{latency} after the delete"),
        }
    }
}

impl Display for Retained {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(state) => state.fmt(f),
            Self::Open => f.write_str("open"),
            Self::HeldBy { holders, count } => {
                f.write_str("closed here, held by ")?;
                for (index, holder) in holders.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{holder}")?;
                }
                match count.saturating_sub(holders.len()) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::HeldByCall { tid, call } => {
                write!(
                    f,
                    "closed here, held by thread {tid} in {}",
                    CallWord(*call)
                )
            }
        }
    }
}

impl Display for ThreadState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active { .. } => f.write_str("active"),
            Self::Parked {
                call: Some(call), ..
            } => write!(f, "parked in {}", CallWord(*call)),
            Self::Parked { call: None, .. } => f.write_str("parked, not in a call"),
            Self::Quiet { .. } => f.write_str("quiet, ran after the grace"),
            Self::Exiting { .. } => f.write_str("exiting"),
            Self::NotKnown => f.write_str("state not known"),
        }
    }
}

impl Display for Why {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => f.write_str("shared"),
            Self::Contested => f.write_str("a store and a delete of the key overlapped"),
            Self::Ambiguous => f.write_str("calls on its number overlapped"),
            Self::Closing => f.write_str("the call that closed it has not returned"),
            Self::ClosedHere {
                references: Some(references),
            } => match references.saturating_sub(1) {
                1 => f.write_str("closed here; 1 other reference existed"),
                others => write!(f, "closed here; {others} other references existed"),
            },
            Self::ClosedHere { references: None } => {
                f.write_str("closed here; other holders can't be seen")
            }
            Self::EventsLost => f.write_str("unseen events may hide its death"),
            Self::MarksLost => f.write_str("unseen marks may have moved it"),
            Self::TableUnsettled(why) => write!(f, "its table is not certain: {why}"),
            Self::AroundGrace(latency) => {
                write!(f, "gone {latency} after the delete, around the grace's end")
            }
        }
    }
}

impl Display for WhyUnsettled {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(Unsettled::CompatCall) => f.write_str("an i386 call changed it"),
            Self::Call(Unsettled::X32Call) => f.write_str("an x32 call changed it"),
            Self::Call(Unsettled::Ancillary) => {
                f.write_str("a message's descriptors were not read")
            }
            Self::Call(Unsettled::Filtered) => {
                f.write_str("a close failed as if it had been kept from the kernel")
            }
            Self::Call(Unsettled::Memory) => f.write_str("the caller's memory was not read"),
            Self::AwaitingRead => f.write_str("its copy has not arrived"),
            Self::Incomplete => f.write_str("its copy arrived in part"),
            Self::NotScanned => f.write_str("no scan has read it"),
            Self::Refused(errno) => write!(f, "its scan was refused (errno {errno})"),
        }
    }
}

impl Display for EntryName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let cut = if self.key.is_whole() { "" } else { "…" };
        write!(
            f,
            "{}:{}{cut}#{}",
            self.map.0, self.key.text, self.generation
        )
    }
}

impl Display for ThreadName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} of {}", self.tid, self.tgid)
    }
}

impl Display for HandleName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "fd {} of {}", self.fd, self.tgid)
    }
}

impl Display for ResourceName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(thread) => thread.fmt(f),
            Self::Handle(handle) => handle.fmt(f),
        }
    }
}

/// A system call's name, or its number where the table has none.
pub struct CallWord(pub CallNumber);

impl Display for CallWord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let waits = match self.0.0 {
            0 => "read",
            1 => "write",
            7 => "poll",
            23 => "select",
            34 => "pause",
            35 => "nanosleep",
            42 => "connect",
            45 => "recvfrom",
            61 => "wait4",
            128 => "rt_sigtimedwait",
            202 => "futex",
            230 => "clock_nanosleep",
            232 => "epoll_wait",
            247 => "waitid",
            270 => "pselect6",
            271 => "ppoll",
            281 => "epoll_pwait",
            426 => "io_uring_enter",
            441 => "epoll_pwait2",
            number => match inspector_ebpf::abi::call::find(number) {
                Some(call) => call.name,
                None => return write!(f, "call {number}"),
            },
        };
        f.write_str(waits)
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(comm) => write!(f, "\"{comm}\""),
            Self::Handle(kind, None) => f.write_str(kind.word()),
            Self::Handle(kind, Some(target)) => write!(f, "{} {target}", kind.word()),
        }
    }
}

impl Display for Evidence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let end = self.delete.as_ref().and_then(|delete| delete.end);
        if let Some(rule) = self.rule {
            write!(f, "owner by {}; ", rule.word())?;
        }
        self.born.write(f, end)?;
        if let Some(delete) = &self.delete {
            write!(f, "; {delete}")?;
        }
        self.write_last(f)?;
        if let Some((waking, at)) = self.woken {
            let at = Seen(Moment::exact(at), end);
            match waking {
                Waking::Thread(tid) => write!(f, "; last woken by thread {tid} {at}")?,
                Waking::Interrupt => write!(f, "; last woken by an interrupt {at}")?,
            }
        }
        if let Some(ended) = self.process_ended {
            let at = Seen(Moment::exact(ended), end);
            write!(f, "; its process ended or executed a program {at}")?;
        }
        if self.born_after_delete > 0 {
            write!(f, "; {} born by its threads since", self.born_after_delete)?;
        }
        for (index, not_known) in self.not_known.iter().enumerate() {
            let separator = if index == 0 { "; not known: " } else { ", " };
            write!(f, "{separator}{}", not_known.words())?;
        }
        Ok(())
    }
}

impl Evidence {
    /// What is last known of the resource, after a separator.
    pub fn write_last(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let end = self.delete.as_ref().and_then(|delete| delete.end);
        let at = Seen(self.last_at, end);
        match &self.last {
            Last::Born => f.write_str("; nothing since"),
            Last::Seen => write!(f, "; last seen {at}"),
            Last::Blocked { call, since } => {
                f.write_str("; blocked")?;
                if let Some(call) = call {
                    write!(f, " in {}", CallWord(*call))?;
                }
                match since {
                    Some(since) => write!(f, " since {}", Seen(Moment::exact(*since), end)),
                    None => f.write_str(" since before the attach"),
                }
            }
            Last::Running => write!(f, "; running {at}"),
            Last::Exiting => write!(f, "; exiting since {at}"),
            Last::Gone { how, exiting } => {
                if let Some(exiting) = exiting {
                    write!(f, "; exit began {},", Seen(Moment::exact(*exiting), end))?;
                } else {
                    f.write_str(";")?;
                }
                write!(f, " {} {at}", how.words())
            }
            Last::Replaced => write!(f, "; its number was given to another {at}"),
            Last::Closed { how, by } => {
                write!(f, "; closed by {}", how.words())?;
                if let Some(by) = by {
                    write!(f, " of thread {by}")?;
                }
                write!(f, " {at}")
            }
            Last::Released { proof, how, by } => {
                write!(f, "; released {at} ({}", how.words())?;
                if let Some(by) = by {
                    write!(f, " of thread {by}")?;
                }
                write!(f, ": {})", proof.words())
            }
        }
    }
}

impl Born {
    fn write(&self, f: &mut Formatter<'_>, end: Option<BootTime>) -> fmt::Result {
        write!(f, "born {}", Seen(self.at, end))?;
        if let Some(by) = self.by {
            write!(f, " by thread {by}")?;
        }
        if let Some(call) = self.call {
            write!(f, " in {}", CallWord(call))?;
        }
        if self.origin == crate::ledger::identity::Origin::Announced {
            return Ok(());
        }
        write!(f, " ({})", self.origin.word())
    }
}

impl Display for Delete {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.how {
            Removal::Overwritten => f.write_str("overwritten")?,
            Removal::Deleted { policy: None } => f.write_str("deleted")?,
            Removal::Deleted {
                policy: Some(policy),
            } => write!(f, "deleted ({policy})")?,
        }
        match (self.begin, self.end) {
            (Some(begin), Some(end)) => write!(f, " in {}", Duration(end.since_ns(begin))),
            (None, Some(_)) => Ok(()),
            (_, None) => f.write_str(", not ended"),
        }
    }
}

impl GoneHow {
    /// The words for it, everywhere.
    pub fn words(self) -> &'static str {
        match self {
            Self::Exited => "last switch",
            Self::ExecOfAnother => "ended by an exec of its process",
            Self::NumberReused => "its number was given to another",
            Self::NotFound => "not found any more",
        }
    }
}

impl Proof {
    /// The words for it, everywhere.
    pub fn words(self) -> &'static str {
        match self {
            Self::LastReference => "it was the last reference",
            Self::OverlappingCloses => "the last of overlapping closes",
            Self::LastKnownDescriptor => "the last known descriptor, no count read",
            Self::AddressReused => "its address was given to another",
            Self::CallsEnded => "the calls in progress on it have ended",
        }
    }
}

impl NotKnown {
    /// The words for it, everywhere.
    pub fn words(self) -> &'static str {
        match self {
            Self::Birth => "its birth was not seen",
            Self::DeleteBegin => "when the delete began",
            Self::Activity => "what it does (no waits sampled)",
            Self::OtherHolders => "who else holds it",
        }
    }
}
