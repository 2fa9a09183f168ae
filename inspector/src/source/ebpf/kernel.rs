//! What the running kernel has: where the fields lie that the programs read, and which
//! tracepoints exist.

use std::{fs, io, path::Path};

use inspector_ebpf::abi::config::{ABSENT, Offsets};

use super::btf::{Btf, BtfError};
use crate::event::text::Text;

/// Where the running kernel offers its type information, given `CONFIG_DEBUG_INFO_BTF`.
pub const VMLINUX_BTF: &str = "/sys/kernel/btf/vmlinux";

/// What the programs need to know of this kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Offsets in its structures; [`ABSENT`] where it has no such field.
    pub offsets: Offsets,
    /// Fields that were looked for and not found, as `structure.field`. `file.f_ref` and
    /// `file.f_count` replace one another: they are named only when both are absent.
    pub lacking: Vec<&'static str>,
    /// For each of [`TRACEPOINTS`]: how many arguments a `tp_btf` program gets, or `None` where
    /// the kernel has no such tracepoint.
    pub tracepoints: Vec<(&'static str, Option<usize>)>,
}

/// The tracepoints that programs attach to through BTF.
///
/// `sched_switch` has a fourth argument, the leaving task's state, since 5.18 (upstream
/// fa2c3254d7cf, "sched/tracing: Don't re-read p->state when emitting sched_switch event").
pub const TRACEPOINTS: &[&str] = &[
    "task_newtask",
    "task_rename",
    "sched_process_exec",
    "sched_process_exit",
    "sched_switch",
    "sched_waking",
    "sys_enter",
    "sys_exit",
];

/// Why the kernel's type information can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The file is missing or can't be read.
    #[error(
        "the kernel's type information, by which the programs find its fields, can't be read ({VMLINUX_BTF}: {0}); boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"
    )]
    Read(io::Error),
    /// It is not what it should be.
    #[error(
        "the kernel's type information, by which the programs find its fields, can't be used ({VMLINUX_BTF}: {0}); boot another kernel"
    )]
    Btf(#[from] BtfError),
}

impl Kernel {
    /// Reads the running kernel's type information.
    ///
    /// # Errors
    /// Where the kernel offers none, or it is damaged.
    pub fn running() -> Result<Self, KernelError> {
        Self::read(Path::new(VMLINUX_BTF))
    }

    /// Reads type information from a file.
    ///
    /// # Errors
    /// As [`Kernel::running`].
    pub fn read(path: &Path) -> Result<Self, KernelError> {
        let bytes = fs::read(path).map_err(KernelError::Read)?;
        Ok(Self::from_btf(&Btf::parse(&bytes)?))
    }

    /// From indexed type information.
    pub fn from_btf(btf: &Btf<'_>) -> Self {
        let mut lacking = Vec::new();
        let mut field = |name: &'static str| {
            let mut path = name.split('.');
            let structure = path.next().unwrap_or_default();
            let path: Vec<_> = path.collect();
            btf.member_offset(structure, &path).unwrap_or_else(|| {
                lacking.push(name);
                ABSENT
            })
        };
        let offsets = Offsets {
            task_pid: field("task_struct.pid"),
            task_tgid: field("task_struct.tgid"),
            task_start_boottime: field("task_struct.start_boottime"),
            task_comm: field("task_struct.comm"),
            task_files: field("task_struct.files"),
            task_status: field("task_struct.thread_info.status"),
            task_stack: field("task_struct.stack"),
            files_fdt: field("files_struct.fdt"),
            fdt_max_fds: field("fdtable.max_fds"),
            fdt_fd: field("fdtable.fd"),
            fdt_open_fds: field("fdtable.open_fds"),
            fdt_close_on_exec: field("fdtable.close_on_exec"),
            file_ref: field("file.f_ref"),
            file_count: field("file.f_count"),
        };
        if offsets.file_ref != ABSENT || offsets.file_count != ABSENT {
            lacking.retain(|name| !name.starts_with("file."));
        }
        Self {
            offsets,
            lacking,
            tracepoints: TRACEPOINTS
                .iter()
                .map(|&name| (name, btf.tracepoint_args(name)))
                .collect(),
        }
    }

    /// How many arguments a `tp_btf` program gets at this one of [`TRACEPOINTS`]; `None` = the
    /// kernel does not have it.
    pub fn tracepoint_args(&self, name: &str) -> Option<usize> {
        self.tracepoints
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, args)| *args)
    }
}

/// The oldest Linux the programs can be loaded on: the ring buffer came with it, and CAP_BPF.
pub const OLDEST: (u32, u32) = (5, 8);

/// The release (`uname -r`), escaped, if it is older than [`OLDEST`]. One that names no version is taken to be new enough:
/// the kernel itself then says what it lacks.
pub fn too_old(release: &str) -> Option<String> {
    let old = version(release).is_some_and(|version| version < OLDEST);
    old.then(|| Text::from(release.as_bytes()).to_string())
}

/// Major and minor number of a release (`uname -r`).
pub fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

#[cfg(test)]
mod tests;
