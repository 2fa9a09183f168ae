//! `ticker`: a thread that reads a timerfd.
//!
//! What stops it is its own timer: the stop flag is set and the timer made to expire at once, so
//! that the read returns. No second descriptor, no poll, no timeout.

use std::{io, time::Duration};

use rustix::{
    io::read,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};

use super::{Entry, Spec, period};

pub(super) fn open(spec: &Spec<'_>) -> io::Result<Entry> {
    let period = period(spec);
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &every(period, period))?;
    Entry::start(
        spec,
        "tick",
        vec![timer],
        move |handles, _| {
            let now = every(Duration::from_nanos(1), period);
            // Cannot fail: the descriptor is ours and a timer, the times are in range.
            let _ = timerfd_settime(&handles[0], TimerfdTimerFlags::empty(), &now);
        },
        |task| {
            let mut expirations = [0; 8];
            while !task.stopping() {
                if read(task.handle(0), &mut expirations).is_err() {
                    return;
                }
            }
        },
    )
}

fn every(first: Duration, interval: Duration) -> Itimerspec {
    Itimerspec {
        it_interval: timespec(interval),
        it_value: timespec(first),
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
