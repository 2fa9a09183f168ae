//! `inspector report`: of processes and of commands, with every way in which either ends.

use std::{fs, process::Command};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    binary::{inspector, is_refused, text},
    verbs::{Ends, Reporting, document, each, process, said, until, words},
    watch::alone,
};

#[test]
fn a_process_is_told_with_all_it_has_and_as_text() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let target = Ends::start(
        Command::new("sleep")
            .arg("60")
            .stdin(fs::File::open("/dev/zero").unwrap()),
    );
    let pid = target.pid().to_string();
    let (output, told) = document("report", &words(&format!("-p {pid} --for 200ms")));
    assert_eq!((output.status.code(), said(&output)), (Some(0), ""));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(told["schema"], "inspector-report/1");
    assert_eq!(told["run"]["of"], "processes");
    assert_eq!(told["run"]["pids"], json!([target.pid()]));
    assert_eq!(told["source"]["kind"], "ebpf");
    assert_eq!(told["source"]["drift"], 0);
    let process = process(&told, target.pid());
    assert_eq!(process["origin"], "before attach");
    assert_eq!(process["alive"], true);
    assert_eq!(told["threads"][0]["blocked"]["call"], "clock_nanosleep");
    let input = &told["tables"][0]["handles"][0];
    assert_eq!(
        (&input["fd"], &input["target"]),
        (&json!(0), &json!("/dev/zero"))
    );
    // What limits it, and who it is.
    let facts = &process["facts"];
    assert_eq!(facts["parent_pid"], std::process::id());
    assert_eq!(facts["command"], json!(["sleep", "60"]));
    assert_eq!(
        (&facts["inner_pid"], &facts["uid"]),
        (&Value::Null, &json!(0))
    );
    assert!(
        facts["nofile"].as_u64() <= facts["nofile_hard"].as_u64(),
        "{facts}"
    );
    assert!(facts["start_ticks"].as_u64() > Some(0) && facts["pid_max"].as_u64() > Some(0));
    // The same for people, on stdout.
    let output = inspector(&words(&format!("report -p {pid} --for 200ms")));
    let said = text(&output.stdout);
    assert!(
        said.starts_with(&format!("no deletes declared: process {pid}, watched for ")),
        "{said}"
    );
    assert!(said.contains(&format!(
        "\nthreads    1 × sleep of {pid}: 1 blocked in clock_nanosleep\n"
    )));
    assert!(
        !said.contains("io_uring") && !said.contains("not told"),
        "{said}"
    );
}

#[test]
fn a_commands_exit_code_is_passed_on() {
    let _alone = alone();
    for (command, code, end) in [
        (&["true"][..], 0, json!({"how": "exited", "status": 0})),
        (
            &["sh", "-c", "exit 3"],
            3,
            json!({"how": "exited", "status": 3}),
        ),
        (
            &["sh", "-c", "kill -9 $$"],
            137,
            json!({"how": "killed", "status": 9}),
        ),
    ] {
        let (output, told) = document("report", &[&["--"], command].concat());
        assert_eq!(output.status.code(), Some(code), "{command:?} {output:?}");
        assert_eq!(told["run"]["end"], end);
        assert_eq!(each(&told["processes"], "alive"), [false]);
    }
}

#[test]
fn a_command_that_goes_on_is_told_to_end() {
    let _alone = alone();
    let (output, told) = document("report", &words("--for 300ms -- sleep 60"));
    assert_eq!(output.status.code(), Some(143));
    // It lived when its time was over: that is what is reported.
    assert_eq!(told["run"]["end"], Value::Null);
    assert_eq!(each(&told["processes"], "alive"), [true]);
}

#[test]
fn a_signal_ends_it_with_a_report() {
    let _alone = alone();
    let target = Ends::sleeper();
    let pid = target.pid().to_string();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut reporting = Reporting::start(&["-p", &pid]);
        reporting.signal(signal);
        let (status, told) = reporting.end();
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert_eq!(process(&told, target.pid())["alive"], true);
    }
    // With a command the signal is passed on, as far as telling it to end.
    let mut reporting = Reporting::start(&["--", "sleep", "60"]);
    reporting.signal(Signal::INT);
    let (status, told) = reporting.end();
    assert_eq!(status.code(), Some(143));
    assert_eq!(told["run"]["end"], json!({"how": "killed", "status": 15}));
}

#[test]
fn it_ends_when_the_last_process_has() {
    let _alone = alone();
    let targets = [Ends::sleeper(), Ends::sleeper()];
    let pids = format!("{},{}", targets[0].pid(), targets[1].pid());
    let mut reporting = Reporting::start(&["-p", &pids]);
    for target in &targets {
        target.signal(Signal::KILL);
    }
    let (status, told) = reporting.end();
    assert_eq!(status.code(), Some(0));
    for target in &targets {
        assert_eq!(process(&told, target.pid())["alive"], false);
    }
}

#[test]
fn each_sigusr1_appends_a_snapshot() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let mut target = Ends::shell();
    let pid = target.pid().to_string();
    let mut reporting = Reporting::start(&["-p", &pid, "--snapshot", "snapshots"]);
    for (count, path) in ["/dev/zero", "/dev/full", "/dev/null"].iter().enumerate() {
        target.tell(&format!("exec {}<{path}; echo > /dev/null", count + 3));
        let link = format!("/proc/{pid}/fd/{}", count + 3);
        until("the open file", || {
            fs::read_link(&link).is_ok_and(|to| to.to_str() == Some(path))
        });
        reporting.signal(Signal::USR1);
        until("a line", || {
            reporting.file("snapshots").matches('\n').count() > count
        });
    }
    reporting.signal(Signal::TERM);
    let (_, report) = reporting.end();
    let lines = reporting.file("snapshots");
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    for (count, line) in lines.iter().enumerate() {
        assert_eq!(line["schema"], "inspector-report/1");
        // It holds what was open at that moment: a shell keeps what it opens above 9 besides.
        let open: Vec<_> = each(&line["tables"][0]["handles"], "fd")
            .into_iter()
            .filter_map(Value::as_u64)
            .filter(|fd| (3..10).contains(fd))
            .collect();
        let expected: Vec<u64> = (3..=count as u64 + 3).collect();
        assert_eq!(open, expected);
        assert!(line["run"]["ended_ns"].as_u64() < report["run"]["ended_ns"].as_u64());
    }
}

#[test]
fn children_are_followed_unless_they_are_not_to_be() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    for (option, count) in [(None, 2), (Some("--no-follow"), 1)] {
        let mut target = Ends::shell();
        let pid = target.pid().to_string();
        let arguments: Vec<_> = ["-p", &pid].into_iter().chain(option).collect();
        let mut reporting = Reporting::start(&arguments);
        target.tell("sleep 0.1 & wait; exit");
        let (_, told) = reporting.end();
        assert_eq!(
            told["processes"].as_array().unwrap().len(),
            count,
            "{option:?}"
        );
    }
}

#[test]
fn processes_are_found_by_their_name() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    // A name that nobody else has here.
    let name = format!("insp-{}", std::process::id());
    let file = folder.path().join(&name);
    fs::copy("/bin/sleep", &file).unwrap();
    let start = || Ends::start(Command::new(&file).arg("60"));
    let targets = [start(), start(), Ends::sleeper()];
    for target in &targets[..2] {
        let comm = format!("/proc/{}/comm", target.pid());
        until("its name", || {
            fs::read_to_string(&comm).is_ok_and(|comm| comm.trim() == name)
        });
    }
    let (output, told) = document("report", &["--comm", &name, "--for", "0s"]);
    assert_eq!(output.status.code(), Some(0));
    let mut found: Vec<_> = each(&told["processes"], "pid")
        .into_iter()
        .map(Value::as_u64)
        .collect();
    found.sort_unstable();
    let mut expected = targets[..2]
        .iter()
        .map(|target| Some(target.pid().into()))
        .collect::<Vec<_>>();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let output = inspector(&["report", "--comm", "insp-nobody", "--for", "0s"]);
    assert_eq!(output.status.code(), Some(2));
}

/// A pid namespace and a mount namespace of its own, as a container has them.
#[test]
fn in_other_namespaces_both_numbers_are_told_and_its_own_paths() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let inside = format!(
        "mount -t tmpfs tmpfs {0} && exec 3> {0}/inside && sleep 60",
        folder.path().display()
    );
    let outer = Ends::start(Command::new("unshare").args([
        "--pid",
        "--fork",
        "--kill-child",
        "--mount",
        "--mount-proc",
        "sh",
        "-c",
        &inside,
    ]));
    let mut pid = 0;
    until("its descriptor", || {
        pid = outer.children().first().copied().unwrap_or(0);
        fs::read_link(format!("/proc/{pid}/fd/3")).is_ok()
    });
    let (output, told) = document("report", &["-p", &pid.to_string(), "--for", "0s"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found = process(&told, pid);
    assert_eq!(found["facts"]["inner_pid"], 1);
    assert_eq!(found["facts"]["parent_pid"], outer.pid());
    let handles = told["tables"][0]["handles"].as_array().unwrap();
    let third = handles.iter().find(|handle| handle["fd"] == 3).unwrap();
    let path = folder.path().join("inside");
    assert_eq!(third["target"].as_str(), path.to_str());
    // Outside nobody sees it.
    assert!(!path.exists());
}

#[test]
fn what_io_uring_hides_is_said_where_there_is_one() {
    let _alone = alone();
    let ring = "import ctypes; r = ctypes.CDLL(None).syscall(425, 2, ctypes.create_string_buffer(120)); import sys; sys.exit(r < 0)";
    let (output, told) = document("report", &["--", "python3", "-c", ring]);
    if output.status.code() == Some(1) {
        println!("this kernel refuses io_uring");
        return;
    }
    let not_told = told["not_told"].to_string();
    assert!(
        not_told.contains("registered with io_uring (direct descriptors)"),
        "{not_told}"
    );
    // The control.
    let (_, told) = document("report", &["--", "true"]);
    assert_eq!(told["not_told"], json!([]));
}

#[test]
fn who_must_be_said_and_only_once() {
    for (arguments, words) in [
        (&["report"][..], "say who: "),
        (
            &["report", "-p", "1", "--", "true"],
            "processes or a command: not both",
        ),
        (&["attach"], "say who: "),
    ] {
        let output = inspector(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
}
