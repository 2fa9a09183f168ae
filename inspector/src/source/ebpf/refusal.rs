//! Why nothing could be loaded, in words that say what to do.

use std::fs;

use rustix::{
    process::geteuid,
    thread::{CapabilitySet, capabilities},
};

use super::kernel::{KernelError, OLDEST};

/// Why nothing could be loaded at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The kernel's age.
    #[error(
        "Linux {0} is too old for the programs, which need {major}.{minor}; boot a newer kernel",
        major = OLDEST.0, minor = OLDEST.1
    )]
    TooOld(String),
    /// The kernel's type information.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The kernel lacks fields that programs can't do without.
    #[error("this kernel's type information lacks {}; boot another kernel", .0.join(", "))]
    Fields(Vec<&'static str>),
    /// Nobody asked for root.
    #[error("an ordinary user may not use eBPF; start it through sudo")]
    OrdinaryUser,
    /// Root without what makes it root.
    #[error("root lacks {missing} here, and the kernel refused {what}: {why}")]
    Capabilities {
        /// Their names.
        missing: String,
        /// What it refused.
        what: &'static str,
        /// The kernel's words.
        why: String,
    },
    /// Root that may, and yet is refused.
    #[error("a seccomp filter is set on this process, and eBPF was refused: {0}")]
    Filtered(String),
    /// The object or its maps.
    #[error("the kernel refused the maps: {0}")]
    Object(String),
    /// No program that births, deaths and marks need was accepted.
    #[error("the kernel refused the programs: {0}")]
    Programs(String),
    /// The marks, without which nobody knows what was deleted.
    #[error("the lab's marks can't be attached: {0}")]
    Marks(String),
}

impl LoadError {
    /// The same, told by what this process may not do, where the kernel refused what it was asked.
    pub fn explained(self) -> Self {
        let standing = Standing::of_this_process;
        match self {
            Self::Object(why) | Self::Programs(why) if is_refusal(&why) => {
                standing().explain(innermost(&why))
            }
            Self::Marks(why) if is_refusal(&why) => standing().explain_marks(innermost(&why)),
            other => other,
        }
    }
}

/// EPERM or EACCES, in the words that every error here ends in.
fn is_refusal(why: &str) -> bool {
    ["(os error 1)", "(os error 13)"]
        .iter()
        .any(|errno| why.contains(errno))
}

/// The kernel's own words. Which of many alike was refused first tells nobody anything.
fn innermost(why: &str) -> String {
    let words = why.rsplit(": ").next();
    words.unwrap_or(why).to_owned()
}

/// What decides whether eBPF may be used; passed in so that it can be tested.
struct Standing {
    root: bool,
    effective: CapabilitySet,
    filtered: bool,
}

impl Standing {
    fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        Self {
            root: geteuid().is_root(),
            // A thread can always read its own.
            effective: capabilities(None).map_or(CapabilitySet::empty(), |capabilities| {
                capabilities.effective
            }),
            filtered: status.lines().any(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some("Seccomp:") && words.next() == Some("2")
            }),
        }
    }

    fn explain(&self, why: String) -> LoadError {
        const NEEDED: [(&str, CapabilitySet); 2] = [
            ("CAP_BPF", CapabilitySet::BPF),
            ("CAP_PERFMON", CapabilitySet::PERFMON),
        ];
        let all = self.effective.contains(CapabilitySet::SYS_ADMIN);
        let missing: Vec<_> = NEEDED
            .iter()
            .filter(|(_, needed)| !all && !self.effective.contains(*needed))
            .map(|&(name, _)| name)
            .collect();
        if !missing.is_empty() && !self.root {
            return LoadError::OrdinaryUser;
        }
        if !missing.is_empty() {
            return LoadError::Capabilities {
                missing: missing.join(" and "),
                what: "eBPF",
                why,
            };
        }
        if self.filtered {
            return LoadError::Filtered(why);
        }
        LoadError::Object(why)
    }

    /// Attaching a uprobe takes more than loading its program (`perf_uprobe_event_init` of the
    /// kernel's kernel/events/core.c).
    fn explain_marks(&self, why: String) -> LoadError {
        if self.effective.contains(CapabilitySet::SYS_ADMIN) {
            return LoadError::Marks(why);
        }
        LoadError::Capabilities {
            missing: "CAP_SYS_ADMIN".to_owned(),
            what: "to attach the lab's marks",
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(root: bool, effective: CapabilitySet, filtered: bool) -> String {
        let standing = Standing {
            root,
            effective,
            filtered,
        };
        standing.explain("EPERM".to_owned()).to_string()
    }

    #[test]
    fn a_refusal_is_told_by_what_is_missing() {
        let none = CapabilitySet::empty();
        let bpf = CapabilitySet::BPF;
        let both = bpf | CapabilitySet::PERFMON;
        let sudo = "an ordinary user may not use eBPF; start it through sudo";
        assert_eq!(explained(false, none, false), sudo);
        assert_eq!(explained(false, bpf, true), sudo);
        for (effective, missing) in [(none, "CAP_BPF and CAP_PERFMON"), (bpf, "CAP_PERFMON")] {
            let said = format!("root lacks {missing} here, and the kernel refused eBPF: EPERM");
            assert_eq!(explained(true, effective, true), said);
        }
        let filtered = "a seccomp filter is set on this process, and eBPF was refused: EPERM";
        assert_eq!(explained(true, CapabilitySet::SYS_ADMIN, true), filtered);
        assert_eq!(explained(false, both, true), filtered);
        assert_eq!(
            explained(true, both, false),
            "the kernel refused the maps: EPERM"
        );
    }

    #[test]
    fn marks_take_more_than_programs() {
        let explained = |effective| {
            let standing = Standing {
                root: true,
                effective,
                filtered: false,
            };
            standing.explain_marks("EACCES".to_owned()).to_string()
        };
        assert_eq!(
            explained(CapabilitySet::BPF | CapabilitySet::PERFMON),
            "root lacks CAP_SYS_ADMIN here, and the kernel refused to attach the lab's marks: EACCES"
        );
        assert_eq!(
            explained(CapabilitySet::SYS_ADMIN),
            "the lab's marks can't be attached: EACCES"
        );
    }

    #[test]
    fn another_failure_is_left_as_it_is() {
        let full = LoadError::Object("ENOMEM (os error 12)".to_owned());
        let said = full.to_string();
        assert_eq!(full.explained().to_string(), said);
    }

    /// No such kernel can be run here: the words alone.
    #[test]
    fn an_old_kernel_is_told_what_is_needed() {
        assert_eq!(
            LoadError::TooOld("5.4.0-42-generic".to_owned()).to_string(),
            "Linux 5.4.0-42-generic is too old for the programs, which need 5.8; boot a newer kernel"
        );
    }
}
