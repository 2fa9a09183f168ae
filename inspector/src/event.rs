//! What happened, as every source tells it: the one input of the ledger.
//!
//! An event carries its own time; nothing behind the source reads a clock. Events name tasks and
//! descriptors by the kernel's bare numbers; the ledger turns them into identities.

pub mod handle;
pub mod id;
pub mod limits;
pub mod loss;
pub mod mark;
pub mod name;
pub mod scan;
pub mod table;
pub mod target;
pub mod text;
pub mod thread;
pub mod wait;

pub use handle::HandleEvent;
pub use handle::Named;
pub use id::BootTime;
pub use loss::{Gap, SourceEnd};
pub use mark::Mark;
pub use scan::Scan;
pub use table::TableRead;
pub use target::Targets;
pub use thread::ThreadEvent;
pub use wait::WaitEvent;

/// One thing that happened, or one observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it counts: births at their call's exit, deaths at their call's entry where that was
    /// seen (else at its exit), everything else when it happened.
    pub at: BootTime,
    /// What.
    pub what: What,
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A thread or process was born, renamed, replaced its program, or died.
    Thread(ThreadEvent),
    /// A descriptor table changed.
    Handle(HandleEvent),
    /// The kernel's own copy of a table (fork, exec, unshare).
    Table(Box<TableRead>),
    /// A thread waited, or waits.
    Wait(Box<WaitEvent>),
    /// The application declared something.
    Mark(Box<Mark>),
    /// The name by which something was opened.
    Named(Box<Named>),
    /// /proc was read: a baseline, a poll or an audit.
    Scan(Box<Scan>),
    /// /proc was read: what some descriptors point at.
    Targets(Box<Targets>),
    /// Events were lost.
    Gap(Box<Gap>),
    /// Time passed, and everything sent before `at` has been delivered.
    Tick,
    /// The source ended; nothing more comes.
    End(Box<SourceEnd>),
}

impl Event {
    /// Whether something happened: time that passes, samples and polls only repeat what is so, and
    /// names stand beside what they are the names of.
    pub fn is_news(&self) -> bool {
        match &self.what {
            What::Tick | What::End(_) | What::Targets(_) | What::Named(_) => false,
            What::Wait(wait) => matches!(**wait, WaitEvent::Ended { .. }),
            What::Scan(scan) => {
                !matches!(scan.role, scan::ScanRole::Poll { .. }) || scan.threads.is_none()
            }
            What::Thread(_) | What::Handle(_) | What::Table(_) | What::Mark(_) | What::Gap(_) => {
                true
            }
        }
    }
}

/// Events in the order the source settled on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The events.
    pub events: Vec<Event>,
}

const _: () = assert!(size_of::<Event>() <= 88, "events are moved by the million");
