//! Who is who: identities that stay true when the kernel uses a number again.

use crate::event::{
    id::{BootTime, Fd, Tgid, Tid},
    mark::{self, MapId},
};

/// A thread: its number, its start and how many programs it has executed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct ThreadName {
    /// Its number.
    pub tid: Tid,
    /// Its process.
    pub tgid: Tgid,
    /// `start_boottime`; `None` = no event has told it yet.
    pub start: Option<BootTime>,
    /// Programs it has executed since it was first seen.
    pub epoch: u32,
}

/// A descriptor: a number of a table, and which of the descriptors that had this number.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct HandleName {
    /// The process the table was first seen with.
    pub tgid: Tgid,
    /// The table, numbered in the order of appearance.
    pub table: u32,
    /// The number.
    pub fd: Fd,
    /// Counts the descriptors of the table, whatever their number.
    pub generation: u32,
}

/// A thread or a handle.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum ResourceName {
    /// A thread.
    Thread(ThreadName),
    /// A handle.
    Handle(HandleName),
}

/// What was stored under a key, once.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct EntryName {
    /// The process.
    pub tgid: Tgid,
    /// The map.
    pub map: MapId,
    /// The key.
    pub key: mark::Key,
    /// Counts the stores of this key.
    pub generation: u32,
}

/// How the ledger came to know of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Origin {
    /// Its birth was seen.
    Announced,
    /// It lived before the attach.
    BeforeAttach,
    /// A copy of it was there at a fork or unshare.
    Inherited,
    /// A poll of /proc found it.
    Polled,
    /// Nothing announced it; a use or an audit showed it.
    Unseen,
}

impl Origin {
    /// The word for it, everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::BeforeAttach => "before attach",
            Self::Inherited => "inherited",
            Self::Polled => "polled",
            Self::Unseen => "unseen",
        }
    }
}
