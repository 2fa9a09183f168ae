//! The workloads: small loops of the calls that inspector hooks, each timed by the process itself.

use std::{
    fs::File,
    io::{BufRead as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Instant,
};

use rustix::{
    event::{EventfdFlags, epoll, eventfd},
    fs::{Mode, OFlags},
    io::dup,
    net::{AddressFamily, SocketType, socket},
    pipe::{PipeFlags, pipe_with},
    thread::futex,
};

/// One loop.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    /// Its name on the command line and in the table.
    pub(crate) name: &'static str,
    /// What one iteration does.
    pub(crate) what: &'static str,
    /// Iterations of one slice: some 50 ms where nobody watches.
    pub(crate) iterations: u32,
    run: fn(u32),
}

/// All of them.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "call",
        what: "getppid",
        iterations: 300_000,
        run: call,
    },
    Workload {
        name: "open",
        what: "open + close of a file",
        iterations: 50_000,
        run: open,
    },
    Workload {
        name: "dup",
        what: "dup + close",
        iterations: 150_000,
        run: dup_close,
    },
    Workload {
        name: "mix",
        what: "open, socket, pipe, eventfd, epoll, dup and their closes",
        iterations: 8_000,
        run: mix,
    },
    Workload {
        name: "thread",
        what: "thread create + join",
        iterations: 3_000,
        run: threads,
    },
    Workload {
        name: "futex",
        what: "futex round trip of two threads",
        iterations: 10_000,
        run: futexes,
    },
];

/// Pieces a slice is timed in: about a millisecond each, so that some of them pass undisturbed on a
/// busy machine.
const PIECES: u32 = 50;

/// Runs as the watched program: a line `NAME ITERATIONS` in, the nanoseconds an iteration of the
/// fastest and of the median piece out.
pub(crate) fn serve() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (name, iterations) = line.split_once(' ').unwrap_or((&line, "1"));
        let workload = WORKLOADS.iter().find(|workload| workload.name == name);
        let workload = workload.ok_or(std::io::ErrorKind::InvalidInput)?;
        let iterations: u32 = iterations
            .parse()
            .map_err(|_| std::io::ErrorKind::InvalidInput)?;
        let mut pieces: Vec<f64> = (0..PIECES)
            .map(|_| {
                let iterations = (iterations / PIECES).max(1);
                let started = Instant::now();
                (workload.run)(iterations);
                started.elapsed().as_secs_f64() * 1e9 / f64::from(iterations)
            })
            .collect();
        pieces.sort_by(f64::total_cmp);
        writeln!(out, "{} {}", pieces[0], pieces[pieces.len() / 2])?;
        out.flush()?;
    }
    Ok(())
}

fn call(iterations: u32) {
    for _ in 0..iterations {
        std::hint::black_box(rustix::process::getppid());
    }
}

fn open(iterations: u32) {
    for _ in 0..iterations {
        drop(open_null());
    }
}

fn open_null() -> rustix::fd::OwnedFd {
    rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .expect("/dev/null opens")
}

fn dup_close(iterations: u32) {
    let file = File::open("/dev/null").expect("/dev/null opens");
    for _ in 0..iterations {
        drop(dup(&file).expect("a descriptor is free"));
    }
}

fn mix(iterations: u32) {
    for _ in 0..iterations {
        let file = open_null();
        let socket =
            socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a descriptor is free");
        let pipe = pipe_with(PipeFlags::CLOEXEC).expect("descriptors are free");
        let event = eventfd(0, EventfdFlags::CLOEXEC).expect("a descriptor is free");
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("a descriptor is free");
        let twin = dup(&file).expect("a descriptor is free");
        drop((file, socket, pipe, event, epoll, twin));
    }
}

fn threads(iterations: u32) {
    for _ in 0..iterations {
        thread::spawn(|| {})
            .join()
            .expect("an empty thread ends well");
    }
}

/// Two threads hand a word to and fro; each sleeps until the other has changed it.
fn futexes(iterations: u32) {
    let word = Arc::new(AtomicU32::new(0));
    let other = Arc::clone(&word);
    let partner = thread::spawn(move || {
        for _ in 0..iterations {
            await_and_set(&other, 1, 0);
        }
    });
    for _ in 0..iterations {
        word.store(1, Ordering::Release);
        let _woken = futex::wake(&word, futex::Flags::PRIVATE, 1);
        while word.load(Ordering::Acquire) == 1 {
            let _changed = futex::wait(&word, futex::Flags::PRIVATE, 1, None);
        }
    }
    partner.join().expect("the partner ends well");
}

fn await_and_set(word: &AtomicU32, awaited: u32, next: u32) {
    while word.load(Ordering::Acquire) != awaited {
        let _changed = futex::wait(word, futex::Flags::PRIVATE, 1 - awaited, None);
    }
    word.store(next, Ordering::Release);
    let _woken = futex::wake(word, futex::Flags::PRIVATE, 1);
}
