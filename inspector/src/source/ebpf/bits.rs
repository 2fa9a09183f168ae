//! Bitmaps over task numbers that the programs and this process share: an array map in memory of
//! both, so that a bit is set by one atomic operation on either side.

use std::{
    io,
    os::fd::{AsFd as _, BorrowedFd},
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use aya::{Ebpf, maps::Map};
use inspector_ebpf::abi::config::PID_LIMIT;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

const WORDS: usize = PID_LIMIT as usize / 64;
const BYTES: usize = WORDS * size_of::<u64>();

/// One bitmap. The map itself stays with the object.
pub(super) struct Bits {
    words: NonNull<[AtomicU64; WORDS]>,
}

// SAFETY: the mapping belongs to this value until it is dropped, and its words are only used
// atomically.
#[expect(unsafe_code, reason = "the mapping is shared memory")]
unsafe impl Send for Bits {}

impl Bits {
    /// Maps the object's array of that name into memory.
    pub(super) fn new(ebpf: &Ebpf, name: &str) -> io::Result<Self> {
        let Some(Map::Array(data)) = ebpf.map(name) else {
            return Err(io::Error::other(format!("the object has no array {name}")));
        };
        let fd: BorrowedFd<'_> = data.fd().as_fd();
        #[expect(unsafe_code, reason = "the map's memory is shared with the programs")]
        // SAFETY: a new mapping at an address the kernel chooses overlaps nothing.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                BYTES,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                fd,
                0,
            )?
        };
        let words = NonNull::new(address.cast()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { words })
    }

    /// Sets the bit of a number, and says whether it was set already. Numbers no task can have are
    /// let be.
    pub(super) fn set(&self, number: u32) -> bool {
        let bit = 1 << (number % 64);
        self.word(number)
            .is_some_and(|word| word.fetch_or(bit, Ordering::Relaxed) & bit != 0)
    }

    /// Clears the bit of a number.
    pub(super) fn clear(&self, number: u32) {
        if let Some(word) = self.word(number) {
            word.fetch_and(!(1 << (number % 64)), Ordering::Relaxed);
        }
    }

    /// The numbers whose bit is set.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let words = self.words().iter().map(|word| word.load(Ordering::Relaxed));
        (0..).zip(words).flat_map(|(index, word): (u32, u64)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 != 0)
                .map(move |bit| index * 64 + bit)
        })
    }

    fn word(&self, number: u32) -> Option<&AtomicU64> {
        self.words().get(usize::try_from(number / 64).ok()?)
    }

    #[expect(unsafe_code, reason = "the mapping is shared memory")]
    fn words(&self) -> &[AtomicU64; WORDS] {
        // SAFETY: the mapping is as long as the array, aligned to a page, and lives as long as
        // `self`; the programs write its words atomically too.
        unsafe { self.words.as_ref() }
    }
}

impl Drop for Bits {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the mapping was made by hand")]
        // SAFETY: the mapping is this value's own, and no reference to it outlives it. A failure
        // would only leave it until the process ends.
        let _left_until_the_end = unsafe { munmap(self.words.as_ptr().cast(), BYTES) };
    }
}
