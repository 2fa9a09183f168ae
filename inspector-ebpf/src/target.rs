//! Is this task ours? The early return of every program.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;

use crate::{bits, maps::TARGETS};

/// The current task.
#[derive(Clone, Copy)]
pub(crate) struct Current {
    pub(crate) tgid: u32,
    pub(crate) tid: u32,
}

/// The current task, target or not.
#[inline(always)]
pub(crate) fn current() -> Current {
    let both = bpf_get_current_pid_tgid();
    Current {
        tgid: (both >> 32) as u32,
        tid: both as u32,
    }
}

/// The current task, if its process is a target.
#[inline(always)]
pub(crate) fn current_target() -> Option<Current> {
    let current = current();
    is_target(current.tgid).then_some(current)
}

/// Whether a process is a target.
#[inline(always)]
pub(crate) fn is_target(tgid: u32) -> bool {
    bits::has(&TARGETS, tgid)
}

/// Follows a newborn process.
#[inline(always)]
pub(crate) fn follow(tgid: u32) {
    bits::set(&TARGETS, tgid);
}

/// Stops following a number that a process of somebody else's was born with.
#[inline(always)]
pub(crate) fn forget(tgid: u32) {
    bits::clear(&TARGETS, tgid);
}
