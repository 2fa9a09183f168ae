//! A program that does nothing: what any program at every call's exit costs on this machine.
//!
//! Only the overhead benchmark attaches it, to set the cost of `exit_call` beside it.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

/// Exit of any call; nothing.
#[btf_tracepoint(function = "sys_exit")]
#[inline(always)]
pub(crate) fn exit_nothing(_ctx: BtfTracePointContext) -> i32 {
    0
}
