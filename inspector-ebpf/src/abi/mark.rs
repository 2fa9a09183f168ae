//! Application-level marks: the USDT provider `lifecycle`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::record::Header;

/// Most bytes of a key that are copied. A longer key keeps its full length beside it.
pub const KEY_BYTES: usize = 128;
/// Most bytes of a policy's name that are copied, its NUL included.
pub const POLICY_BYTES: usize = 32;

/// A mark site was passed ([`super::record::kind::MARK`]).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MarkRecord {
    /// The header.
    pub header: Header,
    /// The map's id: any number the application gives.
    pub map: u64,
    /// The key's length in bytes, as passed.
    pub key_len: u64,
    /// Span id of store marks (0 = the thread is the span).
    pub span: u64,
    /// `own`: the descriptor or tid (as the caller's pid namespace numbers it).
    pub number: u64,
    /// One of [`code`].
    pub mark: u16,
    /// Bits of [`flags`].
    pub flags: u16,
    /// Valid bytes of `key`.
    pub key_copied: u16,
    /// Valid bytes of `policy`.
    pub policy_copied: u16,
    /// The key's first bytes.
    pub key: [u8; KEY_BYTES],
    /// The policy's name.
    pub policy: [u8; POLICY_BYTES],
}

/// The probes of the provider. The arguments of each, in order:
/// `store_begin(map, key, key_len, span)`, `store_end(map, key, key_len, span)`,
/// `own(map, key, key_len, what, number)` with `what` 0 for a descriptor and 1 for a tid,
/// `delete_begin(map, key, key_len, policy)` with `policy` a NUL-terminated name or null,
/// `delete_unlink(map, key, key_len)`, `delete_end(map, key, key_len)`.
pub mod code {
    /// A store begins on this thread.
    pub const STORE_BEGIN: u16 = 0;
    /// It ended.
    pub const STORE_END: u16 = 1;
    /// A resource is given to an entry.
    pub const OWN: u16 = 2;
    /// A delete begins.
    pub const DELETE_BEGIN: u16 = 3;
    /// The key left the map.
    pub const DELETE_UNLINK: u16 = 4;
    /// The delete returned.
    pub const DELETE_END: u16 = 5;
    /// How many there are.
    pub const COUNT: usize = 6;
    /// The probe names, by number.
    pub const NAMES: [&str; COUNT] = [
        "store_begin",
        "store_end",
        "own",
        "delete_begin",
        "delete_unlink",
        "delete_end",
    ];
}

/// Bits of [`MarkRecord::flags`].
pub mod flags {
    /// `own`: `number` is a tid, not a descriptor.
    pub const TID: u16 = 1;
    /// The key could not be read from the caller's memory.
    pub const KEY_UNREADABLE: u16 = 2;
    /// The policy could not be read.
    pub const POLICY_UNREADABLE: u16 = 4;
    /// An argument has a form the programs cannot follow, or could not be read.
    pub const ARGUMENT_UNREADABLE: u16 = 8;
}

/// Most mark sites attached at once (values of the map `SITES`, by the probe's cookie).
pub const SITES: u32 = 4096;
/// Most arguments of a mark.
pub const ARGS: usize = 5;

/// Where one argument of a site lies.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Argument {
    /// Constant, or displacement of a memory operand.
    pub value: i64,
    /// Byte offset of the (base) register in `pt_regs`.
    pub register: u16,
    /// One of [`place`].
    pub place: u8,
    /// Size in bytes: 1, 2, 4 or 8.
    pub size: u8,
    /// 1 = sign-extended.
    pub signed: u8,
    /// log2 of the index register's scale.
    pub scale: u8,
    /// Byte offset of the index register in `pt_regs`, or [`NO_REGISTER`].
    pub index: u16,
}

/// No such register.
pub const NO_REGISTER: u16 = u16::MAX;

/// Kinds of [`Argument`].
pub mod place {
    /// Not given.
    pub const NONE: u8 = 0;
    /// The constant `value`.
    pub const CONSTANT: u8 = 1;
    /// A register.
    pub const REGISTER: u8 = 2;
    /// Memory at register (+ index << scale) + `value`.
    pub const MEMORY: u8 = 3;
}

/// One attached site.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Site {
    /// One of [`code`].
    pub mark: u16,
    /// Given arguments.
    pub args: u16,
    /// Zero.
    pub pad: u32,
    /// The arguments.
    pub arg: [Argument; ARGS],
}
