//! Bitmaps over task numbers, in array maps: one inlined lookup and a bit.

use core::arch::asm;

use aya_ebpf::maps::Array;

/// Whether the bit of a number is set.
#[inline(always)]
pub(crate) fn has(map: &Array<u64>, number: u32) -> bool {
    map.get(number / 64)
        .is_some_and(|word| word >> (number % 64) & 1 != 0)
}

/// Sets the bit of a number.
#[inline(always)]
pub(crate) fn set(map: &Array<u64>, number: u32) {
    if let Some(word) = map.get_ptr_mut(number / 64) {
        // SAFETY: a word of the map, aligned to 8 and alive while we run; everyone who writes it
        // does so atomically. (The target has no `fetch_or`: core offers it only where there is a
        // compare-and-swap of every width.)
        unsafe {
            asm!("lock *(u64 *)({0} + 0) |= {1}", in(reg) word, in(reg) 1_u64 << (number % 64));
        }
    }
}

/// Clears the bit of a number, if it is set.
#[inline(always)]
pub(crate) fn clear(map: &Array<u64>, number: u32) {
    if has(map, number)
        && let Some(word) = map.get_ptr_mut(number / 64)
    {
        let others = !(1_u64 << (number % 64));
        // SAFETY: as above.
        unsafe {
            asm!("lock *(u64 *)({0} + 0) &= {1}", in(reg) word, in(reg) others);
        }
    }
}
