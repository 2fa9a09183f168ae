//! Every unsafe read: registers, kernel structures at the loader's offsets, user memory.

use aya_ebpf::helpers::{
    bpf_probe_read_kernel, bpf_probe_read_kernel_buf, bpf_probe_read_user,
    generated::bpf_get_current_task_btf,
};
use inspector_ebpf::abi::config::ABSENT;

use crate::settings::setting;

/// `thread_info.status`: the task is in an i386 system call.
const TS_COMPAT: u32 = 2;

/// `task_struct`, as the kernel hands it to a program: loads at offsets of its type are checked
/// by the verifier, and a fault in them reads zero.
#[derive(Clone, Copy)]
pub(crate) struct Task(pub(crate) *const u8);

/// Saved user registers (`struct pt_regs` of x86-64).
#[derive(Clone, Copy)]
pub(crate) struct Registers(pub(crate) *const u64);

/// Byte offsets within `pt_regs`, divided by 8.
const R10: usize = 7;
const R8: usize = 9;
const DX: usize = 12;
const SI: usize = 13;
const DI: usize = 14;
const ORIG_AX: usize = 15;

impl Registers {
    /// The system call's number, as the kernel keeps it; −1 outside any.
    #[inline(always)]
    pub(crate) fn number(self) -> u64 {
        self.word(ORIG_AX)
    }

    /// Arguments 0 to 3.
    #[inline(always)]
    pub(crate) fn args(self) -> [u64; 4] {
        [self.word(DI), self.word(SI), self.word(DX), self.word(R10)]
    }

    /// Argument 4.
    #[inline(always)]
    pub(crate) fn arg4(self) -> u64 {
        self.word(R8)
    }

    #[inline(always)]
    fn word(self, index: usize) -> u64 {
        // SAFETY: the pointer is a tracepoint's `pt_regs` argument and the index one of the
        // constants above, all inside the structure; the verifier checks both.
        unsafe { self.0.wrapping_add(index).read_volatile() }
    }
}

impl Task {
    /// The running task.
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: the helper takes nothing and returns the current task, which outlives the run.
        Self(unsafe { bpf_get_current_task_btf() }.cast_const().cast())
    }

    /// Its number.
    #[inline(always)]
    pub(crate) fn tid(self) -> u32 {
        self.field(setting!(offsets.task_pid))
    }

    /// Its process's number.
    #[inline(always)]
    pub(crate) fn tgid(self) -> u32 {
        self.field(setting!(offsets.task_tgid))
    }

    /// When it was born, `CLOCK_BOOTTIME`.
    #[inline(always)]
    pub(crate) fn start_ns(self) -> u64 {
        self.field(setting!(offsets.task_start_boottime))
    }

    /// Whether it is in an i386 system call.
    #[inline(always)]
    pub(crate) fn in_compat_call(self) -> bool {
        self.field::<u32>(setting!(offsets.task_status)) & TS_COMPAT != 0
    }

    /// Its name.
    #[inline(always)]
    pub(crate) fn comm(self) -> [u8; 16] {
        let mut comm = [0; 16];
        let offset = setting!(offsets.task_comm) as usize;
        // SAFETY: the helper checks the source itself and writes within the buffer.
        let _zeros_when_unreadable =
            unsafe { bpf_probe_read_kernel_buf(self.0.wrapping_add(offset), &mut comm) };
        comm
    }

    /// The lowest address of its kernel stack.
    #[inline(always)]
    pub(crate) fn stack(self) -> u64 {
        self.field(setting!(offsets.task_stack))
    }

    /// Its descriptor table.
    #[inline(always)]
    pub(crate) fn files(self) -> Files {
        Files(self.field(setting!(offsets.task_files)))
    }

    #[inline(always)]
    fn field<T>(self, offset: u32) -> T {
        // SAFETY: the offset is this kernel's own for a field of type T; the verifier checks it
        // against the kernel's type information.
        unsafe {
            self.0
                .wrapping_add(offset as usize)
                .cast::<T>()
                .read_volatile()
        }
    }
}

/// A `files_struct`.
#[derive(Clone, Copy)]
pub(crate) struct Files(*const u8);

/// Its current `fdtable`.
#[derive(Clone, Copy)]
pub(crate) struct Fdtable {
    pub(crate) max_fds: u32,
    pub(crate) open_fds: u64,
    pub(crate) close_on_exec: u64,
    fd: u64,
}

impl Files {
    /// Its address, 0 when there is none.
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0 as u64
    }

    /// Its table.
    #[inline(always)]
    pub(crate) fn table(self) -> Option<Fdtable> {
        if self.0.is_null() {
            return None;
        }
        let offset = setting!(offsets.files_fdt) as usize;
        // SAFETY: `files_struct.fdt` at this kernel's offset, checked by the verifier.
        let fdt: *const u8 = unsafe {
            self.0
                .wrapping_add(offset)
                .cast::<*const u8>()
                .read_volatile()
        };
        if fdt.is_null() {
            return None;
        }
        Some(Fdtable {
            max_fds: fdtable_field(fdt, setting!(offsets.fdt_max_fds)),
            open_fds: fdtable_field(fdt, setting!(offsets.fdt_open_fds)),
            close_on_exec: fdtable_field(fdt, setting!(offsets.fdt_close_on_exec)),
            fd: fdtable_field(fdt, setting!(offsets.fdt_fd)),
        })
    }

    /// The `struct file` behind a number; 0 when there is none.
    #[inline(always)]
    pub(crate) fn file(self, fd: u64) -> u64 {
        let Some(table) = self.table() else { return 0 };
        if fd >= u64::from(table.max_fds) {
            return 0;
        }
        read_kernel(table.fd + fd * 8)
    }
}

#[inline(always)]
fn fdtable_field<T>(fdt: *const u8, offset: u32) -> T {
    // SAFETY: a field of `struct fdtable` at this kernel's offset, checked by the verifier.
    unsafe {
        fdt.wrapping_add(offset as usize)
            .cast::<T>()
            .read_volatile()
    }
}

/// References to a `struct file`; 0 when they can't be read.
#[inline(always)]
pub(crate) fn references(file: u64) -> u32 {
    if file == 0 {
        return 0;
    }
    let offset = setting!(offsets.file_ref);
    if offset != ABSENT {
        // file_ref_t holds the count less one.
        return (read_kernel::<u64>(file + u64::from(offset)) as u32).wrapping_add(1);
    }
    let offset = setting!(offsets.file_count);
    if offset == ABSENT {
        0
    } else {
        read_kernel::<u64>(file + u64::from(offset)) as u32
    }
}

/// A number of the kernel's at an address; 0 when it can't be read.
#[inline(always)]
pub(crate) fn read_kernel<T: Copy + Default>(address: u64) -> T {
    // SAFETY: the helper checks the address itself.
    unsafe { bpf_probe_read_kernel(address as *const T) }.unwrap_or_default()
}

/// A value of the current task's at an address; `None` when it is not in memory.
#[inline(always)]
pub(crate) fn read_user<T>(address: u64) -> Option<T> {
    // SAFETY: the helper checks the address itself.
    unsafe { bpf_probe_read_user(address as *const T) }.ok()
}
