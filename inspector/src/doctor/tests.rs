//! Each lack, made up, is told with its cost and its mend; this machine's facts are its facts.

use super::*;
use crate::source::{
    ebpf::{kernel::VMLINUX_BTF, refusal::LoadError},
    probe_set::{ProbeSetKind, ProbeState, ProbeStatus},
};
use rustix::thread::CapabilitySet;
use std::{collections::BTreeSet, fs, path::PathBuf};
use trial::Trial;

/// A machine on which everything works.
fn sound() -> (Facts, Trials) {
    let facts = Facts {
        release: Some("6.18.0".into()),
        btf: true,
        fields_lacking: Some(Vec::new()),
        tracepoints_lacking: Some(Vec::new()),
        euid: Some(0),
        capabilities: Some(u64::MAX),
        seccomp: Some(0),
        tracefs: vec!["/sys/kernel/tracing".into()],
        hidepid: Some("0".into()),
        initial_pid_namespace: Some(true),
        initial_user_namespace: Some(true),
        memlock_bytes: Some(8 << 20),
        nofile: Some(20_000),
        uprobe_pmu: true,
        ..Facts::default()
    };
    let trials = Trials {
        ring_buffer: Trial::Works,
        tp_btf: Trial::Works,
        raw_tracepoint: Trial::Works,
        kprobe_program: Trial::Works,
        kcmp: Trial::Works,
    };
    (facts, trials)
}

/// Names of the checks that are not fine, after one change to a sound machine.
fn complaints(change: impl FnOnce(&mut Facts, &mut Trials)) -> Vec<(&'static str, State)> {
    let (mut facts, mut trials) = sound();
    change(&mut facts, &mut trials);
    let report = Report::new(facts, trials, None);
    let complaints: Vec<_> = report
        .checks
        .iter()
        .filter(|check| check.state != State::Fine)
        .map(|check| {
            assert!(check.cost.is_some() && check.mend.is_some(), "{check:?}");
            (check.name, check.state)
        })
        .collect();
    let lacks = complaints.iter().any(|(_, state)| *state == State::Lack);
    assert_eq!(report.ok(), !lacks);
    complaints
}

#[test]
fn a_sound_machine_has_no_complaint() {
    assert_eq!(complaints(|_, _| {}), []);
}

#[test]
fn each_lack_is_seen_by_its_own_check() {
    use State::{Lack, Note};
    let no_capability = |missing: CapabilitySet| {
        move |facts: &mut Facts, _: &mut Trials| facts.capabilities = Some(!missing.bits())
    };
    let fails = || Trial::Fails("Operation not permitted".into());
    assert_eq!(
        complaints(|f, _| f.release = Some("5.4.0".into())),
        [("kernel", Lack)]
    );
    assert_eq!(
        complaints(|f, _| f.btf = false),
        [("type information", Lack)]
    );
    assert_eq!(
        complaints(|f, _| f.fields_lacking = None),
        [("type information", Lack)]
    );
    assert_eq!(
        complaints(|f, _| f.fields_lacking = Some(vec!["fdtable.fd"])),
        [("type information", Lack)]
    );
    assert_eq!(
        complaints(no_capability(CapabilitySet::BPF | CapabilitySet::SYS_ADMIN)),
        [("may use eBPF", Lack), ("uprobes", Lack)]
    );
    assert_eq!(
        complaints(no_capability(CapabilitySet::SYS_ADMIN)),
        [("uprobes", Lack)],
        "CAP_BPF is enough for all but the marks"
    );
    assert_eq!(
        complaints(no_capability(CapabilitySet::DAC_READ_SEARCH)),
        [("may read others' /proc", Lack)]
    );
    assert_eq!(
        complaints(no_capability(CapabilitySet::SYS_RESOURCE)),
        [("may raise limits", Note)]
    );
    assert_eq!(
        complaints(|_, t| t.ring_buffer = fails()),
        [("ring buffer", Lack)]
    );
    assert_eq!(
        complaints(|_, t| t.tp_btf = fails()),
        [("tp_btf programs", Lack)]
    );
    assert_eq!(
        complaints(|_, t| t.raw_tracepoint = fails()),
        [("raw tracepoints", Note)]
    );
    assert_eq!(
        complaints(|_, t| t.kprobe_program = fails()),
        [("uprobes", Lack)]
    );
    assert_eq!(complaints(|f, _| f.uprobe_pmu = false), [("uprobes", Lack)]);
    assert_eq!(complaints(|f, _| f.tracefs.clear()), [], "mounted at need");
    let no_tracefs = complaints(|f, _| {
        f.tracefs.clear();
        f.capabilities = Some(!CapabilitySet::SYS_ADMIN.bits());
    });
    assert_eq!(no_tracefs, [("uprobes", Lack), ("tracefs", Lack)]);
    assert_eq!(
        complaints(|f, _| f.lockdown = Some("confidentiality".into())),
        [("lockdown", Lack)]
    );
    assert_eq!(complaints(|f, _| f.lockdown = Some("integrity".into())), []);
    assert_eq!(complaints(|_, t| t.kcmp = fails()), [("kcmp", Note)]);
    assert_eq!(complaints(|f, _| f.seccomp = Some(2)), [("seccomp", Note)]);
    assert_eq!(
        complaints(|f, _| f.initial_pid_namespace = Some(false)),
        [("pid namespace", Lack)]
    );
    assert_eq!(
        complaints(|f, _| f.initial_user_namespace = Some(false)),
        [("user namespace", Lack)]
    );
    assert_eq!(
        complaints(|f, _| f.nofile = Some(64)),
        [("descriptors", Note)]
    );
    assert_eq!(
        complaints(|f, _| f.hidepid = Some("2".into())),
        [],
        "root sees through it"
    );
    let hidden = complaints(|f, _| {
        f.hidepid = Some("invisible".into());
        f.capabilities = Some(0);
    });
    assert!(hidden.contains(&("hidepid", Lack)), "{hidden:?}");
    let old = complaints(|f, _| {
        f.release = Some("5.10.0".into());
        f.capabilities = Some(!CapabilitySet::SYS_RESOURCE.bits());
    });
    assert_eq!(old, [("may raise limits", Note), ("locked memory", Lack)]);
}

#[test]
fn an_ordinary_user_is_told_the_command() {
    let (mut facts, trials) = sound();
    facts.euid = Some(1000);
    facts.capabilities = Some(0);
    facts.tracefs.clear();
    let text = Report::new(facts, trials, None).text();
    assert!(text.contains("mend: sudo inspector doctor\n"), "{text}");
    assert!(
        text.contains("mend: sudo mount -t tracefs tracefs /sys/kernel/tracing\n"),
        "{text}"
    );
    assert!(text.ends_with("Not every probe can work here: each ✗ above names what mends it.\n"));
}

#[test]
fn programs_are_listed_with_the_kernels_reason() {
    let (facts, trials) = sound();
    let probe = |name, state| ProbeStatus {
        name,
        hook: "tp_btf sys_exit".into(),
        without: "births are not seen",
        state,
    };
    let why = "invalid argument".to_owned();
    let mut set = ProbeSet {
        kind: ProbeSetKind::default(),
        probes: vec![
            probe("call_exit", ProbeState::Attached),
            probe("waits", ProbeState::Disabled),
        ],
    };
    assert!(Report::new(facts.clone(), trials.clone(), Some(set.clone())).ok());
    set.probes
        .push(probe("close_entry", ProbeState::Refused { why }));
    let report = Report::new(facts, trials, Some(set));
    assert!(!report.ok());
    let text = report.text();
    assert!(
        text.contains("✓ call_exit    tp_btf sys_exit  attached\n"),
        "{text}"
    );
    assert!(
        text.contains("✗ close_entry  tp_btf sys_exit  refused: invalid argument\n"),
        "{text}"
    );
    assert!(text.contains("without it: births are not seen\n"), "{text}");
    let json = report.json();
    assert_eq!(json["probes"][2]["state"], "refused");
    assert_eq!(json["probes"][2]["why"], "invalid argument");
    assert_eq!(json["ok"], false);
}

#[test]
fn this_machines_facts_agree_with_the_system() {
    let report = Report::examine(Err(LoadError::OrdinaryUser));
    let json: serde_json::Value =
        serde_json::from_str(&report.json().to_string()).expect("valid JSON");
    let facts = &json["facts"];
    assert_eq!(facts["btf"], Path::new(VMLINUX_BTF).exists());
    let uname = rustix::system::uname();
    assert_eq!(facts["release"], uname.release().to_str().expect("ASCII"));
    let own = rustix::thread::capabilities(None).expect("our own");
    assert_eq!(facts["capabilities"], own.effective.bits());
    let can_trace = own.effective.contains(CapabilitySet::SYS_PTRACE);
    assert_eq!(json["capabilities"]["CAP_SYS_PTRACE"], can_trace);
    assert_eq!(facts["euid"], rustix::process::geteuid().as_raw());
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    assert_eq!(facts["nofile"].as_u64(), limit);
    let mounts = fs::read_to_string("/proc/self/mounts").expect("always there");
    let tracefs = mounts
        .lines()
        .filter(|line| line.split(' ').nth(2) == Some("tracefs"));
    assert_eq!(
        facts["tracefs"].as_array().map(Vec::len),
        Some(tracefs.count())
    );
    assert_eq!(
        json["checks"].as_array().map(Vec::len),
        Some(report.checks.len())
    );
    assert_eq!(json["ok"], report.ok());
    assert!(json["probes"].is_null());
    let why = "an ordinary user may not use eBPF; start it through sudo";
    assert_eq!(
        (&json["refused"], &json["ok"]),
        (&why.into(), &false.into())
    );
    let text = report.text();
    assert!(
        text.contains(&format!("✗ none is loaded: {why}\n")),
        "{text}"
    );
    // A check's name is its key.
    let names: BTreeSet<_> = report.checks.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), report.checks.len());
    // What was tried agrees with what may be.
    let root = own
        .effective
        .contains(CapabilitySet::BPF | CapabilitySet::PERFMON);
    if root && report.facts.btf && report.facts.seccomp == Some(0) {
        assert_eq!(report.trials.tp_btf, Trial::Works);
        assert_eq!(report.trials.ring_buffer, Trial::Works);
    }
}

#[test]
fn without_capabilities_the_trials_fail_with_the_kernels_words() {
    let trials = std::thread::scope(|scope| {
        let trying = scope.spawn(|| {
            crate::privilege::shed_thread(CapabilitySet::empty()).expect("anyone may");
            Trials::run()
        });
        trying.join().expect("it does not panic")
    });
    let words = Some("Operation not permitted (os error 1)");
    assert_eq!(trials.tp_btf.why(), words);
    assert_eq!(trials.ring_buffer.why(), words);
}

/// A system of a test's own.
fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    let root = folder.path().to_owned();
    (folder, root)
}

#[test]
fn another_system_is_read_from_its_root() {
    let (_folder, root) = tree(&[
        ("proc/sys/kernel/osrelease", "5.15.0-91-generic\n"),
        (
            "proc/self/status",
            "Name:\tx\nUid:\t0\t1000\t0\t0\nCapEff:\t0000000000080000\nSeccomp:\t2\n",
        ),
        (
            "sys/kernel/security/lockdown",
            "none [integrity] confidentiality\n",
        ),
        ("proc/sys/kernel/unprivileged_bpf_disabled", "2\n"),
        ("proc/sys/kernel/yama/ptrace_scope", "nonsense"),
        ("sys/kernel/btf/vmlinux", "not type information"),
        ("run/.containerenv", ""),
        ("proc/1/cgroup", "0::/kubepods/x\n"),
        (
            "proc/self/mountinfo",
            "22 27 0:21 / /proc rw - proc proc rw,hidepid=invisible\n\
             42 23 0:13 / /t\\040r\x1b rw,relatime - tracefs tracefs rw\n",
        ),
        ("sys/bus/event_source/devices/uprobe/type", "8\n"),
    ]);
    let facts = Facts::read(&root);
    assert_eq!(facts.release.as_deref(), Some("5.15.0-91-generic"));
    assert_eq!((facts.euid, facts.seccomp), (Some(1000), Some(2)));
    assert!(facts.capable(CapabilitySet::SYS_PTRACE) && !facts.capable(CapabilitySet::BPF));
    assert_eq!(facts.lockdown.as_deref(), Some("integrity"));
    assert_eq!(facts.unprivileged_bpf_disabled, Some(2));
    assert_eq!(
        (facts.ptrace_scope, facts.perf_event_paranoid),
        (None, None)
    );
    assert!(facts.btf && facts.fields_lacking.is_none());
    assert_eq!(facts.container, ["/run/.containerenv", "/proc/1/cgroup"]);
    assert_eq!(facts.hidepid.as_deref(), Some("invisible"));
    assert_eq!(facts.tracefs.len(), 1);
    assert!(!facts.tracefs[0].contains('\x1b'), "{:?}", facts.tracefs);
    assert!(facts.uprobe_pmu && !facts.kprobe_pmu);
}

#[test]
fn an_empty_system_is_unknown_not_fine() {
    let (_folder, root) = tree(&[]);
    let facts = Facts::read(&root);
    assert_eq!(
        (facts.release.as_deref(), facts.capabilities, facts.btf),
        (None, None, false)
    );
    let (_, trials) = sound();
    let report = Report::new(facts, trials, None);
    assert!(!report.ok());
}
