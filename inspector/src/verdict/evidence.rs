//! The grounds of a verdict: what the ledger knows of the resource and its entry, and what not.

use crate::{
    event::{
        handle::HandleKind,
        id::{BootTime, CallNumber, Moment, Tid},
        text::{Comm, Text},
        wait::Waking,
    },
    ledger::{
        Ledger,
        arena::Key,
        entry::{Delete, Entry},
        handle::{ClosedHow, Descriptor, State},
        identity::Origin,
        own::Rule,
        release::Proof,
        resource::Resource,
        thread::{GoneHow, Thread},
    },
};

/// The grounds of a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// By which rule the entry owned it; `None` = it no longer does.
    pub rule: Option<Rule>,
    /// What it is.
    pub what: Kind,
    /// When the entry was stored (the store's end), where that was seen.
    pub stored: Option<BootTime>,
    /// The delete.
    pub delete: Option<Delete>,
    /// Its birth.
    pub born: Born,
    /// The last that was heard of it.
    pub last: Last,
    /// When that was.
    pub last_at: Moment,
    /// Who woke the thread last, and when.
    pub woken: Option<(Waking, BootTime)>,
    /// When the entry's process ended or executed another program.
    pub process_ended: Option<BootTime>,
    /// What its threads made after the delete.
    pub born_after_delete: u64,
    /// What is not known.
    pub not_known: Vec<NotKnown>,
}

/// What a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A thread of this name.
    Thread(Comm),
    /// A handle, and what /proc said it points at.
    Handle(HandleKind, Option<Text>),
}

/// How a resource was born.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Born {
    /// When.
    pub at: Moment,
    /// By which thread.
    pub by: Option<Tid>,
    /// By which call.
    pub call: Option<CallNumber>,
    /// How the ledger came to know of it.
    pub origin: Origin,
}

/// The last that was heard of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// Nothing since its birth.
    Born,
    /// An event of its own.
    Seen,
    /// It was sampled blocked in a call, since then.
    Blocked {
        /// The call; `None` = a fault or a stop.
        call: Option<CallNumber>,
        /// Since when; `None` = before the attach.
        since: Option<BootTime>,
    },
    /// It was sampled running.
    Running,
    /// It entered its exit.
    Exiting,
    /// It left the cpu for the last time.
    Gone {
        /// How that is known.
        how: GoneHow,
        /// When it entered its exit, if that was seen: what its delete's clock goes by.
        exiting: Option<BootTime>,
    },
    /// Its number was given to another.
    Replaced,
    /// It was closed.
    Closed {
        /// How.
        how: ClosedHow,
        /// By which thread.
        by: Option<Tid>,
    },
    /// Its open file description was released.
    Released {
        /// What proves it.
        proof: Proof,
        /// How this descriptor of it was closed.
        how: ClosedHow,
        /// By which thread.
        by: Option<Tid>,
    },
}

/// What is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKnown {
    /// Its birth was not seen.
    Birth,
    /// When the delete began.
    DeleteBegin,
    /// What the thread does: no waits were sampled.
    Activity,
    /// Who else holds its open file description.
    OtherHolders,
}

impl Evidence {
    /// Gathers what the ledger knows. `None` = the resource or the entry was forgotten.
    pub fn gather(ledger: &Ledger, entry: Key<Entry>, resource: Resource) -> Option<Self> {
        let record = ledger.entry(entry)?;
        let owner = ledger.owner(resource).filter(|owner| owner.entry == entry);
        let mut evidence = match resource {
            Resource::Thread(thread) => Self::of_thread(ledger.thread(thread)?),
            Resource::Handle(handle) => Self::of_handle(ledger, handle, ledger.handle(handle)?)?,
        };
        evidence.rule = owner.map(|owner| owner.rule);
        evidence.stored = record.stored;
        evidence.delete.clone_from(&record.delete);
        evidence.process_ended = record.voided;
        evidence.born_after_delete = record.born_after_delete;
        if evidence.born.origin != Origin::Announced {
            evidence.not_known.push(NotKnown::Birth);
        }
        if record
            .delete
            .as_ref()
            .is_some_and(|delete| delete.begin.is_none())
        {
            evidence.not_known.push(NotKnown::DeleteBegin);
        }
        Some(evidence)
    }

    fn new(what: Kind, born: Born, last: Last, last_at: Moment) -> Self {
        Self {
            rule: None,
            what,
            stored: None,
            delete: None,
            born,
            last,
            last_at,
            woken: None,
            process_ended: None,
            born_after_delete: 0,
            not_known: Vec::new(),
        }
    }

    fn of_thread(thread: &Thread) -> Self {
        let (last, at) = if let Some(gone) = thread.gone {
            let (how, exiting) = (thread.gone_how, thread.exiting);
            (Last::Gone { how, exiting }, gone)
        } else if let Some(exiting) = thread.exiting {
            (Last::Exiting, Moment::exact(exiting))
        } else if let Some(activity) = thread.activity() {
            let last = match activity.blocked {
                Some(blocked) => Last::Blocked {
                    call: blocked.call.map(CallNumber),
                    since: blocked.since,
                },
                None => Last::Running,
            };
            (last, Moment::exact(activity.sampled))
        } else if thread.last_seen() > thread.born.latest {
            (Last::Seen, Moment::exact(thread.last_seen()))
        } else {
            (Last::Born, thread.born)
        };
        let born = Born {
            at: thread.born,
            by: thread.parent,
            call: None,
            origin: thread.origin,
        };
        let mut evidence = Self::new(Kind::Thread(thread.comm), born, last, at);
        evidence.woken = thread
            .activity()
            .and_then(|activity| activity.waker)
            .map(|waker| (waker.how, waker.at));
        if thread.gone.is_none() && thread.activity().is_none() {
            evidence.not_known.push(NotKnown::Activity);
        }
        evidence
    }

    fn of_handle(ledger: &Ledger, key: Key<Descriptor>, handle: &Descriptor) -> Option<Self> {
        let description = ledger.description(handle.description)?;
        let by = handle.closed_by;
        let (last, at) = match (handle.state, description.released) {
            (State::Closed { how, .. }, Some(released)) => {
                let proof = description.proof;
                (Last::Released { proof, how, by }, released)
            }
            (State::Closed { at, how, .. }, None) => (Last::Closed { how, by }, at),
            (State::Closing { replaced }, _) => (Last::Replaced, Moment::exact(replaced)),
            (State::Open | State::Ambiguous { .. } | State::Rival { .. }, _) => {
                (Last::Born, handle.born)
            }
        };
        let born = Born {
            at: handle.born,
            by: handle.born_by,
            call: handle.call,
            origin: handle.origin,
        };
        let target = description.known_as().cloned();
        let mut evidence = Self::new(Kind::Handle(description.kind, target), born, last, at);
        let is_held_unseen = description.released.is_none()
            && (description.unaccounted.is_some() || !description.reach.is_exclusive());
        if is_held_unseen && !ledger.handle(key)?.is_open() {
            evidence.not_known.push(NotKnown::OtherHolders);
        }
        Some(evidence)
    }
}
