//! Exits of system calls: which of them changed a descriptor table, and how.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use inspector_ebpf::abi::{
    call::{CALL_SLOTS, CLASSES, COMPAT_TOUCHES_TABLE, CallRecord, class, flags, pair_arg},
    record::kind,
    table::{UnsettledRecord, unsettled, why},
};

use super::{control, name, table, wait};
use crate::{
    context::{Registers, Task, read_user},
    emit::emit,
    maps::{ENTRIES, ENTRY_SLOTS},
    settings::setting,
    target::{Current, current_target},
};

/// By 64-bit number, what the exit of a call is looked at for: its class, and the bit below where
/// the i386 call of that number may change a table.
static INTEREST: [u8; CALL_SLOTS] = interest();
const COMPAT: u8 = 0x80;

const fn interest() -> [u8; CALL_SLOTS] {
    let mut interest = CLASSES;
    let mut row = 0;
    while row < COMPAT_TOUCHES_TABLE.len() {
        interest[COMPAT_TOUCHES_TABLE[row] as usize] |= COMPAT;
        row += 1;
    }
    interest
}

/// x32 calls carry this bit; those below 512 are the 64-bit ones.
const X32_BIT: u64 = 0x4000_0000;

/// Exit of any call.
#[btf_tracepoint(function = "sys_exit")]
#[inline(always)]
pub(crate) fn exit_call(ctx: BtfTracePointContext) -> i32 {
    let registers = Registers(ctx.arg(0));
    let number = registers.number();
    let interest = interest_in(number);
    if setting!(waits) == 0 {
        if interest == 0 {
            return 0;
        }
        if let Some(current) = current_target() {
            changed_table(&ctx, registers, number, interest, current);
        }
        return 0;
    }
    let Some(current) = current_target() else {
        return 0;
    };
    wait::end(current, ctx.arg(1));
    if interest != 0 {
        changed_table(&ctx, registers, number, interest, current);
    }
    0
}

/// No number at all (−1: a fault, a signal's return, a 5-byte nop's trap) is none of ours.
#[inline(always)]
fn interest_in(number: u64) -> u8 {
    let index = if number & X32_BIT != 0 && number >> 32 == 0 {
        number & !X32_BIT
    } else {
        number
    };
    if index >= CALL_SLOTS as u64 {
        return if index < 548 && number & X32_BIT != 0 {
            class::X32
        } else {
            class::NONE
        };
    }
    // SAFETY: the index was just compared with the array's length. (An index expression would
    // leave a panic path that the verifier has to follow.)
    unsafe {
        INTEREST
            .as_ptr()
            .wrapping_add(index as usize)
            .read_volatile()
    }
}

#[inline(always)]
fn changed_table(
    ctx: &BtfTracePointContext,
    registers: Registers,
    number: u64,
    interest: u8,
    current: Current,
) {
    if Task::current().in_compat_call() {
        if interest & COMPAT != 0 {
            unsettle(current, unsettled::COMPAT, number);
        }
        return;
    }
    let ret: i64 = ctx.arg(1);
    let args = registers.args();
    let mut call = Exit {
        nr: number as u16,
        ret,
        args,
        extra: registers.arg4(),
        flags: 0,
    };
    match interest & !COMPAT {
        class::BIRTH if born(ret) => {
            call.send(current);
            name::send(call.nr, ret, args, current);
        }
        class::PAIR if ret == 0 => {
            call.read_extra::<u64>(args[pair_arg(call.nr) & 3]);
            call.send(current);
        }
        class::PAIR if refused(ret) => call.send(current),
        class::OPENAT2 if born(ret) => {
            call.read_extra::<u64>(args[2]);
            call.send(current);
            name::send(call.nr, ret, args, current);
        }
        class::DUP if born(ret) => call.send(current),
        class::DUP_ONTO if born(ret) => call.send_death(current),
        class::FCNTL => match args[1] {
            F_DUPFD | F_DUPFD_CLOEXEC if born(ret) => call.send(current),
            F_SETFD if ret == 0 => call.send(current),
            _ => {}
        },
        class::IOCTL => match args[1] & 0xffff_ffff {
            FIOCLEX | FIONCLEX if ret == 0 => call.send(current),
            TIOCGPTPEER if born(ret) => call.send(current),
            _ => {}
        },
        class::CLOSE => call.send_death(current),
        class::CLOSE_RANGE if ret == 0 => {
            if args[2] & CLOSE_RANGE_UNSHARE != 0 && table_changed(current) {
                // It closed in the copy: in the table that others go on using nothing changed.
                table::send(ctx, Task::current(), current, why::UNSHARE);
            } else {
                call.send_death(current);
            }
        }
        class::UNSHARE if ret == 0 && args[0] & CLONE_FILES != 0 => {
            table::send(ctx, Task::current(), current, why::UNSHARE);
        }
        class::MSG if ret >= 0 => control::one(call.nr, args, current),
        class::MMSG if ret > 0 => control::several(call.nr, args, ret, current),
        class::CLONE if ret > 0 => send_clone(&mut call, current),
        class::BPF if born(ret) && bpf_returns_fd(args[0]) => call.send(current),
        class::SECCOMP if born(ret) && args[1] & SECCOMP_NEW_LISTENER != 0 => {
            call.send(current);
        }
        class::SIGNALFD if born(ret) && args[0] as i32 == -1 => call.send(current),
        class::LANDLOCK if born(ret) && args[2] == 0 => call.send(current),
        class::GETFD if born(ret) => call.record(current, file_behind(ret), 0, 0),
        class::X32 => unsettle(current, unsettled::X32, number),
        _ => {}
    }
}

const F_DUPFD: u64 = 0;
const F_SETFD: u64 = 2;
const F_DUPFD_CLOEXEC: u64 = 1030;
const FIONCLEX: u64 = 0x5450;
const FIOCLEX: u64 = 0x5451;
const TIOCGPTPEER: u64 = 0x5441;
const CLOSE_RANGE_UNSHARE: u64 = 2;
const CLONE_FILES: u64 = 0x400;
const CLONE_PIDFD: u64 = 0x1000;
const SECCOMP_NEW_LISTENER: u64 = 8;
const CLONE3: u16 = 435;
const CLOSE_RANGE: u32 = 436;
const ENFILE: i64 = 23;
const EMFILE: i64 = 24;

/// A descriptor came, or was refused for want of one.
#[inline(always)]
fn born(ret: i64) -> bool {
    ret >= 0 || refused(ret)
}

#[inline(always)]
fn refused(ret: i64) -> bool {
    ret == -EMFILE || ret == -ENFILE
}

/// Commands of bpf(2) that return a descriptor (`enum bpf_cmd`): MAP_CREATE, PROG_LOAD, OBJ_GET,
/// PROG, MAP and BTF by id, RAW_TRACEPOINT_OPEN, BTF_LOAD, LINK_CREATE, link by id, ENABLE_STATS,
/// ITER_CREATE, TOKEN_CREATE.
#[inline(always)]
fn bpf_returns_fd(command: u64) -> bool {
    const COMMANDS: u64 = 1 << 0
        | 1 << 5
        | 1 << 7
        | 1 << 13
        | 1 << 14
        | 1 << 17
        | 1 << 18
        | 1 << 19
        | 1 << 28
        | 1 << 30
        | 1 << 32
        | 1 << 33
        | 1 << 36;
    command < 64 && COMMANDS >> command & 1 != 0
}

/// A call at its exit.
struct Exit {
    nr: u16,
    ret: i64,
    args: [u64; 4],
    extra: u64,
    flags: u16,
}

impl Exit {
    #[inline(always)]
    fn read_extra<T: Into<u64>>(&mut self, address: u64) {
        match read_user::<T>(address) {
            Some(value) => self.extra = value.into(),
            None => self.flags |= flags::EXTRA_UNREADABLE,
        }
    }

    /// Sends a death, with what its entry saw if that belongs to this very call.
    #[inline(always)]
    fn send_death(&self, current: Current) {
        let (mut file, mut entry_ns, mut references) = (0, 0, 0);
        if let Some(entry) = ENTRIES.get_ptr_mut(current.tid % ENTRY_SLOTS) {
            // SAFETY: a slot of the map, which the kernel keeps while we run.
            let entry = unsafe { &mut *entry };
            if entry.tid == current.tid && entry.nr == u32::from(self.nr) && entry.time_ns != 0 {
                entry_ns = entry.time_ns;
                references = entry.references;
                file = entry.object;
                entry.time_ns = 0;
            }
        }
        self.record(current, file, entry_ns, references);
    }

    #[inline(always)]
    fn send(&self, current: Current) {
        self.record(current, 0, 0, 0);
    }

    #[inline(always)]
    fn record(&self, current: Current, file: u64, entry_ns: u64, refs: u32) {
        emit(kind::CALL, current, |header| CallRecord {
            header,
            entry_ns,
            ret: self.ret,
            args: self.args,
            extra: self.extra,
            file,
            refs,
            nr: self.nr,
            flags: self.flags,
        });
    }
}

/// Whether the caller of a close_range has another table than at its entry. Where the entry was
/// not seen it may have.
#[inline(always)]
fn table_changed(current: Current) -> bool {
    let Some(entry) = ENTRIES.get_ptr_mut(current.tid % ENTRY_SLOTS) else {
        return true;
    };
    // SAFETY: a slot of the map, which the kernel keeps while we run.
    let entry = unsafe { &mut *entry };
    entry.tid != current.tid
        || entry.nr != CLOSE_RANGE
        || entry.time_ns == 0
        || entry.object != Task::current().files().address()
}

#[inline(always)]
fn file_behind(fd: i64) -> u64 {
    if fd < 0 {
        0
    } else {
        Task::current().files().file(fd as u64)
    }
}

/// clone and clone3 write a pidfd to the caller's memory when CLONE_PIDFD asks for one.
#[inline(always)]
fn send_clone(call: &mut Exit, current: Current) {
    let (clone_flags, pidfd_address) = if call.nr == CLONE3 {
        // struct clone_args { u64 flags; u64 pidfd; … }
        let (Some(clone_flags), Some(pidfd)) = (
            read_user::<u64>(call.args[0]),
            read_user::<u64>(call.args[0] + 8),
        ) else {
            return;
        };
        (clone_flags, pidfd)
    } else {
        (call.args[0], call.args[2])
    };
    if clone_flags & CLONE_PIDFD != 0 {
        call.read_extra::<u32>(pidfd_address);
        call.record(current, 0, 0, 0);
    }
}

#[inline(always)]
fn unsettle(current: Current, why: u32, number: u64) {
    emit(kind::UNSETTLED, current, |header| UnsettledRecord {
        header,
        why,
        nr: number as u32,
    });
}
