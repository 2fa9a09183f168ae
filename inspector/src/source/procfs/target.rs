//! What single descriptors of a process point at, read through a thread that uses their table.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use rustix::{
    fd::OwnedFd,
    fs::{Mode, OFlags},
    io::Errno,
};

use super::{fdinfo, socket, table::Reader, task};
use crate::{
    event::{
        Targets,
        id::{Fd, Tgid, Tid},
        target::{SeenTarget, TargetDetail},
    },
    source::clock::boot_time,
};

/// Most bytes of an fdinfo file that are read: some 800 members of an epoll instance.
const INFO_BYTES: usize = 64 * 1024;

impl SeenTarget {
    /// Its inode, if it is a socket.
    pub fn socket(&self) -> Option<u64> {
        socket::inode(self.target.bytes())
    }
}

/// A process's table, open for reading.
pub struct Open {
    targets: Targets,
    tasks: OwnedFd,
    table: Reader,
    infos: Option<OwnedFd>,
    info: Vec<u8>,
}

impl Open {
    /// Opens the table that `user` uses; if that thread is gone or leaving, the one of the leader
    /// or of another thread of the process. `None` = there is none, or it can't be read.
    pub fn new(proc_root: &Path, tgid: Tgid, user: Tid) -> Option<Self> {
        let began = boot_time();
        let folder = proc_root.join(tgid.0.to_string()).join("task");
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let tasks = rustix::fs::open(&folder, flags, Mode::empty()).ok()?;
        let reader = if stays(&tasks, user) {
            user
        } else {
            another(&tasks, Tid(tgid.0))?
        };
        let open = |name| {
            rustix::fs::openat(&tasks, format!("{reader}/{name}"), flags, Mode::empty()).ok()
        };
        let (links, infos) = (open("fd")?, open("fdinfo"));
        Some(Self {
            targets: Targets {
                tgid,
                reader,
                began,
                ended: began,
                read: Vec::new(),
            },
            tasks,
            table: Reader::new(links),
            infos,
            info: Vec::new(),
        })
    }

    /// The open numbers, in no particular order.
    pub fn numbers(&self) -> Vec<Fd> {
        let mut numbers = Vec::new();
        let _as_far_as_read = task::numbers(self.table.links(), |fd| {
            numbers.push(Fd(fd));
            Ok(())
        });
        numbers
    }

    /// Reads what a descriptor points at. One that is closed is left out.
    pub fn read(&mut self, fd: Fd) {
        let Ok(Some(seen)) = self.table.handle(fd.0) else {
            return;
        };
        let detail = if fdinfo::tells_of(seen.kind) {
            self.read_info(fd)
                .and_then(|whole| fdinfo::detail(seen.kind, &self.info, whole))
        } else {
            None
        };
        self.targets.read.push(SeenTarget {
            fd,
            kind: seen.kind,
            target: seen.target,
            detail,
        });
    }

    /// What was read so far.
    pub fn so_far(&self) -> &[SeenTarget] {
        &self.targets.read
    }

    /// Adds what is known of sockets, by their inodes.
    pub fn tell_sockets(&mut self, found: &FxHashMap<u64, TargetDetail>) {
        for seen in &mut self.targets.read {
            if let Some(detail) = seen.socket().and_then(|inode| found.get(&inode)) {
                seen.detail = Some(detail.clone());
            }
        }
    }

    /// Everything that was read; `None` = nothing, or the thread it was read through left
    /// meanwhile: a thread that leaves seems to have no descriptors, or another's.
    pub fn end(mut self) -> Option<Targets> {
        if self.targets.read.is_empty() || !stays(&self.tasks, self.targets.reader) {
            return None;
        }
        self.targets.ended = boot_time();
        Some(self.targets)
    }

    /// Reads an fdinfo file into the buffer; whether that is the whole file.
    fn read_info(&mut self, fd: Fd) -> Option<bool> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let infos = self.infos.as_ref()?;
        let file = rustix::fs::openat(infos, fd.0.to_string(), flags, Mode::empty()).ok()?;
        self.info.resize(INFO_BYTES, 0);
        let len = task::read_whole(&file, &mut self.info).ok()?;
        self.info.truncate(len);
        Some(len < INFO_BYTES)
    }
}

/// Whether a thread still uses its table.
fn stays(tasks: &OwnedFd, tid: Tid) -> bool {
    let task = task::read(tasks, tid);
    task.is_ok_and(|task| task.is_some_and(|task| task.alive() && !task.exiting))
}

/// The leader, or a thread that lives where the leader does not.
fn another(tasks: &OwnedFd, leader: Tid) -> Option<Tid> {
    if stays(tasks, leader) {
        return Some(leader);
    }
    let mut found = None;
    let stop = Errno::CANCELED;
    let _found_or_none = task::numbers(tasks, |tid| {
        if stays(tasks, Tid(tid)) {
            found = Some(Tid(tid));
            return Err(stop);
        }
        Ok(())
    });
    found
}

/// Most descriptors that one refresh reads, and for how long it does at most.
const REFRESHED: usize = 20_000;
const REFRESH_TIME: Duration = Duration::from_millis(100);

/// Reads these descriptors of a process's table anew, or all of them; sockets with their state.
/// `None` = there is nothing to read.
pub fn refresh(proc_root: &Path, tgid: Tgid, fds: Option<Vec<Fd>>) -> Option<Targets> {
    let deadline = Instant::now() + REFRESH_TIME;
    let mut open = Open::new(proc_root, tgid, Tid(tgid.0))?;
    let fds = fds.unwrap_or_else(|| open.numbers());
    for fd in fds.into_iter().take(REFRESHED) {
        if Instant::now() >= deadline {
            break;
        }
        open.read(fd);
    }
    let sockets = open
        .so_far()
        .iter()
        .filter_map(SeenTarget::socket)
        .collect();
    let found = socket::find(proc_root, tgid, &sockets, deadline);
    open.tell_sockets(&found);
    open.end()
}
