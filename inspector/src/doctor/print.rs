//! An examination as text for people and as JSON for programs.
//!
//! The JSON is one object:
//!
//! ```text
//! version       1; raised when a member changes its meaning or goes
//! ok            whether every probe can work; the exit code is 0 then, 1 otherwise
//! facts         what was read, by name: see `Facts`; null = not known
//! capabilities  { CAP_…: whether it is effective }, those that matter here
//! checks        [{ name, state, found, cost, mend }] in the order of the text;
//!               state is "ok", "note" or "lack"; cost and mend are null where state is "ok"
//! refused       why no program could be loaded, or null
//! probes        [{ name, hook, without, state, why }], or null where no program was loaded;
//!               state is "attached", "ready", "not of this set", "unsupported" or "refused"; why
//!               is the reason of the last two, else null
//! ```

use std::fmt::Write as _;

use rustix::thread::CapabilitySet;
use serde_json::{Value, json};

use super::{
    Report,
    check::{Check, State},
};
use crate::source::probe_set::{ProbeState, ProbeStatus};

/// Those that something here may need.
const CAPABILITIES: [(&str, CapabilitySet); 6] = [
    ("CAP_BPF", CapabilitySet::BPF),
    ("CAP_PERFMON", CapabilitySet::PERFMON),
    ("CAP_SYS_ADMIN", CapabilitySet::SYS_ADMIN),
    ("CAP_SYS_PTRACE", CapabilitySet::SYS_PTRACE),
    ("CAP_DAC_READ_SEARCH", CapabilitySet::DAC_READ_SEARCH),
    ("CAP_SYS_RESOURCE", CapabilitySet::SYS_RESOURCE),
];

impl Report {
    /// Text: a line each, and what to do below what is lacking.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let names = self.checks.iter().map(|check| check.name.len());
        let width = names.max().unwrap_or(0);
        for check in &self.checks {
            line(&mut text, check, width);
        }
        if let Some(set) = &self.probes {
            text.push_str("\nprograms\n");
            let names = set.probes.iter().map(|probe| probe.name.len());
            let width = names.max().unwrap_or(0);
            let hooks = set.probes.iter().map(|probe| probe.hook.chars().count());
            let hook_width = hooks.max().unwrap_or(0);
            for probe in &set.probes {
                program(&mut text, probe, width, hook_width);
            }
        }
        if let Some(why) = &self.refused {
            // Writing to a string can't fail.
            let _ = write!(text, "\nprograms\n✗ none is loaded: {why}\n");
        }
        let lacks = self
            .checks
            .iter()
            .filter(|check| check.state == State::Lack)
            .count();
        text.push_str(match (self.ok(), lacks) {
            (true, _) => "\nEvery probe can work here.\n",
            (false, 0) => "\nNothing is lacking, yet not every program runs: see above.\n",
            (false, _) => "\nNot every probe can work here: each ✗ above names what mends it.\n",
        });
        text
    }

    /// JSON, as the module's documentation describes it.
    pub fn json(&self) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({
                    "name": check.name,
                    "state": check.state.word(),
                    "found": check.found,
                    "cost": check.cost,
                    "mend": check.mend,
                })
            })
            .collect();
        let probes = self.probes.as_ref().map(|set| {
            let rows = set.probes.iter().map(|probe| {
                json!({
                    "name": probe.name,
                    "hook": probe.hook,
                    "without": probe.without,
                    "state": probe.state.word(),
                    "why": probe.state.why(),
                })
            });
            rows.collect::<Vec<_>>()
        });
        let capabilities: serde_json::Map<String, Value> = CAPABILITIES
            .iter()
            .map(|(name, capability)| ((*name).to_owned(), self.facts.capable(*capability).into()))
            .collect();
        json!({
            "version": 1,
            "ok": self.ok(),
            "facts": self.facts,
            "capabilities": capabilities,
            "checks": checks,
            "refused": self.refused,
            "probes": probes,
        })
    }
}

fn line(text: &mut String, check: &Check, width: usize) {
    let glyph = match check.state {
        State::Fine => '✓',
        State::Note => '!',
        State::Lack => '✗',
    };
    // Writing to a string can't fail.
    let _ = writeln!(text, "{glyph} {:width$}  {}", check.name, check.found);
    for (label, what) in [("costs", check.cost), ("mend", check.mend.as_deref())] {
        if let Some(what) = what {
            let _ = writeln!(text, "  {:width$}    {label}: {what}", "");
        }
    }
}

fn program(text: &mut String, probe: &ProbeStatus, width: usize, hook_width: usize) {
    let glyph = match probe.state {
        ProbeState::Attached | ProbeState::Ready => '✓',
        ProbeState::Disabled => '!',
        ProbeState::OtherSet => '·',
        ProbeState::Unsupported { .. } | ProbeState::Refused { .. } => '✗',
    };
    let state = probe.state.word();
    let _ = write!(
        text,
        "{glyph} {:width$}  {:hook_width$}  {state}",
        probe.name, probe.hook
    );
    if let Some(why) = probe.state.why() {
        let _ = write!(text, ": {}", why.trim());
    }
    text.push('\n');
    if !probe.state.works() && probe.state != ProbeState::OtherSet {
        let _ = writeln!(text, "  {:width$}    without it: {}", "", probe.without);
    }
}
