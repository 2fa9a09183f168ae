//! What this system says of itself, in /proc and /sys.
//!
//! Nothing here fails: what can't be read is `None`, which is never taken for a value. The root
//! is passed in, so that tests build their own.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use procfs::FromRead as _;
use serde::Serialize;

use crate::{
    event::text::Text,
    source::ebpf::kernel::{self, Kernel},
};

/// The facts, by the names they have in `inspector doctor --json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Facts {
    /// `uname -r`.
    pub release: Option<String>,
    /// Whether the kernel offers its type information (/sys/kernel/btf/vmlinux).
    pub btf: bool,
    /// Fields the programs read that this kernel's type information does not have; `None` = it
    /// could not be read.
    pub fields_lacking: Option<Vec<&'static str>>,
    /// Tracepoints the programs attach to that this kernel does not have.
    pub tracepoints_lacking: Option<Vec<&'static str>>,
    /// Effective user id.
    pub euid: Option<u32>,
    /// Effective capabilities, as a bit set.
    pub capabilities: Option<u64>,
    /// 0 = none, 1 = strict, 2 = a filter.
    pub seccomp: Option<u32>,
    /// `none`, `integrity` or `confidentiality`; `None` = the kernel has no lockdown.
    pub lockdown: Option<String>,
    /// `kernel.unprivileged_bpf_disabled`.
    pub unprivileged_bpf_disabled: Option<i32>,
    /// `kernel.perf_event_paranoid`.
    pub perf_event_paranoid: Option<i32>,
    /// `kernel.yama.ptrace_scope`; `None` = no Yama.
    pub ptrace_scope: Option<i32>,
    /// Where tracefs is mounted.
    pub tracefs: Vec<String>,
    /// The `hidepid` option of /proc: 0 = every process is shown to everyone.
    pub hidepid: Option<String>,
    /// Whether this is the initial pid namespace, whose numbers the programs use.
    pub initial_pid_namespace: Option<bool>,
    /// Whether this is the initial user namespace: in another one capabilities count for little.
    pub initial_user_namespace: Option<bool>,
    /// Signs of a container.
    pub container: Vec<&'static str>,
    /// Soft limit of locked memory, bytes; `None` = unlimited or not known.
    pub memlock_bytes: Option<u64>,
    /// Soft limit of descriptors; `None` = unlimited or not known.
    pub nofile: Option<u64>,
    /// Whether the kernel offers uprobes through perf events.
    pub uprobe_pmu: bool,
    /// Whether the kernel offers kprobes through perf events.
    pub kprobe_pmu: bool,
}

/// Inode of the initial pid namespace (`PROC_PID_INIT_INO` of `include/linux/proc_ns.h`).
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;
/// Inode of the initial user namespace (`PROC_USER_INIT_INO`).
const INITIAL_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

impl Facts {
    /// Reads the system below `root`.
    pub fn read(root: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).ok();
        let number = |path: &str| text(path)?.trim().parse::<i32>().ok();
        let exists = |path: &str| root.join(path).exists();
        let inode = |path: &str| fs::metadata(root.join(path)).ok().map(|file| file.ino());
        let status = text("proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.strip_prefix(':')?.split_whitespace().next()
        };
        let btf = root.join(kernel::VMLINUX_BTF.trim_start_matches('/'));
        let kernel = Kernel::read(&btf).ok();
        let limits = procfs::process::Limits::from_file(root.join("proc/self/limits")).ok();
        let soft = |limit: procfs::process::Limit| match limit.soft_limit {
            procfs::process::LimitValue::Value(value) => Some(value),
            procfs::process::LimitValue::Unlimited => None,
        };
        let mut facts = Self {
            release: text("proc/sys/kernel/osrelease").map(|release| release.trim().to_owned()),
            btf: btf.exists(),
            fields_lacking: kernel.as_ref().map(|kernel| kernel.lacking.clone()),
            tracepoints_lacking: kernel.as_ref().map(|kernel| {
                let lacking = kernel.tracepoints.iter().filter(|(_, args)| args.is_none());
                lacking.map(|(name, _)| *name).collect()
            }),
            // Real, effective, saved, file system.
            euid: status
                .lines()
                .find_map(|line| line.strip_prefix("Uid:"))
                .and_then(|ids| ids.split_whitespace().nth(1)?.parse().ok()),
            capabilities: field("CapEff").and_then(|bits| u64::from_str_radix(bits, 16).ok()),
            seccomp: field("Seccomp").and_then(|mode| mode.parse().ok()),
            lockdown: text("sys/kernel/security/lockdown").and_then(|modes| chosen(&modes)),
            unprivileged_bpf_disabled: number("proc/sys/kernel/unprivileged_bpf_disabled"),
            perf_event_paranoid: number("proc/sys/kernel/perf_event_paranoid"),
            ptrace_scope: number("proc/sys/kernel/yama/ptrace_scope"),
            initial_pid_namespace: inode("proc/self/ns/pid")
                .map(|ino| ino == INITIAL_PID_NAMESPACE),
            initial_user_namespace: inode("proc/self/ns/user")
                .map(|ino| ino == INITIAL_USER_NAMESPACE),
            container: container_signs(root),
            memlock_bytes: limits
                .as_ref()
                .and_then(|limits| soft(limits.max_locked_memory)),
            nofile: limits
                .as_ref()
                .and_then(|limits| soft(limits.max_open_files)),
            uprobe_pmu: exists("sys/bus/event_source/devices/uprobe/type"),
            kprobe_pmu: exists("sys/bus/event_source/devices/kprobe/type"),
            ..Self::default()
        };
        facts.read_mounts(root);
        facts
    }

    fn read_mounts(&mut self, root: &Path) {
        let mounts = procfs::process::MountInfos::from_file(root.join("proc/self/mountinfo"));
        let Ok(mounts) = mounts else { return };
        for mount in mounts {
            match mount.fs_type.as_str() {
                "tracefs" => {
                    let path = Text::from(mount.mount_point.as_os_str().as_encoded_bytes());
                    self.tracefs.push(path.to_string());
                }
                "proc" if mount.mount_point == Path::new("/proc") => {
                    let option = mount.super_options.get("hidepid").cloned().flatten();
                    self.hidepid = Some(option.unwrap_or_else(|| "0".into()));
                }
                _ => {}
            }
        }
    }

    /// Whether a capability is effective; an unreadable status has none.
    pub fn capable(&self, capability: rustix::thread::CapabilitySet) -> bool {
        self.capabilities
            .is_some_and(|bits| bits & capability.bits() == capability.bits())
    }
}

/// The word in brackets, as in `none [integrity] confidentiality`.
fn chosen(modes: &str) -> Option<String> {
    let (_, rest) = modes.split_once('[')?;
    let (mode, _) = rest.split_once(']')?;
    Some(mode.to_owned())
}

fn container_signs(root: &Path) -> Vec<&'static str> {
    let mut signs = Vec::new();
    for (path, sign) in [
        (".dockerenv", "/.dockerenv"),
        ("run/.containerenv", "/run/.containerenv"),
        ("run/systemd/container", "/run/systemd/container"),
    ] {
        if root.join(path).exists() {
            signs.push(sign);
        }
    }
    let cgroup = fs::read_to_string(root.join("proc/1/cgroup")).unwrap_or_default();
    if ["docker", "kubepods", "containerd", "libpod", "lxc"]
        .iter()
        .any(|word| cgroup.contains(word))
    {
        signs.push("/proc/1/cgroup");
    }
    signs
}
