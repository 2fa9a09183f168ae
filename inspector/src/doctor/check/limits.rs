//! Limits of memory and descriptors, and whether they may be raised.

use rustix::thread::CapabilitySet;

use super::{Check, NO_EBPF, fine, lack, more_privilege, note};
use crate::{doctor::facts::Facts, source::ebpf::kernel};

/// Locked memory that programs and maps count against before 5.11, bytes.
const MEMLOCK_BYTES: u64 = 64 << 20;
/// Descriptors that programs, maps, links and mark sites may take.
const NOFILE: u64 = 1024;

pub(super) fn capability(facts: &Facts) -> Check {
    const NAME: &str = "may raise limits";
    if facts.capable(CapabilitySet::SYS_RESOURCE) {
        return fine(NAME, "CAP_SYS_RESOURCE");
    }
    let mend = match facts.euid {
        Some(0) => "docker run --cap-add=SYS_RESOURCE …".into(),
        _ => more_privilege(facts),
    };
    let cost = "the limits below stay as they are";
    note(NAME, "CAP_SYS_RESOURCE is missing", cost, mend)
}

pub(super) fn memlock(facts: &Facts) -> Check {
    const NAME: &str = "locked memory";
    let version = facts.release.as_deref().and_then(kernel::version);
    match facts.memlock_bytes {
        None => fine(NAME, "unlimited"),
        Some(bytes) if version >= Some((5, 11)) => fine(
            NAME,
            format!("{} KiB (this kernel does not count eBPF)", bytes >> 10),
        ),
        Some(bytes) if bytes >= MEMLOCK_BYTES || facts.capable(CapabilitySet::SYS_RESOURCE) => {
            fine(NAME, format!("{} KiB", bytes >> 10))
        }
        Some(bytes) => {
            let found = format!("{} KiB, and eBPF counts", bytes >> 10);
            lack(NAME, found, NO_EBPF, "ulimit -l unlimited")
        }
    }
}

pub(super) fn nofile(facts: &Facts) -> Check {
    const NAME: &str = "descriptors";
    match facts.nofile {
        None => fine(NAME, "unlimited"),
        Some(limit) if limit >= NOFILE => fine(NAME, limit.to_string()),
        Some(limit) => {
            let cost = "a program with many mark sites can't be attached to whole";
            note(NAME, limit.to_string(), cost, format!("ulimit -n {NOFILE}"))
        }
    }
}
