//! The only way into the ring: reserve, fill, submit, or count the loss.

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    helpers::{bpf_get_smp_processor_id, generated::bpf_ktime_get_boot_ns},
    maps::ring_buf::RingBufEntry,
};
use inspector_ebpf::abi::{
    loss::{Counters, full},
    record::{Header, kind},
};

use crate::{
    maps::{COUNTERS, RING},
    settings::setting,
    target::Current,
};

/// `CLOCK_BOOTTIME`, the clock of `task->start_boottime`.
#[inline(always)]
pub(crate) fn now_ns() -> u64 {
    // SAFETY: the helper takes nothing and only reads a clock.
    unsafe { bpf_ktime_get_boot_ns() }
}

/// Sends the record that `build` makes from its header.
#[inline(always)]
pub(crate) fn emit<T: 'static>(record_kind: u16, by: Current, build: impl FnOnce(Header) -> T) {
    if let Some((mut entry, header)) = reserve::<T>(record_kind, by) {
        entry.write(build(header));
        submit(entry);
    }
}

/// Room for one record, and the header to begin it with; `None` = counted as lost. The caller
/// fills the record in place (it may be larger than a program's stack) and submits it.
#[inline(always)]
pub(crate) fn reserve<T: 'static>(
    record_kind: u16,
    by: Current,
) -> Option<(RingBufEntry<T>, Header)> {
    let counters = COUNTERS.get_ptr_mut(0)?;
    let time_ns = now_ns();
    let index = record_kind as usize;
    if index >= kind::COUNT {
        return None;
    }
    // SAFETY: the pointer is this cpu's value, which the kernel keeps alive while we run.
    let counters: &mut Counters = unsafe { &mut *counters };
    counters.produced[index] += 1;
    let Some(entry) = RING.reserve::<T>(0) else {
        counters.lost[index] += 1;
        counters.lost_total += 1;
        if counters.first_loss_ns == 0 {
            counters.first_loss_ns = time_ns;
        }
        counters.last_loss_ns = time_ns;
        return None;
    };
    let header = Header {
        time_ns,
        lost_before: counters.lost_total,
        tgid: by.tgid,
        tid: by.tid,
        kind: record_kind,
        // SAFETY: the helper takes nothing and only reads the cpu's number.
        cpu: unsafe { bpf_get_smp_processor_id() } as u16,
        len: size_of::<T>() as u32,
    };
    Some((entry, header))
}

/// Hands a filled record over. The reader polls; it is woken only where the loader set a
/// watermark: one wake-up a record costs five times the record.
#[inline(always)]
pub(crate) fn submit<T>(entry: RingBufEntry<T>) {
    let watermark = setting!(wakeup_bytes);
    let flags = if watermark != 0 && RING.query(BPF_RB_AVAIL_DATA.into()) >= watermark.into() {
        BPF_RB_FORCE_WAKEUP
    } else {
        BPF_RB_NO_WAKEUP
    };
    entry.submit(flags.into());
}

/// Counts a map update that failed.
#[inline(always)]
pub(crate) fn count_full(map: usize) {
    if map >= full::COUNT {
        return;
    }
    if let Some(counters) = COUNTERS.get_ptr_mut(0) {
        // SAFETY: the pointer is this cpu's value, which the kernel keeps alive while we run.
        let counters: &mut Counters = unsafe { &mut *counters };
        counters.full[map] += 1;
    }
}
