//! Whether two descriptors of a process are the same open file description: kcmp, which no safe
//! crate wraps.

use std::io;

use nix::libc;

/// `enum kcmp_type` of linux/kcmp.h.
const KCMP_FILE: libc::c_long = 0;

/// Compares two descriptors of one process; one that is not open any more is the same as none.
///
/// # Errors
///
/// The process is gone or may not be looked into, or the
/// kernel was built without kcmp.
pub(super) fn same_description(pid: u32, one: u32, other: u32) -> io::Result<bool> {
    let pid = libc::c_long::from(pid);
    #[expect(unsafe_code, reason = "a system call that no safe crate wraps")]
    // SAFETY: kcmp takes five plain numbers and touches none of the caller's memory.
    let order = unsafe {
        libc::syscall(
            libc::SYS_kcmp,
            pid,
            pid,
            KCMP_FILE,
            libc::c_long::from(one),
            libc::c_long::from(other),
        )
    };
    match order {
        // -1 is the error; unequal ones come in an order that means nothing, 1, 2 or 3.
        -1 => {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == Some(libc::EBADF) {
                return Ok(false);
            }
            Err(io::Error::new(
                error.kind(),
                format!("kcmp of descriptors {one} and {other} of process {pid}: {error}"),
            ))
        }
        order => Ok(order == 0),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsRawFd};

    use super::*;

    #[test]
    fn a_dup_is_the_same_and_a_second_open_is_not() {
        let file = File::open("/dev/null").unwrap();
        let dup = file.try_clone().unwrap();
        let again = File::open("/dev/null").unwrap();
        let number = |file: &File| file.as_raw_fd().unsigned_abs();
        let same = |other| same_description(std::process::id(), number(&file), other);
        assert!(same(number(&dup)).unwrap());
        assert!(!same(number(&again)).unwrap());
        assert!(!same(1_000_000).unwrap());
        assert!(same_description(u32::MAX >> 1, 0, 0).is_err());
    }
}
