//! What facts and trials mean: fine, worth knowing, or lacking with its cost and its mend.

use rustix::thread::CapabilitySet;

use super::{
    facts::Facts,
    trial::{Trial, Trials},
};
use crate::source::ebpf::kernel;

mod limits;

/// One line of the examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is looked at.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What it costs, where it is not fine.
    pub cost: Option<&'static str>,
    /// The command, or the change, that mends it.
    pub mend: Option<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Fine.
    Fine,
    /// Worth knowing; every probe works all the same.
    Note,
    /// Something can't be measured because of it.
    Lack,
}

impl State {
    /// The word for it, in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Lack => "lack",
        }
    }
}

const NO_EBPF: &str = "no program can be attached; polling /proc is left, with intervals for times";

/// Every check, in the order they are shown.
pub fn all(facts: &Facts, trials: &Trials) -> Vec<Check> {
    let mut checks = vec![
        release(facts),
        types(facts),
        may_load(facts),
        may_read(facts),
        limits::capability(facts),
        tried("ring buffer", &trials.ring_buffer, facts),
        tried("tp_btf programs", &trials.tp_btf, facts),
        raw_tracepoints(facts, trials),
        uprobes(facts, trials),
        kprobes(facts),
        tracefs(facts),
        lockdown(facts),
        sysctls(facts),
        ptrace_scope(facts),
        hidepid(facts),
        kcmp(trials),
        seccomp(facts),
        container(facts),
    ];
    checks.extend(namespaces(facts));
    checks.extend([limits::memlock(facts), limits::nofile(facts)]);
    checks
}

fn fine(name: &'static str, found: impl Into<String>) -> Check {
    Check {
        name,
        state: State::Fine,
        found: found.into(),
        cost: None,
        mend: None,
    }
}

fn note(
    name: &'static str,
    found: impl Into<String>,
    cost: &'static str,
    mend: impl Into<String>,
) -> Check {
    Check {
        state: State::Note,
        cost: Some(cost),
        mend: Some(mend.into()),
        ..fine(name, found)
    }
}

fn lack(
    name: &'static str,
    found: impl Into<String>,
    cost: &'static str,
    mend: impl Into<String>,
) -> Check {
    Check {
        state: State::Lack,
        ..note(name, found, cost, mend)
    }
}

/// A command that only root may run.
fn as_root(facts: &Facts, command: &str) -> String {
    match facts.euid {
        Some(0) => command.to_owned(),
        _ => format!("sudo {command}"),
    }
}

/// How to get the capabilities.
fn more_privilege(facts: &Facts) -> String {
    if facts.euid == Some(0) {
        "docker run --pid=host --cap-add=SYS_ADMIN --cap-add=SYS_PTRACE \
         --cap-add=DAC_READ_SEARCH … (root here has been denied them; outside a container ask \
         who started this shell)"
            .into()
    } else {
        "sudo inspector doctor".into()
    }
}

fn can_load(facts: &Facts) -> bool {
    facts.capable(CapabilitySet::BPF | CapabilitySet::PERFMON)
        || facts.capable(CapabilitySet::SYS_ADMIN)
}

fn release(facts: &Facts) -> Check {
    const NAME: &str = "kernel";
    let (major, minor) = kernel::OLDEST;
    let mend = format!("boot a kernel of {major}.{minor} or newer");
    match facts
        .release
        .as_deref()
        .map(|release| (release, kernel::version(release)))
    {
        Some((release, Some(version))) if version >= kernel::OLDEST => fine(NAME, release),
        Some((release, Some(_))) => lack(NAME, release, NO_EBPF, mend),
        Some((release, None)) => note(NAME, release, "its age is not known", mend),
        None => note(NAME, "not known", "its age is not known", mend),
    }
}

fn types(facts: &Facts) -> Check {
    const NAME: &str = "type information";
    let path = kernel::VMLINUX_BTF;
    let mend =
        "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian's, Ubuntu's and Fedora's are)";
    if !facts.btf {
        return lack(NAME, format!("{path} is missing"), NO_EBPF, mend);
    }
    let (Some(fields), Some(tracepoints)) = (&facts.fields_lacking, &facts.tracepoints_lacking)
    else {
        return lack(NAME, format!("{path} can't be used"), NO_EBPF, mend);
    };
    if fields.is_empty() && tracepoints.is_empty() {
        return fine(NAME, format!("{path}, every field and tracepoint found"));
    }
    let lacking: Vec<&str> = fields.iter().chain(tracepoints).copied().collect();
    let cost = "the programs that need these can't be attached";
    let mend = "boot another kernel; this one's release and this line make a good bug report";
    lack(NAME, format!("lacks {}", lacking.join(", ")), cost, mend)
}

fn may_load(facts: &Facts) -> Check {
    const NAME: &str = "may use eBPF";
    if facts.capable(CapabilitySet::BPF | CapabilitySet::PERFMON) {
        return fine(NAME, "CAP_BPF and CAP_PERFMON");
    }
    if can_load(facts) {
        return fine(NAME, "CAP_SYS_ADMIN");
    }
    let found = "neither CAP_BPF and CAP_PERFMON nor CAP_SYS_ADMIN";
    lack(NAME, found, NO_EBPF, more_privilege(facts))
}

fn may_read(facts: &Facts) -> Check {
    const NAME: &str = "may read others' /proc";
    let both = CapabilitySet::SYS_PTRACE | CapabilitySet::DAC_READ_SEARCH;
    if facts.capable(both) {
        return fine(NAME, "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
    }
    let cost = "descriptors of other users' processes can't be listed: no baseline, no audit";
    let found = "CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing";
    lack(NAME, found, cost, more_privilege(facts))
}

/// A trial without which nothing can be attached.
fn tried(name: &'static str, trial: &Trial, facts: &Facts) -> Check {
    match trial.why() {
        None => fine(name, "works (tried)"),
        Some(why) if !can_load(facts) => lack(name, why, NO_EBPF, more_privilege(facts)),
        // A security module says there what it refused.
        Some(why) => lack(name, why, NO_EBPF, as_root(facts, "dmesg | tail -n 20")),
    }
}

fn raw_tracepoints(facts: &Facts, trials: &Trials) -> Check {
    const NAME: &str = "raw tracepoints";
    let cost = "nothing where tp_btf programs work";
    match trials.raw_tracepoint.why() {
        None => fine(NAME, "work (tried)"),
        Some(why) => note(NAME, why, cost, more_privilege(facts)),
    }
}

fn uprobes(facts: &Facts, trials: &Trials) -> Check {
    const NAME: &str = "uprobes";
    let cost = "marks are not seen: which entry was deleted is not known";
    match trials.kprobe_program.why() {
        _ if !facts.uprobe_pmu => {
            let mend = "boot a kernel built with CONFIG_UPROBE_EVENTS=y";
            lack(NAME, "this kernel has none", cost, mend)
        }
        // Attaching takes more than loading (`perf_uprobe_event_init`, kernel/events/core.c).
        None if !facts.capable(CapabilitySet::SYS_ADMIN) => {
            let found = "attaching them takes CAP_SYS_ADMIN";
            lack(NAME, found, cost, more_privilege(facts))
        }
        None => fine(NAME, "offered, and their programs load (tried)"),
        Some(why) => lack(NAME, why, cost, more_privilege(facts)),
    }
}

fn kprobes(facts: &Facts) -> Check {
    let found = if facts.kprobe_pmu {
        "offered (not needed)"
    } else {
        "none (not needed)"
    };
    fine("kprobes", found)
}

fn tracefs(facts: &Facts) -> Check {
    const NAME: &str = "tracefs";
    if !facts.tracefs.is_empty() {
        return fine(NAME, facts.tracefs.join(", "));
    }
    if facts.capable(CapabilitySet::SYS_ADMIN) {
        let found = "not mounted (inspector mounts it for itself alone while it attaches)";
        return fine(NAME, found);
    }
    let cost = "closes count at their return, not at their entry: racing threads can't be told";
    let mend = as_root(facts, "mount -t tracefs tracefs /sys/kernel/tracing");
    lack(NAME, "not mounted, and it takes CAP_SYS_ADMIN", cost, mend)
}

fn lockdown(facts: &Facts) -> Check {
    const NAME: &str = "lockdown";
    match facts.lockdown.as_deref() {
        None => fine(
            NAME,
            "none (not in this kernel, or securityfs is not mounted)",
        ),
        Some("confidentiality") => {
            let mend = "boot with lockdown=integrity (with Secure Boot off, if that sets it)";
            lack(NAME, "confidentiality", NO_EBPF, mend)
        }
        Some(mode) => fine(NAME, mode),
    }
}

fn sysctls(facts: &Facts) -> Check {
    let value = |value: Option<i32>| value.map_or("not there".into(), |value| value.to_string());
    let found = format!(
        "unprivileged_bpf_disabled {}, perf_event_paranoid {}",
        value(facts.unprivileged_bpf_disabled),
        value(facts.perf_event_paranoid)
    );
    fine("sysctl", found)
}

fn ptrace_scope(facts: &Facts) -> Check {
    let found = facts.ptrace_scope.map_or("no Yama".into(), |scope| {
        format!("{scope} (it restricts attaching, not reading)")
    });
    fine("ptrace_scope", found)
}

fn hidepid(facts: &Facts) -> Check {
    const NAME: &str = "hidepid";
    match facts.hidepid.as_deref() {
        None => fine(NAME, "not known"),
        Some(mode @ ("0" | "off")) => fine(NAME, mode),
        Some(mode) if facts.capable(CapabilitySet::SYS_PTRACE) => {
            fine(NAME, format!("{mode} (CAP_SYS_PTRACE sees through it)"))
        }
        Some(mode) => {
            let mend = as_root(facts, "mount -o remount,hidepid=0 /proc");
            lack(
                NAME,
                mode,
                "other users' processes look as if they were gone",
                mend,
            )
        }
    }
}

fn kcmp(trials: &Trials) -> Check {
    const NAME: &str = "kcmp";
    let cost = "a thread that left its process's descriptor table is not told apart in /proc";
    match trials.kcmp.why() {
        None => fine(NAME, "works (tried)"),
        Some(why) => note(NAME, why, cost, "boot a kernel built with CONFIG_KCMP=y"),
    }
}

fn seccomp(facts: &Facts) -> Check {
    const NAME: &str = "seccomp";
    match facts.seccomp {
        Some(2) => note(
            NAME,
            "a filter",
            "it may refuse bpf, perf_event_open and kcmp",
            "docker run --security-opt seccomp=unconfined …",
        ),
        Some(0) => fine(NAME, "none"),
        Some(mode) => fine(NAME, format!("mode {mode}")),
        None => fine(NAME, "not in this kernel"),
    }
}

fn container(facts: &Facts) -> Check {
    let found = if facts.container.is_empty() {
        "no sign of one".into()
    } else {
        format!("signs: {}", facts.container.join(", "))
    };
    fine("container", found)
}

fn namespaces(facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    if facts.initial_pid_namespace == Some(false) {
        let cost = "the programs name processes by other numbers than /proc does here";
        let mend = "docker run --pid=host …";
        checks.push(lack("pid namespace", "not the initial one", cost, mend));
    }
    if facts.initial_user_namespace == Some(false) {
        let mend = "run it outside the user namespace (rootless containers have one)";
        checks.push(lack("user namespace", "not the initial one", NO_EBPF, mend));
    }
    checks
}
