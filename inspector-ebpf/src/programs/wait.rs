//! What threads wait in, since when, and who woke them: kept per thread, sent only when long.

use aya_ebpf::{
    helpers::{bpf_probe_read_kernel, generated::bpf_task_pt_regs},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use inspector_ebpf::abi::{
    loss::full,
    record::kind,
    wait::{
        BEFORE_ATTACH, BUCKETS, Blocked, FutexKey, FutexWaits, FutexWakerKey, NOT_A_CALL,
        ThreadWaits, WaitRecord, Waker, waker,
    },
};

use super::thread::{gone, is_dead};
use crate::{
    bits,
    context::{Registers, Task},
    emit::{count_full, emit, now_ns},
    maps::{BLOCKED, FUTEX_WAKERS, FUTEXES, WAITS},
    settings::setting,
    target::{Current, current, is_target},
};

const FUTEX: u64 = 202;
const FUTEX_WAIT: u64 = 455;
/// restart_syscall: the kernel goes on with the call it interrupted.
const RESTART_SYSCALL: u64 = 219;

/// A task leaves the cpu and another gets it. For the probe set with waits.
#[btf_tracepoint(function = "sched_switch")]
#[inline(always)]
pub(crate) fn task_switched(ctx: BtfTracePointContext) -> i32 {
    let next = Task(ctx.arg(2));
    let next = next.tid();
    if let Some(waits) = blocked_now(next) {
        runs(next, waits);
    }
    if is_dead(&ctx) {
        gone();
        return 0;
    }
    let preempted: u64 = ctx.arg(0);
    let state: u64 = ctx.arg(3);
    // The state is an unsigned int in a 64-bit slot; 0 = still runnable.
    if preempted & 1 != 0 || state as u32 == 0 {
        return 0;
    }
    let leaving = current();
    if is_target(leaving.tgid) {
        blocks(leaving, ctx.arg(1));
    }
    0
}

/// The next task has the cpu again.
#[inline(always)]
fn runs(tid: u32, waits: &mut ThreadWaits) {
    waits.off_cpu = 0;
    waits.ran_ns = now_ns();
    if waits.blocked.nr == NOT_A_CALL {
        // A fault or a stop ends here; no call's exit will end it.
        waits.blocked.since_ns = 0;
        bits::clear(&BLOCKED, tid);
    }
}

/// The current task blocks.
#[inline(always)]
fn blocks(current: Current, task: *const u8) {
    let waits = match of(current.tid) {
        Some(waits) => waits,
        None => {
            if WAITS.insert(&current.tid, &EMPTY, 0).is_err() {
                count_full(full::WAITS);
                return;
            }
            let Some(waits) = of(current.tid) else { return };
            waits
        }
    };
    waits.tgid = current.tgid;
    waits.off_cpu = 1;
    // SAFETY: the task is the tracepoint's own argument, the running one.
    let registers = unsafe { bpf_task_pt_regs(task.cast_mut().cast()) } as *const u64;
    if registers.is_null() {
        return;
    }
    let registers = Registers(registers);
    let number = registers.number();
    let args = registers.args();
    let goes_on = waits.blocked.since_ns != 0
        && (number == RESTART_SYSCALL
            || (number == waits.blocked.nr && args == waits.blocked.args));
    if !goes_on {
        waits.blocked = Blocked {
            since_ns: now_ns(),
            nr: number,
            args,
        };
        bits::set(&BLOCKED, current.tid);
    }
}

/// A call of the current task returned: if it blocked in it, that wait is over.
#[inline(always)]
pub(crate) fn end(current: Current, ret: i64) {
    let Some(waits) = blocked_now(current.tid) else {
        return;
    };
    let blocked = waits.blocked;
    // -ERESTARTSYS to -ERESTART_RESTARTBLOCK: a stop or a signal interrupts the call, and the
    // kernel takes it up again.
    if blocked.since_ns == 0 || (-516..=-512).contains(&ret) {
        return;
    }
    waits.blocked.since_ns = 0;
    bits::clear(&BLOCKED, current.tid);
    if blocked.since_ns == BEFORE_ATTACH {
        return send(current, blocked, waits.waker);
    }
    let spent_ns = now_ns().saturating_sub(blocked.since_ns);
    waits.count += 1;
    waits.total_ns += spent_ns;
    let bucket = bucket(spent_ns);
    if bucket < BUCKETS {
        waits.histogram[bucket] += 1;
    }
    if is_futex(blocked.nr) {
        add_to_word(current.tgid, blocked.args[0], spent_ns, bucket);
    }
    if spent_ns > setting!(wait_threshold_ns) {
        send(current, blocked, waits.waker);
    }
}

#[inline(always)]
fn send(current: Current, blocked: Blocked, waker: Waker) {
    emit(kind::WAIT, current, |header| WaitRecord {
        header,
        blocked,
        waker,
    });
}

/// A task is made runnable; the waker is the current task, or an interrupt on its back.
#[btf_tracepoint(function = "sched_waking")]
#[inline(always)]
pub(crate) fn task_waking(ctx: BtfTracePointContext) -> i32 {
    let woken = Task(ctx.arg(0));
    let Some(waits) = blocked_now(woken.tid()) else {
        return 0;
    };
    let by = current();
    let kind = if in_interrupt(&ctx) {
        waker::INTERRUPT
    } else {
        waker::TASK
    };
    waits.waker = Waker {
        time_ns: now_ns(),
        tid: by.tid,
        tgid: by.tgid,
        kind,
        pad: 0,
    };
    if waits.blocked.since_ns != 0 && is_futex(waits.blocked.nr) {
        let key = FutexWakerKey {
            word: FutexKey {
                address: waits.blocked.args[0],
                tgid: waits.tgid,
                pad: 0,
            },
            tid: if kind == waker::TASK { by.tid } else { 0 },
            kind,
        };
        count_waker(&key);
    }
    0
}

/// Whether this is interrupt code on the current task's back: it came from user mode outside any
/// call, or it runs on another stack than the task's.
#[inline(always)]
fn in_interrupt(ctx: &BtfTracePointContext) -> bool {
    const STACK_BYTES: u64 = 16 << 10;
    let task = Task::current();
    // SAFETY: the helper takes the current task.
    let registers = unsafe { bpf_task_pt_regs(task.0.cast_mut().cast()) } as *const u64;
    if registers.is_null() || Registers(registers).number() == NOT_A_CALL {
        return true;
    }
    // The tracepoint's arguments lie on the stack that the waking code uses. The verifier keeps
    // the context a pointer, so it is spilled and read back to become a number.
    let spilled = ctx_address(ctx);
    // SAFETY: the helper checks the source, which is the local just written.
    let Ok(address) = (unsafe { bpf_probe_read_kernel(&raw const spilled) }) else {
        return true;
    };
    let stack = task.stack();
    address < stack || address >= stack + STACK_BYTES
}

#[inline(always)]
fn ctx_address(ctx: &BtfTracePointContext) -> u64 {
    use aya_ebpf::EbpfContext as _;
    ctx.as_ptr() as u64
}

/// Forgets a dead thread.
#[inline(always)]
pub(crate) fn forget(tid: u32) {
    bits::clear(&BLOCKED, tid);
    let _absent_is_fine = WAITS.remove(&tid);
}

/// The value of a thread that blocked in a call which has not ended.
#[inline(always)]
fn blocked_now(tid: u32) -> Option<&'static mut ThreadWaits> {
    if bits::has(&BLOCKED, tid) {
        of(tid)
    } else {
        None
    }
}

#[inline(always)]
fn of(tid: u32) -> Option<&'static mut ThreadWaits> {
    // SAFETY: a value of the map, which the kernel keeps while we run. Two cpus may write one
    // value at once (a waker and its sleeper); they write different fields.
    WAITS.get_ptr_mut(&tid).map(|waits| unsafe { &mut *waits })
}

#[inline(always)]
fn is_futex(number: u64) -> bool {
    number == FUTEX || number == FUTEX_WAIT
}

/// log2 of the microseconds, as [`ThreadWaits::histogram`] counts.
#[inline(always)]
fn bucket(spent_ns: u64) -> usize {
    let us = spent_ns / 1000;
    let mut bucket = 0;
    let mut step = 0;
    while step < BUCKETS - 1 {
        if us >> step != 0 {
            bucket = step + 1;
        }
        step += 1;
    }
    bucket
}

#[inline(always)]
fn add_to_word(tgid: u32, address: u64, spent_ns: u64, bucket: usize) {
    let key = FutexKey {
        address,
        tgid,
        pad: 0,
    };
    if FUTEXES.get_ptr(&key).is_none() && FUTEXES.insert(&key, &NO_WAITS, 0).is_err() {
        count_full(full::FUTEXES);
        return;
    }
    if let Some(word) = FUTEXES.get_ptr_mut(&key) {
        // SAFETY: a value of the map, which the kernel keeps while we run.
        let word = unsafe { &mut *word };
        word.count += 1;
        word.total_ns += spent_ns;
        if bucket < BUCKETS {
            word.histogram[bucket] += 1;
        }
    }
}

#[inline(always)]
fn count_waker(key: &FutexWakerKey) {
    if let Some(count) = FUTEX_WAKERS.get_ptr_mut(key) {
        // SAFETY: a value of the map, which the kernel keeps while we run.
        unsafe { *count += 1 };
    } else if FUTEX_WAKERS.insert(key, &1, 0).is_err() {
        count_full(full::FUTEX_WAKERS);
    }
}

static EMPTY: ThreadWaits = zerocopy::transmute!([0_u8; size_of::<ThreadWaits>()]);
static NO_WAITS: FutexWaits = zerocopy::transmute!([0_u8; size_of::<FutexWaits>()]);
