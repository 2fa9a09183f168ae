//! Limits of made-up processes in made-up cgroups, and of this one.

use std::fs;

use super::*;

/// A /proc and a cgroup file system of a test's own.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
        self
    }

    fn read(&self) -> Limits {
        let (proc_root, cgroup_root) = (self.0.path().join("proc"), self.0.path().join("cgroup"));
        read(&proc_root, &cgroup_root, Tgid(7))
    }
}

const RLIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max processes             63204                unlimited            processes
Max open files            1024                 524288               files
";

#[test]
fn everything_is_read() {
    let tree = Tree::new();
    tree.file("proc/7/limits", RLIMITS)
        .file(
            "proc/7/status",
            b"Name:\t\xff NSpid:\nPPid:\t3\nUid:\t1000\t0\t0\t0\nNSpid:\t7\t90\t1\n",
        )
        .file(
            "proc/7/stat",
            "7 (x) S 3 7 7 0 -1 4194304 5 6 7 8 9 10 11 12 20 0 1 0 4700 4096 1\n",
        )
        .file("proc/7/cmdline", b"redis\0--port\x1b[2J\0")
        .file("proc/7/cgroup", "0::/a/b\n")
        .file("proc/sys/kernel/threads-max", "127000\n")
        .file("proc/sys/kernel/pid_max", "4194304\n")
        .file("proc/loadavg", "0.10 0.20 0.30 2/812 4711\n")
        .file("cgroup/a/b/pids.max", "512\n")
        .file("cgroup/a/b/pids.current", "9\n");
    let expected = Limits {
        nofile: Some(Ceiling::At(1024)),
        nofile_hard: Some(Ceiling::At(524_288)),
        nproc: Some(Ceiling::At(63_204)),
        pids: Some(CgroupPids {
            cgroup: Text::from(&b"/a/b"[..]),
            max: 512,
            current: Some(9),
        }),
        threads_max: Some(127_000),
        pid_max: Some(4_194_304),
        host_threads: Some(812),
        inner_pid: Some(1),
        start_ticks: Some(4700),
        command: Some(Text::from(&b"redis\0--port\x1b[2J\0"[..])),
        parent: Some(Tgid(3)),
        uid: Some(1000),
    };
    assert_eq!(tree.read(), expected);
}

#[test]
fn what_can_not_be_read_is_unknown() {
    let tree = Tree::new();
    assert_eq!(tree.read(), Limits::default());
    tree.file("proc/7/limits", "nonsense")
        .file("proc/7/status", "NSpid:\t7\n")
        .file("proc/7/stat", "nonsense")
        .file("proc/7/cmdline", "")
        .file("proc/7/cgroup", "nonsense\n::\n0::\n")
        .file("proc/loadavg", "1 2 3 4")
        .file("proc/sys/kernel/pid_max", "-1");
    assert_eq!(tree.read(), Limits::default());
}

#[test]
fn a_command_line_is_bounded() {
    let tree = Tree::new();
    tree.file("proc/7/cmdline", vec![b'x'; 100_000]);
    let command = tree.read().command.expect("there is one");
    assert_eq!(command.bytes().len(), 4096);
}

#[test]
fn the_cgroup_with_the_least_room_binds() {
    let tree = Tree::new();
    let pids = || {
        tree.read()
            .pids
            .map(|pids| (pids.cgroup.to_string(), pids.max))
    };
    tree.file("proc/7/cgroup", "0::/a/b\n")
        .file("cgroup/a/b/pids.max", "max\n")
        .file("cgroup/a/b/pids.current", "9\n");
    assert_eq!(pids(), None, "no limit anywhere");
    tree.file("cgroup/a/pids.max", "100\n")
        .file("cgroup/a/pids.current", "20\n");
    assert_eq!(pids(), Some(("/a".to_owned(), 100)));
    tree.file("cgroup/a/b/pids.max", "90\n");
    assert_eq!(pids(), Some(("/a".to_owned(), 100)), "80 are left, not 81");
    tree.file("cgroup/a/b/pids.max", "60\n");
    assert_eq!(pids(), Some(("/a/b".to_owned(), 60)));
}

#[test]
fn older_hierarchies_have_a_folder_of_their_own() {
    let tree = Tree::new();
    tree.file("proc/7/cgroup", "9:cpu:/x\n4:misc,pids:/a\n0::/unified\n")
        .file("cgroup/pids/a/pids.max", "50\n");
    let pids = tree.read().pids.expect("a limit");
    assert_eq!((pids.max, pids.current), (50, None));
}

#[test]
fn nothing_outside_the_root_is_read() {
    let tree = Tree::new();
    tree.file("proc/7/cgroup", "0::/../../outside\n")
        .file("cgroup/pids.max", "1\n")
        .file("outside/pids.max", "1\n");
    assert_eq!(tree.read().pids, None);
}

#[test]
fn this_process_has_limits() {
    let own = Tgid(std::process::id());
    let limits = read(Path::new(super::super::PROC), Path::new(CGROUPS), own);
    let nofile = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    assert_eq!(limits.nofile.and_then(Ceiling::number), nofile.current);
    assert_eq!(limits.nofile_hard.and_then(Ceiling::number), nofile.maximum);
    assert_eq!(limits.uid, Some(rustix::process::getuid().as_raw()));
    assert!(limits.start_ticks.is_some() && limits.command.is_some());
    assert!(limits.host_threads > Some(1), "{limits:?}");
}
