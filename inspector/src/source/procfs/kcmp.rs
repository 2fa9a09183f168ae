//! The door to kcmp(2): do two threads use one descriptor table?

use std::cmp::Ordering;

use rustix::io::Errno;

use crate::event::id::Tid;

/// `KCMP_FILES` of `include/uapi/linux/kcmp.h`.
const KCMP_FILES: libc::c_int = 2;

/// Compares the tables of two threads. The order is arbitrary but one and the same for all
/// threads until the next boot.
///
/// # Errors
/// ESRCH: one of them is gone; EPERM: we may not look; ENOSYS: the kernel can't say.
pub(super) fn compare_files(one: Tid, other: Tid) -> Result<Ordering, Errno> {
    let [first, second] = [one, other].map(|tid| libc::c_long::from(tid.0));
    #[expect(unsafe_code, reason = "kcmp has no safe wrapper")]
    // SAFETY: kcmp takes five numbers and touches none of our memory.
    let result = unsafe { libc::syscall(libc::SYS_kcmp, first, second, KCMP_FILES, 0, 0) };
    match result {
        0 => Ok(Ordering::Equal),
        1 => Ok(Ordering::Less),
        2 => Ok(Ordering::Greater),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOSYS)),
    }
}
