//! What is watched where there is no lab: whose command it is, or which processes.

use std::collections::BTreeMap;

use super::words;
use crate::{
    check::CommandEnd,
    event::{
        BootTime,
        id::Tgid,
        text::{Comm, Text},
    },
    ledger::{Ledger, process::Process},
    source::toll::Toll,
};

/// What is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    /// How it came to be watched.
    pub verb: Verb,
    /// The processes that were asked for, or the command's own, as soon as it is there.
    pub processes: Vec<Tgid>,
    /// Their names, as they were last.
    pub names: BTreeMap<Tgid, Comm>,
    /// The command, with blanks between its words, where it was started for this.
    pub command: Option<Text>,
    /// Places in the targets' programs that declare deletes and were attached to.
    pub marks: usize,
    /// What watching costs everybody; `None` = it was not measured.
    pub toll: Option<Toll>,
    /// The file that takes what the command prints.
    pub output: Option<Text>,
    /// How the command ended, once it has.
    pub ended: Option<Ended>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// In words that follow its name: `exited with 2`.
    pub how: String,
    /// Whether it says that something went wrong.
    pub is_failure: bool,
    /// The same, for whoever writes it down.
    pub end: CommandEnd,
}

/// How a process came to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It was there before.
    Attach,
    /// It was started for this.
    Run,
}

impl Verb {
    /// The word for it, as on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Attach => "attach",
            Self::Run => "run",
        }
    }
}

/// Processes that a title names.
const NAMED: usize = 2;
/// Cells that a title gives to a command: how it ended stands behind it.
const COMMAND: usize = 44;

impl Watched {
    /// Learns names while there is somebody who has them.
    pub(super) fn learn(&mut self, ledger: &Ledger) {
        for &process in &self.processes {
            if let Some(comm) = words::leader(ledger, process) {
                self.names.insert(process, comm);
            }
        }
    }

    /// The verb and who: `attach redis-server 1234`, `run make -j2 (1234)`.
    pub fn title(&self, ledger: &Ledger) -> String {
        let verb = self.verb.word();
        if let Some(command) = self.command() {
            return match self.processes.first() {
                Some(process) => format!("{verb} {command} ({})", number(ledger, *process)),
                None => format!("{verb} {command}"),
            };
        }
        let named =
            self.processes
                .iter()
                .take(NAMED)
                .map(|&process| match self.names.get(&process) {
                    Some(comm) => format!("{comm} {}", number(ledger, process)),
                    None => number(ledger, process),
                });
        let mut title = format!("{verb} {}", named.collect::<Vec<_>>().join(", "));
        if self.processes.len() > NAMED {
            title.push_str(&format!(" +{}", self.processes.len() - NAMED));
        }
        title
    }

    /// The command, in a length that leaves room for more.
    pub fn command(&self) -> Option<String> {
        let command = self.command.as_ref()?.to_string();
        Some(words::without_middle(&command, COMMAND, "…"))
    }

    /// How long the first process has been up, where /proc told.
    pub fn up_ns(&self, ledger: &Ledger, now: BootTime) -> Option<u64> {
        /// A tick of /proc's start times.
        const TICK_NS: u64 = 10_000_000;
        let ticks = record(ledger, *self.processes.first()?)?
            .facts
            .as_ref()?
            .limits
            .start_ticks?;
        Some(now.since_ns(BootTime(ticks.saturating_mul(TICK_NS))))
    }
}

/// A process's number, and the one it has in its own pid namespace.
fn number(ledger: &Ledger, process: Tgid) -> String {
    let facts = record(ledger, process).and_then(|record| record.facts.as_ref());
    match facts.and_then(|facts| facts.limits.inner_pid) {
        Some(inner) => format!("{process}, inside {inner}"),
        None => process.to_string(),
    }
}

fn record(ledger: &Ledger, process: Tgid) -> Option<&Process> {
    ledger.process(ledger.process_by_tgid(process)?)
}
