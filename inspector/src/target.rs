//! Which processes the user means: by number, name, control group or container.

#![forbid(unsafe_code)]

mod group;
pub mod program;
mod stat;
#[cfg(test)]
mod tests;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use thiserror::Error;

use self::stat::Stat;
use crate::event::{
    id::Tgid,
    text::{Comm, Text},
};

/// What the user named. Nothing named is nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Numbers of processes.
    pub pids: Vec<u32>,
    /// Names, as the kernel keeps them.
    pub comms: Vec<String>,
    /// Control groups: paths below where they are mounted, or as /proc/PID/cgroup tells them.
    pub cgroups: Vec<PathBuf>,
    /// Containers' ids or systemd units' names.
    pub containers: Vec<String>,
}

/// Where to look; tests build their own.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Of processes.
    pub proc: PathBuf,
    /// Of control groups.
    pub cgroup: PathBuf,
    /// This process, which is nobody's target.
    pub own: u32,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The processes, by number, each once.
    pub processes: Vec<Tgid>,
    /// The groups they were found by, whose later members are meant too.
    pub groups: Vec<PathBuf>,
}

/// Why somebody who was named can't be watched.
#[derive(Debug, Error)]
pub enum TargetError {
    /// Nobody has the number.
    #[error("there is no process {0}; `ps -e` lists those there are")]
    NoProcess(u32),
    /// The number is a thread's.
    #[error("{tid} is a thread of process {tgid}; use `-p {tgid}`")]
    Thread {
        /// The thread.
        tid: u32,
        /// Its process.
        tgid: u32,
    },
    /// The kernel's own.
    #[error("{pid} ({comm}) is a thread of the kernel: it has no program and no descriptors")]
    Kernel {
        /// Its number.
        pid: u32,
        /// Its name.
        comm: Comm,
    },
    /// Ended, but not waited for.
    #[error(
        "{pid} ({comm}) has ended: it is a zombie, which process {parent} has not waited for yet"
    )]
    Zombie {
        /// Its number.
        pid: u32,
        /// Its name.
        comm: Comm,
        /// Who should wait for it.
        parent: u32,
    },
    /// Watching oneself makes news without end.
    #[error("{0} is inspector itself, which does not watch itself")]
    Own(u32),
    /// Its descriptors can't be read.
    #[error(
        "process {pid} ({comm}) belongs to user {uid}: only that user and root may watch it; start inspector through sudo"
    )]
    NotPermitted {
        /// Its number.
        pid: u32,
        /// Its name.
        comm: Comm,
        /// Its user.
        uid: u32,
    },
    /// Nobody has the name.
    #[error("no process is named {:?}; `ps -eo pid,comm` lists the names there are (at most 15 bytes each)", .0)]
    NoComm(String),
    /// No such group.
    #[error("there is no control group {}; `systemd-cgls` lists those there are", Text::from(.0.as_os_str().as_encoded_bytes()))]
    NoGroup(PathBuf),
    /// A group without processes.
    #[error("the control group {} has no process", Text::from(.0.as_os_str().as_encoded_bytes()))]
    EmptyGroup(PathBuf),
    /// No group is called so.
    #[error(
        "no container or unit {0:?} has a control group here; give a container's id (`docker inspect -f '{{{{.Id}}}}' NAME`, `podman ps --no-trunc`, `crictl ps`) or a unit's full name (`nginx.service`)"
    )]
    NoContainer(String),
    /// More than one is called so.
    #[error("{id:?} is the beginning of more than one container's id: {}", .found.join(", "))]
    Ambiguous {
        /// What was given.
        id: String,
        /// Who it may be.
        found: Vec<String>,
    },
    /// /proc or the control groups could not be read.
    #[error("{} can't be read", .path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl Wanted {
    /// Whether nobody was named.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Finds them all.
    ///
    /// # Errors
    /// The first of those named that can't be watched; see [`TargetError`]. Of a name's or group's
    /// processes those are left out that can't, unless that is all of them.
    pub fn find(&self, roots: &Roots) -> Result<Found, TargetError> {
        let mut found = Found::default();
        for &pid in &self.pids {
            found.processes.push(roots.process(pid)?);
        }
        for comm in &self.comms {
            found.processes.extend(named(roots, comm)?);
        }
        let mut groups = Vec::new();
        for path in &self.cgroups {
            groups.push(group::by_path(&roots.cgroup, path)?);
        }
        for id in &self.containers {
            groups.push(group::by_id(&roots.cgroup, id)?);
        }
        // Of one in several hierarchies all members are meant: not all may know all of them.
        for group in &groups {
            let (members, _) = members(group);
            match group.first() {
                Some(path) if members.is_empty() => {
                    return Err(TargetError::EmptyGroup(path.clone()));
                }
                _ => found.processes.extend(those_of(roots, members)?),
            }
        }
        found.groups = groups.into_iter().flatten().collect();
        found.processes.sort_unstable();
        found.processes.dedup();
        Ok(found)
    }
}

impl Roots {
    /// Those of this machine.
    pub fn here() -> Self {
        Self {
            proc: PathBuf::from("/proc"),
            cgroup: PathBuf::from("/sys/fs/cgroup"),
            own: std::process::id(),
        }
    }

    /// Whether a process can be watched: its number, as a process's.
    ///
    /// # Errors
    /// See [`TargetError`].
    pub fn process(&self, pid: u32) -> Result<Tgid, TargetError> {
        let stat = Stat::read(&self.proc, pid)?.ok_or(TargetError::NoProcess(pid))?;
        let Stat { comm, tgid, .. } = stat;
        if tgid != pid {
            return Err(TargetError::Thread { tid: pid, tgid });
        }
        if stat.is_kernel {
            return Err(TargetError::Kernel { pid, comm });
        }
        if pid == self.own {
            return Err(TargetError::Own(pid));
        }
        // A leader that ended before its threads is one too, and its process lives.
        if stat.is_zombie && stat.threads <= 1 {
            return Err(TargetError::Zombie {
                pid,
                comm,
                parent: stat.parent,
            });
        }
        let folder = self.proc.join(pid.to_string());
        match fs::read_dir(folder.join("fd")) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let uid = fs::metadata(&folder).map_or(0, |folder| folder.uid());
                Err(TargetError::NotPermitted { pid, comm, uid })
            }
            // Whoever follows it finds out whether it has ended.
            _ => Ok(Tgid(pid)),
        }
    }
}

/// The members of groups, and whether any of these is still there.
pub fn members(groups: &[PathBuf]) -> (Vec<u32>, bool) {
    let (mut all, mut is_there) = (Vec::new(), false);
    for path in groups {
        match group::members(path) {
            Ok(members) => {
                is_there = true;
                all.extend(members);
            }
            Err(TargetError::NoGroup(_)) => {}
            // It is there, and can't be read now.
            Err(_) => is_there = true,
        }
    }
    all.sort_unstable();
    all.dedup();
    (all, is_there)
}

fn named(roots: &Roots, name: &str) -> Result<Vec<Tgid>, TargetError> {
    let wanted = Comm::from_bytes(name.as_bytes());
    let mut pids = Vec::new();
    for pid in numbers(&roots.proc)? {
        let Some(stat) = Stat::read(&roots.proc, pid)? else {
            continue;
        };
        if stat.comm == wanted && pid != roots.own && !stat.is_kernel {
            pids.push(pid);
        }
    }
    if pids.is_empty() {
        return Err(TargetError::NoComm(name.to_owned()));
    }
    those_of(roots, pids)
}

/// Those that can be watched; an error where none can.
fn those_of(roots: &Roots, pids: Vec<u32>) -> Result<Vec<Tgid>, TargetError> {
    let mut processes = Vec::new();
    let mut refused = None;
    for pid in pids {
        match roots.process(pid) {
            Ok(process) => processes.push(process),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(error) if processes.is_empty() => Err(error),
        _ => Ok(processes),
    }
}

fn numbers(proc: &Path) -> Result<Vec<u32>, TargetError> {
    let unreadable = |error| TargetError::Unreadable {
        path: proc.to_owned(),
        error,
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(proc).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
