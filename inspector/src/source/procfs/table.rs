//! The descriptors of one table, read through one of the threads that use it.

use std::{ffi::CString, io::Write as _};

use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, FileType, Mode, OFlags, StatxFlags},
    io::Errno,
};

use super::{BETWEEN_PAUSES, kind, task};
use crate::event::{
    handle::HandleKind,
    id::{Fd, Tid},
    scan::SeenHandle,
    text::Text,
};

/// `O_CLOEXEC` as fdinfo prints it, in octal.
const CLOEXEC: u32 = 0o2_000_000;
/// File-system type of POSIX message queues (`include/uapi/linux/magic.h`).
const MQUEUE_MAGIC: u64 = 0x1980_0202;

/// The descriptors of the table that `user` uses, in ascending order. What closes meanwhile is
/// left out. Close-on-exec flags, and what kind of file a path is, are read only in tables of at
/// most `full_up_to` descriptors.
///
/// # Errors
/// What the kernel says where the table can't be read; a thread that is gone has an empty one.
pub(super) fn read(
    tasks: &OwnedFd,
    user: Tid,
    full_up_to: usize,
    pause: &mut dyn FnMut(),
) -> Result<Vec<SeenHandle>, Errno> {
    let folder = |name| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(tasks, format!("{user}/{name}"), flags, Mode::empty())
    };
    let links = match folder("fd") {
        Ok(links) => links,
        Err(errno) if vanished(errno) => return Ok(Vec::new()),
        Err(errno) => return Err(errno),
    };
    let mut numbers = Vec::new();
    task::numbers(&links, |fd| {
        numbers.push(fd);
        Ok(())
    })?;
    numbers.sort_unstable();
    let full = numbers.len() <= full_up_to;
    // A system without fdinfo, or a tree of a test, has no flags to tell.
    let infos = if full { folder("fdinfo").ok() } else { None };
    let mut reader = Reader {
        links,
        infos,
        full,
        name: Vec::new(),
        link: Vec::new(),
    };
    let mut handles = Vec::with_capacity(numbers.len());
    for (index, fd) in numbers.into_iter().enumerate() {
        if index % BETWEEN_PAUSES == 0 {
            pause();
        }
        handles.extend(reader.handle(fd)?);
    }
    Ok(handles)
}

/// Keeps its buffers from one descriptor to the next.
pub(super) struct Reader {
    links: OwnedFd,
    infos: Option<OwnedFd>,
    full: bool,
    name: Vec<u8>,
    link: Vec<u8>,
}

impl Reader {
    /// Reads single descriptors of the table with these links, looking closely but for their
    /// flags.
    pub(super) fn new(links: OwnedFd) -> Self {
        Self {
            links,
            infos: None,
            full: true,
            name: Vec::new(),
            link: Vec::new(),
        }
    }

    /// The folder of links.
    pub(super) fn links(&self) -> &OwnedFd {
        &self.links
    }

    /// One descriptor; `None` = it is closed.
    pub(super) fn handle(&mut self, fd: u32) -> Result<Option<SeenHandle>, Errno> {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        write!(name, "{fd}").expect("a vector takes all bytes");
        let name = CString::new(name).expect("digits hold no NUL");
        let handle =
            match rustix::fs::readlinkat(&self.links, &name, std::mem::take(&mut self.link)) {
                Ok(target) => {
                    let target = target.into_bytes();
                    let handle = SeenHandle {
                        fd: Fd(fd),
                        kind: self.kind(&name, &target),
                        cloexec: self.cloexec(&name),
                        target: Text::from(target.as_slice()),
                    };
                    self.link = target;
                    Ok(Some(handle))
                }
                Err(errno) if vanished(errno) => Ok(None),
                Err(errno) => Err(errno),
            };
        self.name = name.into_bytes();
        handle
    }

    fn kind(&self, name: &CString, target: &[u8]) -> HandleKind {
        let kind = kind::of_link(target);
        if kind != HandleKind::Opened || !self.full {
            return kind;
        }
        // Without asking the file's server, which may not answer.
        let stat = rustix::fs::statx(
            &self.links,
            name,
            AtFlags::STATX_DONT_SYNC,
            StatxFlags::TYPE,
        );
        let Ok(stat) = stat else { return kind };
        match FileType::from_raw_mode(stat.stx_mode.into()) {
            FileType::Directory => HandleKind::Directory,
            FileType::CharacterDevice | FileType::BlockDevice => HandleKind::Device,
            FileType::Fifo => HandleKind::Pipe,
            FileType::Socket => HandleKind::Socket,
            FileType::RegularFile if self.is_queue(name, target) => HandleKind::Mqueue,
            FileType::RegularFile => HandleKind::File,
            _ => kind,
        }
    }

    /// Whether a regular file is a message queue. Their links show a bare `/name`, as if they
    /// lay in the root, so only such are asked.
    fn is_queue(&self, name: &CString, target: &[u8]) -> bool {
        if target.iter().filter(|&&byte| byte == b'/').count() != 1 {
            return false;
        }
        let file = rustix::fs::openat(
            &self.links,
            name,
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        );
        file.and_then(rustix::fs::fstatfs)
            .is_ok_and(|fs| u64::try_from(fs.f_type) == Ok(MQUEUE_MAGIC))
    }

    fn cloexec(&self, name: &CString) -> Option<bool> {
        let infos = self.infos.as_ref()?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(infos, name, flags, Mode::empty()).ok()?;
        // "pos:" and "flags:" come first; some kinds' files go on for pages.
        let mut buffer = [0; 128];
        let len = rustix::io::read(&file, &mut buffer).ok()?;
        parse_cloexec(&buffer[..len])
    }
}

/// The close-on-exec flag from the start of an fdinfo file.
fn parse_cloexec(info: &[u8]) -> Option<bool> {
    let flags = info
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(b"flags:"))?;
    let flags = u32::from_str_radix(str::from_utf8(flags).ok()?.trim(), 8).ok()?;
    Some(flags & CLOEXEC != 0)
}

fn vanished(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_fdinfo() {
        let info = b"pos:\t0\nflags:\t02100002\nmnt_id:\t15\n";
        assert_eq!(parse_cloexec(info), Some(true));
        assert_eq!(parse_cloexec(b"pos:\t0\nflags:\t0100002\n"), Some(false));
        assert_eq!(parse_cloexec(b"pos:\t0\n"), None);
        assert_eq!(parse_cloexec(b"flags:\t9\n"), None);
        assert_eq!(parse_cloexec(b""), None);
    }
}
