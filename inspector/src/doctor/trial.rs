//! What the kernel grants when it is asked: the smallest ring buffer, the smallest program.
//!
//! The door to bpf(2) for one kind of program that aya's own feature probes do not try:
//! `tp_btf`, the kind all ours are.

use std::{io, mem::offset_of};

use aya::{maps::MapType, programs::ProgramType, sys};
use rustix::fd::{FromRawFd as _, OwnedFd, RawFd};
use zerocopy::{Immutable, IntoBytes};

use crate::source::{
    ebpf::{btf::Btf, kernel::VMLINUX_BTF},
    procfs,
};

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It works.
    Works,
    /// It does not; the kernel's words, or ours.
    Fails(String),
}

/// The trials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trials {
    /// A ring buffer of one page.
    pub ring_buffer: Trial,
    /// A program on a tracepoint by its BTF, loaded (and not attached).
    pub tp_btf: Trial,
    /// A raw tracepoint program, loaded.
    pub raw_tracepoint: Trial,
    /// A program of the kind that uprobes and kprobes run, loaded.
    pub kprobe_program: Trial,
    /// Comparing two threads' descriptor tables.
    pub kcmp: Trial,
}

impl Trials {
    /// Tries each; nothing of it stays.
    pub fn run() -> Self {
        Self {
            ring_buffer: supported(sys::is_map_supported(MapType::RingBuf)),
            tp_btf: tp_btf(),
            raw_tracepoint: supported(sys::is_program_supported(ProgramType::RawTracePoint)),
            kprobe_program: supported(sys::is_program_supported(ProgramType::KProbe)),
            kcmp: if procfs::tells_tables_apart() {
                Trial::Works
            } else {
                Trial::Fails("the kernel does not answer".into())
            },
        }
    }
}

impl Trial {
    /// Why it fails, if it does.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Works => None,
            Self::Fails(why) => Some(why),
        }
    }
}

fn supported<E: std::error::Error + 'static>(answer: Result<bool, E>) -> Trial {
    match answer {
        Ok(true) => Trial::Works,
        Ok(false) => Trial::Fails("this kernel does not have it".into()),
        Err(error) => {
            // The innermost cause is the kernel's.
            let mut cause: &dyn std::error::Error = &error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            Trial::Fails(cause.to_string())
        }
    }
}

/// The attributes of BPF_PROG_LOAD up to the last one used (`include/uapi/linux/bpf.h`).
#[repr(C)]
#[derive(Default, IntoBytes, Immutable)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log: [u64; 2],
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
}

const _: () = assert!(
    offset_of!(ProgLoad, attach_btf_id) == 108,
    "as the kernel lays it out"
);

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_TRACE_RAW_TP: u32 = 23;
/// `r0 = 0; exit`.
const RETURN_0: [u64; 2] = [0xb7, 0x95];

fn tp_btf() -> Trial {
    let Ok(bytes) = std::fs::read(VMLINUX_BTF) else {
        return Trial::Fails(format!("{VMLINUX_BTF} can't be read"));
    };
    let tracepoint = Btf::parse(&bytes)
        .ok()
        .and_then(|btf| btf.tracepoint_type("sched_process_exit"));
    let Some(attach_btf_id) = tracepoint else {
        return Trial::Fails("the kernel's type information names no tracepoints".into());
    };
    let license = c"GPL";
    let attributes = ProgLoad {
        prog_type: BPF_PROG_TYPE_TRACING,
        insn_cnt: 2,
        insns: RETURN_0.as_ptr().addr() as u64,
        license: license.as_ptr().addr() as u64,
        expected_attach_type: BPF_TRACE_RAW_TP,
        attach_btf_id,
        ..ProgLoad::default()
    };
    match load(&attributes) {
        Ok(_program) => Trial::Works,
        Err(error) => Trial::Fails(error.to_string()),
    }
}

fn load(attributes: &ProgLoad) -> io::Result<OwnedFd> {
    #[expect(
        unsafe_code,
        reason = "aya loads programs of this kind from objects only"
    )]
    // SAFETY: the kernel reads the attributes, and the two instructions and the licence they
    // point to, all of which the caller keeps alive over this call; it writes nothing.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_LOAD,
            std::ptr::from_ref(attributes),
            size_of::<ProgLoad>(),
        )
    };
    let fd = RawFd::try_from(fd).map_err(|_| io::Error::other("not a descriptor"))?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "the system call gives a bare number")]
    // SAFETY: the kernel just opened this descriptor, and nothing else knows it.
    let program = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(program)
}
