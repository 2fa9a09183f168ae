//! The clock of all events, which only sources read.

use rustix::time::{ClockId, clock_gettime};

use crate::event::BootTime;

/// `CLOCK_BOOTTIME` now.
pub fn boot_time() -> BootTime {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    BootTime(seconds * 1_000_000_000 + nanoseconds)
}

/// Nanoseconds since 1970 by the clock on the wall (UTC), which may jump.
pub(crate) fn wall_ns() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.map_or(0, crate::duration::as_ns)
}
