//! What watching costs: the same loops alone, under each probe set, beside a traced program, and
//! under `strace -f`, in one run. `cargo xtask overhead` runs it with the rights it needs.
//!
//! A machine is noisy, so each figure is taken in short slices, the ways of running interleaved,
//! and the minimum and the median of the slices are printed, as ratios to the minimum and the
//! median of the slices alone.
//!
//! What decided the hooks, and what they cost (kernel 6.18 with retpolines and safe returns, two
//! cpus, otherwise idle; fastest millisecond, as a ratio to the loop alone):
//!
//! | loop | alone | empty `sys_exit` hook | births+deaths | untraced | with waits | untraced | strace -f |
//! |---|---|---|---|---|---|---|---|
//! | getppid | 116 ns | 1.58 | 1.66 | 1.64 | 1.83 | 1.69 | 144 |
//! | open + close | 2,265 ns | 1.09 | 1.41 | 1.21 | 1.42 | 1.20 | 22 |
//! | dup + close | 400 ns | 1.42 | 2.78 | 1.88 | 2.78 | 1.84 | 109 |
//! | mix of six kinds | 15.1 µs | 1.16 | 1.47 | 1.24 | 1.48 | 1.24 | 16 |
//! | thread create + join | 29.2 µs | 1.24 | 1.09 | 1.21 | 1.20 | 1.06 | 16 |
//! | futex round trip | 3.0 µs | 1.20 | 1.28 | 1.27 | 1.55 | 1.31 | 35 |
//!
//! An empty program at every call's exit is what any such hook costs; ours add 5 % to a call that
//! is none of theirs, and with waits 16 %. A hook at every entry too would add the floor once more
//! to every call of the machine, so entry times come from classic tracepoints on the four calls
//! that need one.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod real;
mod record;
mod watch;
mod workload;

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use inspector::{
    event::id::Tgid,
    source::{ebpf::load::attach_floor, probe_set::ProbeSetKind},
};
use real::{REAL, Real};
use watch::Watch;
use workload::{WORKLOADS, Workload};

/// Rounds, unless `--rounds N` says otherwise; each takes one slice of every loop in every way of
/// running.
const ROUNDS: usize = 7;
/// strace makes a slice so much longer that it gets this part of the iterations.
const STRACE_PART: u32 = 20;

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return Ok(workload::serve()?);
    }
    if arguments.first().is_some_and(|first| first == "paced") {
        return record::serve();
    }
    let mut rounds = ROUNDS;
    let mut loops = Vec::new();
    let mut programs: Vec<&Real> = Vec::new();
    let mut without = Vec::new();
    let mut records = false;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            let count = arguments.next().context("--rounds takes a number")?;
            rounds = count
                .parse()
                .with_context(|| format!("--rounds {count} is no number"))?;
        } else if argument == "--without" {
            without.push(
                arguments
                    .next()
                    .context("--without takes a program's name")?,
            );
        } else if argument == "record" {
            records = true;
        } else {
            let workload = WORKLOADS.iter().find(|one| one.name == argument);
            let program = REAL.iter().find(|one| one.name == argument);
            if workload.is_none() && program.is_none() {
                let names = WORKLOADS.iter().map(|one| one.name);
                let names: Vec<_> = names.chain(REAL.iter().map(|one| one.name)).collect();
                bail!(
                    "there is no {argument}; there are {}, record",
                    names.join(", ")
                );
            }
            loops.extend(workload);
            programs.extend(program);
        }
    }
    if loops.is_empty() && programs.is_empty() && !records {
        loops.extend(WORKLOADS);
        programs.extend(REAL);
        records = true;
    }
    if !loops.is_empty() {
        compare(rounds, &loops, &without)?;
    }
    if !programs.is_empty() {
        real::compare(rounds, &programs, &without)?;
    }
    if records {
        record::compare(rounds)?;
    }
    Ok(())
}

/// How a loop runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Alone,
    Floor,
    Traced(usize),
    Beside(usize),
    Strace,
}

const SETS: [ProbeSetKind; 2] = [ProbeSetKind::BirthsAndDeaths, ProbeSetKind::WithWaits];

fn compare(rounds: usize, loops: &[&Workload], without: &[String]) -> anyhow::Result<()> {
    let mut slices: BTreeMap<(usize, Way), Vec<Slice>> = BTreeMap::new();
    let mut lost = 0;
    let mut target = Program::start(&[])?;
    let mut bystander = Program::start(&[])?;
    let mut take = |program: &mut Program, way: Way, part: u32| -> anyhow::Result<()> {
        for (row, workload) in loops.iter().enumerate() {
            let iterations = workload.iterations / part;
            slices
                .entry((row, way))
                .or_default()
                .push(program.slice(workload, iterations)?);
        }
        Ok(())
    };
    for round in 1..=rounds {
        eprint_progress(round, rounds);
        take(&mut target, Way::Alone, 1)?;
        let floor = attach_floor()?;
        take(&mut target, Way::Floor, 1)?;
        drop(floor);
        for (index, set) in SETS.into_iter().enumerate() {
            let watch = Watch::start(set, without, target.pid())?;
            take(&mut target, Way::Traced(index), 1)?;
            take(&mut bystander, Way::Beside(index), 1)?;
            lost += watch.stop()?;
        }
        let mut straced = Program::start(&["strace", "-f", "-qq", "-o", "/dev/null"])?;
        take(&mut straced, Way::Strace, STRACE_PART)?;
        straced.end()?;
    }
    target.end()?;
    bystander.end()?;
    print_table(&slices, rounds, loops);
    println!("\nrecords lost in all of it: {lost}");
    Ok(())
}

fn print_table(slices: &BTreeMap<(usize, Way), Vec<Slice>>, rounds: usize, loops: &[&Workload]) {
    println!(
        "ratios to the same loop alone: fastest millisecond / median, of {rounds} interleaved slices\n"
    );
    let ways = [
        (Way::Floor, "empty hook"),
        (Way::Traced(0), "births+deaths"),
        (Way::Beside(0), "untraced beside"),
        (Way::Traced(1), "with waits"),
        (Way::Beside(1), "untraced beside"),
        (Way::Strace, "strace -f"),
    ];
    print!("{:<8}{:>14}", "loop", "alone ns");
    for (_, name) in ways {
        print!("{name:>18}");
    }
    println!();
    for (row, workload) in loops.iter().enumerate() {
        let alone = &slices[&(row, Way::Alone)];
        print!(
            "{:<8}{:>14}",
            workload.name,
            format!("{:.0} / {:.0}", minimum(alone), median(alone))
        );
        for (way, _) in ways {
            let these = &slices[&(row, way)];
            let (low, middle) = (
                minimum(these) / minimum(alone),
                median(these) / median(alone),
            );
            print!("{:>18}", format!("{low:.2} / {middle:.2}"));
        }
        println!("   {}", workload.what);
    }
}

/// Nanoseconds an iteration.
#[derive(Clone, Copy)]
struct Slice {
    /// In its fastest piece.
    fastest: f64,
    /// In its median piece.
    median: f64,
}

fn minimum(slices: &[Slice]) -> f64 {
    slices
        .iter()
        .map(|slice| slice.fastest)
        .fold(f64::INFINITY, f64::min)
}

fn median(slices: &[Slice]) -> f64 {
    let mut medians: Vec<f64> = slices.iter().map(|slice| slice.median).collect();
    medians.sort_by(f64::total_cmp);
    medians[medians.len() / 2]
}

pub(crate) fn eprint_progress(round: usize, rounds: usize) {
    let _a_closed_stderr_is_no_matter = write!(io::stderr(), "\rround {round} of {rounds} ");
}

/// A program that runs slices on demand.
struct Program {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start(under: &[&str]) -> anyhow::Result<Self> {
        let this = std::env::current_exe()?;
        let mut command = match under {
            [] => Command::new(this),
            [tracer, arguments @ ..] => {
                let mut command = Command::new(tracer);
                command.args(arguments).arg(this);
                command
            }
        };
        let mut child = command
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!("can't start {under:?}; strace comes from the package strace")
            })?;
        let ask = child.stdin.take().context("its input is piped")?;
        let answers = BufReader::new(child.stdout.take().context("its output is piped")?);
        Ok(Self {
            child,
            ask,
            answers,
        })
    }

    fn pid(&self) -> Tgid {
        Tgid(self.child.id())
    }

    /// Runs one slice.
    fn slice(&mut self, workload: &Workload, iterations: u32) -> anyhow::Result<Slice> {
        writeln!(self.ask, "{} {iterations}", workload.name)?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (fastest, median) = line
            .trim()
            .split_once(' ')
            .and_then(|(fastest, median)| Some((fastest.parse().ok()?, median.parse().ok()?)))
            .with_context(|| format!("{} answered {line:?}", workload.name))?;
        Ok(Slice { fastest, median })
    }

    fn end(self) -> anyhow::Result<()> {
        let Self {
            mut child,
            ask,
            answers,
        } = self;
        drop((ask, answers));
        let status = child.wait()?;
        ensure!(status.success(), "a workload ended with {status}");
        Ok(())
    }
}
