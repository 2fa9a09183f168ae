//! What the application declares about its entries.

use super::{
    id::{Fd, Tgid, Tid},
    text::Text,
};

/// A mark of the provider `lifecycle`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The thread that passed it.
    pub tid: Tid,
    /// Its process.
    pub tgid: Tgid,
    /// The map, as the application numbers its maps.
    pub map: MapId,
    /// The key.
    pub key: Key,
    /// What it declares.
    pub what: Declared,
}

/// A map, within one process.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct MapId(pub u64);

/// A key's first bytes and its whole length. Keys that differ only beyond the copied bytes are
/// not told apart; `is_whole` says whether that can be.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Key {
    /// The copied bytes.
    pub text: Text,
    /// The key's length in bytes.
    pub len: u64,
}

impl Key {
    /// A key that was copied whole.
    pub fn whole(bytes: &[u8]) -> Self {
        Self {
            text: Text::from(bytes),
            len: bytes.len() as u64,
        }
    }

    /// Whether every byte was copied.
    pub fn is_whole(&self) -> bool {
        self.text.bytes().len() as u64 == self.len
    }
}

/// What a mark declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// A store begins.
    StoreBegin {
        /// Span id; `None` = the span is this thread's.
        span: Option<u64>,
    },
    /// It ended.
    StoreEnd {
        /// Span id.
        span: Option<u64>,
    },
    /// A resource now belongs to the entry.
    Own(Owned),
    /// A delete begins.
    DeleteBegin {
        /// The policy's name, if the application gives one.
        policy: Option<Text>,
    },
    /// The key left the map.
    DeleteUnlink,
    /// The delete returned: grace and latency count from here.
    DeleteEnd,
}

/// What is given to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned {
    /// A descriptor of the marking thread's table.
    Handle(Fd),
    /// A thread.
    Thread(Tid),
}
