//! Targets are found in a /proc and in control groups that these tests build.

use std::fs;

use tempfile::TempDir;

use super::*;

struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("proc")).unwrap();
        fs::create_dir(folder.path().join("cgroup")).unwrap();
        Self { folder }
    }

    fn roots(&self) -> Roots {
        Roots {
            proc: self.folder.path().join("proc"),
            cgroup: self.folder.path().join("cgroup"),
            own: 99,
        }
    }

    fn task(&self, pid: u32, tgid: u32, comm: &str, state: char, flags: u64) {
        let folder = self.roots().proc.join(pid.to_string());
        fs::create_dir_all(folder.join("fd")).unwrap();
        let stat =
            format!("{pid} ({comm}) {state} 1 1 1 0 -1 {flags} 0 0 0 0 0 0 0 0 20 0 1 0 5000 0\n");
        fs::write(folder.join("stat"), stat).unwrap();
        let status = format!("Name:\t{comm}\nTgid:\t{tgid}\nPid:\t{pid}\n");
        fs::write(folder.join("status"), status).unwrap();
    }

    fn process(&self, pid: u32, comm: &str) {
        self.task(pid, pid, comm, 'S', 0x40_0000);
    }

    fn group(&self, path: &str, pids: &[u32]) {
        let root = self.roots().cgroup;
        let folder = root.join(path);
        fs::create_dir_all(&folder).unwrap();
        for folder in folder.ancestors().take_while(|one| one.starts_with(&root)) {
            let list = folder.join("cgroup.procs");
            if !list.exists() {
                fs::write(list, "").unwrap();
            }
        }
        let list: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
        fs::write(folder.join("cgroup.procs"), list).unwrap();
    }

    fn find(&self, wanted: &Wanted) -> Result<Vec<u32>, String> {
        let found = wanted
            .find(&self.roots())
            .map_err(|error| error.to_string())?;
        Ok(found.processes.iter().map(|one| one.0).collect())
    }
}

fn pid(pid: u32) -> Wanted {
    Wanted {
        pids: vec![pid],
        ..Wanted::default()
    }
}

fn comm(name: &str) -> Wanted {
    Wanted {
        comms: vec![name.to_owned()],
        ..Wanted::default()
    }
}

fn container(id: &str) -> Wanted {
    Wanted {
        containers: vec![id.to_owned()],
        ..Wanted::default()
    }
}

fn cgroup(path: &str) -> Wanted {
    Wanted {
        cgroups: vec![path.into()],
        ..Wanted::default()
    }
}

#[test]
fn what_can_be_watched_is_found_and_the_rest_refused_with_its_reason() {
    let machine = Machine::new();
    machine.process(10, "redis-server");
    machine.task(11, 10, "bio_close", 'S', 0x40_0000);
    machine.task(2, 2, "kthreadd", 'S', 0x20_8040);
    machine.task(12, 12, "gone", 'Z', 0x40_0004);
    machine.process(99, "inspector");
    assert_eq!(machine.find(&pid(10)), Ok(vec![10]));
    for (number, words) in [
        (11, "11 is a thread of process 10; use `-p 10`"),
        (2, "2 (kthreadd) is a thread of the kernel"),
        (12, "12 (gone) has ended: it is a zombie, which process 1"),
        (99, "99 is inspector itself"),
        (4242, "there is no process 4242"),
    ] {
        let refused = machine.find(&pid(number)).unwrap_err();
        assert!(refused.starts_with(words), "{refused}");
    }
}

#[test]
fn a_name_may_hold_anything_and_finds_each_process_once() {
    let machine = Machine::new();
    machine.process(20, "a) Z (b");
    machine.process(21, "a) Z (b");
    machine.process(22, "a");
    assert_eq!(machine.find(&comm("a) Z (b")), Ok(vec![20, 21]));
    let both = Wanted {
        pids: vec![21],
        ..comm("a) Z (b")
    };
    assert_eq!(machine.find(&both), Ok(vec![20, 21]));
    let refused = machine.find(&comm("nobody\x1b")).unwrap_err();
    assert!(
        refused.starts_with("no process is named \"nobody\\u{1b}\""),
        "{refused}"
    );
}

#[test]
fn a_long_name_is_compared_as_the_kernel_cuts_it() {
    let machine = Machine::new();
    machine.process(20, "gunicorn-worker");
    assert_eq!(
        machine.find(&comm("gunicorn-workers-of-mine")),
        Ok(vec![20])
    );
}

#[test]
fn a_group_means_all_below_it() {
    let machine = Machine::new();
    for number in [30, 31, 32] {
        machine.process(number, "worker");
    }
    machine.group("system.slice/web.service", &[30]);
    machine.group("system.slice/web.service/workers", &[31, 32]);
    machine.group("system.slice/idle.service", &[]);
    assert_eq!(
        machine.find(&cgroup("/system.slice/web.service")),
        Ok(vec![30, 31, 32])
    );
    let mounted = machine
        .roots()
        .cgroup
        .join("system.slice/web.service/workers");
    assert_eq!(
        machine.find(&cgroup(mounted.to_str().unwrap())),
        Ok(vec![31, 32])
    );
    assert_eq!(
        machine.find(&container("web.service")),
        Ok(vec![30, 31, 32])
    );
    for (wanted, words) in [
        (cgroup("/nope"), "there is no control group /nope"),
        (cgroup("/system.slice/../.."), "there is no control group"),
        (cgroup("/system.slice/idle.service"), "the control group "),
        (
            container("nope.service"),
            "no container or unit \"nope.service\"",
        ),
    ] {
        let refused = machine.find(&wanted).unwrap_err();
        assert!(refused.starts_with(words), "{refused}");
    }
}

#[test]
fn containers_are_found_by_what_people_copy_of_their_ids() {
    let machine = Machine::new();
    let docker = "4f1c0ffee".repeat(8)[..64].to_owned();
    let podman = "4f1cdeadb".repeat(8)[..64].to_owned();
    let pod = "beef01234".repeat(8)[..64].to_owned();
    for number in [40, 41, 42, 43, 44] {
        machine.process(number, "app");
    }
    machine.group(&format!("system.slice/docker-{docker}.scope"), &[40]);
    machine.group(
        &format!("machine.slice/libpod-{podman}.scope/container"),
        &[41],
    );
    machine.group(
        &format!("machine.slice/libpod-conmon-{podman}.scope"),
        &[42],
    );
    machine.group(
        &format!("kubepods.slice/kubepods-pod1.slice/cri-containerd-{pod}.scope"),
        &[43],
    );
    machine.group("docker/0123456789abcdef", &[44]);
    assert_eq!(machine.find(&container(&docker[..12])), Ok(vec![40]));
    assert_eq!(machine.find(&container(&podman[..12])), Ok(vec![41]));
    assert_eq!(machine.find(&container(&pod)), Ok(vec![43]));
    assert_eq!(machine.find(&container("0123456789ab")), Ok(vec![44]));
    // Too short to mean one of them, and no more than one engine's prefix of two.
    assert!(
        machine
            .find(&container("4f1c"))
            .unwrap_err()
            .starts_with("no container")
    );
    let twin = format!("{}{}", &docker[..12], "9".repeat(52));
    machine.group(&format!("system.slice/docker-{twin}.scope"), &[40]);
    let refused = machine.find(&container(&docker[..12])).unwrap_err();
    assert!(refused.contains("more than one"), "{refused}");
}

#[test]
fn a_group_that_vanished_is_no_member_list() {
    let machine = Machine::new();
    machine.process(50, "app");
    machine.group("a", &[50]);
    let found = cgroup("/a").find(&machine.roots()).unwrap();
    assert_eq!(members(&found.groups), (vec![50], true));
    fs::remove_dir_all(machine.roots().cgroup.join("a")).unwrap();
    assert_eq!(members(&found.groups), (vec![], false));
    // One of several that goes leaves the others to be looked at.
    machine.group("b", &[51]);
    let both = [found.groups, vec![machine.roots().cgroup.join("b")]].concat();
    assert_eq!(members(&both), (vec![51], true));
}

#[test]
fn where_controllers_have_hierarchies_of_their_own_a_group_is_found_in_each() {
    let machine = Machine::new();
    machine.process(60, "app");
    machine.process(61, "app");
    machine.group("pids/docker/a", &[60]);
    machine.group("memory/docker/a", &[60, 61]);
    machine.group("cpu/docker/a", &[]);
    machine.group("cpu/other", &[]);
    // What the hierarchies are mounted on is no group.
    fs::remove_file(machine.roots().cgroup.join("cgroup.procs")).unwrap();
    assert_eq!(machine.find(&cgroup("/docker/a")), Ok(vec![60, 61]));
    assert_eq!(machine.find(&cgroup("pids/docker/a")), Ok(vec![60]));
    let mounted = machine.roots().cgroup.join("pids/docker/a");
    assert_eq!(
        machine.find(&cgroup(mounted.to_str().unwrap())),
        Ok(vec![60])
    );
    for (path, words) in [
        ("/docker/b", "there is no control group /docker/b"),
        ("/docker", "the control group "),
        ("/other", "the control group "),
    ] {
        let found = machine.find(&cgroup(path));
        match (path, found) {
            // A group above means those below it.
            ("/docker", found) => assert_eq!(found, Ok(vec![60, 61])),
            (_, found) => {
                let refused = found.unwrap_err();
                assert!(refused.starts_with(words), "{refused}");
            }
        }
    }
}
