//! One reading of /proc: a process's live threads, its descriptor tables and what is in them.
//!
//! /proc is not atomic: threads and descriptors come and go while it is read. What vanishes on
//! the way was not there; only what keeps *us* from reading (no permission, no descriptors of
//! our own left) is an error. The root is passed in, so that tests build their own.

use std::path::Path;

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use super::clock::boot_time;
use crate::event::{
    Scan,
    id::{Tgid, Tid},
    scan::{ScanRole, SeenTable},
};

use task::Task;

mod fdinfo;
mod kcmp;
mod kind;
pub mod limits;
pub mod poll;
mod sharing;
pub mod socket;
mod table;
pub mod target;
mod task;

/// Where the kernel mounts it.
pub const PROC: &str = "/proc";

/// How many descriptors of a process are looked at closely: whole tables only.
const FULL_UP_TO: usize = 20_000;

/// Threads or descriptors that are read between two pauses: ten milliseconds or so.
const BETWEEN_PAUSES: usize = 1_000;

/// Reads one process: for a baseline or an audit also what limits it.
///
/// # Errors
/// See [`scan_pausing`].
pub fn scan(proc_root: &Path, tgid: Tgid, role: ScanRole) -> Result<Scan, Errno> {
    scan_pausing(proc_root, tgid, role, &mut || {})
}

/// The same, calling `pause` again and again while it goes on: two hundred thousand descriptors
/// take seconds, in which whoever reads them may have something else to see to.
///
/// Which threads share a table is asked of the kernel (`kcmp`). Where it can't be asked (a
/// kernel without `CONFIG_KCMP`, a tree that is not /proc: see [`tells_tables_apart`]), all
/// threads of a process are taken to share one, which is so unless it called
/// `unshare(CLONE_FILES)`. A table whose threads were all leaving while it was read is left out.
///
/// A descriptor costs some 5 µs of kernel time by its link alone, three times that in full.
/// Regular files, directories and devices are told apart, and the close-on-exec flag is read,
/// only in tables that together hold up to 20,000; what is in others says `HandleKind::Opened` and
/// `None`.
///
/// # Errors
/// Where the process can't be read although it is there: EACCES and EPERM (another user's,
/// `hidepid`), EMFILE. A table that only refuses its descriptors carries the errno itself. A
/// process that has no live thread is no error: its `threads` are `None`.
pub fn scan_pausing(
    proc_root: &Path,
    tgid: Tgid,
    role: ScanRole,
    pause: &mut dyn FnMut(),
) -> Result<Scan, Errno> {
    let began = boot_time();
    let mut scan = Scan {
        role,
        tgid,
        began,
        ended: began,
        threads: None,
        tables: Vec::new(),
        limits: None,
    };
    let folder = proc_root.join(tgid.0.to_string()).join("task");
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(&folder, flags, Mode::empty()) {
        Ok(folder) => {
            let tasks = task::live(&folder, pause)?;
            scan.tables = tables(&folder, &tasks, pause);
            if !tasks.is_empty() {
                scan.threads = Some(tasks.iter().map(|task| task.seen).collect());
                // A poll comes too often for that, and reads them now and then itself.
                if !matches!(role, ScanRole::Poll { .. }) {
                    let limits = limits::read(proc_root, Path::new(limits::CGROUPS), tgid);
                    scan.limits = Some(Box::new(limits));
                }
            }
        }
        Err(Errno::NOENT | Errno::SRCH) => {}
        Err(errno) => return Err(errno),
    }
    scan.ended = boot_time();
    Ok(scan)
}

/// Whether this kernel tells which threads share a descriptor table. (A kernel without
/// `CONFIG_KCMP` does not; some sandboxes refuse it.)
pub fn tells_tables_apart() -> bool {
    let own = Tid(rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs());
    kcmp::compare_files(own, own).is_ok()
}

/// Every table of these threads, each read through one of its users that is still alive
/// afterwards: the table of a thread that left meanwhile looks empty.
fn tables(folder: &rustix::fd::OwnedFd, tasks: &[Task], pause: &mut dyn FnMut()) -> Vec<SeenTable> {
    // A leaving thread may have let go of its table already.
    let users: Vec<Tid> = tasks
        .iter()
        .filter(|task| !task.exiting)
        .map(|task| task.seen.tid)
        .collect();
    let is_proc =
        rustix::fs::fstatfs(folder).is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC);
    let compare = |one, other| {
        if is_proc {
            kcmp::compare_files(one, other)
        } else {
            Ok(std::cmp::Ordering::Equal)
        }
    };
    let staying = |tid| {
        task::read(folder, tid)
            .is_ok_and(|task| task.is_some_and(|task| task.alive() && !task.exiting))
    };
    let groups = sharing::groups(&users, compare, staying);
    pause();
    let mut left = FULL_UP_TO;
    groups
        .into_iter()
        .filter_map(|mut users| {
            let mut reads = users.iter().enumerate().filter_map(|(index, &user)| {
                let handles = table::read(folder, user, left, pause);
                staying(user).then_some((index, handles))
            });
            let (index, handles) = reads.next()?;
            let read = handles.as_ref().map_or(0, Vec::len);
            left = left.checked_sub(read).unwrap_or(left);
            users.swap(0, index);
            Some(SeenTable {
                users,
                handles: handles.map_err(Errno::raw_os_error),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
