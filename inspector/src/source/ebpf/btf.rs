//! The kernel's type information (BTF): where a member lies in its structure, and which
//! tracepoints there are.
//!
//! aya loads BTF but keeps the members of structures to itself, and its programs get no field
//! relocations; so this reads them. The format is the kernel's
//! `Documentation/bpf/btf.rst`. Every access is bounds-checked and every walk is bounded: bytes
//! of any content give an answer or an error.

use std::collections::HashMap;

/// Type information, indexed.
#[derive(Debug)]
pub struct Btf<'data> {
    types: &'data [u8],
    strings: &'data [u8],
    /// Start of each type in `types`; type 0 is void and has none.
    starts: Vec<u32>,
    /// Structures, unions and typedefs by name; the first of each name and kind.
    names: HashMap<(&'data [u8], u8), u32>,
}

/// Why bytes are not type information.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BtfError {
    /// The header is short or names ranges outside the bytes.
    #[error("the header is damaged")]
    Header,
    /// Not this machine's byte order, or not BTF at all.
    #[error("magic number {0:#06x} instead of 0xeb9f")]
    Magic(u16),
    /// A type is cut off, or of a kind whose length is not known.
    #[error("type {id} is damaged or of unknown kind {kind}")]
    Type {
        /// Its number.
        id: usize,
        /// Its kind's number.
        kind: u8,
    },
}

/// Kinds of type, by their number in the format.
mod kind {
    pub(super) const INT: u8 = 1;
    pub(super) const PTR: u8 = 2;
    pub(super) const ARRAY: u8 = 3;
    pub(super) const STRUCT: u8 = 4;
    pub(super) const UNION: u8 = 5;
    pub(super) const ENUM: u8 = 6;
    pub(super) const FWD: u8 = 7;
    pub(super) const TYPEDEF: u8 = 8;
    pub(super) const VOLATILE: u8 = 9;
    pub(super) const CONST: u8 = 10;
    pub(super) const RESTRICT: u8 = 11;
    pub(super) const FUNC: u8 = 12;
    pub(super) const FUNC_PROTO: u8 = 13;
    pub(super) const VAR: u8 = 14;
    pub(super) const DATASEC: u8 = 15;
    pub(super) const FLOAT: u8 = 16;
    pub(super) const DECL_TAG: u8 = 17;
    pub(super) const TYPE_TAG: u8 = 18;
    pub(super) const ENUM64: u8 = 19;
}

const MAGIC: u16 = 0xeb9f;
/// Bytes of a type before its kind's own data: name, info, size or type.
const TYPE_BYTES: usize = 12;
/// Bytes of a structure's member: name, type, offset.
const MEMBER_BYTES: usize = 12;
/// Deepest nesting of anonymous members and of modifiers followed; the kernel's own checker
/// stops at 32.
const DEPTH: u32 = 32;
/// Most members looked at in one search. Nested anonymous members of garbled type information
/// could otherwise multiply; `task_struct`, the largest here, has some 300.
const MEMBERS: u32 = 100_000;

#[derive(Clone, Copy)]
struct Type<'data> {
    name: u32,
    kind: u8,
    /// In a structure: offsets carry a bit-field's size in their upper byte.
    flag: bool,
    count: usize,
    /// Size in bytes, or the type referred to.
    size_or_type: u32,
    /// The kind's own data.
    data: &'data [u8],
}

/// A member of a structure.
#[derive(Clone, Copy)]
struct Member {
    name: u32,
    of: u32,
    bit: u32,
}

impl<'data> Btf<'data> {
    /// Indexes type information in this machine's byte order, as /sys/kernel/btf/vmlinux has it.
    ///
    /// # Errors
    /// See [`BtfError`]; one damaged type spoils the rest, because types have no other index.
    pub fn parse(bytes: &'data [u8]) -> Result<Self, BtfError> {
        let magic = bytes
            .first_chunk()
            .map(|pair| u16::from_ne_bytes(*pair))
            .ok_or(BtfError::Header)?;
        if magic != MAGIC {
            return Err(BtfError::Magic(magic));
        }
        let header_bytes = u32_at(bytes, 4).ok_or(BtfError::Header)? as usize;
        let range = |offset_at, len_at| {
            let start = header_bytes.checked_add(u32_at(bytes, offset_at)? as usize)?;
            bytes.get(start..start.checked_add(u32_at(bytes, len_at)? as usize)?)
        };
        let types = range(8, 12).ok_or(BtfError::Header)?;
        let strings = range(16, 20).ok_or(BtfError::Header)?;
        let mut btf = Self {
            types,
            strings,
            starts: vec![u32::MAX],
            names: HashMap::new(),
        };
        btf.index()?;
        Ok(btf)
    }

    fn index(&mut self) -> Result<(), BtfError> {
        let mut start = 0;
        while start < self.types.len() {
            let id = self.starts.len();
            let damaged = |kind| BtfError::Type { id, kind };
            let number = u32::try_from(id).map_err(|_| damaged(0))?;
            let found = type_at(self.types, start).map_err(damaged)?;
            self.starts
                .push(u32::try_from(start).map_err(|_| damaged(found.kind))?);
            if matches!(found.kind, kind::STRUCT | kind::UNION | kind::TYPEDEF) {
                let name = self.string(found.name);
                if !name.is_empty() {
                    self.names.entry((name, found.kind)).or_insert(number);
                }
            }
            start += TYPE_BYTES + found.data.len();
        }
        Ok(())
    }

    /// How many types there are, void included.
    pub fn types(&self) -> usize {
        self.starts.len()
    }

    /// Offset in bytes of a member of `structure`, its path given name by name. Anonymous members
    /// are looked into, as C does. `None` = no such member, or a bit-field that starts within a
    /// byte.
    pub fn member_offset(&self, structure: &str, path: &[&str]) -> Option<u32> {
        let mut current = *self.names.get(&(structure.as_bytes(), kind::STRUCT))?;
        let mut bit = 0u32;
        for name in path {
            let mut budget = MEMBERS;
            let member = self.find(self.plain(current)?, name.as_bytes(), DEPTH, &mut budget)?;
            bit = bit.checked_add(member.bit)?;
            current = member.of;
        }
        bit.is_multiple_of(8).then_some(bit / 8)
    }

    /// Number of the type that a `tp_btf` program on this tracepoint is attached to; `None` = the
    /// kernel does not have the tracepoint.
    pub fn tracepoint_type(&self, name: &str) -> Option<u32> {
        let typedef = format!("btf_trace_{name}");
        let id = self.names.get(&(typedef.as_bytes(), kind::TYPEDEF))?;
        Some(*id)
    }

    /// How many arguments a `tp_btf` program gets at this tracepoint (they change between
    /// versions); `None` = the kernel does not have it.
    pub fn tracepoint_args(&self, name: &str) -> Option<usize> {
        let pointer = self.get(self.plain(self.tracepoint_type(name)?)?)?;
        if pointer.kind != kind::PTR {
            return None;
        }
        let prototype = self.get(self.plain(pointer.size_or_type)?)?;
        // The first parameter is the tracepoint's private data, which programs don't get.
        (prototype.kind == kind::FUNC_PROTO).then(|| prototype.count.saturating_sub(1))
    }

    /// Finds a member by name in structure `id`, with its offset from the start of `id`.
    fn find(&self, id: u32, name: &[u8], depth: u32, budget: &mut u32) -> Option<Member> {
        let structure = self.get(id)?;
        if !matches!(structure.kind, kind::STRUCT | kind::UNION) {
            return None;
        }
        let depth = depth.checked_sub(1)?;
        for index in 0..structure.count {
            *budget = budget.checked_sub(1)?;
            let member = structure.member(index)?;
            let own_name = self.string(member.name);
            if own_name == name {
                return Some(member);
            }
            if !own_name.is_empty() {
                continue;
            }
            let inner = self
                .plain(member.of)
                .and_then(|inner| self.find(inner, name, depth, budget));
            if let Some(inner) = inner {
                return Some(Member {
                    bit: member.bit.checked_add(inner.bit)?,
                    ..inner
                });
            }
        }
        None
    }

    /// What a type is behind typedefs and qualifiers.
    fn plain(&self, mut id: u32) -> Option<u32> {
        for _ in 0..DEPTH {
            let found = self.get(id)?;
            match found.kind {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    id = found.size_or_type;
                }
                _ => return Some(id),
            }
        }
        None
    }

    fn get(&self, id: u32) -> Option<Type<'data>> {
        let start = *self.starts.get(id as usize)?;
        type_at(self.types, start as usize).ok()
    }

    /// A string of the string section; a name outside it is taken as empty.
    fn string(&self, offset: u32) -> &'data [u8] {
        let rest = self.strings.get(offset as usize..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(rest.len());
        &rest[..end]
    }
}

impl Type<'_> {
    fn member(&self, index: usize) -> Option<Member> {
        let at = index.checked_mul(MEMBER_BYTES)?;
        let offset = u32_at(self.data, at + 8)?;
        Some(Member {
            name: u32_at(self.data, at)?,
            of: u32_at(self.data, at + 4)?,
            bit: if self.flag {
                offset & 0x00ff_ffff
            } else {
                offset
            },
        })
    }
}

/// The type that starts at a byte of the type section; its kind's number where it is damaged.
fn type_at(types: &[u8], start: usize) -> Result<Type<'_>, u8> {
    let name = u32_at(types, start).ok_or(0)?;
    let info = u32_at(types, start + 4).ok_or(0)?;
    let size_or_type = u32_at(types, start + 8).ok_or(0)?;
    let kind = (info >> 24 & 0x1f) as u8;
    let count = (info & 0xffff) as usize;
    let data_bytes = match kind {
        kind::PTR
        | kind::FWD
        | kind::TYPEDEF
        | kind::VOLATILE
        | kind::CONST
        | kind::RESTRICT
        | kind::FUNC
        | kind::FLOAT
        | kind::TYPE_TAG => 0,
        kind::INT | kind::VAR | kind::DECL_TAG => 4,
        kind::ARRAY => 12,
        kind::STRUCT | kind::UNION => MEMBER_BYTES * count,
        kind::ENUM | kind::FUNC_PROTO => 8 * count,
        kind::DATASEC | kind::ENUM64 => 12 * count,
        other => return Err(other),
    };
    let data_start = start + TYPE_BYTES;
    let data = types.get(data_start..data_start + data_bytes).ok_or(kind)?;
    Ok(Type {
        name,
        kind,
        flag: info >> 31 == 1,
        count,
        size_or_type,
        data,
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*four))
}

#[cfg(test)]
mod tests;
