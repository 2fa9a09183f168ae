//! The lab's child process as the harness sees it: real processes, real threads, /proc checked.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its failure")]

#[path = "lab/child.rs"]
mod child;
#[path = "lab/driver.rs"]
mod driver;
#[path = "lab/driver_life.rs"]
mod driver_life;
#[path = "lab/harness.rs"]
mod harness;
#[path = "lab/notes.rs"]
mod notes;
#[path = "lab/oracle.rs"]
mod oracle;
#[path = "lab/privileges.rs"]
mod privileges;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use inspector::lab::{
    MapKind,
    account::{Account, Invoker, choose},
    entry::{Born, EntryKind, Hold},
    policy::Policy,
    process::LabChild,
    protocol::{Order, Reply},
};

/// The program under test.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_inspector"))
}

/// As `inspector lab` would choose it here: `nobody` under root, else whoever runs the tests.
fn account() -> Option<Account> {
    choose(&Invoker {
        sudo_uid: None,
        sudo_gid: None,
        ..Invoker::of_this_process(None)
    })
    .unwrap()
    .account
}

/// A child with a map.
fn started(map: MapKind) -> LabChild {
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    let reply = child
        .order(Order::Start {
            map,
            repeat_marks: false,
        })
        .unwrap();
    assert!(matches!(reply, Reply::Started { .. }));
    child
}

fn store(child: &mut LabChild, key: &str, entry: EntryKind, hold: Hold) {
    let reply = child
        .order(Order::Store {
            key: key.to_owned(),
            entry,
            hold,
            born: Born::Inside,
            tick_ns: 20_000_000,
        })
        .unwrap();
    assert!(matches!(reply, Reply::Stored { .. }), "{reply:?}");
}

fn delete(child: &mut LabChild, key: &str, policy: Policy) {
    delete_held(child, key, policy, None);
}

/// Deletes a key whose value then holds what it owns as `hold` says.
fn delete_held(child: &mut LabChild, key: &str, policy: Policy, hold: Option<Hold>) {
    let reply = child
        .order(Order::Delete {
            key: key.to_owned(),
            policy,
            hold,
        })
        .unwrap();
    assert!(matches!(reply, Reply::Deleted { .. }), "{reply:?}");
}

/// Names of a process's threads, by tid; none when it is dead.
fn threads(pid: u32) -> BTreeMap<u32, String> {
    let mut threads = BTreeMap::new();
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return threads;
    };
    for task in tasks {
        let task = task.unwrap();
        // A thread may end between the two reads.
        if let Ok(comm) = fs::read_to_string(task.path().join("comm")) {
            let tid = task.file_name().to_str().unwrap().parse().unwrap();
            threads.insert(tid, comm.trim_end().to_owned());
        }
    }
    threads
}

/// Targets of a process's descriptors, by number; none when it is dead.
fn handles(pid: u32) -> BTreeMap<u32, PathBuf> {
    let mut handles = BTreeMap::new();
    let Ok(links) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return handles;
    };
    for link in links {
        let link = link.unwrap();
        if let Ok(target) = fs::read_link(link.path()) {
            let number = link.file_name().to_str().unwrap().parse().unwrap();
            handles.insert(number, target);
        }
    }
    handles
}

/// Waits, bounded, until `what` holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(2));
    }
}
