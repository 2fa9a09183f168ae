//! Reads what threads wait in from the kernel's maps and tells it as samples.

use std::{
    collections::HashMap,
    fs::File,
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

use aya::maps::{HashMap as BpfMap, MapData};
use inspector_ebpf::abi::wait::{
    BEFORE_ATTACH, Blocked, FutexKey, FutexWaits, FutexWakerKey, ThreadWaits,
};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::{bits::Bits, decode};
use crate::event::{
    BootTime, Event, WaitEvent, What,
    id::{Tgid, Tid},
    wait::{WaitSums, Waking},
};

/// Time between samples of threads, at least.
const THREADS_EVERY: Duration = Duration::from_millis(100);
/// Time between samples of futex words, at least.
const FUTEXES_EVERY: Duration = Duration::from_secs(1);
/// A sample waits this many times as long as the last one took: 4 % of a core at most.
const REST: u32 = 25;

type RawThread = [u8; size_of::<ThreadWaits>()];
type RawFutexKey = [u8; size_of::<FutexKey>()];
type RawFutex = [u8; size_of::<FutexWaits>()];
type RawWaker = [u8; size_of::<FutexWakerKey>()];

/// The three maps, and what they said last.
pub(super) struct Waits {
    blocked: Bits,
    threads: BpfMap<MapData, u32, RawThread>,
    futexes: BpfMap<MapData, RawFutexKey, RawFutex>,
    wakers: BpfMap<MapData, RawWaker, u64>,
    last_threads: HashMap<u32, RawThread>,
    last_futexes: HashMap<RawFutexKey, u64>,
    threads_due: Instant,
    futexes_due: Instant,
}

impl Waits {
    pub(super) fn new(
        blocked: Bits,
        threads: BpfMap<MapData, u32, RawThread>,
        futexes: BpfMap<MapData, RawFutexKey, RawFutex>,
        wakers: BpfMap<MapData, RawWaker, u64>,
    ) -> Self {
        let now = Instant::now();
        Self {
            blocked,
            threads,
            futexes,
            wakers,
            last_threads: HashMap::new(),
            last_futexes: HashMap::new(),
            threads_due: now,
            futexes_due: now,
        }
    }

    /// Notes what a thread is blocked in that was so before anybody looked. The kernel's program
    /// goes on from there: the call's exit ends the wait.
    pub(super) fn seed(&mut self, tgid: Tgid, tid: Tid) {
        let Ok(call) = File::open(format!("/proc/{tgid}/task/{tid}/syscall")) else {
            return;
        };
        let Some(blocked) = blocked_in(&call) else {
            return;
        };
        let mut waits: ThreadWaits = zerocopy::transmute!([0_u8; size_of::<ThreadWaits>()]);
        waits.blocked = blocked;
        waits.tgid = tgid.0;
        waits.off_cpu = 1;
        let mut raw: RawThread = [0; size_of::<ThreadWaits>()];
        raw.copy_from_slice(waits.as_bytes());
        const ONLY_IF_ABSENT: u64 = 1;
        // A thread that has blocked anew meanwhile is known better.
        if self.threads.insert(tid.0, raw, ONLY_IF_ABSENT).is_err() {
            return;
        }
        self.blocked.set(tid.0);
        if blocked_in(&call).is_none_or(|now| now.as_bytes() != blocked.as_bytes()) {
            self.blocked.clear(tid.0);
            let _absent_is_fine = self.threads.remove(&tid.0);
        }
    }

    /// Samples what is due, or everything if `now` is asked for.
    pub(super) fn sample(&mut self, at: BootTime, now: bool, out: &mut Vec<Event>) {
        let started = Instant::now();
        if now || started >= self.threads_due {
            self.sample_threads(at, out);
            self.threads_due = Instant::now() + THREADS_EVERY.max(started.elapsed() * REST);
        }
        let started = Instant::now();
        if now || started >= self.futexes_due {
            self.sample_futexes(at, out);
            self.futexes_due = Instant::now() + FUTEXES_EVERY.max(started.elapsed() * REST);
        }
    }

    /// One event a thread whose value changed.
    fn sample_threads(&mut self, at: BootTime, out: &mut Vec<Event>) {
        let mut seen = HashMap::with_capacity(self.last_threads.len());
        // A key that vanishes while the map is read is a thread that died: not an error.
        for (tid, raw) in self.threads.iter().filter_map(Result::ok) {
            if self.last_threads.get(&tid) != Some(&raw)
                && let Ok(waits) = ThreadWaits::read_from_bytes(&raw)
            {
                out.push(Event {
                    at,
                    what: What::Wait(Box::new(thread(tid, &waits))),
                });
            }
            seen.insert(tid, raw);
        }
        self.last_threads = seen;
    }

    /// One event a word that was waited on since.
    fn sample_futexes(&mut self, at: BootTime, out: &mut Vec<Event>) {
        let mut changed = HashMap::new();
        for (raw_key, raw) in self.futexes.iter().filter_map(Result::ok) {
            let Ok(word) = FutexWaits::read_from_bytes(&raw) else {
                continue;
            };
            if self.last_futexes.insert(raw_key, word.count) != Some(word.count) {
                changed.insert(
                    raw_key,
                    (sums(word.count, word.total_ns, word.histogram), Vec::new()),
                );
            }
        }
        if changed.is_empty() {
            return;
        }
        for (raw_key, count) in self.wakers.iter().filter_map(Result::ok) {
            if let Some((word, waking)) = waker(&raw_key)
                && let Some((_, wakers)) = changed.get_mut(&word)
            {
                wakers.push((waking, count));
            }
        }
        for (raw_key, (sums, wakers)) in changed {
            let Ok(key) = FutexKey::read_from_bytes(&raw_key) else {
                continue;
            };
            let futex = WaitEvent::Futex {
                tgid: Tgid(key.tgid),
                address: key.address,
                sums,
                wakers,
            };
            out.push(Event {
                at,
                what: What::Wait(Box::new(futex)),
            });
        }
    }
}

/// The call a thread is blocked in, by /proc/PID/task/TID/syscall: the number in decimal, then
/// six arguments, stack and instruction pointer in hexadecimal. `running`, and −1 with two
/// pointers outside any call, are no waits.
fn blocked_in(call: &File) -> Option<Blocked> {
    // Nine numbers; each reading from the start is made anew.
    let mut line = [0; 256];
    let len = call.read_at(&mut line, 0).ok()?;
    let mut words = str::from_utf8(&line[..len]).ok()?.split_ascii_whitespace();
    let nr = words.next()?.parse().ok()?;
    let mut args = [0; 4];
    for argument in &mut args {
        *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    // The −1 of a fault is no u64, and did not parse.
    Some(Blocked {
        since_ns: BEFORE_ATTACH,
        nr,
        args,
    })
}

fn thread(tid: u32, waits: &ThreadWaits) -> WaitEvent {
    let blocked = waits.off_cpu != 0 && waits.blocked.since_ns != 0;
    WaitEvent::Sample {
        tid: Tid(tid),
        tgid: Tgid(waits.tgid),
        blocked: blocked.then(|| decode::blocked(&waits.blocked)),
        ran: (waits.ran_ns != 0).then_some(BootTime(waits.ran_ns)),
        waker: decode::waker(&waits.waker),
        sums: sums(waits.count, waits.total_ns, waits.histogram),
    }
}

fn sums(count: u64, total_ns: u64, histogram: [u32; 32]) -> WaitSums {
    WaitSums {
        count,
        total_ns,
        histogram,
    }
}

fn waker(raw: &RawWaker) -> Option<(RawFutexKey, Waking)> {
    let key = FutexWakerKey::read_from_bytes(raw).ok()?;
    let word = raw.first_chunk().copied()?;
    Some((word, decode::waking(key.kind, key.tid)?))
}
