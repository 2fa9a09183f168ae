//! What recording adds to watching: the cpu time of `inspector report` and of `inspector record` beside
//! the same paced program.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use inspector::trace::read::{Limits, Recording};

use crate::eprint_progress;

/// Opens and closes of the program in a second: each pair is three events, as the name of what is
/// opened is one.
const PAIRS: u32 = 67_000;
/// It does so many at once, each millisecond.
const AT_ONCE: u32 = PAIRS / 1000;
/// How long inspector runs before its cpu time is counted: the probes load, what lives is read.
const BEFORE: Duration = Duration::from_secs(3);
/// How long it is counted.
const COUNTED: Duration = Duration::from_secs(8);
/// How long inspector runs.
const WHOLE: &str = "13s";

/// Cpu time as a part of a core.
#[derive(Clone, Copy, Debug, Default)]
struct Cores {
    /// All threads.
    whole: f64,
    /// The thread that writes.
    writer: f64,
}

/// Runs the paced program: opens and closes until its input ends.
pub(crate) fn serve() -> anyhow::Result<()> {
    let (ended, ends) = channel::<()>();
    thread::spawn(move || {
        let _ends_either_way = std::io::stdin().lock().lines().next();
        drop(ended);
    });
    println!("ready");
    std::io::stdout().flush()?;
    let started = Instant::now();
    let mut millis = 0;
    loop {
        for _ in 0..AT_ONCE {
            drop(fs::File::open("/dev/null")?);
        }
        millis += 1;
        let due = started + Duration::from_millis(millis);
        let left = due.saturating_duration_since(Instant::now());
        if let Err(RecvTimeoutError::Disconnected) = ends.recv_timeout(left) {
            return Ok(());
        }
    }
}

/// Runs both so many times in turns, and prints what they took.
pub(crate) fn compare(rounds: usize) -> anyhow::Result<()> {
    let mut target = Command::new(std::env::current_exe()?)
        .arg("paced")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let compared = beside(&mut target, rounds);
    drop(target.stdin.take());
    let status = target.wait()?;
    let compared = compared?;
    ensure!(status.success(), "the paced program ended with {status}");
    compared.print(rounds);
    Ok(())
}

/// What was measured, a number a round.
#[derive(Default)]
struct Compared {
    report: Vec<f64>,
    record: Vec<f64>,
    /// Of which the thread that writes.
    writer: Vec<f64>,
    /// Of all recordings together.
    events: u64,
    seconds: f64,
    bytes: u64,
    lost: u64,
}

impl Compared {
    fn print(mut self, rounds: usize) {
        for all in [&mut self.report, &mut self.record, &mut self.writer] {
            all.sort_by(f64::total_cmp);
        }
        #[expect(clippy::cast_precision_loss, reason = "rates need no more")]
        let (events, bytes) = (self.events.max(1) as f64, self.bytes as f64);
        println!(
            "\ncores that inspector takes beside {:.0} events a second: fewest / median of {rounds} \
             interleaved runs\n",
            events / self.seconds
        );
        let middle = rounds / 2;
        let line = |name: &str, all: &[f64]| {
            println!("{name:<34}{:>7.3} / {:.3}", all[0], all[middle]);
        };
        line("report", &self.report);
        line("record", &self.record);
        line("  of which the thread that writes", &self.writer);
        println!(
            "recording adds {:.3} / {:.3}; {:.1} bytes an event; {} events not recorded",
            self.record[0] - self.report[0],
            self.record[middle] - self.report[middle],
            bytes / events,
            self.lost
        );
    }
}

fn beside(target: &mut Child, rounds: usize) -> anyhow::Result<Compared> {
    let out = target.stdout.take().context("its output is piped")?;
    BufReader::new(out).read_line(&mut String::new())?;
    let pid = target.id().to_string();
    let folder = tempfile::tempdir()?;
    let mut compared = Compared::default();
    for round in 1..=rounds {
        eprint_progress(round, rounds);
        let report = counted(&["report", "--for", WHOLE, "-p", &pid])?;
        compared.report.push(report.whole);
        let path = folder.path().join(format!("{round}.rec"));
        let shown = path.display().to_string();
        let words = ["record", "-q", "-o", &shown, "--for", WHOLE, "-p", &pid];
        let record = counted(&words)?;
        compared.record.push(record.whole);
        compared.writer.push(record.writer);
        let recording = Recording::open(&path, Limits::default())?;
        let (began, ended) = recording.span();
        compared.events += recording.events();
        compared.seconds += Duration::from_nanos(ended.since_ns(began)).as_secs_f64();
        compared.bytes += recording.segments().map(|file| file.bytes).sum::<u64>();
        compared.lost += recording.blocks().last().map_or(0, |last| last.header.lost);
        fs::remove_file(&path)?;
    }
    Ok(compared)
}

/// Runs inspector so, and counts its cpu time while it is at work.
fn counted(words: &[&str]) -> anyhow::Result<Cores> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_inspector"))
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    thread::sleep(BEFORE);
    let before = cpu_time(child.id());
    let started = Instant::now();
    thread::sleep(COUNTED);
    let after = cpu_time(child.id());
    let seconds = started.elapsed().as_secs_f64();
    let status = child.wait()?;
    ensure!(status.success(), "inspector {words:?} ended with {status}");
    let (before, after) = (before?, after?);
    Ok(Cores {
        whole: (after.whole - before.whole) / seconds,
        writer: (after.writer - before.writer) / seconds,
    })
}

/// Seconds that its threads have run: the first number of `schedstat`, in nanoseconds.
fn cpu_time(pid: u32) -> anyhow::Result<Cores> {
    let mut time = Cores::default();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        let stat = fs::read_to_string(task.join("schedstat"))?;
        let first = stat.split(' ').next().context("it has numbers")?;
        let seconds = Duration::from_nanos(first.parse()?).as_secs_f64();
        time.whole += seconds;
        if fs::read_to_string(task.join("comm"))?.trim_end() == "recorder" {
            time.writer += seconds;
        }
    }
    Ok(time)
}
