//! What a verdict looks like on a timeline: when it fell, how long its resource outlived the
//! delete, and where the delete's flow ends.

use std::io;

use super::{Life, Window, args::entry_args, painter::Painter};
use crate::{
    event::id::BootTime,
    export::canvas::{Arg, Category, Drawn, TrackId},
    ledger::{
        Ledger,
        arena::Key,
        entry::{Entry, Moved},
        identity::{EntryName, ResourceName},
        resource::Resource,
        thread::GoneHow,
    },
    verdict::{Evidence, How, Latency, Retained, Verdict, Why, delete},
};

/// A verdict on a resource of an entry whose delete has ended.
pub(super) struct Judged {
    pub(super) resource: Resource,
    pub(super) verdict: Verdict,
    /// When the delete ended.
    pub(super) end: BootTime,
    evidence: Evidence,
    name: ResourceName,
    grace_ns: u64,
}

/// How long a resource outlived a delete that ended; up to the window's end, where it lives on.
pub(in crate::export) fn outlived(
    verdict: &Verdict,
    end: BootTime,
    until: BootTime,
) -> Option<Latency> {
    match verdict {
        Verdict::Gone(How::After(after))
        | Verdict::Late { after }
        | Verdict::Unknown(Why::AroundGrace(after)) => Some(*after),
        Verdict::Retained(_) | Verdict::Pending if end <= until => {
            let ns = until.since_ns(end);
            Some(Latency {
                least_ns: ns,
                most_ns: ns,
            })
        }
        _ => None,
    }
}

/// What became of a resource, for its own track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    pub(super) entry: Key<Entry>,
    /// The flow from the delete, where that is drawn.
    pub(super) flow: Option<u64>,
    /// When it died, or was found retained.
    pub(super) at: BootTime,
    pub(super) died: bool,
}

impl Fate {
    /// The end of the flow from the delete.
    pub(super) fn draw(
        &self,
        painter: &mut Painter<'_>,
        track: TrackId,
        resource: Resource,
    ) -> io::Result<()> {
        let ledger = painter.ledger;
        let Some(judged) = Judged::new(ledger, self.entry, resource) else {
            return Ok(());
        };
        let args = judged.args(&ledger.entry_name(self.entry), painter.window);
        let (name, category) = match self.died {
            true => ("died of a delete", Category::Death),
            false => ("retained after a delete", Category::Retained),
        };
        let drawn = Drawn {
            led_by: self.flow,
            ..Drawn::new(name, category, &args)
        };
        painter.instant(track, self.at, &drawn)
    }
}

impl Judged {
    /// The verdict that stands. `None` = nothing is judged, or the delete has not ended.
    pub(super) fn new(ledger: &Ledger, entry: Key<Entry>, resource: Resource) -> Option<Self> {
        let end = ledger.entry(entry)?.delete.as_ref()?.end?;
        Some(Self {
            resource,
            verdict: delete::verdict(ledger, entry, resource)?,
            end,
            evidence: Evidence::gather(ledger, entry, resource)?,
            name: ledger.name(resource)?,
            grace_ns: ledger.rules().grace_ns,
        })
    }

    /// That a resource was given to another entry. `None` = the delete has not ended, or the
    /// resource was forgotten.
    pub(super) fn moved(ledger: &Ledger, entry: Key<Entry>, moved: &Moved) -> Option<Self> {
        let end = ledger.entry(entry)?.delete.as_ref()?.end?;
        let name = ledger
            .name(moved.place)
            .filter(|name| *name == moved.resource)?;
        Some(Self {
            resource: moved.place,
            verdict: Verdict::Reassigned {
                to: moved.to.clone(),
                at: moved.at,
            },
            end,
            evidence: Evidence::gather(ledger, entry, moved.place)?,
            name,
            grace_ns: ledger.rules().grace_ns,
        })
    }

    /// When it fell, or would have with every event delivered at once; `None` = its grace runs.
    pub(super) fn at(&self) -> Option<BootTime> {
        match &self.verdict {
            Verdict::Pending => None,
            Verdict::Gone(How::After(after)) | Verdict::Late { after } => Some(self.plus(*after)),
            Verdict::Gone(_) => Some(self.end),
            Verdict::Unknown(Why::AroundGrace(after)) => Some(self.plus(*after)),
            Verdict::Retained(_) | Verdict::Unknown(_) => Some(self.end.plus_ns(self.grace_ns)),
            Verdict::Reassigned { at, .. } => Some(self.end.max(*at)),
        }
    }

    /// How long it outlived the delete; up to the window's end, where it lives on.
    pub(super) fn outlived(&self, window: Window) -> Option<Latency> {
        outlived(&self.verdict, self.end, window.until)
    }

    /// That time, as far as it lies in the window.
    pub(super) fn outliving(&self, window: Window) -> Option<Life> {
        let outlived = self.outlived(window)?;
        let died = (!self.lives_on()).then(|| self.plus(outlived));
        window.part_of(self.end, died)
    }

    fn lives_on(&self) -> bool {
        matches!(self.verdict, Verdict::Retained(_) | Verdict::Pending)
    }

    /// When the resource died of the delete, or was found retained.
    pub(super) fn fate(&self, ledger: &Ledger) -> Option<(BootTime, bool)> {
        match &self.verdict {
            Verdict::Gone(How::After(after))
            | Verdict::Late { after }
            | Verdict::Unknown(Why::AroundGrace(after)) => Some((self.plus(*after), true)),
            Verdict::Gone(How::DuringDelete) => Some((self.died(ledger)?, true)),
            Verdict::Retained(_) => Some((self.end.plus_ns(self.grace_ns), false)),
            _ => None,
        }
    }

    /// A death within the delete, as the verdict counts it: a thread's at its exit's entry.
    fn died(&self, ledger: &Ledger) -> Option<BootTime> {
        match self.resource {
            Resource::Thread(thread) => {
                let thread = ledger.thread(thread)?;
                match thread.exiting {
                    Some(exiting) if thread.gone_how == GoneHow::Exited => Some(exiting),
                    _ => Some(thread.gone?.latest),
                }
            }
            Resource::Handle(handle) => {
                let description = ledger.handle(handle)?.description;
                Some(ledger.description(description)?.released?.latest)
            }
        }
    }

    fn plus(&self, after: Latency) -> BootTime {
        self.end.plus_ns(after.most_ns)
    }

    /// What a slice or an instant of it is called: few names, so that they can be asked for.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.verdict.word(), self.kind())
    }

    /// What it is a verdict on.
    pub(super) fn kind(&self) -> &'static str {
        match self.resource {
            Resource::Thread(_) => "thread",
            Resource::Handle(_) => "handle",
        }
    }

    /// Everything of it that a program may ask for.
    pub(super) fn args(&self, entry: &EntryName, window: Window) -> Vec<(&'static str, Arg<'_>)> {
        let mut args = entry_args(entry);
        args.push(("resource", Arg::text(self.name)));
        match &self.name {
            ResourceName::Thread(thread) => args.push(("tid", Arg::Number(thread.tid.0.into()))),
            ResourceName::Handle(handle) => {
                args.push(("fd", Arg::Number(handle.fd.0.into())));
                args.push(("table", Arg::Number(handle.table.into())));
            }
        }
        args.push(("what", Arg::text(&self.evidence.what)));
        args.push(("verdict", Arg::word(self.verdict.word())));
        args.push(("words", Arg::text(&self.verdict)));
        args.push(("delete_end_ns", Arg::Number(self.end.0)));
        if let Some(outlived) = self.outlived(window) {
            args.push(("outlived_ns", Arg::Number(outlived.least_ns)));
            if outlived.most_ns > outlived.least_ns {
                args.push(("outlived_most_ns", Arg::Number(outlived.most_ns)));
            }
            args.push(("lives_on", Arg::Is(self.lives_on())));
        }
        if let Some(rule) = self.evidence.rule {
            args.push(("rule", Arg::word(rule.word())));
        }
        if let Verdict::Retained(Retained::HeldBy { count, .. }) = &self.verdict {
            args.push(("holders", Arg::Number(*count as u64)));
        }
        if !matches!(self.verdict, Verdict::Gone(_)) {
            args.push(("grounds", Arg::text(&self.evidence)));
        }
        args
    }
}
