//! Hides where the kernel's objects lie: an address only tells whether two are the same, and whoever
//! gets a recording shall not learn more.

use std::{hash::BuildHasher as _, num::NonZeroU64, sync::LazyLock};

/// Added to every address; made anew for each run. A multiple of a cache line keeps addresses
/// aligned, which recordings write shorter.
static SALT: LazyLock<u64> = LazyLock::new(|| {
    let random = std::hash::RandomState::new().hash_one(0) & !63;
    // Tests compare with the kernel's own.
    if cfg!(test) { 0 } else { random }
});

/// The address in place of this one; `None` = there is none.
pub(super) fn hidden(address: u64) -> Option<NonZeroU64> {
    let address = NonZeroU64::new(address)?;
    // One that would become none stays: no kernel object lies there.
    NonZeroU64::new(address.get().wrapping_add(*SALT)).or(Some(address))
}
