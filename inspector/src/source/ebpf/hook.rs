//! The hooks: which program watches what, in which probe set, and what is lost without it.

use std::fmt;

use crate::source::probe_set::{ProbeSetKind, ProbeState, ProbeStatus};

/// Where a program hooks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// A tracepoint with the kernel's own types (`tp_btf`); needs no tracefs.
    TypedTracepoint(&'static str),
    /// A classic tracepoint `category:name`; its number stands in tracefs.
    Tracepoint(&'static str, &'static str),
    /// Mark sites, attached when a target is known.
    MarkSites,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TypedTracepoint(name) => write!(f, "tp_btf:{name}"),
            Self::Tracepoint(category, name) => write!(f, "tracepoint:{category}:{name}"),
            Self::MarkSites => f.write_str("uprobe:lifecycle:*"),
        }
    }
}

/// One program of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its name in the object.
    pub program: &'static str,
    /// Where it hooks in.
    pub hook: Hook,
    /// The probe set it belongs to; `None` = both.
    pub only_in: Option<ProbeSetKind>,
    /// What can't be told without it.
    pub without: &'static str,
}

/// Every program, in the order of attaching: deaths before births, so that nothing is born that
/// can't be seen to die.
pub const PROBES: &[Probe] = &[
    probe(
        "enter_close",
        CLOSE,
        "closes count at their return, not at their entry",
    ),
    probe(
        "enter_close_range",
        CLOSE_RANGE,
        "closed ranges count at their return",
    ),
    probe(
        "enter_dup2",
        DUP2,
        "numbers that dup2 closes count at its return",
    ),
    probe(
        "enter_dup3",
        DUP3,
        "numbers that dup3 closes count at its return",
    ),
    Probe {
        program: "task_gone",
        hook: Hook::TypedTracepoint("sched_switch"),
        only_in: Some(ProbeSetKind::BirthsAndDeaths),
        without: "the end of threads is not seen",
    },
    Probe {
        program: "task_switched",
        hook: Hook::TypedTracepoint("sched_switch"),
        only_in: Some(ProbeSetKind::WithWaits),
        without: "the end of threads and their waits are not seen",
    },
    probe(
        "task_exiting",
        Hook::TypedTracepoint("sched_process_exit"),
        "exits are seen late",
    ),
    probe(
        "exit_call",
        Hook::TypedTracepoint("sys_exit"),
        "descriptors are not seen",
    ),
    probe(
        "task_execed",
        Hook::TypedTracepoint("sched_process_exec"),
        "execs are not seen",
    ),
    probe(
        "task_renamed",
        Hook::TypedTracepoint("task_rename"),
        "threads keep their first name",
    ),
    Probe {
        program: "task_waking",
        hook: Hook::TypedTracepoint("sched_waking"),
        only_in: Some(ProbeSetKind::WithWaits),
        without: "who wakes a thread is not seen",
    },
    probe(
        "task_born",
        Hook::TypedTracepoint("task_newtask"),
        "births of threads are not seen",
    ),
    probe(
        "mark_passed",
        Hook::MarkSites,
        "deletes are not seen: no verdicts",
    ),
];

const CLOSE: Hook = Hook::Tracepoint("syscalls", "sys_enter_close");
const CLOSE_RANGE: Hook = Hook::Tracepoint("syscalls", "sys_enter_close_range");
const DUP2: Hook = Hook::Tracepoint("syscalls", "sys_enter_dup2");
const DUP3: Hook = Hook::Tracepoint("syscalls", "sys_enter_dup3");

const fn probe(program: &'static str, hook: Hook, without: &'static str) -> Probe {
    Probe {
        program,
        hook,
        only_in: None,
        without,
    }
}

impl Probe {
    /// The probe's row in a run's probe set.
    pub fn status(&self, state: ProbeState) -> ProbeStatus {
        ProbeStatus {
            name: self.program,
            hook: self.hook.to_string(),
            without: self.without,
            state,
        }
    }
}
