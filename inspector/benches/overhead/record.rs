//! What recording adds to watching: the cpu time of `inspector report` and of `inspector record` beside
//! the same paced program.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
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
    let (ended, ends) = std::sync::mpsc::channel::<()>();
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
        if let Err(std::sync::mpsc::RecvTimeoutError::Disconnected) = ends.recv_timeout(left) {
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
    let (mut without, mut with, events, bytes, lost) = compared?;
    ensure!(status.success(), "the paced program ended with {status}");
    println!(
        "\ncores that inspector takes beside {events:.0} events a second: fewest / median of {rounds} \
         interleaved runs\n"
    );
    let line = |name: &str, all: &mut Vec<f64>| {
        all.sort_by(f64::total_cmp);
        println!("{name:<34}{:>7.3} / {:.3}", all[0], all[all.len() / 2]);
    };
    line("report", &mut without.iter().map(|one| one.whole).collect());
    line("record", &mut with.iter().map(|one| one.whole).collect());
    let writers = &mut with.iter().map(|one| one.writer).collect();
    line("  of which the thread that writes", writers);
    let by_whole = |one: &Cores, other: &Cores| one.whole.total_cmp(&other.whole);
    without.sort_by(by_whole);
    with.sort_by(by_whole);
    let middle = rounds / 2;
    println!(
        "recording adds {:.3} / {:.3}; {bytes:.1} bytes an event; {lost} events not recorded",
        with[0].whole - without[0].whole,
        with[middle].whole - without[middle].whole
    );
    Ok(())
}

type Compared = (Vec<Cores>, Vec<Cores>, f64, f64, u64);

fn beside(target: &mut Child, rounds: usize) -> anyhow::Result<Compared> {
    let out = target.stdout.take().context("its output is piped")?;
    BufReader::new(out).read_line(&mut String::new())?;
    let pid = target.id().to_string();
    let folder = tempfile::tempdir()?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let (mut events, mut seconds, mut bytes, mut lost) = (0, 0.0, 0, 0);
    for round in 1..=rounds {
        eprint_progress(round, rounds);
        without.push(counted(&["report", "--for", WHOLE, "-p", &pid])?);
        let path = folder.path().join(format!("{round}.rec"));
        let shown = path.display().to_string();
        let words = ["record", "-q", "-o", &shown, "--for", WHOLE, "-p", &pid];
        with.push(counted(&words)?);
        let recording = recording(&path)?;
        events += recording.events();
        let (began, ended) = recording.span();
        seconds += Duration::from_nanos(ended.since_ns(began)).as_secs_f64();
        bytes += recording.segments().map(|file| file.bytes).sum::<u64>();
        lost += recording.blocks().last().map_or(0, |last| last.header.lost);
        fs::remove_file(&path)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "rates need no more")]
    let (rate, each) = (events as f64 / seconds, bytes as f64 / events.max(1) as f64);
    Ok((without, with, rate, each, lost))
}

fn recording(path: &Path) -> anyhow::Result<Arc<Recording>> {
    Ok(Arc::new(Recording::open(path, Limits::default())?))
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
