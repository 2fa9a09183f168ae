//! What limits a process: its resource limits, its cgroup's and the host's, and who it is.
//!
//! Everything here is told by small files of /proc and of the cgroup file system. A file that
//! can't be read leaves its answer unknown; nothing here is an error.

use std::{io::Read as _, path::Path};

use super::task;
use crate::event::{
    id::Tgid,
    limits::{Ceiling, CgroupPids, Limits},
    text::Text,
};

/// Where the cgroup file system is mounted.
pub const CGROUPS: &str = "/sys/fs/cgroup";

/// Most bytes of a command line that are kept.
const COMMAND_BYTES: u64 = 4096;
/// Most bytes of any other file that are read.
const FILE_BYTES: u64 = 64 * 1024;

/// Reads what limits a process.
pub fn read(proc_root: &Path, cgroup_root: &Path, tgid: Tgid) -> Limits {
    let folder = proc_root.join(tgid.0.to_string());
    let rlimits = text(&folder.join("limits")).unwrap_or_default();
    let (nofile, nofile_hard) = rlimit(&rlimits, "Max open files");
    let (nproc, _) = rlimit(&rlimits, "Max processes");
    let status = text(&folder.join("status")).unwrap_or_default();
    let kernel = proc_root.join("sys/kernel");
    let stat = bytes(&folder.join("stat"), FILE_BYTES);
    let command = bytes(&folder.join("cmdline"), COMMAND_BYTES);
    Limits {
        nofile,
        nofile_hard,
        nproc,
        pids: text(&folder.join("cgroup")).and_then(|told| pids(&told, cgroup_root)),
        threads_max: number(&kernel.join("threads-max")),
        pid_max: number(&kernel.join("pid_max")),
        host_threads: text(&proc_root.join("loadavg")).and_then(|told| host_threads(&told)),
        inner_pid: inner_pid(&status),
        start_ticks: stat
            .and_then(|line| task::parse(&line))
            .map(|task| task.seen.start_ticks),
        // A kernel thread has none, and neither has a zombie.
        command: command
            .filter(|line| !line.is_empty())
            .map(|line| Text::from(line.as_slice())),
        parent: field(&status, "PPid:")
            .and_then(|mut words| words.next()?.parse().ok())
            .map(Tgid),
        uid: field(&status, "Uid:").and_then(|mut words| words.next()?.parse().ok()),
    }
}

/// Soft and hard limit of this name, from /proc/PID/limits.
fn rlimit(told: &str, name: &str) -> (Option<Ceiling>, Option<Ceiling>) {
    let line = told.lines().find_map(|line| line.strip_prefix(name));
    let mut words = line.unwrap_or_default().split_ascii_whitespace();
    let mut next = || match words.next()? {
        "unlimited" => Some(Ceiling::Unlimited),
        number => Some(Ceiling::At(number.parse().ok()?)),
    };
    (next(), next())
}

/// The words of a line of /proc/PID/status behind its name.
fn field<'a>(status: &'a str, name: &str) -> Option<impl Iterator<Item = &'a str>> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_ascii_whitespace())
}

/// The last of its numbers, where it has more than one: it is the innermost namespace's.
fn inner_pid(status: &str) -> Option<u32> {
    let mut numbers = field(status, "NSpid:")?.skip(1);
    numbers.by_ref().last()?.parse().ok()
}

/// The total behind the slash of the fourth word: `0.1 0.2 0.3 2/812 4711`.
fn host_threads(loadavg: &str) -> Option<u64> {
    let tasks = loadavg.split_ascii_whitespace().nth(3)?;
    tasks.split_once('/')?.1.parse().ok()
}

/// The limit that binds first among the process's cgroup and those above it: the one with the
/// least room left. What is above the root of a cgroup namespace can't be seen.
fn pids(told: &str, root: &Path) -> Option<CgroupPids> {
    let (root, path) = told.lines().find_map(|line| {
        // `4:pids:/path`, or `0::/path` where there is one hierarchy.
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        match controllers {
            "" => Some((root.to_owned(), path)),
            _ => controllers
                .split(',')
                .any(|controller| controller == "pids")
                .then(|| (root.join("pids"), path)),
        }
        .filter(|(root, _)| root.is_dir())
    })?;
    let path = Path::new(path.strip_prefix('/')?);
    if path.components().any(|part| part.as_os_str() == "..") {
        return None;
    }
    let limits = path.ancestors().filter_map(|cgroup| {
        let folder = root.join(cgroup);
        // A cgroup without a limit says `max`.
        let max = number(&folder.join("pids.max"))?;
        let name = format!("/{}", cgroup.display());
        Some(CgroupPids {
            cgroup: Text::from(name.as_bytes()),
            max,
            current: number(&folder.join("pids.current")),
        })
    });
    limits.min_by_key(|limit| limit.max.saturating_sub(limit.current.unwrap_or(0)))
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.trim().parse().ok()
}

/// A file's text; what is not UTF-8 (a name in `status`) is replaced, for numbers are wanted.
fn text(path: &Path) -> Option<String> {
    let bytes = bytes(path, FILE_BYTES)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn bytes(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests;
