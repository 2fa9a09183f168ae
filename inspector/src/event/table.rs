//! A descriptor table as the kernel holds it, read inside the kernel.

use super::id::{Fd, FilesAddress, Tgid, Tid};

/// A whole table, from the kernel's own bitmaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRead {
    /// The thread whose table it is (at a fork: the child).
    pub owner: Tid,
    /// Its process.
    pub tgid: Tgid,
    /// The thread in whose context it was read (at a fork: the parent).
    pub by: Tid,
    /// The table.
    pub files: Option<FilesAddress>,
    /// Why it was read.
    pub why: TableWhy,
    /// Open numbers, ascending, each with its close-on-exec flag.
    pub open: Vec<(Fd, bool)>,
    /// Whether `open` is all of it; if not, the table is unknown until audited.
    pub complete: bool,
}

/// Why a table was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TableWhy {
    /// A copy of the parent's, at birth.
    Fork,
    /// What exec left open.
    Exec,
    /// The caller's own copy from now on.
    Unshare,
}
