//! Descriptor tables as the kernel holds them: its own bitmaps, in pieces.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::record::Header;

/// 64-bit words of each bitmap in one record: 1,024 descriptors.
pub const TABLE_WORDS: usize = 16;
/// Most pieces one table is sent in: 131,072 descriptors. A larger one is `truncated`.
pub const TABLE_PIECES: u32 = 128;

/// A piece of a table's bitmaps, taken in the kernel ([`super::record::kind::TABLE`]). The pieces
/// of one table come in order, `first_fd` rising, the last one flagged.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct TableRecord {
    /// The header.
    pub header: Header,
    /// Kernel address of the `files_struct`.
    pub files: u64,
    /// The thread whose table it is (at a fork: the child).
    pub owner_tid: u32,
    /// That thread's process.
    pub owner_tgid: u32,
    /// The descriptor of bit 0.
    pub first_fd: u32,
    /// Valid words.
    pub words: u32,
    /// One of [`why`].
    pub why: u32,
    /// [`piece`].
    pub flags: u32,
    /// Open descriptors.
    pub open: [u64; TABLE_WORDS],
    /// Those of them that close on exec.
    pub cloexec: [u64; TABLE_WORDS],
}

/// Why a table was read.
pub mod why {
    /// A process (or a thread without CLONE_FILES) was born with a copy.
    pub const FORK: u32 = 0;
    /// exec: what it left open.
    pub const EXEC: u32 = 1;
    /// unshare, or close_range with CLOSE_RANGE_UNSHARE.
    pub const UNSHARE: u32 = 2;
}

/// Bits of [`TableRecord::flags`].
pub mod piece {
    /// No further piece comes.
    pub const LAST: u32 = 1;
    /// The table is larger than can be sent: unknown until audited.
    pub const TRUNCATED: u32 = 2;
    /// A bitmap could not be read: unknown until audited.
    pub const UNREADABLE: u32 = 4;
}

/// A table changed in a way the programs cannot follow ([`super::record::kind::UNSETTLED`]).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct UnsettledRecord {
    /// The header: the thread that did it.
    pub header: Header,
    /// One of [`unsettled`].
    pub why: u32,
    /// The system call's number, by the table that `why` names.
    pub nr: u32,
}

/// Why a table is unsettled.
pub mod unsettled {
    /// An i386 call (`int $0x80`) that may change the table.
    pub const COMPAT: u32 = 0;
    /// An x32 call with a number of its own.
    pub const X32: u32 = 1;
    /// More messages in one recvmmsg than a program looks at.
    pub const MANY_MESSAGES: u32 = 2;
}
