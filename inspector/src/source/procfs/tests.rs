//! One reading of real and of made-up process trees.

use super::*;
use crate::event::{handle::HandleKind, id::Fd, scan::SeenHandle};
use child::Child;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    time::{Duration, Instant},
};

pub(super) mod child;

/// A /proc of a test's own.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn task(&self, tgid: u32, tid: u32) -> PathBuf {
        self.0.path().join(format!("{tgid}/task/{tid}"))
    }

    fn thread(&self, tgid: u32, tid: u32, comm: &[u8], state: char) {
        let folder = self.task(tgid, tid);
        fs::create_dir_all(folder.join("fd")).expect("a folder");
        fs::create_dir_all(folder.join("fdinfo")).expect("a folder");
        let mut stat = format!("{tid} (").into_bytes();
        stat.extend(comm);
        let rest = format!(
            ") {state} 1 {tgid} {tgid} 0 -1 4194304 5 6 7 8 9 10 11 12 20 0 1 0 {} 4096 1\n",
            u64::from(tid) * 100
        );
        stat.extend(rest.as_bytes());
        fs::write(folder.join("stat"), stat).expect("a file");
    }

    fn handle(&self, tgid: u32, tid: u32, fd: &str, target: &str) {
        symlink(target, self.task(tgid, tid).join("fd").join(fd)).expect("a link");
    }

    fn scan(&self, tgid: u32) -> Scan {
        scan(self.0.path(), Tgid(tgid), ScanRole::Baseline).expect("a readable tree")
    }
}

fn real(tgid: Tgid) -> Scan {
    scan(Path::new(PROC), tgid, ScanRole::Baseline).expect("root reads everything")
}

fn handles(table: &SeenTable) -> BTreeMap<u32, &SeenHandle> {
    let handles = table.handles.as_ref().expect("readable");
    handles.iter().map(|handle| (handle.fd.0, handle)).collect()
}

#[test]
fn names_may_hold_anything() {
    let tree = Tree::new();
    let names: [&[u8]; 6] = [
        b") Z 1 (x",
        b"a\nb) X 2",
        b"((((",
        b"))))",
        b"",
        b"\xff\x1b[2J",
    ];
    for (tid, name) in (70..).zip(names) {
        tree.thread(70, tid, name, 'S');
    }
    let threads = tree.scan(70).threads.expect("it lives");
    assert_eq!(threads.len(), names.len());
    for (thread, name) in threads.iter().zip(names) {
        assert_eq!(thread.comm.bytes(), name);
        assert_eq!(thread.state, b'S');
        assert_eq!(thread.start_ticks, u64::from(thread.tid.0) * 100);
    }
}

#[test]
fn the_dead_are_left_out_and_their_tables_unread() {
    let tree = Tree::new();
    tree.thread(8, 8, b"leader", 'Z');
    tree.handle(8, 8, "9", "pipe:[1]");
    tree.thread(8, 12, b"worker", 'R');
    tree.handle(8, 12, "3", "pipe:[2]");
    tree.thread(8, 11, b"dead", 'X');
    fs::create_dir_all(tree.task(8, 13)).expect("a thread that vanished after it was listed");
    fs::create_dir_all(tree.task(8, 14)).expect("a folder");
    fs::write(tree.task(8, 14).join("stat"), "nonsense").expect("a file");
    let scan = tree.scan(8);
    let tids: Vec<u32> = scan.threads.iter().flatten().map(|t| t.tid.0).collect();
    assert_eq!(tids, [12]);
    assert_eq!(scan.tables.len(), 1);
    assert_eq!(scan.tables[0].users, [Tid(12)]);
    assert_eq!(
        handles(&scan.tables[0]).into_keys().collect::<Vec<_>>(),
        [3]
    );
    assert!(scan.began <= scan.ended);
}

#[test]
fn a_process_without_live_threads_is_gone() {
    let tree = Tree::new();
    assert_eq!(tree.scan(5).threads, None);
    tree.thread(5, 5, b"zombie", 'Z');
    assert_eq!(tree.scan(5).threads, None);
    tree.thread(5, 6, b"alive", 'D');
    assert!(
        tree.scan(5).threads.is_some(),
        "the same tree, one thread more"
    );
}

#[test]
fn descriptors_come_in_order_whatever_their_numbers() {
    let tree = Tree::new();
    tree.thread(3, 3, b"x", 'S');
    for fd in [
        "1000000",
        "7",
        "4294967295",
        "0",
        "4294967296",
        "-1",
        "self",
        "12x",
    ] {
        tree.handle(3, 3, fd, "anon_inode:[timerfd]");
    }
    fs::write(tree.task(3, 3).join("fd/5"), "not a link").expect("a file");
    fs::write(
        tree.task(3, 3).join("fdinfo/7"),
        "pos:\t0\nflags:\t02000002\n",
    )
    .expect("a file");
    let scan = tree.scan(3);
    assert_eq!(
        scan.tables[0].handles,
        Err(Errno::INVAL.raw_os_error()),
        "5 is no link"
    );
    fs::remove_file(tree.task(3, 3).join("fd/5")).expect("it was just made");
    let scan = tree.scan(3);
    let handles = handles(&scan.tables[0]);
    assert_eq!(
        handles.keys().copied().collect::<Vec<_>>(),
        [0, 7, 1_000_000, u32::MAX]
    );
    assert_eq!(handles[&7].cloexec, Some(true));
    assert_eq!(handles[&0].cloexec, None, "no fdinfo told");
    assert_eq!(handles[&0].kind, HandleKind::Timerfd);
}

#[test]
fn paths_are_told_apart_only_where_the_table_is_small() {
    let tree = Tree::new();
    tree.thread(3, 3, b"x", 'S');
    tree.handle(3, 3, "1", "/proc");
    tree.handle(3, 3, "2", "/dev/null");
    tree.handle(3, 3, "3", "/nonexistent/file (deleted)");
    let folder = fs::File::open(tree.0.path().join("3/task")).expect("a folder");
    let kinds = |full_up_to| {
        let handles = table::read(
            &folder.try_clone().expect("a descriptor").into(),
            Tid(3),
            full_up_to,
            &mut || {},
        );
        let handles = handles.expect("readable");
        handles.iter().map(|handle| handle.kind).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(3),
        [
            HandleKind::Directory,
            HandleKind::Device,
            HandleKind::Opened
        ]
    );
    assert_eq!(kinds(2), [HandleKind::Opened; 3]);
}

#[test]
fn every_kind_is_recognized_with_its_flag() {
    let mut child = Child::start();
    let said = child.tell("k");
    let scan = real(child.tgid());
    assert_eq!(scan.tables.len(), 1);
    let handles = handles(&scan.tables[0]);
    let mut recognized = 0;
    for line in &said {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0] == "refused" {
            eprintln!("not tested, the kernel refuses it: {line}");
            continue;
        }
        let fd = words[0].parse().expect("a number");
        let handle = handles[&fd];
        assert_eq!(handle.kind.word(), words[1], "{handle:?}");
        assert_eq!(handle.cloexec, Some(words[2] == "1"), "{handle:?}");
        recognized += 1;
    }
    assert!(recognized >= 16, "{said:?}");
}

#[test]
fn a_leader_that_ended_hides_nothing() {
    let mut child = Child::start();
    let worker = child.number("t");
    let timer = child.number("o");
    let copy = child.number(&format!("d{timer}"));
    let before = real(child.tgid());
    child.tell("l");
    let after = real(child.tgid());
    let threads = |scan: &Scan| scan.threads.as_ref().map(Vec::len);
    assert_eq!(threads(&before), Some(3));
    assert_eq!(threads(&after), Some(2), "{after:?}");
    assert_eq!(after.tables.len(), 1);
    assert_eq!(handles(&after.tables[0]), handles(&before.tables[0]));
    let handles = handles(&after.tables[0]);
    assert_eq!(handles[&timer].cloexec, Some(true));
    assert_eq!(handles[&copy].cloexec, Some(false), "F_DUPFD clears it");
    let named = after
        .threads
        .iter()
        .flatten()
        .find(|thread| thread.tid.0 == worker);
    assert_eq!(
        named.map(|thread| thread.comm.bytes()),
        Some(&b") R (\n1"[..])
    );
}

#[test]
fn a_thread_with_its_own_table_is_told_apart() {
    if !tells_tables_apart() {
        eprintln!("skipped: this kernel has no kcmp");
        return;
    }
    let mut child = Child::start();
    let sharing = real(child.tgid());
    assert_eq!(sharing.tables.len(), 1);
    let apart = child.number("u");
    let scan = real(child.tgid());
    assert_eq!(scan.tables.len(), 2);
    assert_eq!(scan.tables[1].users, [Tid(apart)]);
    let (common, own) = (handles(&scan.tables[0]), handles(&scan.tables[1]));
    assert_eq!(own.len(), common.len() + 1, "it opened one more");
}

#[test]
fn threads_and_descriptors_that_vanish_are_no_errors() {
    let mut child = Child::start();
    child.tell("b");
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        let scan = real(child.tgid());
        let threads = scan.threads.as_ref().map_or(0, Vec::len);
        assert!((3..=4).contains(&threads), "{scan:?}");
        // The short-lived threads share the one table, or are left out while they leave.
        assert_eq!(scan.tables.len(), 1, "{scan:?}");
        assert!(handles(&scan.tables[0]).len() >= 3, "{scan:?}");
    }
    child.tell("B");
    let tgid = child.tgid();
    child.end_now();
    assert_eq!(real(tgid).threads, None);
}

#[test]
fn our_own_lack_of_descriptors_is_an_error_and_no_death() {
    let tree = Tree::new();
    fs::create_dir_all(tree.0.path().join("4")).expect("a folder");
    symlink("task", tree.0.path().join("4/task")).expect("a link to itself");
    let refused = scan(tree.0.path(), Tgid(4), ScanRole::Baseline);
    assert_eq!(refused, Err(Errno::LOOP));
}

/// Run by hand: `cargo test --release -- --ignored --nocapture large_tables`.
#[test]
#[ignore = "a measurement"]
fn large_tables_take_microseconds_a_descriptor() {
    let mut child = Child::start();
    child.tell("m200000");
    let folder = PathBuf::from(format!("{PROC}/{}/task", child.tgid()));
    let folder = fs::File::open(folder).expect("it lives").into();
    for full_up_to in [0, usize::MAX] {
        let began = Instant::now();
        let read =
            table::read(&folder, Tid(child.tgid().0), full_up_to, &mut || {}).expect("readable");
        let each = began.elapsed() / u32::try_from(read.len()).expect("a count");
        eprintln!(
            "{} descriptors, {each:?} each, full: {}",
            read.len(),
            full_up_to > 0
        );
        assert_eq!(read[0].fd, Fd(0));
    }
}
