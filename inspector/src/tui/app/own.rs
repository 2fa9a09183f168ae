//! What the tool itself takes.

use std::time::{Duration, Instant};

use crate::{
    source::{clock::boot_time, gauges::Reading},
    tui::{model::Own, world::KINDS},
};

/// What the last look at the tool itself saw.
pub(super) struct Looked {
    at: Instant,
    cpu_ticks: u64,
    kinds: [u64; KINDS.len()],
}

impl Looked {
    /// Nothing was seen yet: the first look is at the whole life of the process so far.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            at: now.checked_sub(own_age()).unwrap_or(now),
            cpu_ticks: 0,
            kinds: [0; KINDS.len()],
        }
    }

    /// Looks again: what the tool takes, and how fast events come.
    pub(super) fn look(
        &mut self,
        kinds: [u64; KINDS.len()],
        reading: Reading,
        before: &Own,
    ) -> Own {
        let now = Instant::now();
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.001);
        let (cpu_ticks, memory_bytes) = own_use().unwrap_or_default();
        let per_second = |now: u64, before: u64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a rate for a person to read"
            )]
            let rate = (now.saturating_sub(before) as f64 / seconds).round() as u64;
            rate
        };
        let mut rates = [0; KINDS.len()];
        for (rate, (now, before)) in rates.iter_mut().zip(kinds.iter().zip(self.kinds)) {
            *rate = per_second(*now, before);
        }
        let own = Own {
            // A tick is a hundredth of a second.
            cpu_permille: per_second(cpu_ticks, self.cpu_ticks) * 10,
            memory_bytes,
            events_per_second: rates.iter().sum(),
            kinds_per_second: rates,
            reading,
            ..before.clone()
        };
        *self = Self {
            at: now,
            cpu_ticks,
            kinds,
        };
        own
    }
}

/// Cpu time of all threads in ticks, and resident bytes.
fn own_use() -> Option<(u64, u64)> {
    let stat = procfs::process::Process::myself().ok()?.stat().ok()?;
    Some((
        stat.utime + stat.stime,
        procfs::WithCurrentSystemInfo::get(stat.rss_bytes()),
    ))
}

/// How long this process has lived.
fn own_age() -> Duration {
    let stat = procfs::process::Process::myself().and_then(|myself| myself.stat());
    stat.map_or(Duration::ZERO, |stat| {
        let started_ns = stat.starttime.saturating_mul(1_000_000_000) / procfs::ticks_per_second();
        Duration::from_nanos(boot_time().0.saturating_sub(started_ns))
    })
}
