//! The live threads of a process, from the `stat` file of each.

use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{Mode, OFlags, RawDir},
    io::Errno,
};

use super::BETWEEN_PAUSES;
use crate::event::{id::Tid, scan::SeenThread, text::Comm};

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// What the scan tells of it.
    pub(super) seen: SeenThread,
    /// Its parent process.
    pub(super) parent: u32,
    /// It is in its exit, and may have let go of its table.
    pub(super) exiting: bool,
}

impl Task {
    /// Neither a zombie nor dead.
    pub(super) fn alive(&self) -> bool {
        !matches!(self.seen.state, b'Z' | b'X' | b'x')
    }
}

/// `PF_EXITING` of `include/linux/sched.h`.
const EXITING: u32 = 0x4;
/// A stat line has at most 52 numbers of 20 digits and a name.
const STAT_BYTES: usize = 2048;

/// Every live thread below a process's `task` folder, by ascending tid.
pub(super) fn live(folder: &OwnedFd, pause: &mut dyn FnMut()) -> Result<Vec<Task>, Errno> {
    let mut tasks = Vec::new();
    numbers(folder, |tid| {
        if tasks.len() % BETWEEN_PAUSES == 0 {
            pause();
        }
        tasks.extend(read(folder, Tid(tid))?.filter(Task::alive));
        Ok(())
    })?;
    tasks.sort_unstable_by_key(|task| task.seen.tid);
    Ok(tasks)
}

/// One thread below a folder that has one for each (a process's `task`, or /proc); `None` = it
/// is gone.
pub(super) fn read(folder: &OwnedFd, tid: Tid) -> Result<Option<Task>, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let mut line = [0; STAT_BYTES];
    let read = rustix::fs::openat(folder, format!("{tid}/stat"), flags, Mode::empty())
        .and_then(|file| read_whole(&file, &mut line));
    match read {
        Ok(len) => Ok(parse(&line[..len])),
        // The file outlives its thread while it is open, and says ESRCH then.
        Err(Errno::NOENT | Errno::SRCH) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Calls `found` with each entry of a folder whose name is a number.
pub(super) fn numbers(
    folder: impl AsFd,
    mut found: impl FnMut(u32) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            // The process ended while its folder was read.
            Err(Errno::NOENT | Errno::SRCH) => break,
            Err(errno) => return Err(errno),
        };
        let name = entry.file_name().to_str().ok();
        if let Some(number) = name.and_then(|name| name.parse().ok()) {
            found(number)?;
        }
    }
    Ok(())
}

/// Parses a stat line (proc_pid_stat(5)); `None` = it is no stat line. The name
/// may hold anything, parentheses and newlines too: it ends at the last parenthesis.
pub(super) fn parse(line: &[u8]) -> Option<Task> {
    let open = line.iter().position(|&byte| byte == b'(')?;
    let close = line.iter().rposition(|&byte| byte == b')')?;
    let tid = str::from_utf8(&line[..open]).ok()?.trim().parse().ok()?;
    let comm = line.get(open + 1..close)?;
    let mut fields = str::from_utf8(&line[close + 1..])
        .ok()?
        .split_ascii_whitespace();
    // Fields are numbered from 1, the name is the second.
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let flags: u32 = fields.nth(4)?.parse().ok()?;
    let start_ticks = fields.nth(12)?.parse().ok()?;
    Some(Task {
        seen: SeenThread {
            tid: Tid(tid),
            start_ticks,
            comm: Comm::from_bytes(comm),
            state,
        },
        parent,
        exiting: flags & EXITING != 0,
    })
}

/// Reads a file of /proc into `buffer`, as far as that reaches.
pub(super) fn read_whole(file: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    let mut len = 0;
    while len < buffer.len() {
        match rustix::io::read(file, &mut buffer[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(len)
}

#[cfg(test)]
mod tests;
