//! Waits and wakes of a program that knows what it waits in, for how long, and who woke whom.

use std::{collections::BTreeMap, time::Duration};

use inspector::{
    event::{
        BootTime, WaitEvent, What,
        id::Tid,
        wait::{Blocked, WaitSums, Waker, Waking},
    },
    source::{clock::boot_time, ebpf::load::LoadOptions},
};
use rustix::process::{Pid, Signal, kill_process};

use crate::{oracle, program::Program, watch::Watch};

const NANOSLEEP: u16 = 35;
const PAUSE: u16 = 34;
const FUTEX: u16 = 202;
const EPOLL_WAIT: i64 = 232;

fn numbers(line: &str) -> Vec<i64> {
    line.split(' ').map(|word| word.parse().unwrap()).collect()
}

fn tid(number: i64) -> Tid {
    Tid(u32::try_from(number).unwrap())
}

/// What the last sample of a thread said.
fn sample(watch: &Watch, of: Tid) -> Option<(Option<Blocked>, WaitSums)> {
    watch
        .events
        .iter()
        .rev()
        .find_map(|event| match &event.what {
            What::Wait(wait) => match **wait {
                WaitEvent::Sample {
                    tid, blocked, sums, ..
                } if tid == of => Some((blocked, sums)),
                _ => None,
            },
            _ => None,
        })
}

/// The waits of a thread that were sent one by one, with their ends.
fn ended(watch: &Watch, of: Tid) -> Vec<(BootTime, Blocked, Option<Waker>)> {
    let waits = watch.events.iter().filter_map(|event| match &event.what {
        What::Wait(wait) => match **wait {
            WaitEvent::Ended {
                tid, wait, waker, ..
            } if tid == of => Some((event.at, wait, waker)),
            _ => None,
        },
        _ => None,
    });
    waits.collect()
}

#[test]
fn a_blocked_thread_shows_its_call_its_arguments_and_since_when() {
    let mut program = Program::start("waits");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    let began = boot_time();
    let told = program.tell("block");
    let answered = boot_time();
    watch.drain();
    for line in &told {
        let since = blocked_as_told(&watch, line).since.unwrap();
        assert!(began <= since && since <= answered, "{line}: {since:?}");
    }
    assert_eq!(told.len(), 6);
}

#[test]
fn what_was_blocked_before_the_attach_is_so_since_an_unknown_time() {
    let mut program = Program::start("waits");
    let Some(mut watch) = Watch::start(&LoadOptions::default()) else {
        return;
    };
    let told = program.tell("block");
    let nap = tid(numbers(&program.tell("nap 700")[0])[0]);
    watch.also(program.tgid()).unwrap();
    for line in &told {
        assert_eq!(blocked_as_told(&watch, line).since, None, "{line}");
    }
    // Its end is seen, and it blocks anew.
    watch.until("the nap's end", |watch| !ended(watch, nap).is_empty());
    watch.drain();
    let (_, wait, _) = ended(&watch, nap)[0];
    assert_eq!((wait.since, wait.call), (None, Some(NANOSLEEP)));
    let (blocked, sums) = sample(&watch, nap).unwrap();
    assert_eq!(blocked.unwrap().call, Some(PAUSE));
    assert!(blocked.unwrap().since.is_some());
    assert_eq!(sums.count, 0, "how long it took is not known");
}

/// Checks call and arguments against the program's line.
#[track_caller]
fn blocked_as_told(watch: &Watch, line: &str) -> Blocked {
    let told = numbers(line);
    let (blocked, _) = sample(watch, tid(told[0])).unwrap_or_else(|| panic!("no sample: {line}"));
    let blocked = blocked.unwrap_or_else(|| panic!("not blocked: {line}"));
    assert_eq!(
        blocked.call,
        Some(u16::try_from(told[1]).unwrap()),
        "{line}"
    );
    for (seen, told) in blocked.args.iter().zip(&told[2..]) {
        // −1 of an int stands in the lower half of its register.
        let seen = *seen as i64;
        assert!(
            seen == *told || (*told == -1 && seen as i32 == -1),
            "{line}"
        );
    }
    blocked
}

#[test]
fn a_stop_in_between_is_one_wait() {
    let mut program = Program::start("waits");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    let long = program.tell("block");
    let nap = tid(numbers(&program.tell("nap 800")[0])[0]);
    watch.drain();
    let (before, _) = sample(&watch, nap).unwrap();
    let before = before.unwrap();
    assert_eq!(before.call, Some(NANOSLEEP));
    let pid = Pid::from_raw(i32::try_from(program.tgid().0).unwrap()).unwrap();
    let stopped = boot_time();
    kill_process(pid, Signal::STOP).unwrap();
    watch.take_for(Duration::from_millis(100));
    kill_process(pid, Signal::CONT).unwrap();
    watch.until("the nap's end", |watch| !ended(watch, nap).is_empty());
    watch.drain();
    let ends = ended(&watch, nap);
    assert_eq!(ends.len(), 1, "{ends:?}");
    let (at, wait, waker) = ends[0];
    assert_eq!(wait, before, "the same call, since the same time");
    assert!(at.since_ns(wait.since.unwrap()) >= 800_000_000);
    assert_eq!(waker.unwrap().how, Waking::Interrupt);
    for line in &long {
        let waiter = tid(numbers(line)[0]);
        if numbers(line)[1] == EPOLL_WAIT {
            // The one call of these that a stop ends: EINTR, says signal(7).
            assert_eq!(ended(&watch, waiter).len(), 1);
            continue;
        }
        let since = blocked_as_told(&watch, line).since;
        assert!(since.unwrap() < stopped, "{line}: {since:?}");
        assert!(ended(&watch, waiter).is_empty());
    }
}

#[test]
fn long_waits_are_sent_once_and_all_are_summed() {
    let mut program = Program::start("waits");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    let told = program.tell("sleep 5 50");
    watch.drain();
    let (sleeper, slept) = told.split_last().unwrap();
    let sleeper = tid(numbers(sleeper)[0]);
    let slept: Vec<(i64, i64)> = slept
        .iter()
        .map(|line| numbers(line))
        .map(|pair| (pair[0], pair[1]))
        .collect();
    let ends = ended(&watch, sleeper);
    let asked_long = slept.iter().filter(|(asked, _)| *asked > 1_000_000).count();
    let were_long = slept.iter().filter(|(_, took)| *took > 1_000_000).count();
    assert!(
        (asked_long..=were_long).contains(&ends.len()),
        "{}",
        ends.len()
    );
    assert!(ends.iter().all(|(_, wait, _)| wait.call == Some(NANOSLEEP)));
    let (blocked, sums) = sample(&watch, sleeper).unwrap();
    assert_eq!(blocked.unwrap().call, Some(PAUSE));
    assert_eq!(sums.count, 55);
    assert_eq!(sums.histogram.iter().sum::<u32>(), 55);
    let total_ns = i64::try_from(sums.total_ns).unwrap();
    assert!(total_ns >= slept.iter().map(|(asked, _)| asked).sum());
    assert!(total_ns <= slept.iter().map(|(_, took)| took).sum());
    // 20 ms lie between 2^14 and 2^15 microseconds; a busy machine makes some longer.
    assert!(sums.histogram[15..].iter().sum::<u32>() >= 5);
    assert_eq!(
        sums.histogram[..7].iter().sum::<u32>(),
        0,
        "100 µs are more than 2^6"
    );
}

/// The timer's interrupt borrows whoever runs: here a thread on the same cpu that never sleeps.
#[test]
fn a_timers_wake_is_never_the_spinning_threads() {
    let mut program = Program::start("waits");
    let options = LoadOptions {
        wait_threshold: Duration::ZERO,
        ..LoadOptions::default()
    };
    let Some(mut watch) = Watch::follow(&options, &program) else {
        return;
    };
    for calls in [0, 1] {
        watch.events.clear();
        let told = program.tell(&format!("timers 200 {calls}"));
        watch.drain();
        let sleeper = tid(told.last().unwrap().parse().unwrap());
        let by_timer = ended(&watch, sleeper);
        let by_timer: Vec<_> = by_timer
            .iter()
            .filter(|(_, wait, _)| wait.call == Some(NANOSLEEP))
            .map(|(_, _, waker)| waker.unwrap().how)
            .collect();
        assert_eq!(
            by_timer,
            [Waking::Interrupt; 200],
            "spins with calls: {calls}"
        );
    }
}

#[test]
fn a_futexs_wakes_are_the_waking_threads() {
    let mut program = Program::start("waits");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    let told = program.tell("futex 20");
    watch.drain();
    let first = numbers(&told[0]);
    let (address, waiter) = (u64::try_from(first[0]).unwrap(), tid(first[1]));
    let mut wakers: BTreeMap<Tid, u64> = told[1..]
        .iter()
        .map(|line| numbers(line))
        .map(|pair| (tid(pair[0]), u64::try_from(pair[1]).unwrap()))
        .collect();
    assert_eq!(wakers.values().sum::<u64>(), 63);
    // The last wake is the leader's.
    wakers.insert(program.leader(), 1);
    let futex = watch
        .events
        .iter()
        .rev()
        .find_map(|event| match &event.what {
            What::Wait(wait) => match &**wait {
                WaitEvent::Futex {
                    address: of,
                    sums,
                    wakers,
                    ..
                } if *of == address => Some((*sums, wakers.clone())),
                _ => None,
            },
            _ => None,
        });
    let (sums, seen) = futex.unwrap();
    let seen: BTreeMap<Tid, u64> = seen
        .into_iter()
        .map(|(how, count)| match how {
            Waking::Thread(tid) => (tid, count),
            Waking::Interrupt => panic!("an interrupt woke the word {count} times"),
        })
        .collect();
    // A wake that comes before the waiter has left the cpu ends no wait, and is not counted.
    for (waker, count) in &seen {
        assert!(
            wakers.get(waker).is_some_and(|told| count <= told),
            "{seen:?} of {wakers:?}"
        );
    }
    assert_eq!(seen.len(), wakers.len());
    let counted = seen.values().sum::<u64>();
    assert!((48..=64).contains(&counted), "{seen:?} of {wakers:?}");
    assert!((48..=64).contains(&sums.count), "{sums:?}");
    assert_eq!(u64::from(sums.histogram.iter().sum::<u32>()), sums.count);
    for (_, wait, waker) in ended(&watch, waiter) {
        assert_eq!((wait.call, wait.args[0]), (Some(FUTEX), address));
        let Some(Waking::Thread(by)) = waker.map(|waker| waker.how) else {
            panic!("{waker:?}")
        };
        assert!(wakers.contains_key(&by), "{by}");
    }
}

#[test]
fn dead_threads_do_not_come_back() {
    let mut program = Program::start("waits");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    program.tell("die 300");
    watch.drain();
    assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
    assert_eq!(oracle::threads(program.tgid()).len(), 1);
    watch.events.clear();
    watch.take_for(Duration::from_millis(250));
    watch.drain();
    let sampled: Vec<_> = watch
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Wait(wait) => match **wait {
                WaitEvent::Sample { tid, .. } => Some(tid),
                _ => None,
            },
            _ => None,
        })
        .filter(|tid| *tid != program.leader())
        .collect();
    assert_eq!(sampled, []);
}
