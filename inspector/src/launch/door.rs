//! The one place where a descriptor is taken over by its number.

use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Takes over a descriptor that this process was started with, and closes it when a command is
/// executed. `None` = there is none of this number, or it is a standard one.
pub(super) fn inherited(number: RawFd) -> Option<OwnedFd> {
    if number <= 2 || !std::path::Path::new(&format!("/proc/self/fd/{number}")).exists() {
        return None;
    }
    // SAFETY: it is open, and nothing in this process owns it: it was inherited, its number came
    // on the command line, and each is taken over once, before anything else is opened.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    let flags = fcntl_getfd(&owned).ok()?;
    fcntl_setfd(&owned, flags | FdFlags::CLOEXEC).ok()?;
    Some(owned)
}
