//! The name by which a call opened something.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::record::Header;

/// Most bytes of a name, its NUL included.
pub const NAME_BYTES: usize = 128;

/// A call of open's family made a descriptor ([`super::record::kind::NAME`]): the name it was given.
/// Follows the call's own record.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct NameRecord {
    /// The header; its time is a moment after the call's exit.
    pub header: Header,
    /// The number of the descriptor.
    pub fd: u32,
    /// The call: its number of the 64-bit table.
    pub nr: u32,
    /// Valid bytes of `name`, the NUL not among them: [`NAME_BYTES`] less one may be a name cut
    /// off; 0 = it could not be read.
    pub len: u32,
    /// Zero.
    pub pad: u32,
    /// The name as the program gave it, absolute or not.
    pub name: [u8; NAME_BYTES],
}
