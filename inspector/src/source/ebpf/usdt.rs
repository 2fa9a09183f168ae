//! Where an ELF file's USDT probes lie, read from its `.note.stapsdt` sections.
//!
//! The notes are SystemTap's ("UserSpaceProbeImplementation" in its wiki): owner `stapsdt`, type
//! 3, and in the description three addresses (the probe, the link-time address of the section
//! `.stapsdt.base`, a semaphore or 0) and three strings (provider, name, arguments). They survive
//! strip. The file is somebody else's: every size in it is checked, and no more of it is read
//! than a budget allows.

use std::{cell::Cell, fs, ops::Range};

use inspector_ebpf::abi::mark::{self, ARGS, Argument, Site};
use object::{
    Endianness, ReadCache, ReadRef,
    elf::{self, FileHeader64},
    read::elf::{FileHeader as _, ProgramHeader as _, SectionHeader as _},
};

use crate::event::text::Text;

use argument::Unsupported;

pub mod argument;

/// The provider of the marks.
pub const PROVIDER: &[u8] = b"lifecycle";

/// One probe site. A probe that the compiler inlined has several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Who provides it.
    pub provider: Text,
    /// Its name.
    pub name: Text,
    /// Its address as the file is linked (not as it is loaded).
    pub address: u64,
    /// Where its instruction lies in the file, in bytes: what a uprobe is attached to.
    pub offset: u64,
    /// Where its semaphore lies in the file, in bytes: a uprobe's reference counter. The program
    /// passes the probe only while that counter is not 0.
    pub semaphore: Option<u64>,
    /// What is there.
    pub instruction: Instruction,
    /// Its argument string, as written in the note.
    pub arguments: Text,
}

/// The instruction at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// The ordinary one-byte nop.
    Nop,
    /// `nopl 0(%rax,%rax,1)`. Kernels that turn it into a call kill children forked afterwards:
    /// see [`kernel_optimizes_nop5`].
    Nop5,
    /// Something else, which the kernel steps or emulates.
    Other,
}

/// The probes of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Those that can be attached, in the notes' order.
    pub sites: Vec<Probe>,
    /// Why others can't, note by note.
    pub unusable: Vec<&'static str>,
}

/// Why a file's probes can't be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsdtError {
    /// Not a 64-bit ELF file, or a damaged one.
    #[error("not a readable 64-bit ELF file: {0}")]
    Elf(String),
    /// For another processor.
    #[error("an ELF file for another processor (machine {0})")]
    Machine(u16),
}

/// Most bytes read of one file; the largest Java machine's notes and headers are some 100 KB.
const READ_BUDGET_BYTES: u64 = 64 << 20;
/// Most notes looked at in one file.
const NOTES: usize = 65_536;
const NOP: u8 = 0x90;
const NOP5: [u8; 5] = [0x0f, 0x1f, 0x44, 0x00, 0x00];

/// Reads the probes of an ELF file, for example of `/proc/PID/exe`. A file without notes has
/// none.
///
/// # Errors
/// See [`UsdtError`].
pub fn probes(file: fs::File) -> Result<Probes, UsdtError> {
    let cache = ReadCache::new(file);
    let budget = Cell::new(READ_BUDGET_BYTES);
    probes_in(Budgeted {
        data: &cache,
        budget: &budget,
    })
}

/// Whether this kernel (its `uname -r`) turns 5-byte nops under uprobes into calls: from 6.18 on
/// (upstream "uprobes/x86: Add support to optimize uprobes").
pub fn kernel_optimizes_nop5(release: &str) -> bool {
    // A release that can't be read may be a new one.
    super::kernel::version(release).is_none_or(|version| version >= (6, 18))
}

impl Probe {
    /// Its arguments, each as the programs read it, or why they can't.
    pub fn args(&self) -> Vec<Result<Argument, Unsupported>> {
        argument::parse_all(self.arguments.bytes())
    }

    /// Which mark it is (`inspector_ebpf::abi::mark::code`), if it is one.
    pub fn mark(&self) -> Option<u16> {
        if self.provider.bytes() != PROVIDER {
            return None;
        }
        let number = mark::code::NAMES
            .iter()
            .position(|name| name.as_bytes() == self.name.bytes())?;
        u16::try_from(number).ok()
    }

    /// What the programs are told of this site, if it is a mark, and the arguments they will not
    /// be able to read (left as `place::NONE`). Arguments beyond the ABI's five are left out.
    pub fn site(&self) -> Option<(Site, Vec<Unsupported>)> {
        let mark = self.mark()?;
        let mut site = Site {
            mark,
            args: 0,
            pad: 0,
            arg: [Argument::default(); ARGS],
        };
        let mut unsupported = Vec::new();
        for (slot, parsed) in site.arg.iter_mut().zip(self.args()) {
            site.args += 1;
            match parsed {
                Ok(argument) => *slot = argument,
                Err(why) => unsupported.push(why),
            }
        }
        Some((site, unsupported))
    }
}

/// Gives out no more bytes than its budget, so that a file of a few bytes that claims a million
/// sections costs no more than its budget.
#[derive(Clone, Copy)]
struct Budgeted<'budget, R> {
    data: R,
    budget: &'budget Cell<u64>,
}

impl<R> Budgeted<'_, R> {
    fn spend(&self, bytes: u64) -> Result<(), ()> {
        let left = self.budget.get().checked_sub(bytes).ok_or(())?;
        self.budget.set(left);
        Ok(())
    }
}

impl<'data, R: ReadRef<'data>> ReadRef<'data> for Budgeted<'_, R> {
    fn len(self) -> Result<u64, ()> {
        self.data.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'data [u8], ()> {
        self.spend(size)?;
        self.data.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'data [u8], ()> {
        let found = self.data.read_bytes_at_until(range, delimiter)?;
        self.spend(found.len() as u64)?;
        Ok(found)
    }
}

fn probes_in<'data, R: ReadRef<'data>>(data: R) -> Result<Probes, UsdtError> {
    let damaged = |error: object::read::Error| UsdtError::Elf(error.to_string());
    let header = FileHeader64::<Endianness>::parse(data).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    let machine = header.e_machine(endian);
    if machine != elf::EM_X86_64 {
        return Err(UsdtError::Machine(machine.0));
    }
    let segments = header.program_headers(endian, data).map_err(damaged)?;
    let segments = Segments {
        data,
        loads: segments
            .iter()
            .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
            .map(|segment| Load {
                address: segment.p_vaddr(endian),
                offset: segment.p_offset(endian),
                bytes: segment.p_filesz(endian),
                flags: segment.p_flags(endian),
            })
            .collect(),
    };
    let sections = header.sections(endian, data).map_err(damaged)?;
    let base = sections
        .section_by_name(endian, b".stapsdt.base")
        .map(|(_, section)| section.sh_addr(endian));
    let mut found = Probes::default();
    for section in sections.iter() {
        if sections.section_name(endian, section) != Ok(b".note.stapsdt") {
            continue;
        }
        let Some(mut notes) = section.notes(endian, data).map_err(damaged)? else {
            continue;
        };
        while found.sites.len() + found.unusable.len() < NOTES {
            match notes.next() {
                Ok(Some(note)) if note.name() != b"stapsdt" || note.n_type(endian).0 != 3 => {}
                Ok(Some(note)) => match segments.probe(note.desc(), base) {
                    Ok(probe) => found.sites.push(probe),
                    Err(why) => found.unusable.push(why),
                },
                Ok(None) => break,
                Err(_) => {
                    found
                        .unusable
                        .push("a note's size leads outside its section");
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// The loaded parts of a file.
struct Segments<R> {
    data: R,
    loads: Vec<Load>,
}

struct Load {
    address: u64,
    offset: u64,
    bytes: u64,
    flags: elf::ProgramFlags,
}

impl<'data, R: ReadRef<'data>> Segments<R> {
    /// Where an address lies in the file, in a segment with these permissions.
    fn offset(&self, address: u64, flags: elf::ProgramFlags) -> Option<u64> {
        self.loads.iter().find_map(|load| {
            let within = address.checked_sub(load.address)?;
            if within < load.bytes && load.flags & flags == flags {
                load.offset.checked_add(within)
            } else {
                None
            }
        })
    }

    /// One note's probe. `base` is where `.stapsdt.base` lies now: what it moved since the link
    /// (prelink), the probe moved too.
    fn probe(&self, note: &[u8], base: Option<u64>) -> Result<Probe, &'static str> {
        let short = "a note is too short";
        let address_at = |index: usize| {
            let bytes = note.get(index * 8..)?.first_chunk()?;
            Some(u64::from_le_bytes(*bytes))
        };
        let [location, linked_base, semaphore] = [0, 1, 2].map(address_at);
        let linked_base = linked_base.ok_or(short)?;
        let moved = base.map_or(0, |base| base.wrapping_sub(linked_base));
        let address = location.ok_or(short)?.wrapping_add(moved);
        let mut strings = note.get(24..).ok_or(short)?.splitn(4, |&byte| byte == 0);
        let mut string = || strings.next().map(Text::from);
        let (provider, name, arguments) = (string(), string(), string());
        // What follows the last NUL is padding; without it the last string is cut off.
        strings.next().ok_or(short)?;
        let offset = self
            .offset(address, elf::PF_X)
            .ok_or("a probe lies outside the file's code")?;
        let semaphore = match semaphore.ok_or(short)? {
            0 => None,
            address => Some(
                self.offset(address.wrapping_add(moved), elf::PF_W)
                    .ok_or("a semaphore lies outside the file's data")?,
            ),
        };
        Ok(Probe {
            provider: provider.ok_or(short)?,
            name: name.ok_or(short)?,
            address,
            offset,
            semaphore,
            instruction: self.instruction(offset)?,
            arguments: arguments.ok_or(short)?,
        })
    }

    fn instruction(&self, offset: u64) -> Result<Instruction, &'static str> {
        let first = self
            .data
            .read_bytes_at(offset, 1)
            .map_err(|()| "a probe lies beyond the file's end")?;
        let five = self.data.read_bytes_at(offset, NOP5.len() as u64);
        Ok(if first == [NOP] {
            Instruction::Nop
        } else if five == Ok(&NOP5[..]) {
            Instruction::Nop5
        } else {
            Instruction::Other
        })
    }
}

#[cfg(test)]
mod tests;
