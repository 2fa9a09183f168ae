//! What the child does, and what it does with nonsense.

use std::{
    io::{BufRead, BufReader, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Command, Stdio},
    time::Duration,
};

use inspector::lab::{
    MapKind,
    entry::{Born, EntryKind, Hold},
    policy::Policy,
    process::{LabChild, LabError},
    protocol::{Order, Reply, ToldWhat},
};

use crate::{account, delete, delete_held, handles, program, started, store, threads, until};

#[test]
fn waits_for_orders_before_it_does_anything() {
    let child = LabChild::start(program(), account().as_ref()).unwrap();
    assert_eq!(threads(child.pid()).len(), 1);
    child.quit();
}

#[test]
fn a_bare_delete_leaves_everything_behind() {
    for map in MapKind::ALL {
        for entry in EntryKind::ALL {
            let mut child = started(map);
            let before = (threads(child.pid()), handles(child.pid()));
            store(&mut child, "task-0001", entry, Hold::Plain);
            let owned = (threads(child.pid()), handles(child.pid()));
            assert_eq!(owned.0.len(), before.0.len() + 1, "{}", entry.name());
            assert_eq!(
                owned.1.len() as u64,
                before.1.len() as u64 + entry.handles()
            );
            delete(&mut child, "task-0001", Policy::Bare);
            std::thread::sleep(Duration::from_millis(100));
            assert_eq!(threads(child.pid()).len(), owned.0.len());
            assert_eq!(handles(child.pid()), owned.1, "{}", entry.name());
            child.quit();
        }
    }
}

#[test]
fn every_other_policy_leaves_nothing_behind() {
    for policy in [
        Policy::Signal,
        Policy::StopWaitDelete,
        Policy::DeleteAndStop,
        Policy::Drop,
    ] {
        for entry in EntryKind::ALL {
            let mut child = started(MapKind::Mutex);
            let before = handles(child.pid());
            store(&mut child, "task-0001", entry, policy.hold());
            assert_ne!(handles(child.pid()), before);
            delete(&mut child, "task-0001", policy);
            if policy != Policy::Signal {
                assert_eq!(handles(child.pid()), before, "closed before delete ended");
            }
            until("the end of the thread", || threads(child.pid()).len() == 1);
            until("the last close", || handles(child.pid()) == before);
            child.quit();
        }
    }
}

#[test]
fn an_unclosed_value_keeps_its_descriptors_and_no_thread() {
    let mut child = started(MapKind::Sharded);
    store(&mut child, "task-0001", EntryKind::Writer, Hold::Unclosed);
    let owned = handles(child.pid());
    delete(&mut child, "task-0001", Policy::StopWaitDelete);
    until("the end of the thread", || threads(child.pid()).len() == 1);
    assert_eq!(handles(child.pid()), owned);
    child.quit();
}

/// Who chooses the policy after the store: it then means what it says.
#[test]
fn a_delete_can_change_how_its_value_is_held() {
    for entry in EntryKind::ALL {
        let mut child = started(MapKind::Mutex);
        let before = handles(child.pid());
        store(&mut child, "task-0001", entry, Hold::Plain);
        delete_held(&mut child, "task-0001", Policy::Drop, Some(Hold::Raii));
        assert_eq!(handles(child.pid()), before, "closed before delete ended");
        until("the end of the thread", || threads(child.pid()).len() == 1);

        store(&mut child, "task-0002", entry, Hold::Raii);
        let owned = (threads(child.pid()), handles(child.pid()));
        delete_held(&mut child, "task-0002", Policy::Bare, Some(Hold::Plain));
        // What stops a value waits for it: by now it would have ended.
        assert_eq!(threads(child.pid()).len(), owned.0.len());
        assert_eq!(handles(child.pid()), owned.1, "{}", entry.name());
        child.quit();
    }
}

#[test]
fn threads_carry_their_keys_names() {
    let mut child = started(MapKind::Mutex);
    for (entry, key) in EntryKind::ALL.into_iter().zip(["a-1", "a-2", "a-3", "a-4"]) {
        store(&mut child, key, entry, Hold::Plain);
    }
    // A thread names itself, when it first runs.
    until("the names", || {
        let names: Vec<_> = threads(child.pid()).into_values().collect();
        ["inspector-lab", "tick-1", "watch-2", "conn-3", "write-4"]
            .iter()
            .all(|name| names.iter().any(|have| have == name))
    });
    child.quit();
}

#[test]
fn refusals_say_why_and_the_child_goes_on() {
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    let refused = |child: &mut LabChild, order, why: &str| {
        let error = child.order(order).unwrap_err();
        assert!(matches!(error, LabError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    };
    let start = || Order::Start {
        map: MapKind::Mutex,
        repeat_marks: true,
    };
    let store = |key: String| Order::Store {
        key,
        entry: EntryKind::Watcher,
        hold: Hold::Plain,
        born: Born::Inside,
        tick_ns: 1,
    };
    refused(&mut child, Order::Count, "start comes first");
    child.order(start()).unwrap();
    refused(&mut child, start(), "start comes once");
    refused(&mut child, store(String::new()), "1 to 200 bytes");
    refused(&mut child, store("x".repeat(201)), "1 to 200 bytes");
    child.order(store("twice".to_owned())).unwrap();
    refused(&mut child, store("twice".to_owned()), "already");
    let absent = Order::Delete {
        key: "absent".to_owned(),
        policy: Policy::Bare,
        hold: None,
    };
    refused(&mut child, absent, "not in the map");
    let too_late = Order::Delete {
        key: "twice".to_owned(),
        policy: Policy::StopWaitDelete,
        hold: Some(Hold::Unclosed),
    };
    refused(&mut child, too_late, "plain or raii, not unclosed");
    let counted = child.order(Order::Count).unwrap();
    assert_eq!(counted, Reply::Counted { keys: 1 });
    child.quit();
}

#[test]
fn marks_are_repeated_when_asked() {
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    child
        .order(Order::Start {
            map: MapKind::Mutex,
            repeat_marks: true,
        })
        .unwrap();
    let stored = child.order(Order::Store {
        key: "k".to_owned(),
        entry: EntryKind::Watcher,
        hold: Hold::Plain,
        born: Born::Inside,
        tick_ns: 1,
    });
    let Ok(Reply::Stored { marks, .. }) = stored else {
        panic!("{stored:?}");
    };
    let said: Vec<_> = marks
        .iter()
        .map(|mark| serde_json::to_value(mark).unwrap()["mark"].clone())
        .collect();
    assert_eq!(
        said,
        ["store_begin", "own_handle", "own_thread", "store_end"]
    );
    assert!(marks.is_sorted_by_key(|mark| mark.at_ns));
    assert!(marks.iter().all(|mark| mark.tid == child.pid()));
    let deleted = child.order(Order::Delete {
        key: "k".to_owned(),
        policy: Policy::Bare,
        hold: None,
    });
    let Ok(Reply::Deleted { marks, .. }) = deleted else {
        panic!("{deleted:?}");
    };
    assert_eq!(marks.len(), 3);
    child.quit();
}

#[test]
fn what_is_born_before_the_store_is_given_by_own_marks() {
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    child
        .order(Order::Start {
            map: MapKind::Mutex,
            repeat_marks: true,
        })
        .unwrap();
    let before = (threads(child.pid()), handles(child.pid()));
    let stored = child.order(Order::Store {
        key: "k".to_owned(),
        entry: EntryKind::Connection,
        hold: Hold::Plain,
        born: Born::Before,
        tick_ns: 1,
    });
    let Ok(Reply::Stored { marks, .. }) = stored else {
        panic!("{stored:?}");
    };
    let mut given = (Vec::new(), Vec::new());
    for mark in &marks {
        match mark.what {
            ToldWhat::OwnThread { thread } => given.0.push(thread),
            ToldWhat::OwnHandle { handle } => given.1.push(handle),
            _ => {}
        }
    }
    let mut after = (threads(child.pid()), handles(child.pid()));
    after.0.retain(|tid, _| !before.0.contains_key(tid));
    after.1.retain(|fd, _| !before.1.contains_key(fd));
    given.1.sort_unstable();
    assert_eq!(after.0.into_keys().collect::<Vec<_>>(), given.0);
    assert_eq!(after.1.into_keys().collect::<Vec<_>>(), given.1);
    child.quit();
}

#[test]
fn nonsense_lines_are_answered_and_survived() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut process = Command::new(program())
        .arg("lab-child")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut replies = BufReader::new(ours.try_clone().unwrap()).lines();
    let mut reply = || -> serde_json::Value {
        serde_json::from_str(&replies.next().unwrap().unwrap()).unwrap()
    };
    assert_eq!(reply()["is"], "hello");
    let endless = vec![b'x'; 200_000];
    let lines: [&[u8]; 7] = [
        b"nonsense",
        b"",
        b"{}",
        b"\xff\xfe\x00",
        br#"{"seq":1,"do":"explode"}"#,
        br#"{"seq":"one","do":"count"}"#,
        &endless,
    ];
    for line in lines {
        (&ours).write_all(line).unwrap();
        (&ours).write_all(b"\n").unwrap();
        let answer = reply();
        assert_eq!(answer["is"], "error", "{answer}");
        assert_eq!(answer["seq"], serde_json::Value::Null);
        let what = answer["what"].as_str().unwrap();
        assert!(what.starts_with("this is no order: "), "{what}");
    }
    (&ours)
        .write_all(b"{\"seq\":7,\"do\":\"count\"}\n")
        .unwrap();
    assert_eq!(reply()["seq"], 7);
    drop(replies);
    drop(ours);
    until("the child's end", || process.try_wait().unwrap().is_some());
    assert!(
        process.wait().unwrap().success(),
        "a closed socket is no error"
    );
}

#[test]
fn a_dead_child_is_one_clear_error() {
    let mut child = started(MapKind::Mutex);
    kill(child.pid());
    let error = child.order(Order::Count).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the lab's child died (by signal 9) while it should count its keys; \
         what was seen until then stands"
    );
}

#[test]
fn a_program_that_talks_nonsense_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("chatter");
    for (body, expected) in [
        (
            "echo nonsense >&0",
            "answered nonsense to `say hello`: nonsense",
        ),
        (
            r#"echo '{"seq":null,"is":"hello","protocol":99,"uid":0,"nofile":1}' >&0"#,
            "answered nonsense",
        ),
        ("exit 3", "died (exit code 3) while it should say hello"),
        (
            r#"echo '{"seq":null,"is":"hello","protocol":1,"uid":0,"nofile":1}' >&0; read line; echo '{"seq":9,"is":"counted","keys":1}' >&0"#,
            "answered nonsense to `count its keys`",
        ),
    ] {
        let path = script.with_extension(expected.len().to_string());
        write_script(&path, body);
        let error = LabChild::start(&path, None)
            .and_then(|mut child| child.order(Order::Count))
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
    let error = LabChild::start(&folder.path().join("absent"), None).unwrap_err();
    assert!(error.to_string().contains("could not be started from"));
}

/// Started by hand it says what to run instead.
#[test]
fn without_a_socket_it_says_what_to_run() {
    assert_cmd::Command::new(program())
        .arg("lab-child")
        .assert()
        .code(2)
        .stderr("inspector: lab-child is started by `inspector lab`, which gives it a socket as standard input; run `inspector lab` instead\n");
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn write_script(path: &std::path::Path, body: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
