//! Entries of the few calls whose deaths count at their entry: close, close_range, dup2, dup3.
//!
//! An in-flight close frees its number before it returns, and another thread may be handed that
//! number first; the entry's time puts the death before that birth. Classic tracepoints, because
//! they hook these four calls and no other: a hook at every entry costs every process 17 ns a call.

use aya_ebpf::{EbpfContext as _, macros::tracepoint, programs::TracePointContext};

use crate::{
    context::{Task, references},
    emit::now_ns,
    maps::{ENTRIES, ENTRY_SLOTS, Entry},
    target::current_target,
};

/// close(fd).
#[tracepoint]
#[inline(always)]
pub(crate) fn enter_close(ctx: TracePointContext) -> u32 {
    note(&ctx, 0)
}

/// close_range(first, last, flags). No one file is behind it; its table is kept, for
/// CLOSE_RANGE_UNSHARE may give the caller another.
#[tracepoint]
#[inline(always)]
pub(crate) fn enter_close_range(ctx: TracePointContext) -> u32 {
    note(&ctx, TABLE)
}

/// dup2(from, to).
#[tracepoint]
#[inline(always)]
pub(crate) fn enter_dup2(ctx: TracePointContext) -> u32 {
    note(&ctx, 1)
}

/// dup3(from, to, flags).
#[tracepoint]
#[inline(always)]
pub(crate) fn enter_dup3(ctx: TracePointContext) -> u32 {
    note(&ctx, 1)
}

/// In place of the argument that names the file.
const TABLE: usize = usize::MAX;
/// Offset of the first argument in a `sys_enter_*` record; each takes 8 bytes. The call's number
/// stands at 8. (`struct syscall_trace_enter`)
const ARGS_OFFSET: usize = 16;
const NUMBER_OFFSET: usize = 8;

/// Keeps the entry's time, and the file that argument `fd_arg` names, until the call's exit.
#[inline(always)]
fn note(ctx: &TracePointContext, fd_arg: usize) -> u32 {
    let Some(current) = current_target() else {
        return 0;
    };
    let number = read::<u32>(ctx, NUMBER_OFFSET);
    let files = Task::current().files();
    let (object, references) = if fd_arg == TABLE {
        (files.address(), 0)
    } else {
        let fd = read::<u64>(ctx, ARGS_OFFSET + 8 * fd_arg);
        let file = files.file(fd & 0xffff_ffff);
        (file, references(file))
    };
    let Some(slot) = ENTRIES.get_ptr_mut(current.tid % ENTRY_SLOTS) else {
        return 0;
    };
    // SAFETY: a slot of the map. Two threads may share it and write at once; the reader checks
    // whose it is, and what two writers mixed is at worst the time of the other's entry.
    unsafe {
        *slot = Entry {
            time_ns: now_ns(),
            object,
            references,
            nr: number,
            tid: current.tid,
            pad: 0,
        };
    }
    0
}

#[inline(always)]
fn read<T>(ctx: &TracePointContext, offset: usize) -> T {
    // SAFETY: a field of the tracepoint's record; the verifier checks offset and size.
    unsafe {
        ctx.as_ptr()
            .cast_const()
            .cast::<u8>()
            .add(offset)
            .cast::<T>()
            .read_volatile()
    }
}
