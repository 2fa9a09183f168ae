//! Control groups: their members are watched, those that join later too, and a group that goes ends
//! the watching with its last process.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::Signal;

use crate::{
    binary::{inspector, is_refused},
    verbs::{Ends, Reporting, document, process, said, until},
    watch::alone,
};

/// A group that is removed with its test; its name has the form of a container's.
struct Group {
    folder: PathBuf,
    name: String,
}

impl Group {
    /// `None`, and why on stdout, where none can be made.
    fn new(tag: char) -> Option<Self> {
        let id = format!("{:08x}", std::process::id()) + &String::from(tag).repeat(56);
        let name = format!("docker-{id}.scope");
        let roots = [
            "/sys/fs/cgroup/pids",
            "/sys/fs/cgroup/unified",
            "/sys/fs/cgroup",
        ];
        let is_root = |root: &&&str| Path::new(root).join("cgroup.procs").exists();
        let Some(root) = roots.iter().find(is_root) else {
            println!("no control groups are mounted");
            return None;
        };
        let folder = Path::new(root).join(&name);
        if let Err(error) = fs::create_dir(&folder) {
            println!("{} can't be made: {error}", folder.display());
            return None;
        }
        Some(Self { folder, name })
    }

    fn add(&self, pid: u32) {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    fn remove(&self) {
        until("an empty group", || fs::remove_dir(&self.folder).is_ok());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _may_be_gone = fs::remove_dir(&self.folder);
    }
}

#[test]
fn a_groups_members_are_watched_and_those_that_join() {
    let _alone = alone();
    let Some(group) = Group::new('a') else { return };
    let (first, second, stranger) = (Ends::sleeper(), Ends::sleeper(), Ends::sleeper());
    let path = format!("/{}", group.name);
    let empty = inspector(&["report", "--cgroup", &path, "--for", "0s"]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(said(&empty).contains("has no process"), "{}", said(&empty));
    group.add(first.pid());
    let mut reporting = Reporting::start(&["--cgroup", &path, "--snapshot", "snapshots"]);
    if is_refused() {
        reporting.signal(Signal::TERM);
        reporting.end();
        return;
    }
    // Inspector itself joins: it does not watch itself.
    group.add(reporting.pid());
    group.add(second.pid());
    let mut asked = 0;
    until("the one that joined", || {
        reporting.signal(Signal::USR1);
        asked += 1;
        until("a snapshot", || {
            reporting.file("snapshots").matches('\n').count() >= asked
        });
        reporting
            .file("snapshots")
            .contains(&format!("\"pid\":{},", second.pid()))
    });
    // Out again, so that the group can go.
    fs::write(
        group.folder.parent().unwrap().join("cgroup.procs"),
        reporting.pid().to_string(),
    )
    .unwrap();
    let pids = [first.pid(), second.pid()];
    let own = reporting.pid();
    drop((first, second));
    group.remove();
    // Nobody is left, and nobody can join: that is the end.
    let (status, told) = reporting.end();
    assert_eq!(status.code(), Some(0));
    for pid in pids {
        assert_eq!(process(&told, pid)["alive"], false);
    }
    let all = told["processes"].to_string();
    for other in [stranger.pid(), own] {
        assert!(!all.contains(&format!("\"pid\":{other},")), "{all}");
    }
}

#[test]
fn a_container_is_found_by_the_beginning_of_its_id() {
    let _alone = alone();
    let Some(group) = Group::new('b') else { return };
    let target = Ends::sleeper();
    group.add(target.pid());
    let id = &group.name["docker-".len()..][..12];
    let (output, told) = document("report", &["--container", id, "--for", "0s"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(process(&told, target.pid())["alive"], true);
    drop(target);
    group.remove();
    let gone = inspector(&["report", "--container", id, "--for", "0s"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(
        said(&gone).contains("no container or unit"),
        "{}",
        said(&gone)
    );
}
