//! The program's processes as /proc tells of them: which there are, and whether they have ended.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, test_kill_process};

use super::terminal::SOON;

/// The one lab child of a program, once it is there.
#[track_caller]
pub(super) fn lab_of(program: Pid) -> Pid {
    child_of(program, "inspector-lab")
}

/// The one child of this name, once it is there.
#[track_caller]
pub(super) fn child_of(parent: Pid, name: &str) -> Pid {
    let deadline = Instant::now() + SOON;
    loop {
        match children_of(parent, name)[..] {
            [child] => return child,
            ref found => assert!(Instant::now() < deadline, "not one {name} but {found:?}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn children_of(parent: Pid, name: &str) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|&pid: &i32| {
        let (its_name, _, its_parent) = stat(pid).unwrap_or_default();
        its_name == name && its_parent == parent.as_raw_pid()
    })
    .filter_map(Pid::from_raw)
    .collect()
}

/// How many threads a process has.
pub(super) fn threads_of(process: Pid) -> usize {
    let path = format!("/proc/{process}/task");
    fs::read_dir(path).unwrap().count()
}

/// The number of a process's thread of this name.
#[track_caller]
pub(super) fn thread_named(process: Pid, name: &str) -> i32 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let mut tids = tasks.filter_map(|task| task.unwrap().file_name().to_str()?.parse().ok());
    tids.find(|&tid| stat(tid).is_some_and(|(of, _, _)| of == name))
        .unwrap()
}

/// Waits until a process is over. One that nobody has waited for is.
#[track_caller]
pub(super) fn until_over(process: Pid) {
    let deadline = Instant::now() + SOON;
    while is_alive(process) {
        assert!(Instant::now() < deadline, "process {process} lives on");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn is_alive(process: Pid) -> bool {
    let state = stat(process.as_raw_pid()).map(|(_, state, _)| state);
    test_kill_process(process).is_ok() && !matches!(state.as_deref(), None | Some("Z" | "X"))
}

/// A process's name, state and parent.
fn stat(pid: i32) -> Option<(String, String, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = text.rsplit_once(") ")?;
    let (_, name) = before.split_once('(')?;
    let mut rest = after.split(' ');
    let state = rest.next()?.to_owned();
    Some((name.to_owned(), state, rest.next()?.parse().ok()?))
}
