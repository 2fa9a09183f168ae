//! The marks: the USDT provider `lifecycle`, as any other program may emit it.
//!
//! Each function below holds exactly one site, an ordinary one-byte `nop` that costs next to
//! nothing while no one listens; a 5-byte one would kill forked children where the kernel turns
//! it into a call. Arguments and their order are those of `inspector_ebpf::abi::mark`.
//!
//! The macro expands to inline assembly: a nop and a note that names the registers its arguments
//! are in. It neither writes memory nor follows a pointer.

use std::ffi::CStr;

use probe::probe;

/// A store of `key` begins on this thread; `span` 0 = the thread is the span.
#[inline(never)]
pub(super) fn store_begin(map: u64, key: &[u8], span: u64) {
    probe!(lifecycle, store_begin, map, key.as_ptr(), key.len(), span);
}

/// It ended.
#[inline(never)]
pub(super) fn store_end(map: u64, key: &[u8], span: u64) {
    probe!(lifecycle, store_end, map, key.as_ptr(), key.len(), span);
}

/// What an `own` mark gives to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owned {
    /// A descriptor of the calling thread's table.
    Handle(u32),
    /// A thread.
    Thread(u32),
}

/// The resource belongs to `key` from now on.
#[inline(never)]
pub(super) fn own(map: u64, key: &[u8], owned: Owned) {
    let (what, number) = match owned {
        Owned::Handle(fd) => (0_u64, fd),
        Owned::Thread(tid) => (1, tid),
    };
    probe!(
        lifecycle,
        own,
        map,
        key.as_ptr(),
        key.len(),
        what,
        u64::from(number)
    );
}

/// A delete of `key` begins on this thread.
#[inline(never)]
pub(super) fn delete_begin(map: u64, key: &[u8], policy: &CStr) {
    probe!(
        lifecycle,
        delete_begin,
        map,
        key.as_ptr(),
        key.len(),
        policy.as_ptr()
    );
}

/// The key left the map.
#[inline(never)]
pub(super) fn delete_unlink(map: u64, key: &[u8]) {
    probe!(lifecycle, delete_unlink, map, key.as_ptr(), key.len());
}

/// The delete returns.
#[inline(never)]
pub(super) fn delete_end(map: u64, key: &[u8]) {
    probe!(lifecycle, delete_end, map, key.as_ptr(), key.len());
}
