//! Control groups: by path, and those that container engines and systemd make.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use super::TargetError;

/// How deep groups are looked for; containers in containers lie eight or so deep.
const DEPTH: u32 = 32;
/// What may follow a container's id in its group's name.
const SUFFIXES: [&str; 2] = [".scope", ".service"];
/// What stands before it: the engines' own words.
const PREFIXES: [&str; 6] = [
    "docker-",
    "libpod-",
    "cri-containerd-",
    "crio-",
    "containerd-",
    "nerdctl-",
];
/// An engine's ids have 64 characters, and what people copy of them 12.
const LEAST_ID: usize = 6;

/// The folders of a group: of an absolute path below the mount point one, and of a path as
/// /proc/PID/cgroup has it, which begins with `/` too, as many as there are hierarchies that have
/// it. Where controllers have hierarchies of their own (cgroup v1) these are mounted below the root,
/// the unified one among them.
pub(super) fn by_path(root: &Path, path: &Path) -> Result<Vec<PathBuf>, TargetError> {
    let no_group = || TargetError::NoGroup(path.to_owned());
    if path
        .components()
        .any(|component| matches!(component, Component::ParentDir))
    {
        return Err(no_group());
    }
    let is_group = |folder: &PathBuf| folder.join("cgroup.procs").is_file();
    let relative = path
        .strip_prefix(root)
        .or_else(|_| path.strip_prefix("/"))
        .unwrap_or(path);
    let direct = root.join(relative);
    if is_group(&direct) {
        return Ok(vec![direct]);
    }
    let mut found: Vec<_> = hierarchies(root)
        .map(|hierarchy| hierarchy.join(relative))
        .filter(is_group)
        .collect();
    found.sort_unstable();
    if found.is_empty() || path.starts_with(root) {
        return Err(no_group());
    }
    Ok(found)
}

/// What is mounted below the root.
fn hierarchies(root: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    // Links stand for hierarchies of two controllers (`cpu` for `cpu,cpuacct`).
    let own = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    own.map(|entry| entry.path())
}

/// The groups of a container's id, or of the beginning of one, or of a systemd unit. More than one
/// where the controllers have hierarchies of their own (cgroup v1).
pub(super) fn by_id(root: &Path, id: &str) -> Result<Vec<PathBuf>, TargetError> {
    let mut found = Vec::new();
    look(root, DEPTH, &mut |path, name| {
        if let Some(whole) = matches(name, id) {
            found.push((whole.to_owned(), path.to_owned()));
            return false;
        }
        true
    })?;
    let mut names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => Err(TargetError::NoContainer(id.to_owned())),
        [_] => Ok(found.into_iter().map(|(_, path)| path).collect()),
        _ => Err(TargetError::Ambiguous {
            id: id.to_owned(),
            found: names,
        }),
    }
}

/// The processes of a group and of those below it.
pub(super) fn members(group: &Path) -> Result<Vec<u32>, TargetError> {
    let mut members = processes(group)?;
    look(group, DEPTH, &mut |path, _| {
        // One below may go while it is looked at; the group itself was there.
        members.extend(processes(path).unwrap_or_default());
        true
    })?;
    members.sort_unstable();
    members.dedup();
    Ok(members)
}

fn processes(group: &Path) -> Result<Vec<u32>, TargetError> {
    let path = group.join("cgroup.procs");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            return Err(match error.raw_os_error() {
                // What the open file of a group says that was removed since.
                Some(libc::ENODEV | libc::ENOENT) => TargetError::NoGroup(group.to_owned()),
                // A threaded group tells its threads only; its processes are its root's.
                Some(libc::EOPNOTSUPP) => return Ok(Vec::new()),
                _ => TargetError::Unreadable { path, error },
            });
        }
    };
    // 0 is a process of another pid namespace, which has no number here.
    Ok(text
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .filter(|&pid| pid != 0)
        .collect())
}

/// Calls `visit` for every group below one; it says whether to look below that.
fn look(
    folder: &Path,
    depth: u32,
    visit: &mut impl FnMut(&Path, &str) -> bool,
) -> Result<(), TargetError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(());
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A group that vanished while its neighbours were read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(TargetError::Unreadable {
                path: folder.to_owned(),
                error,
            });
        }
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let path = entry.path();
        if !is_folder || !path.join("cgroup.procs").is_file() {
            // A hierarchy's mount point below the root has one, and so has every group.
            continue;
        }
        let name = entry.file_name();
        if name.to_str().is_none_or(|name| visit(&path, name)) {
            look(&path, depth, visit)?;
        }
    }
    Ok(())
}

/// The id or unit that a group's name stands for, where it is the one that is meant.
fn matches<'a>(name: &'a str, wanted: &str) -> Option<&'a str> {
    if name == wanted {
        return Some(name);
    }
    let mut id = name;
    for suffix in SUFFIXES {
        id = id.strip_suffix(suffix).unwrap_or(id);
    }
    for prefix in PREFIXES {
        id = id.strip_prefix(prefix).unwrap_or(id);
    }
    let is_id = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_meant = wanted.len() >= LEAST_ID && is_id && id.starts_with(wanted);
    // Podman has a monitor's group beside each container's.
    (is_meant && !name.contains("conmon")).then_some(id)
}
