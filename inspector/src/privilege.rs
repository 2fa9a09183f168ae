//! What root is still needed for once everything is attached, and the end of the rest.
//!
//! Root is for attaching. Afterwards the ring, the maps, the links' descriptors and attaching a
//! program that is already loaded need no capability; closing a link is closing a descriptor.
//! What still needs one is auditing processes of other users: `CAP_SYS_PTRACE` to follow the
//! links of /proc/PID/fd and to compare tables, and `CAP_DAC_READ_SEARCH` to list that folder,
//! which only its owner may. Loading more programs and attaching more uprobes is over.

use rustix::{
    io::Errno,
    thread::{
        CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
        clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    },
};

/// Capabilities have these numbers at most; the kernel has 41 of them now.
const LAST: u32 = 63;

/// Why privileges could not be shed.
#[derive(Debug, thiserror::Error)]
pub enum ShedError {
    /// Capabilities belong to threads, and one thread can't take another's.
    #[error("this process has {0} threads already, and the others would keep their privileges")]
    Threads(usize),
    /// /proc/self can't be read.
    #[error("can't count this process's threads")]
    Count(#[source] std::io::Error),
    /// The kernel refused.
    #[error("the kernel refused to take privileges away")]
    Refused(#[from] Errno),
}

/// What must be kept to read the maps of attached programs and to audit processes of any user, on
/// a kernel of this release (`uname -r`).
pub fn needed(release: &str) -> CapabilitySet {
    let mut keep = CapabilitySet::SYS_PTRACE | CapabilitySet::DAC_READ_SEARCH;
    // Before 5.19, `unprivileged_bpf_disabled` refused every command of bpf(2), on descriptors
    // one already holds too (upstream "bpf: refine kernel.unprivileged_bpf_disabled behaviour").
    if crate::source::ebpf::kernel::version(release).is_none_or(|version| version < (5, 19)) {
        keep |= CapabilitySet::BPF;
    }
    keep
}

/// What the lab needs beyond that: to start each run's child, as its user and with room for its
/// descriptors, to end it, and to let the reader of the ring go before those it watches.
const LAB: CapabilitySet = CapabilitySet::SETUID
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SYS_NICE)
    .union(CapabilitySet::SYS_RESOURCE);

/// What watching any process needs beyond that: to write files as their user, to tell a command of
/// that user to end, and to let the reader of the ring go before those it watches.
const TARGETS: CapabilitySet = CapabilitySet::SETUID
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SYS_NICE);

/// Gives up what watching does not need once its programs are loaded and its marks attached. For
/// the calling thread and those it starts afterwards.
///
/// # Errors
/// The kernel's.
pub fn shed_for_targets() -> Result<CapabilitySet, Errno> {
    let uname = rustix::system::uname();
    shed_thread(needed(&uname.release().to_string_lossy()) | TARGETS)
}

/// Gives up what the lab does not need once its programs are loaded. For the calling thread and
/// those it starts afterwards.
///
/// # Errors
/// The kernel's.
pub fn shed_for_lab() -> Result<CapabilitySet, Errno> {
    let uname = rustix::system::uname();
    shed_thread(needed(&uname.release().to_string_lossy()) | LAB)
}

/// Gives up every capability but `keep`, for good: what this process executes later can't get
/// them back either. Call it after everything is loaded and before any other thread starts.
///
/// Gives the capabilities that are left, which are fewer than `keep` where some were missing.
///
/// # Errors
/// See [`ShedError`]. After `Threads` and `Count` nothing has changed.
pub fn shed(keep: CapabilitySet) -> Result<CapabilitySet, ShedError> {
    let threads = std::fs::read_dir("/proc/self/task").map_err(ShedError::Count)?;
    match threads.count() {
        1 => Ok(shed_thread(keep)?),
        count => Err(ShedError::Threads(count)),
    }
}

/// Does the same for the calling thread alone, and for those it starts afterwards.
///
/// # Errors
/// The kernel's.
pub fn shed_thread(keep: CapabilitySet) -> Result<CapabilitySet, Errno> {
    let before = capabilities(None)?;
    // Root's programs get the whole bounding set when they are executed, whatever root had.
    if before.effective.contains(CapabilitySet::SETPCAP) {
        for capability in (0..=LAST).map(|number| CapabilitySet::from_bits_retain(1 << number)) {
            // Numbers the kernel does not know are no part of the set.
            if !keep.contains(capability)
                && capability_is_in_bounding_set(capability).unwrap_or(false)
            {
                remove_capability_from_bounding_set(capability)?;
            }
        }
    }
    clear_ambient_capability_set()?;
    let left = before.permitted & keep;
    set_capabilities(
        None,
        CapabilitySets {
            effective: left,
            permitted: left,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    Ok(left)
}

#[cfg(test)]
mod tests;
