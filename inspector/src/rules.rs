//! What `check` holds a run to: what it looks at, what it ignores and why, and how much may remain.
//!
//! The table `[check]` of `inspector.toml` ([`mod@file`]) and arguments ([`Ignore`] and [`Budget`] are
//! read from text) make it. `docs/check.md` is the user's reference.

#![forbid(unsafe_code)]

mod argument;
pub mod date;
pub mod file;
pub mod glob;
pub mod kind;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Deserialize;

pub use self::{date::Date, glob::Glob, kind::Kind};
use crate::config::Origin;

/// What a run is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long what must end may go on: processes after the command, threads after their main
    /// thread, resources after their delete. `None` = as long as the configuration's `grace`.
    pub grace: Option<Duration>,
    /// Whose descriptors and threads are judged.
    pub processes: Whose,
    /// Which descriptors may not be open when their process ends.
    pub open_at_exit: Kinds,
    /// Whether processes may not outlive the command, nor threads their main thread.
    pub outlive: bool,
    /// Whether what went after its delete's grace is a finding.
    pub late: bool,
    /// Whether what only grows is a finding.
    pub suspects: bool,
    /// Whether numbers that are closed twice, or that belong to another entry, are findings.
    pub closes: bool,
    /// Whether what can't be told does no harm.
    pub allow_unknown: bool,
    /// How many may remain, by kind.
    pub budgets: Vec<Budget>,
    /// What is no finding.
    pub ignores: Vec<Ignore>,
    /// By how many groups may grow.
    pub growth: Vec<Limit>,
    /// Where each single setting is said, by its name; those that are not have their default.
    pub(crate) said: Vec<(&'static str, Origin)>,
}

/// Whose descriptors and threads are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    /// The command's own process, whatever programs it executes.
    #[default]
    Main,
    /// Every process that ran within the run.
    All,
}

/// A choice among the kinds of handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// All of them.
    All,
    /// These; none is a choice too.
    These(Vec<Kind>),
}

/// How many of one kind may remain: open when their process ends, or, of processes, after the
/// command. What has a budget is judged by it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Of what.
    pub kind: Kind,
    /// At most so many.
    pub most: u64,
    /// Where that is said.
    pub from: Origin,
}

/// What is no finding. What it names must all fit, and it names something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// What it is.
    pub kind: Option<Kind>,
    /// What a handle points at.
    pub path: Option<Glob>,
    /// The name of the thread or process; of a handle, its process's.
    pub name: Option<Glob>,
    /// Why. Never empty.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Date>,
    /// Where that is said.
    pub from: Origin,
}

/// By how many a group may grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it is.
    pub kind: Option<Kind>,
    /// The pattern of its targets.
    pub target: Option<Glob>,
    /// The name of the call that made it.
    pub call: Option<String>,
    /// At most so many more.
    pub most: u64,
    /// Where that is said.
    pub from: Origin,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            grace: None,
            processes: Whose::Main,
            open_at_exit: Kinds::All,
            outlive: true,
            late: true,
            suspects: true,
            closes: true,
            allow_unknown: false,
            budgets: Vec::new(),
            ignores: Vec::new(),
            growth: Vec::new(),
            said: Vec::new(),
        }
    }
}

impl Rules {
    /// The budget that holds for what is of this kind: its own before that of all handles.
    pub fn budget(&self, kind: Kind) -> Option<&Budget> {
        let fitting = |budget: &&Budget| budget.kind.takes_in(kind);
        let mut budgets = self.budgets.iter().filter(fitting);
        let own = budgets.clone().find(|budget| budget.kind != Kind::Handle);
        own.or_else(|| budgets.next())
    }

    /// Where a single setting is said.
    pub(crate) fn origin(&self, name: &str) -> &Origin {
        let said = self.said.iter().find(|(said, _)| *said == name);
        said.map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// Adds a budget; one for the same kind that was there is replaced.
    pub fn set_budget(&mut self, budget: Budget) {
        self.budgets.retain(|known| known.kind != budget.kind);
        self.budgets.push(budget);
    }
}

impl Whose {
    /// As it is written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::All => "all",
        }
    }
}

impl Kinds {
    /// Whether a kind is among them.
    pub fn contains(&self, kind: Kind) -> bool {
        match self {
            Self::All => true,
            Self::These(kinds) => kinds.iter().any(|chosen| chosen.takes_in(kind)),
        }
    }
}

impl Ignore {
    /// Whether it is about a resource. A path that is not known fits no pattern.
    pub fn is_about(&self, kind: Kind, path: Option<&[u8]>, name: &[u8]) -> bool {
        self.kind.is_none_or(|chosen| chosen.takes_in(kind))
            && self
                .path
                .as_ref()
                .is_none_or(|glob| path.is_some_and(|path| glob.fits(path)))
            && self.name.as_ref().is_none_or(|glob| glob.fits(name))
    }

    /// Whether it still holds on this day.
    pub fn holds(&self, today: Date) -> bool {
        self.expires.is_none_or(|last| today <= last)
    }
}

impl Limit {
    /// Whether it is about a group. A target that is not known fits no pattern.
    pub fn is_about(&self, kind: Kind, target: Option<&[u8]>, call: Option<&str>) -> bool {
        self.kind.is_none_or(|chosen| chosen.takes_in(kind))
            && self
                .target
                .as_ref()
                .is_none_or(|glob| target.is_some_and(|target| glob.fits(target)))
            && self.call.as_deref().is_none_or(|name| call == Some(name))
    }
}
