//! Lives of tasks: birth, rename, exec, exit, and the last switch.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use inspector_ebpf::abi::{
    record::kind,
    table::why,
    thread::{BornRecord, ExecRecord, ExitRecord, RenamedRecord},
};

use super::{table, wait};
use crate::{
    context::Task,
    emit::emit,
    settings::setting,
    target::{Current, current, current_target, follow, forget, is_target},
};

const CLONE_FILES: u64 = 0x400;
const CLONE_THREAD: u64 = 0x1_0000;

/// A task is born: the only hook that sees every birth, io_uring's workers included. It runs in
/// the creator's context before the child does, so a followed child misses nothing.
#[btf_tracepoint(function = "task_newtask")]
#[inline(always)]
pub(crate) fn task_born(ctx: BtfTracePointContext) -> i32 {
    let child = Task(ctx.arg(0));
    let flags: u64 = ctx.arg(1);
    let creator = current();
    let is_thread = flags & CLONE_THREAD != 0;
    let is_ours = is_target(creator.tgid) && (is_thread || setting!(follow_forks) != 0);
    if !is_thread {
        let tgid = child.tgid();
        if is_ours {
            follow(tgid);
        } else {
            // The number may have been a target's that died a moment ago.
            forget(tgid);
        }
    }
    // Of a child that is not followed the death would not be told either.
    if !is_ours {
        return 0;
    }
    emit(kind::BORN, creator, |header| BornRecord {
        header,
        start_ns: child.start_ns(),
        clone_flags: flags,
        files: child.files().address(),
        child_tid: child.tid(),
        child_tgid: child.tgid(),
        comm: child.comm(),
    });
    if flags & CLONE_FILES == 0 {
        table::send(&ctx, child, creator, why::FORK);
    }
    0
}

/// A task is renamed, by itself or by another thread.
#[btf_tracepoint(function = "task_rename")]
#[inline(always)]
pub(crate) fn task_renamed(ctx: BtfTracePointContext) -> i32 {
    let renamed = Task(ctx.arg(0));
    let tgid = renamed.tgid();
    if !is_target(tgid) {
        return 0;
    }
    let name: u64 = ctx.arg(1);
    let by = Current {
        tgid,
        tid: current().tid,
    };
    emit(kind::RENAMED, by, |header| RenamedRecord {
        header,
        tid: renamed.tid(),
        pad: 0,
        comm: crate::context::read_kernel(name),
    });
    0
}

/// A process executed a program. Its other threads are dead, its table is its own and rid of
/// what closes on exec.
#[btf_tracepoint(function = "sched_process_exec")]
#[inline(always)]
pub(crate) fn task_execed(ctx: BtfTracePointContext) -> i32 {
    let Some(current) = current_target() else {
        return 0;
    };
    let task = Task(ctx.arg(0));
    let old_tid: u64 = ctx.arg(1);
    emit(kind::EXEC, current, |header| ExecRecord {
        header,
        start_ns: task.start_ns(),
        files: task.files().address(),
        old_tid: old_tid as u32,
        pad: 0,
        comm: task.comm(),
    });
    table::send(&ctx, task, current, why::EXEC);
    0
}

/// A task begins its exit; its descriptors are still open.
#[btf_tracepoint(function = "sched_process_exit")]
#[inline(always)]
pub(crate) fn task_exiting(_ctx: BtfTracePointContext) -> i32 {
    if let Some(current) = current_target() {
        send_exit(kind::EXITING, current);
    }
    0
}

/// A task leaves the cpu for the last time. For the probe set without waits.
#[btf_tracepoint(function = "sched_switch")]
#[inline(always)]
pub(crate) fn task_gone(ctx: BtfTracePointContext) -> i32 {
    if is_dead(&ctx) {
        gone();
    }
    0
}

/// The task being switched from is dead: `prev_state` (the fourth argument since upstream
/// fa2c3254d7cf) has TASK_DEAD.
#[inline(always)]
pub(crate) fn is_dead(ctx: &BtfTracePointContext) -> bool {
    const TASK_DEAD: u64 = 0x80;
    let state: u64 = ctx.arg(3);
    state & TASK_DEAD != 0
}

/// The current task's last switch.
#[inline(always)]
pub(crate) fn gone() {
    if let Some(current) = current_target() {
        send_exit(kind::GONE, current);
        wait::forget(current.tid);
    }
}

#[inline(always)]
fn send_exit(kind: u16, current: Current) {
    let task = Task::current();
    emit(kind, current, |header| ExitRecord {
        header,
        start_ns: task.start_ns(),
        files: task.files().address(),
    });
}
