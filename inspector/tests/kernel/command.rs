//! The command line as root: what is refused or missing is one clear message, and what is lost
//! or left out is told.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
};

use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Signal, kill_process, pidfd_getfd, pidfd_open,
};
use serde_json::Value;

use crate::{
    binary::{inspector, is_refused, program, record, records, run, text},
    program::compiled,
    watch::alone,
};

/// One key, and what becomes of its thread and its timer.
const SHORT: &str = "lab --headless --scenario bare-delete --variant leaky --keys 1 --grace 200";

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Runs a line of shell as root in a mount namespace of its own; `$0` is the program.
fn in_namespace(line: &str) -> std::process::Output {
    run(
        &["unshare", "--mount", "sh", "-c", line],
        &[program().to_str().unwrap()],
    )
}

/// That it polled, for this reason, and got its verdicts.
fn assert_polled(output: &std::process::Output, why: &str) {
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{output:?}");
    let first = said.lines().next().unwrap();
    assert_eq!(first, format!("⚠ polling /proc, because {why}"));
    assert!(said.contains("✗ RETAINED    task-0001  thread "), "{said}");
    assert!(
        said.ends_with("1 of 1 runs as expected   [polling]\n"),
        "{said}"
    );
}

#[test]
fn root_without_capabilities_is_told_which() {
    let _alone = alone();
    let program = program().to_str().unwrap();
    for (dropped, missing) in [
        ("-bpf,-perfmon,-sys_admin", "CAP_BPF and CAP_PERFMON"),
        ("-perfmon,-sys_admin", "CAP_PERFMON"),
    ] {
        let output = run(
            &["setpriv", "--bounding-set", dropped, program],
            &words(SHORT),
        );
        let refused = "the kernel refused eBPF: Operation not permitted (os error 1)";
        assert_polled(
            &output,
            &format!("root lacks {missing} here, and {refused}"),
        );
    }
}

#[test]
fn marks_that_cannot_be_attached_make_it_poll() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let program = program().to_str().unwrap();
    let output = run(
        &["setpriv", "--bounding-set", "-sys_admin", program],
        &words(SHORT),
    );
    let said = text(&output.stdout);
    let why = "⚠ polling /proc, because root lacks CAP_SYS_ADMIN here, and the kernel refused to attach the lab's marks: ";
    assert!(said.starts_with(why), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_seccomp_filter_that_refuses_bpf_is_named() {
    let _alone = alone();
    let refuse = compiled("refuse", &[]);
    let bpf = libc::SYS_bpf.to_string();
    let command = [refuse.to_str().unwrap(), &bpf, program().to_str().unwrap()];
    let output = run(&command, &words(SHORT));
    assert_polled(
        &output,
        "a seccomp filter is set on this process, and eBPF was refused: Operation not permitted (os error 1)",
    );
}

#[test]
fn without_type_information_it_says_so_and_polls() {
    let _alone = alone();
    let empty = tempfile::tempdir().unwrap();
    let hide = format!("mount --bind {} /sys/kernel/btf", empty.path().display());
    let why = "the kernel's type information, by which the programs find its fields, can't be read (/sys/kernel/btf/vmlinux: No such file or directory (os error 2)); boot a kernel built with CONFIG_DEBUG_INFO_BTF=y";
    let output = in_namespace(&format!("{hide} && exec \"$0\" {SHORT}"));
    assert_polled(&output, why);
    let output = in_namespace(&format!("{hide} && exec \"$0\" doctor"));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.contains("/sys/kernel/btf/vmlinux is missing\n"),
        "{said}"
    );
    assert!(
        said.contains(&format!("✗ none is loaded: {why}\n")),
        "{said}"
    );
}

/// Unmounts tracefs wherever it is, and insists that it is gone.
const NO_TRACEFS: &str = "for at in /sys/kernel/tracing /sys/kernel/debug/tracing /sys/kernel/debug; do umount $at 2>/dev/null; done; ! grep -q ' - tracefs ' /proc/self/mountinfo";

#[test]
fn without_tracefs_everything_works_and_nothing_stays_mounted() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = mounts();
    let output = in_namespace(&format!(
        "{NO_TRACEFS} || exit 9; \"$0\" {SHORT} --json; code=$?; ! grep -q ' - tracefs ' /proc/self/mountinfo || exit 8; exit $code"
    ));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let records = records(&output.stdout);
    let probes = record(&records, "probes");
    assert_eq!(probes["silent"], serde_json::json!([]));
    assert_eq!(probes["working"], probes["wanted"]);
    assert_eq!(record(&records, "score")["source"], "eBPF");
    assert_eq!(mounts(), before);
}

/// The entries of the closing calls need tracefs; all else does without.
#[test]
fn where_tracefs_cannot_be_mounted_the_closing_entries_are_told_as_refused() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let refuse = compiled("refuse", &[]);
    let no_mount = format!(
        "{NO_TRACEFS} || exit 9; exec {} {} \"$0\"",
        refuse.display(),
        libc::SYS_mount
    );
    let output = in_namespace(&format!("{no_mount} {SHORT}"));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let (head, rest) = said.split_once("\n\n").unwrap();
    assert!(
        head.starts_with("⚠ not every probe watches\nprobes   8/12, "),
        "{head}"
    );
    for (program, cost) in [
        (
            "enter_close",
            "closes count at their return, not at their entry",
        ),
        ("enter_close_range", "closed ranges count at their return"),
        ("enter_dup2", "numbers that dup2 closes count at its return"),
        ("enter_dup3", "numbers that dup3 closes count at its return"),
    ] {
        let line = format!(
            "           {program} refused: can't mount tracefs privately: Operation not permitted (os error 1); `mount -t tracefs tracefs /sys/kernel/tracing`; without it {cost}"
        );
        // At the beginning and at the end.
        assert!(head.contains(&line) && rest.contains(&line), "{said}");
    }
    assert!(
        rest.ends_with("1 of 1 runs as expected   [eBPF]\n"),
        "{said}"
    );
    let output = in_namespace(&format!("{no_mount} doctor --json"));
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let probes = report["probes"].as_array().unwrap();
    let refused = probes.iter().filter(|probe| probe["state"] == "refused");
    assert_eq!(refused.count(), 4, "{probes:#?}");
}

#[test]
fn a_probe_left_out_is_told_at_both_ends() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let output = inspector(&words(&format!("{SHORT} --without-probe task_renamed")));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = text(&output.stdout);
    let line = "           task_renamed left out; without it threads keep their first name\n";
    assert_eq!(said.matches(line).count(), 2, "{said}");
    // The control: with every probe at work there is nothing to warn of.
    let output = inspector(&words(SHORT));
    let said = text(&output.stdout);
    assert!(said.starts_with("bare-delete · leaky   1 key"), "{said}");
    assert!(
        said.contains("\nprobes   12/12, with waits and wakes\nlost     none of "),
        "{said}"
    );
}

#[test]
fn root_without_sudo_is_told_whose_child_it_is() {
    let _alone = alone();
    let output = inspector(&words(&format!("{SHORT} --poll")));
    assert_eq!(
        text(&output.stderr),
        "inspector: the lab's child runs as nobody, because root started inspector without sudo (--as USER chooses another)\n"
    );
    assert_polled(&output, "--poll asks for it");
    let output = inspector(&["lab", "--headless", "--as", "no-such-user-here"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "inspector: the lab cannot run as no-such-user-here: there is no such user (`getent passwd` lists them)\n"
    );
}

/// A tiny ring and a burst: the losses are told, and no verdict claims what was not seen.
#[test]
fn an_overrun_ring_is_told_and_never_silent() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let line = "lab --headless --burst 2000 --ring-bytes 4096 --grace 300";
    let output = inspector(&words(&format!("{line} --json")));
    let records = records(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let source = record(&records, "source");
    let mut lost = 0;
    for (kind, count) in source["records"].as_object().unwrap() {
        let of = |what: &str| count[what].as_u64().unwrap();
        assert_eq!(of("produced"), of("received") + of("lost"), "{kind}");
        let told = source["lost"][kind].as_u64().unwrap_or(0);
        assert_eq!(told, of("lost"), "{kind}");
        lost += told;
    }
    assert!(lost > 1000, "{source}");
    assert!(source["gaps"].as_u64() > Some(0) && source["audits"].as_u64() > Some(0));
    let score = record(&records, "score");
    let of = |what: &str| score[what].as_u64().unwrap();
    assert!(of("unknown") > 0, "{score}");
    assert_eq!((of("fp"), of("fn")), (0, 0), "{score}");
    assert!(!score["lost"].as_object().unwrap().is_empty());
    let output = inspector(&words(line));
    let said = text(&output.stdout);
    assert!(said.contains("\n  lost     "), "{said}");
    let told = said.lines().find(|line| line.starts_with("lost     "));
    let told = told.unwrap();
    assert!(
        told.contains(" records, in ") && told.contains("mark "),
        "{told}"
    );
    assert!(
        said.lines().any(|line| line.starts_with("audits   ")),
        "{said}"
    );
}

/// A run under way, slow enough to interfere with.
fn under_way() -> (Child, Vec<u8>, BufReader<std::process::ChildStdout>) {
    let line = "lab --headless --json --policy stop-wait-delete --keys 60 --rate 20";
    let mut command = Command::new(program());
    command.args(words(line)).stdout(Stdio::piped());
    command.env_remove("SUDO_UID").env_remove("SUDO_GID");
    let mut inspector = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(inspector.stdout.take().unwrap());
    let mut output = Vec::new();
    while !text(&output).contains("\"record\":\"verdict\"") {
        assert_ne!(reader.read_until(b'\n', &mut output).unwrap(), 0);
    }
    (inspector, output, reader)
}

/// The lab's child of a running program.
fn child_of(program: &Child) -> Pid {
    let path = format!("/proc/{0}/task/{0}/children", program.id());
    let children = fs::read_to_string(path).unwrap();
    Pid::from_raw(children.trim().parse().unwrap()).unwrap()
}

/// Waits for the end; gives what stderr said and every record.
fn ended(
    (mut inspector, mut output, mut reader): (Child, Vec<u8>, BufReader<std::process::ChildStdout>),
) -> (String, Vec<Value>) {
    reader.read_to_end(&mut output).unwrap();
    let mut stderr = String::new();
    let mut errors = inspector.stderr.take().unwrap();
    errors.read_to_string(&mut stderr).unwrap();
    assert_eq!(inspector.wait().unwrap().code(), Some(2), "{stderr}");
    (stderr, records(&output))
}

/// What was seen until then is told whole: its verdicts, the error, and how the source fared.
fn assert_told(stderr: &str, records: &[Value], error: &str) {
    let told = record(records, "error")["what"].as_str().unwrap();
    assert!(told.contains(error), "{told}");
    assert!(stderr.contains(&format!("inspector: {told}\n")), "{stderr}");
    assert!(!record(records, "source")["records"].is_null());
    assert!(records.iter().all(|record| record["record"] != "total"));
}

#[test]
fn a_childs_death_ends_the_run_with_all_that_was_seen() {
    let _alone = alone();
    let run = under_way();
    kill_process(child_of(&run.0), Signal::KILL).unwrap();
    let (stderr, records) = ended(run);
    assert_told(
        &stderr,
        &records,
        "the lab's child died (by signal 9) while it should ",
    );
}

/// Nonsense on the very socket of a running child, put there by root.
#[test]
fn a_child_that_talks_nonsense_ends_the_run_with_all_that_was_seen() {
    let _alone = alone();
    let run = under_way();
    let child = pidfd_open(child_of(&run.0), PidfdFlags::empty()).unwrap();
    let socket: OwnedFd = pidfd_getfd(child, 0, PidfdGetfdFlags::empty()).unwrap();
    fs::File::from(socket)
        .write_all(b"\x1b[2Jnonsense\n")
        .unwrap();
    let (stderr, records) = ended(run);
    assert_told(&stderr, &records, "the lab's child answered nonsense to `");
    assert!(
        stderr.contains(r"\u{1b}[2Jnonsense; start the lab again"),
        "{stderr:?}"
    );
}
