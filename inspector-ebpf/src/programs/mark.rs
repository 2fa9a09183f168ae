//! Mark sites of the USDT provider `lifecycle`: reads a site's arguments by its cookie.

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{
        bpf_get_attach_cookie, bpf_probe_read_kernel, bpf_probe_read_user, bpf_probe_read_user_str,
    },
    macros::uprobe,
    programs::ProbeContext,
};
use aya_log_ebpf::warn;
use inspector_ebpf::abi::{
    mark::{ARGS, Argument, KEY_BYTES, MarkRecord, NO_REGISTER, POLICY_BYTES, code, flags, place},
    record::kind,
};

use crate::{
    context::read_user,
    emit::{reserve, submit},
    maps::SITES,
    target::current_target,
};

/// Words of `pt_regs` (21), rounded up so that an index can be masked.
const REGISTER_WORDS: usize = 32;
const PT_REGS_BYTES: u32 = 21 * 8;
type Registers = [u64; REGISTER_WORDS];

/// A mark site is passed.
#[uprobe]
#[inline(always)]
pub(crate) fn mark_passed(ctx: ProbeContext) -> u32 {
    let Some(current) = current_target() else {
        return 0;
    };
    // SAFETY: the helper reads the cookie of this very attachment.
    let cookie = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    let Some(site) = SITES.get(cookie as u32) else {
        return 0;
    };
    let mut registers: Registers = [0; REGISTER_WORDS];
    // The verifier rejects a program's context at an offset it cannot see, so the registers are
    // read into a local first.
    // SAFETY: the context of a uprobe is its `pt_regs`; the local has room for it.
    let _zeros_when_unreadable = unsafe {
        bpf_probe_read_kernel(registers.as_mut_ptr().cast(), PT_REGS_BYTES, ctx.as_ptr())
    };
    let Some((mut entry, header)) = reserve::<MarkRecord>(kind::MARK, current) else {
        return 0;
    };
    let record = entry.as_mut_ptr();
    let mut given = [0_u64; ARGS];
    let mut bits = 0;
    let mut index = 0;
    while index < ARGS {
        match value(&site.arg[index], &registers) {
            Some(argument) => given[index] = argument,
            None if index < site.args as usize => bits |= flags::ARGUMENT_UNREADABLE,
            None => {}
        }
        index += 1;
    }
    let [map, key, key_len, fourth, fifth] = given;
    let (mut span, mut number, mut policy_copied) = (0, 0, 0);
    match site.mark {
        code::STORE_BEGIN | code::STORE_END => span = fourth,
        code::OWN => {
            number = fifth;
            if fourth == 1 {
                bits |= flags::TID;
            }
        }
        code::DELETE_BEGIN if fourth != 0 => {
            // SAFETY: the record is reserved for us alone; the helper checks the source.
            let copied = unsafe {
                bpf_probe_read_user_str(
                    (&raw mut (*record).policy).cast(),
                    POLICY_BYTES as u32,
                    fourth as *const _,
                )
            };
            if copied > 0 {
                policy_copied = (copied - 1) as u16;
            } else {
                bits |= flags::POLICY_UNREADABLE;
            }
        }
        _ => {}
    }
    let bytes = if key_len > KEY_BYTES as u64 {
        KEY_BYTES as u32
    } else {
        key_len as u32
    };
    // SAFETY: as above; `bytes` fits the key's field.
    let failed =
        unsafe { bpf_probe_read_user((&raw mut (*record).key).cast(), bytes, key as *const _) }
            != 0;
    if failed {
        bits |= flags::KEY_UNREADABLE;
        warn!(&ctx, "the key of a mark at {:x} is not in memory", key);
    }
    // SAFETY: as above; the key's and the policy's first bytes were just written.
    unsafe {
        (*record).header = header;
        (*record).map = map;
        (*record).key_len = key_len;
        (*record).span = span;
        (*record).number = number;
        (*record).mark = site.mark;
        (*record).flags = bits;
        (*record).key_copied = if failed { 0 } else { bytes as u16 };
        (*record).policy_copied = policy_copied;
    }
    submit(entry);
    0
}

/// One argument of a site, extended to 64 bits.
#[inline(always)]
fn value(argument: &Argument, registers: &Registers) -> Option<u64> {
    let raw = match argument.place {
        place::CONSTANT => return Some(argument.value as u64),
        place::REGISTER => register(registers, argument.register),
        place::MEMORY => {
            let mut address =
                register(registers, argument.register).wrapping_add(argument.value as u64);
            if argument.index != NO_REGISTER {
                let scale = u64::from(argument.scale & 3);
                address = address.wrapping_add(register(registers, argument.index) << scale);
            }
            match argument.size {
                1 => u64::from(read_user::<u8>(address)?),
                2 => u64::from(read_user::<u16>(address)?),
                4 => u64::from(read_user::<u32>(address)?),
                _ => read_user::<u64>(address)?,
            }
        }
        _ => return None,
    };
    Some(extend(raw, argument.size, argument.signed != 0))
}

#[inline(always)]
fn register(registers: &Registers, offset: u16) -> u64 {
    registers[(offset as usize / 8) & (REGISTER_WORDS - 1)]
}

#[inline(always)]
fn extend(raw: u64, size: u8, signed: bool) -> u64 {
    match (size, signed) {
        (1, false) => u64::from(raw as u8),
        (1, true) => raw as i8 as u64,
        (2, false) => u64::from(raw as u16),
        (2, true) => raw as i16 as u64,
        (4, false) => u64::from(raw as u32),
        (4, true) => raw as i32 as u64,
        _ => raw,
    }
}
