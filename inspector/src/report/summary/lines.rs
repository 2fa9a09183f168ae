//! The words of a summary's lines.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use crate::{
    event::id::CallNumber,
    ledger::thread::Thread,
    report::document::{self, Of, Run},
    verdict::{growth::Group, wording::CallWord},
};

/// `./server -v (pid 4711), watched for 30s`.
pub(super) struct Watched<'a>(pub(super) &'a Run);

impl Display for Watched<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(run) = self;
        match &run.of {
            Of::Command { words, tgid, .. } => {
                for word in words {
                    write!(f, "{word} ")?;
                }
                write!(f, "(pid {tgid})")?;
            }
            Of::Processes(pids) => {
                f.write_str(if pids.len() == 1 {
                    "process"
                } else {
                    "processes"
                })?;
                for (index, pid) in pids.iter().enumerate() {
                    f.write_str(if index == 0 { " " } else { ", " })?;
                    pid.fmt(f)?;
                }
            }
        }
        // To the millisecond, and where it takes seconds to the tenth, so that it can be read.
        let ms = run.ended.since_ns(run.started) / 1_000_000;
        let s = (ms + 500) / 1000;
        match ms {
            3_600_000.. => write!(f, ", watched for {}h{:02}m", s / 3600, s % 3600 / 60),
            60_000.. => write!(f, ", watched for {}m{:02}s", s / 60, s % 60),
            10_000.. => write!(f, ", watched for {s}s"),
            1_000.. => write!(f, ", watched for {}.{}s", ms / 1000, ms % 1000 / 100),
            _ => write!(f, ", watched for {ms}ms"),
        }
    }
}

/// `socket tcp *:443 by accept4, of 4711`.
pub(super) struct Named<'a>(pub(super) &'a Group);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.0.name;
        f.write_str(name.what.word())?;
        if let Some(target) = name.telling_target() {
            write!(f, " {target}")?;
        }
        if let Some(call) = name.call {
            write!(f, " by {}", CallWord(call))?;
        }
        match name.process {
            Some(process) => write!(f, ", of {}", process.tgid),
            None => f.write_str(", of several"),
        }
    }
}

/// Threads of like names, by what they do: `6 blocked in futex, 2 running`.
#[derive(Default)]
pub(super) struct Alike(BTreeMap<String, usize>);

impl Alike {
    pub(super) fn add(&mut self, thread: &Thread) {
        let blocked = thread.activity().and_then(|activity| activity.blocked);
        let call = blocked.and_then(|blocked| blocked.call);
        let words = match (document::thread_state(thread), call) {
            (None, _) => "state not known".to_owned(),
            (Some("blocked"), Some(call)) => format!("blocked in {}", CallWord(CallNumber(call))),
            (Some(state), _) => state.to_owned(),
        };
        *self.0.entry(words).or_default() += 1;
    }

    pub(super) fn count(&self) -> usize {
        self.0.values().sum()
    }
}

impl Display for Alike {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, (words, count)) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            write!(f, "{count} {words}")?;
        }
        Ok(())
    }
}
