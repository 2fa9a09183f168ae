//! The oracle against real processes: what is there, what is gone, and what only looks the same.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use inspector::lab::{
    MapKind,
    entry::{EntryKind, Hold},
    oracle::{Depth, HandleSort, Oracle, Truth, What},
    policy::Policy,
};

use crate::{delete, started, store};

/// A shell that opens and closes what it is told to.
struct Shell {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Shell {
    fn start() -> Self {
        let mut process = Command::new("/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut shell = Self {
            orders: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        };
        // Its start opens and closes what it loads; its first answer comes after that.
        shell.run(":");
        shell
    }

    fn run(&mut self, order: &str) {
        writeln!(self.orders, "{order}; echo done").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n", "{order}");
    }

    fn oracle(&self) -> Oracle {
        Oracle::new(Path::new("/proc"), self.process.id()).unwrap()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn file(oracle: &Oracle, id: inspector::lab::oracle::ThingId) -> u32 {
    match &oracle.thing(id).what {
        What::Handle { fd, identity } if identity.sort() == HandleSort::File => *fd,
        other => panic!("{other:?} is no file"),
    }
}

#[test]
fn a_quiet_process_changes_nothing() {
    let shell = Shell::start();
    let mut oracle = shell.oracle();
    for depth in [Depth::Changes, Depth::All] {
        let changes = oracle.observe(depth).unwrap();
        assert!(changes.born.is_empty() && changes.gone.is_empty());
    }
}

#[test]
fn a_dup_is_no_second_description_and_keeps_the_first() {
    let mut shell = Shell::start();
    let mut oracle = shell.oracle();
    shell.run("exec 5</dev/null");
    let born = oracle.observe(Depth::Changes).unwrap().born;
    assert_eq!(born.len(), 1);
    assert_eq!(file(&oracle, born[0]), 5);

    shell.run("exec 6<&5");
    assert!(oracle.observe(Depth::Changes).unwrap().born.is_empty());
    shell.run("exec 5<&-");
    let changes = oracle.observe(Depth::Changes).unwrap();
    assert!(changes.gone.is_empty(), "6 holds it still");
    shell.run("exec 6<&-");
    assert_eq!(oracle.observe(Depth::Changes).unwrap().gone, born);
}

#[test]
fn a_second_open_of_the_same_file_is_another_description() {
    let mut shell = Shell::start();
    let mut oracle = shell.oracle();
    shell.run("exec 5</dev/null; exec 6</dev/null");
    assert_eq!(oracle.observe(Depth::Changes).unwrap().born.len(), 2);
}

#[test]
fn a_number_used_again_is_told_apart() {
    let mut shell = Shell::start();
    let mut oracle = shell.oracle();
    shell.run("exec 5</dev/null");
    let first = oracle.observe(Depth::Changes).unwrap().born;
    shell.run("exec 5<&-; exec 5</dev/zero");
    let changes = oracle.observe(Depth::All).unwrap();
    assert_eq!(changes.gone, first);
    assert_eq!(changes.born.len(), 1);
    assert_ne!(changes.born, first);
    assert_eq!(file(&oracle, changes.born[0]), 5);

    // With a reading between close and open even the same file is another description.
    shell.run("exec 5<&-");
    oracle.observe(Depth::Changes).unwrap();
    shell.run("exec 5</dev/zero");
    let again = oracle.observe(Depth::Changes).unwrap().born;
    assert_eq!(again.len(), 1);
    assert_ne!(again, changes.born);
}

#[test]
fn truth_is_what_the_readings_show_and_nothing_more() {
    let mut shell = Shell::start();
    let mut oracle = shell.oracle();
    shell.run("exec 5</dev/null");
    let id = oracle.observe(Depth::Changes).unwrap().born[0];
    let alive = oracle.thing(id).alive_ns;
    assert_eq!(oracle.truth(id, alive), Truth::Retained);
    assert_eq!(oracle.truth(id, alive + 1), Truth::Undecided);
    shell.run("exec 5<&-");
    oracle.observe(Depth::Changes).unwrap();
    let gone = oracle.thing(id).gone_ns.unwrap();
    assert_eq!(oracle.truth(id, gone), Truth::Released);
    assert_eq!(oracle.truth(id, gone - 1), Truth::Undecided);
}

#[test]
fn the_labs_entries_are_seen_whole_and_by_policy() {
    for entry in EntryKind::ALL {
        for (policy, released) in [(Policy::Bare, false), (Policy::StopWaitDelete, true)] {
            let mut child = started(MapKind::Mutex);
            let mut oracle = Oracle::new(Path::new("/proc"), child.pid()).unwrap();
            store(&mut child, "task-0001", entry, Hold::Plain);
            let born = oracle.observe(Depth::Changes).unwrap().born;
            let threads = born
                .iter()
                .filter(|id| matches!(oracle.thing(**id).what, What::Thread { .. }))
                .count();
            assert_eq!(threads, 1);
            assert_eq!((born.len() - threads) as u64, entry.handles());
            delete(&mut child, "task-0001", policy);
            oracle.settle().unwrap();
            let gone = oracle.observe(Depth::All).unwrap().gone;
            let expected = if released { born.len() } else { 0 };
            assert_eq!(gone.len(), expected, "{} {}", entry.name(), policy.name());
            child.quit();
        }
    }
}

/// Timers differ only by their period: were they alike, kcmp alone would tell them apart.
#[test]
fn many_alike_are_all_different() {
    let mut child = started(MapKind::Mutex);
    let mut oracle = Oracle::new(Path::new("/proc"), child.pid()).unwrap();
    for key in ["a", "b", "c"] {
        store(&mut child, key, EntryKind::Ticker, Hold::Plain);
    }
    assert_eq!(oracle.observe(Depth::All).unwrap().born.len(), 6);
    std::thread::sleep(Duration::from_millis(50));
    let changes = oracle.observe(Depth::All).unwrap();
    assert!(
        changes.born.is_empty() && changes.gone.is_empty(),
        "ticks change nothing"
    );
    child.quit();
}

#[test]
fn a_dead_process_is_an_error() {
    let shell = Shell::start();
    let mut oracle = shell.oracle();
    drop(shell);
    assert!(oracle.observe(Depth::Changes).is_err());
}
