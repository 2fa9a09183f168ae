//! The child holds no privileges, and does not outlive the harness.

use std::{
    fs,
    process::{Command, Stdio},
};

use inspector::lab::{MapKind, entry::EntryKind, entry::Hold, process::LabChild};

use crate::{account, program, started, store, until};

/// One field of /proc/PID/status.
fn status(pid: u32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .unwrap_or_else(|| panic!("no {field} in {status}"));
    line[field.len()..].trim().to_owned()
}

#[test]
fn every_privilege_is_gone() {
    let mut child = started(MapKind::Mutex);
    store(&mut child, "task-0001", EntryKind::Ticker, Hold::Plain);
    let tasks: Vec<u32> = crate::threads(child.pid()).into_keys().collect();
    assert_eq!(tasks.len(), 2);
    for pid in tasks {
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(status(pid, set), "0000000000000000", "{set}");
        }
        assert_eq!(status(pid, "NoNewPrivs:"), "1");
        if let Some(account) = account() {
            assert_eq!(status(pid, "CapBnd:"), "0000000000000000");
            let ids = |id: u32| [id; 4].map(|id| id.to_string()).join("\t");
            assert_eq!(status(pid, "Uid:"), ids(account.uid));
            assert_eq!(status(pid, "Gid:"), ids(account.gid));
            let groups: Vec<_> = account.groups.iter().map(u32::to_string).collect();
            assert_eq!(status(pid, "Groups:"), groups.join(" "));
            assert_ne!(account.uid, 0);
        }
    }
    child.quit();
}

#[test]
fn the_child_inherits_no_other_descriptor() {
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    let numbers: Vec<u32> = crate::handles(child.pid()).into_keys().collect();
    // Standard input is the socket, 3 its second name, 4 the listener.
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    assert!(child.order(inspector::lab::protocol::Order::Count).is_err());
    child.quit();
}

/// Started anew by [`a_killed_harness_leaves_no_child`], this starts a child, tells its number
/// and waits to be killed. Otherwise it does nothing.
#[test]
fn harness_to_be_killed() {
    let Ok(path) = std::env::var("INSPECTOR_TEST_TELL_PID") else {
        return;
    };
    let mut child = started(MapKind::Mutex);
    store(&mut child, "task-0001", EntryKind::Ticker, Hold::Plain);
    let told = format!("{path}.part");
    fs::write(&told, child.pid().to_string()).unwrap();
    fs::rename(&told, &path).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn a_killed_harness_leaves_no_child() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pid");
    let mut harness = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "privileges::harness_to_be_killed"])
        .env("INSPECTOR_TEST_TELL_PID", &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the child", || path.exists());
    let pid = fs::read_to_string(&path).unwrap();
    let alive = || {
        // Who adopts a dead child may take its time to collect it.
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
    };
    assert!(alive());
    harness.kill().unwrap();
    harness.wait().unwrap();
    until("the child's end", || !alive());
}
