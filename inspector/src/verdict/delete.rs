//! The delete clock: the verdict on one resource of one deleted entry.
//!
//! Grace and latency count from the delete's end. A thread's death counts at its exit's entry,
//! as a handle's counts at its close's entry, once the last switch has confirmed it; one whose
//! last switch came after the grace is late, by that switch.

use super::{How, Latency, Retained, ThreadState, Verdict, Why, is_surely_open};
use crate::{
    event::id::{BootTime, CallNumber, Moment},
    ledger::{
        Ledger,
        arena::Key,
        entry::{Delete, Entry},
        handle::{Descriptor, State},
        resource::Resource,
        thread::{GoneHow, Thread},
    },
};

/// Most holders a verdict names.
const NAMED_HOLDERS: usize = 3;

/// A delete that has ended.
struct Clock<'a> {
    ledger: &'a Ledger,
    entry: &'a Entry,
    delete: &'a Delete,
    end: BootTime,
    deadline: BootTime,
    /// Whether the resource's fate up to the deadline is known.
    is_due: bool,
}

/// Whether there is anything that the entry owned and that did not go in time, or may not have.
pub(crate) fn is_any_amiss(ledger: &Ledger, entry: Key<Entry>) -> bool {
    let Some(record) = ledger.entry(entry) else {
        return false;
    };
    record.resources().iter().any(|&resource| {
        let verdict = verdict(ledger, entry, resource);
        !matches!(verdict, None | Some(Verdict::Gone(_)))
    })
}

/// The verdict on a resource that the entry owns. `None` = there is nothing to judge: the entry
/// or the resource is not known any more, or the entry is not being deleted.
pub fn verdict(ledger: &Ledger, entry: Key<Entry>, resource: Resource) -> Option<Verdict> {
    let record = ledger.entry(entry)?;
    let delete = record.delete.as_ref()?;
    let Some(end) = delete.end else {
        return Some(Verdict::Pending);
    };
    let deadline = end.plus_ns(ledger.rules().grace_ns);
    let clock = Clock {
        ledger,
        entry: record,
        delete,
        end,
        deadline,
        is_due: ledger.known_until(record.process) >= deadline,
    };
    let verdict = match resource {
        Resource::Thread(thread) => clock.thread(thread, ledger.thread(thread)?),
        Resource::Handle(handle) => clock.handle(handle, ledger.handle(handle)?)?,
    };
    Some(clock.soften(verdict, resource))
}

impl Clock<'_> {
    fn thread(&self, key: Key<Thread>, thread: &Thread) -> Verdict {
        if let Some(gone) = thread.gone {
            let death = match thread.exiting {
                Some(exiting) if thread.gone_how == GoneHow::Exited => Moment::exact(exiting),
                _ => gone,
            };
            return self.went(death, gone);
        }
        if !self.is_due {
            return Verdict::Pending;
        }
        if self.ledger.thread_tainted(key) {
            return Verdict::Unknown(Why::EventsLost);
        }
        Verdict::Retained(Retained::Thread(self.thread_state(thread)))
    }

    fn handle(&self, key: Key<Descriptor>, handle: &Descriptor) -> Option<Verdict> {
        let description = self.ledger.description(handle.description)?;
        if let Some(released) = description.released {
            return Some(self.went(released, released));
        }
        if !self.is_due {
            return Some(Verdict::Pending);
        }
        Some(match handle.state {
            State::Open => match self.doubt(key, handle) {
                Some(why) => Verdict::Unknown(why),
                None => Verdict::Retained(Retained::Open),
            },
            State::Ambiguous { .. } | State::Rival { .. } => Verdict::Unknown(Why::Ambiguous),
            State::Closing { .. } => Verdict::Unknown(Why::Closing),
            State::Closed { .. } => self.closed_here(handle),
        })
    }

    /// A closed descriptor whose description is not known to be released.
    fn closed_here(&self, handle: &Descriptor) -> Verdict {
        let ledger = self.ledger;
        let mut holders = Vec::new();
        let mut count = 0;
        let mut doubt = None;
        for key in ledger.holders(handle.description) {
            let Some(holder) = ledger.handle(key) else {
                continue;
            };
            match self.doubt(key, holder) {
                Some(why) => doubt = Some(why),
                None if is_surely_open(holder.state) => {
                    count += 1;
                    if holders.len() < NAMED_HOLDERS {
                        holders.extend(ledger.handle_name(key));
                    }
                }
                None => doubt = Some(Why::Ambiguous),
            }
        }
        if count > 0 {
            return Verdict::Retained(Retained::HeldBy { holders, count });
        }
        if let Some(why) = doubt {
            return Verdict::Unknown(why);
        }
        let unaccounted = ledger
            .description(handle.description)
            .and_then(|description| description.unaccounted.as_deref());
        match unaccounted {
            Some(left) => match left.held_by_call {
                Some((tid, call)) => Verdict::Retained(Retained::HeldByCall { tid, call }),
                None => Verdict::Unknown(Why::ClosedHere {
                    references: left.references,
                }),
            },
            // Closing descriptors hold it until their calls return.
            None => Verdict::Unknown(Why::Closing),
        }
    }

    /// Why an open descriptor may not be open.
    fn doubt(&self, key: Key<Descriptor>, handle: &Descriptor) -> Option<Why> {
        if self.ledger.handle_tainted(key) {
            return Some(Why::EventsLost);
        }
        let (why, since) = self.ledger.table(handle.table)?.unsettled?;
        (handle.born.latest < since).then_some(Why::TableUnsettled(why))
    }

    /// A resource whose death counts at `death` and was complete at `gone`.
    fn went(&self, death: Moment, gone: Moment) -> Verdict {
        if gone.earliest > self.deadline {
            return Verdict::Late {
                after: Latency::from(self.end, gone),
            };
        }
        if gone.latest > self.deadline {
            return Verdict::Unknown(Why::AroundGrace(Latency::from(self.end, gone)));
        }
        let begin = self.delete.begin;
        Verdict::Gone(if death.latest > self.end {
            How::After(Latency::from(self.end, death))
        } else if begin.is_some_and(|begin| death.latest < begin) {
            How::BeforeDelete
        } else if begin.is_some_and(|begin| death.earliest >= begin) {
            How::DuringDelete
        } else {
            How::BeforeEnd
        })
    }

    fn thread_state(&self, thread: &Thread) -> ThreadState {
        if let Some(since) = thread.exiting {
            return ThreadState::Exiting { since };
        }
        let Some(activity) = thread.activity() else {
            return ThreadState::NotKnown;
        };
        let now = self.ledger.delivered();
        let grace_ns = self.ledger.rules().grace_ns;
        // A blocked thread ran until it blocked.
        let ran = match activity.blocked {
            Some(blocked) => blocked.since.max(activity.ran),
            None => Some(activity.sampled),
        };
        if let Some(ran) = ran
            && ran > self.end
            && now.since_ns(ran) <= grace_ns
        {
            return ThreadState::Active { ran };
        }
        match (activity.blocked, ran) {
            (Some(blocked), _) if blocked.since.is_none_or(|since| since <= self.deadline) => {
                ThreadState::Parked {
                    since: blocked.since,
                    call: blocked.call.map(CallNumber),
                }
            }
            (Some(_), Some(ran)) => ThreadState::Quiet { ran },
            _ => ThreadState::NotKnown,
        }
    }

    /// Takes back an accusation that the entry may not deserve.
    fn soften(&self, verdict: Verdict, resource: Resource) -> Verdict {
        if !matches!(verdict, Verdict::Retained(_) | Verdict::Late { .. }) {
            return verdict;
        }
        if self
            .ledger
            .owner(resource)
            .is_some_and(|owner| owner.shared)
        {
            return Verdict::Unknown(Why::Shared);
        }
        if self.entry.contested {
            return Verdict::Unknown(Why::Contested);
        }
        let born = match resource {
            Resource::Thread(thread) => self.ledger.thread(thread).map(|thread| thread.born),
            Resource::Handle(handle) => self.ledger.handle(handle).map(|handle| handle.born),
        };
        if born.is_some_and(|born| self.ledger.marks_tainted(born.earliest)) {
            return Verdict::Unknown(Why::MarksLost);
        }
        verdict
    }
}
