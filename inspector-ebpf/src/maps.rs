//! Every map: what it holds, why that size, who writes and who reads it.
//!
//! Sizes are defaults; the loader may set others (`--ring-bytes` and its options). A full map is
//! counted in `COUNTERS.full`, and the user side reports it.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, PerCpuArray, RingBuf},
};
use inspector_ebpf::abi::{
    config::PID_LIMIT,
    loss::Counters,
    mark::{SITES as SITE_COUNT, Site},
    wait::{FutexKey, FutexWaits, FutexWakerKey, ThreadWaits},
};

/// Records to the user side. 16 MiB hold 150,000 call records: 30 ms at the 5 million a second
/// that two cpus can produce, three times the reader's poll interval.
/// Written by every program through `emit`, read by the source.
#[map]
pub(crate) static RING: RingBuf = RingBuf::with_byte_size(16 << 20, 0);

/// Sent and lost, by kind. Per cpu: no contention, and a loss keeps its cpu.
/// Written by `emit`, read by the source after every drain.
#[map]
pub(crate) static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

/// Processes being traced: a bit for each number a process can have ([`PID_LIMIT`]). Every system
/// call of the machine asks it, and an array's lookup is inlined where a hash table's is a
/// chain of calls; it cannot fill up, and 512 KiB hold it.
/// Set by the source through shared memory (named targets) and at births (followed ones), read by
/// every program.
#[map]
pub(crate) static TARGETS: Array<u64> = Array::with_max_entries(PID_LIMIT / 64, BPF_F_MMAPABLE);

/// Threads in a call that blocked, a bit each, for the same reason: every call of a target and
/// every switch and wake-up of the machine asks, and few have to look into `WAITS`.
/// Set where a thread blocks (and by the source, for those that did before), cleared where the
/// call ends.
#[map]
pub(crate) static BLOCKED: Array<u64> = Array::with_max_entries(PID_LIMIT / 64, BPF_F_MMAPABLE);

/// Closing calls in flight: what their entry saw. A thread's slot is the low bits of its tid, and
/// the slot says whose it is: where two threads share one and both are in such a call, the first
/// one's entry counts as not seen. 65,536 slots of 32 bytes.
/// Written at entry, read at exit.
#[map]
pub(crate) static ENTRIES: Array<Entry> = Array::with_max_entries(ENTRY_SLOTS, 0);

/// Attached mark sites, by cookie. Written by the source, read by `mark`.
#[map]
pub(crate) static SITES: Array<Site> = Array::with_max_entries(SITE_COUNT, 0);

/// What each thread waits in, by tid; 65,536 threads at 240 bytes are 16 MiB, allocated only when
/// the probe set has waits (the loader shrinks the map to 1 otherwise).
/// Written by the wait programs, read in batches by the source.
#[map]
pub(crate) static WAITS: HashMap<u32, ThreadWaits> = HashMap::with_max_entries(65_536, 0);

/// Sums by futex word. 16,384 words; more are counted, not followed.
/// Written at the end of futex waits, read by the source.
#[map]
pub(crate) static FUTEXES: HashMap<FutexKey, FutexWaits> = HashMap::with_max_entries(16_384, 0);

/// Wake-ups by futex word and waker. Written at wake-ups, read by the source.
#[map]
pub(crate) static FUTEX_WAKERS: HashMap<FutexWakerKey, u64> = HashMap::with_max_entries(32_768, 0);

/// Slots of `ENTRIES`, a power of two.
pub(crate) const ENTRY_SLOTS: u32 = 65_536;

/// `BPF_F_MMAPABLE`: user space sets bits by atomic operations on the very memory.
const BPF_F_MMAPABLE: u32 = 1 << 10;

/// What a closing call's entry saw.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// `CLOCK_BOOTTIME`; 0 = no call in flight.
    pub(crate) time_ns: u64,
    /// The `struct file` behind the number, or the `files_struct` of a close_range; 0 = none or
    /// not read.
    pub(crate) object: u64,
    /// References to it.
    pub(crate) references: u32,
    /// The call's number: an exit of another call must not take this entry's time.
    pub(crate) nr: u32,
    /// Whose it is.
    pub(crate) tid: u32,
    /// Zero.
    pub(crate) pad: u32,
}
