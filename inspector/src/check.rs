//! Whether a command's run is clean: what it left behind, against the rules.
//!
//! | class | what breaks it |
//! |---|---|
//! | [`Class::OpenAtExit`] | a descriptor that a process opened itself is open when the process ends; 0–2, what it inherited, and duplicates of that do not count |
//! | [`Class::Outlives`] | a process lives longer than the command by the grace, or a thread than its main thread |
//! | [`Class::Budget`] | more of a kind remain than its budget allows |
//! | [`Class::Growth`] | a group of like resources grows by more than a rule allows, or is a suspect ([`crate::verdict::growth`]) |
//! | [`Class::Delete`] | what a deleted entry owned is retained, or went after the grace |
//! | [`Class::Close`] | a number is closed twice, or for an entry it does not belong to ([`crate::ledger::finding`]) |
//!
//! What can't be told is an [`Unknown`], never a clean result. [`judge`] is a pure function: it
//! reads the ledger at the end of the run, when the grace is over and everything is delivered.
//! [`exit`] makes the exit status of it; a command that failed never becomes a success.

#![forbid(unsafe_code)]

pub mod annotations;
mod closes;
mod deletes;
mod grown;
pub mod json;
pub mod junit;
mod open;
mod outlive;
mod scene;
mod sieve;
#[cfg(test)]
mod tests;
pub mod text;

use self::{scene::Scene, sieve::Sieve};
use crate::{
    event::{
        id::{BootTime, CallNumber, Tgid},
        text::Text,
    },
    launch::status::{NOT_EXECUTABLE, NOT_FOUND},
    ledger::Ledger,
    rules::{Date, Kind, Rules},
    verdict::{Judgement, growth::Growth},
};

/// A command's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The command's words.
    pub command: Vec<Text>,
    /// Its process; `None` = not known: it did not become the command.
    pub main: Option<Tgid>,
    /// Just before it was let go: what is born later is the run's.
    pub started: BootTime,
    /// When its process was waited for.
    pub ended: BootTime,
    /// How it ended.
    pub end: CommandEnd,
    /// How long what must end may go on, where the rules don't say.
    pub grace_ns: u64,
    /// The time it was given, if that was over and it was told to end.
    pub overdue_ns: Option<u64>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// With this status.
    Exited(u8),
    /// By this signal.
    Killed(u8),
    /// It is there and could not be executed.
    NotExecutable,
    /// There is no such command.
    NotFound,
}

impl CommandEnd {
    /// Whether it began: of one that did not there is nothing to judge.
    pub fn has_run(self) -> bool {
        !matches!(self, Self::NotExecutable | Self::NotFound)
    }
}

/// What came of judging a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What broke the rules, by class.
    pub findings: Vec<Finding>,
    /// What can't be told.
    pub unknowns: Vec<Unknown>,
    /// Whether what can't be told does no harm.
    pub unknown_allowed: bool,
    /// What was ignored, by rule, in the order of the rules. One that ignored nothing is among
    /// them.
    pub ignored: Vec<Ignored>,
    /// How much was judged.
    pub judged: Judged,
}

/// Something that broke the rules, once for all that is alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub class: Class,
    /// What it is about.
    pub kind: Kind,
    /// Whose, by the program's name; empty = not known.
    pub program: Text,
    /// Of which processes, some of them.
    pub processes: Vec<Tgid>,
    /// The pattern of the targets or names.
    pub target: Option<Text>,
    /// The call that made them.
    pub call: Option<CallNumber>,
    /// How many.
    pub count: u64,
    /// Some of them, in words, escaped.
    pub members: Vec<String>,
    /// What is wrong, in words, escaped; the members stand behind.
    pub words: String,
}

/// Something that can't be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What it would have broken.
    pub class: Class,
    /// What, and why it can't be told; escaped.
    pub words: String,
}

/// What one rule ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Where the rule is.
    pub from: String,
    /// Its reason, escaped.
    pub reason: String,
    /// How many resources it ignored.
    pub count: u64,
    /// When it expired, if it no longer holds; then the count is of what it would have ignored.
    pub expired: Option<Date>,
}

/// How much was judged: a clean result is worth as much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Processes whose descriptors and threads were judged.
    pub processes: u64,
    /// Processes that ran within the run.
    pub ran: u64,
    /// Descriptors that the judged processes opened, as far as they are not forgotten.
    pub handles: u64,
    /// Verdicts on resources of deleted entries.
    pub verdicts: u64,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Open at exit.
    OpenAtExit,
    /// Outlives what it should not.
    Outlives,
    /// Over its budget.
    Budget,
    /// Grows.
    Growth,
    /// Its entry was deleted, and it is not gone.
    Delete,
    /// A number was closed twice, or was another entry's.
    Close,
}

impl Class {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::OpenAtExit,
        Self::Outlives,
        Self::Budget,
        Self::Growth,
        Self::Delete,
        Self::Close,
    ];

    /// The words for it, everywhere.
    pub fn words(self) -> &'static str {
        match self {
            Self::OpenAtExit => "open at exit",
            Self::Outlives => "outlives",
            Self::Budget => "over budget",
            Self::Growth => "grows",
            Self::Delete => "not gone after its delete",
            Self::Close => "closed wrongly",
        }
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAtExit => "open_at_exit",
            Self::Outlives => "outlives",
            Self::Budget => "budget",
            Self::Growth => "growth",
            Self::Delete => "delete",
            Self::Close => "close",
        }
    }
}

impl Checked {
    /// Whether nothing stands in the way of success.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && (self.unknown_allowed || self.unknowns.is_empty())
    }
}

/// The exit status of `check`: the command's own if it failed, 128 and its number for a signal,
/// 126 and 127 for a command that could not be executed or found; else 1 with findings and 0
/// without.
pub fn exit(end: CommandEnd, checked: &Checked) -> u8 {
    match end {
        CommandEnd::Exited(0) => u8::from(!checked.is_clean()),
        CommandEnd::Exited(status) => status,
        CommandEnd::Killed(signal) => signal.saturating_add(128),
        CommandEnd::NotExecutable => NOT_EXECUTABLE,
        CommandEnd::NotFound => NOT_FOUND,
    }
}

/// Judges a run. `judgements` are those that stand at its end, `growth` was sampled during it and
/// once more when everything was delivered, `today` is the day on which rules expire or not.
pub fn judge(
    ledger: &Ledger,
    judgements: impl IntoIterator<Item = Judgement>,
    growth: &Growth,
    rules: &Rules,
    run: &Run,
    today: Date,
) -> Checked {
    let scene = Scene::new(ledger, rules, run);
    let mut sieve = Sieve::new(rules, today);
    let mut checked = Checked {
        unknown_allowed: rules.allow_unknown,
        judged: scene.judged_so_far(),
        ..Checked::default()
    };
    open::judge(&scene, &mut sieve, &mut checked);
    outlive::overdue(&scene, &mut checked);
    outlive::judge(&scene, &mut sieve, &mut checked);
    grown::judge(&scene, growth, &mut sieve, &mut checked);
    deletes::judge(&scene, judgements, &mut sieve, &mut checked);
    closes::judge(&scene, &mut sieve, &mut checked);
    checked.ignored = sieve.ignored();
    checked.findings.sort_by(|one, other| {
        let order = |finding: &Finding| (finding.class, std::cmp::Reverse(finding.count));
        order(one).cmp(&order(other))
    });
    checked.unknowns.sort_by_key(|unknown| unknown.class);
    checked
}
