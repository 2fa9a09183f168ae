//! Readings of one process in /proc.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What tells one open descriptor from the next under the same number, without holding it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A socket's inode number; unique while it lives.
    Socket(u64),
    /// A pipe's inode number.
    Pipe(u64),
    /// An eventfd's id.
    Eventfd(u64),
    /// A timerfd's clock and interval, as fdinfo prints them; the lab's are all different.
    Timerfd(String),
    /// A file's device and inode number.
    File(u64, u64),
    /// Anything else: its link's text.
    Other(String),
}

/// What a descriptor is, coarsely: what expectations speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HandleSort {
    /// Socket.
    Socket,
    /// Pipe.
    Pipe,
    /// eventfd.
    Eventfd,
    /// timerfd.
    Timerfd,
    /// File, directory or device.
    File,
    /// Anything else.
    Other,
}

impl Identity {
    /// What it is.
    pub fn sort(&self) -> HandleSort {
        match self {
            Self::Socket(_) => HandleSort::Socket,
            Self::Pipe(_) => HandleSort::Pipe,
            Self::Eventfd(_) => HandleSort::Eventfd,
            Self::Timerfd(_) => HandleSort::Timerfd,
            Self::File(..) => HandleSort::File,
            Self::Other(_) => HandleSort::Other,
        }
    }
}

impl HandleSort {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Pipe => "pipe",
            Self::Eventfd => "eventfd",
            Self::Timerfd => "timerfd",
            Self::File => "file",
            Self::Other => "handle",
        }
    }
}

/// Its threads' numbers.
pub(super) fn tids(root: &Path, pid: u32) -> io::Result<HashSet<u32>> {
    numbered(&root.join(format!("{pid}/task")))
}

/// Its open descriptors' numbers.
pub(super) fn numbers(root: &Path, pid: u32) -> io::Result<HashSet<u32>> {
    numbered(&root.join(format!("{pid}/fd")))
}

/// A thread's start in clock ticks; `None` = it has ended (or is a zombie: nothing of it is left
/// but its number).
pub(super) fn start_ticks(root: &Path, pid: u32, tid: u32) -> Option<u64> {
    let stat = fs::read(root.join(format!("{pid}/task/{tid}/stat"))).ok()?;
    // The name may hold anything, parentheses and newlines too: fields count from its last one.
    let after = stat.iter().rposition(|&byte| byte == b')')? + 2;
    let fields = String::from_utf8_lossy(&stat[after..]).into_owned();
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    // State is field 3; the start is field 22.
    fields.nth(22 - 4)?.parse().ok()
}

/// A descriptor's identity; `None` = it was closed meanwhile.
///
/// # Errors
///
/// It may not be looked at.
pub(super) fn identity(root: &Path, pid: u32, fd: u32) -> io::Result<Option<Identity>> {
    let link = root.join(format!("{pid}/fd/{fd}"));
    let Some(target) = unless_gone(fs::read_link(&link), &link)? else {
        return Ok(None);
    };
    let text = target.to_string_lossy();
    if let Some(inode) = between(&text, "socket:[") {
        return Ok(Some(Identity::Socket(inode)));
    }
    if let Some(inode) = between(&text, "pipe:[") {
        return Ok(Some(Identity::Pipe(inode)));
    }
    if !text.starts_with('/') {
        let path = root.join(format!("{pid}/fdinfo/{fd}"));
        let Some(info) = unless_gone(fs::read_to_string(&path), &path)? else {
            return Ok(None);
        };
        return Ok(Some(anonymous(&text, &info)));
    }
    let meta = unless_gone(fs::metadata(&link), &link)?;
    Ok(meta.map(|meta| Identity::File(meta.dev(), meta.ino())))
}

fn anonymous(text: &str, info: &str) -> Identity {
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    let eventfd = field("eventfd-id").and_then(|id| id.parse().ok());
    match (text, eventfd) {
        ("anon_inode:[eventfd]", Some(id)) => Identity::Eventfd(id),
        ("anon_inode:[timerfd]", _) => Identity::Timerfd(format!(
            "{} {}",
            field("clockid").unwrap_or("?"),
            field("it_interval").unwrap_or("?")
        )),
        _ => Identity::Other(text.to_owned()),
    }
}

fn between(text: &str, start: &str) -> Option<u64> {
    text.strip_prefix(start)?.strip_suffix(']')?.parse().ok()
}

fn numbered(folder: &PathBuf) -> io::Result<HashSet<u32>> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    let mut numbers = HashSet::new();
    for entry in fs::read_dir(folder).map_err(named)? {
        let name = entry.map_err(named)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(numbers)
}

fn unless_gone<T>(read: io::Result<T>, path: &Path) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("{}: {error}", path.display()),
        )),
    }
}
