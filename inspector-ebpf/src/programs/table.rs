//! Sends a descriptor table as the kernel holds it: its two bitmaps, piece by piece.
//!
//! A forked table is copied somewhere between clone's entry and `task_newtask`, and another
//! thread may change the parent's meanwhile, so the child's cannot be computed from it.

use aya_ebpf::{EbpfContext, helpers::generated::bpf_probe_read_kernel};
use aya_log_ebpf::warn;
use inspector_ebpf::abi::{
    record::kind,
    table::{TABLE_PIECES, TABLE_WORDS, TableRecord, piece},
};

use crate::{
    context::Task,
    emit::{reserve, submit},
    target::Current,
};

const WORD_BITS: u32 = 64;
const PIECE_FDS: u32 = TABLE_WORDS as u32 * WORD_BITS;

/// Sends `owner`'s table; `by` is the current task.
#[inline(always)]
pub(crate) fn send(ctx: &impl EbpfContext, owner: Task, by: Current, why: u32) {
    let files = owner.files();
    let Some(table) = files.table() else { return };
    let (tid, tgid) = (owner.tid(), owner.tgid());
    let mut first_fd = 0;
    for index in 0..TABLE_PIECES {
        let Some((mut entry, header)) = reserve::<TableRecord>(kind::TABLE, by) else {
            return;
        };
        let left = table.max_fds.saturating_sub(first_fd);
        // max_fds is a multiple of 64; the kernel never makes a smaller table.
        let words = if left >= PIECE_FDS {
            TABLE_WORDS as u32
        } else {
            left / WORD_BITS
        };
        let mut flags = 0;
        if left <= PIECE_FDS {
            flags |= piece::LAST;
        } else if index == TABLE_PIECES - 1 {
            flags |= piece::LAST | piece::TRUNCATED;
        }
        let record = entry.as_mut_ptr();
        let offset = u64::from(first_fd / 8);
        // SAFETY: the record is reserved for us alone.
        let (open, cloexec) = unsafe { ((&raw mut (*record).open), (&raw mut (*record).cloexec)) };
        if !copy(open.cast(), table.open_fds + offset, words)
            || !copy(cloexec.cast(), table.close_on_exec + offset, words)
        {
            flags |= piece::UNREADABLE;
        }
        // SAFETY: as above; each field of the record is written, the bitmaps just were.
        unsafe {
            (*record).header = header;
            (*record).files = files.address();
            (*record).owner_tid = tid;
            (*record).owner_tgid = tgid;
            (*record).first_fd = first_fd;
            (*record).words = words;
            (*record).why = why;
            (*record).flags = flags;
        }
        submit(entry);
        if flags & piece::LAST != 0 {
            if flags & (piece::TRUNCATED | piece::UNREADABLE) != 0 {
                warn!(ctx, "the table of thread {} could not be sent whole", tid);
            }
            return;
        }
        first_fd += PIECE_FDS;
    }
}

/// Copies `words` words of a bitmap; what lies behind them in the record is not read by anyone.
#[inline(always)]
fn copy(to: *mut u8, from: u64, words: u32) -> bool {
    let bytes = if words >= TABLE_WORDS as u32 {
        TABLE_WORDS as u32 * 8
    } else {
        words * 8
    };
    // SAFETY: the destination has room for TABLE_WORDS words, and the helper checks the source.
    unsafe { bpf_probe_read_kernel(to.cast(), bytes, from as *const _) == 0 }
}
