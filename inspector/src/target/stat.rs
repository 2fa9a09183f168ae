//! What /proc says of a process that decides whether it can be watched.

use std::{fs, io, path::Path};

use super::TargetError;
use crate::event::text::Comm;

/// A process or thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stat {
    pub(super) comm: Comm,
    /// The process it belongs to.
    pub(super) tgid: u32,
    pub(super) parent: u32,
    pub(super) threads: u32,
    pub(super) is_zombie: bool,
    pub(super) is_kernel: bool,
}

/// `PF_KTHREAD` of `include/linux/sched.h`.
const KTHREAD: u64 = 0x20_0000;

impl Stat {
    /// `None` = there is no such process.
    pub(super) fn read(proc: &Path, pid: u32) -> Result<Option<Self>, TargetError> {
        let folder = proc.join(pid.to_string());
        let read = |name| {
            let path = folder.join(name);
            match fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes)),
                // The second is what an open file of a process says that has ended since.
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound
                        || error.raw_os_error() == Some(libc::ESRCH) =>
                {
                    Ok(None)
                }
                Err(error) => Err(TargetError::Unreadable { path, error }),
            }
        };
        let (Some(stat), Some(status)) = (read("stat")?, read("status")?) else {
            return Ok(None);
        };
        Ok(Self::parse(&stat, &status, pid))
    }

    /// The name may hold anything, `)` and spaces included: it ends at the last of them.
    fn parse(stat: &[u8], status: &[u8], pid: u32) -> Option<Self> {
        let begin = stat.iter().position(|&byte| byte == b'(')? + 1;
        let end = stat.iter().rposition(|&byte| byte == b')')?;
        let comm = Comm::from_bytes(stat.get(begin..end)?);
        let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
        // Fields 3 and on of proc_pid_stat(5).
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let flags: u64 = fields.nth(4)?.parse().ok()?;
        let threads = fields.nth(10)?.parse().ok()?;
        let tgid = status
            .split(|&byte| byte == b'\n')
            .find_map(|line| line.strip_prefix(b"Tgid:"))
            .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
        Some(Self {
            comm,
            tgid: tgid.unwrap_or(pid),
            parent,
            threads,
            is_zombie: matches!(state, "Z" | "X" | "x"),
            is_kernel: flags & KTHREAD != 0,
        })
    }
}
