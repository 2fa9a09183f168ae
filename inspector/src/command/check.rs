//! `inspector check`: runs a command and holds what it leaves behind to rules; or holds a recording of
//! one to them.

mod recording;

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::{
    elevate,
    output::Output,
    runtime,
    watch::Watch,
    watched::{self, Started, Wish},
};
use crate::{
    check::{self, Checked, CommandEnd, Run, annotations::annotations, exit, judge, junit::junit},
    cli::any::CheckArgs,
    config::Config,
    duration,
    launch::LaunchError,
    ledger::Ledger,
    rules::{Date, Rules},
    source::clock::{boot_time, wall_ns},
    verdict::growth::Growth,
};

/// Runs the verb.
///
/// # Errors
/// What kept the command from starting or from being watched, and the output from being written.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    if elevate::is_asked(&args.command) {
        let passed = elevate::run(&args.command, &args.line, None, false, &[])?;
        return Ok(cut_short(passed.code, passed.signal));
    }
    if let Some(path) = &args.recording {
        return recording::run(args, path);
    }
    let mut config = Config::load(args.config.path.as_deref())?;
    let grace = args.watch.grace.or(config.check.grace);
    config.grace.set_from_cli(grace);
    let grace = config.grace.value;
    let ledger_rules = config.ledger_rules();
    let rules = rules(args, config.check);
    let wish = Wish {
        command: &args.command,
        line: &args.line,
        watch: &args.watch,
        kernel: &args.kernel,
        rules: ledger_rules,
        time: args.time,
    };
    let outputs = Outputs::open(args)?;
    let runtime = runtime()?;
    let started = match wish.start(&runtime) {
        Ok(started) => started,
        Err(error) => {
            tell_not_begun(args, outputs, &error, grace)?;
            return Err(error);
        }
    };
    let (run, checked, signal) = watched(&runtime, started, grace, args.time, &rules)?;
    tell(args, outputs, &run, &checked)?;
    Ok(cut_short(exit(run.end, &checked), signal))
}

/// The exit code of a check that a signal may have ended: a command that was cut short and says it
/// succeeded has shown nothing.
fn cut_short(code: u8, signal: Option<i32>) -> ExitCode {
    ExitCode::from(match signal {
        Some(signal) if code == 0 => 128 + u8::try_from(signal).unwrap_or(0),
        _ => code,
    })
}

fn rules(args: &CheckArgs, mut rules: Rules) -> Rules {
    rules.ignores.extend(args.ignore.iter().cloned());
    for budget in &args.budget {
        rules.set_budget(budget.clone());
    }
    if let Some(processes) = args.processes {
        rules.processes = processes.into();
    }
    rules.allow_unknown |= args.allow_unknown;
    rules
}

fn watched(
    runtime: &Runtime,
    mut started: Started,
    grace: Duration,
    time: Option<Duration>,
    rules: &Rules,
) -> anyhow::Result<(Run, Checked, Option<i32>)> {
    let mut growth = Growth::new();
    let mut no_snapshot = |_: &Watch| Ok(());
    let mut each_second = |ledger: &Ledger| growth.sample(ledger);
    let (status, is_overdue, ended) = runtime.block_on(async {
        let mut status = started
            .until_it_ends(&mut no_snapshot, &mut each_second)
            .await?;
        let is_overdue = status.is_none();
        if is_overdue {
            status = started.end_it(&mut no_snapshot, &mut each_second).await?;
        }
        let ended = boot_time();
        started
            .rest(grace, &mut no_snapshot, &mut each_second)
            .await?;
        anyhow::Ok((status, is_overdue, ended))
    })?;
    let run = Run {
        command: started.words,
        main: Some(started.tgid),
        started: started.started,
        ended,
        end: status
            .map(watched::end)
            .with_context(|| format!("process {} was told to end and goes on", started.tgid))?,
        grace_ns: duration::as_ns(grace),
        overdue_ns: time.filter(|_| is_overdue).map(duration::as_ns),
    };
    let (pipeline, _) = started.watch.stop();
    growth.sample(pipeline.ledger());
    let checked = judge(
        pipeline.ledger(),
        pipeline.judgements(),
        &growth,
        rules,
        &run,
        today(),
    );
    Ok((run, checked, started.signal))
}

/// Files that take what came of it.
struct Outputs {
    text: Option<Output>,
    junit: Option<Output>,
}

impl Outputs {
    fn open(args: &CheckArgs) -> anyhow::Result<Self> {
        Ok(Self {
            text: args.output.as_deref().map(Output::open).transpose()?,
            junit: args.junit.as_deref().map(Output::open).transpose()?,
        })
    }
}

/// Writes that the command did not begin wherever what came of it is wanted.
fn tell_not_begun(
    args: &CheckArgs,
    outputs: Outputs,
    error: &anyhow::Error,
    grace: Duration,
) -> anyhow::Result<()> {
    let end = match error.downcast_ref() {
        Some(LaunchError::NotFound(_)) => CommandEnd::NotFound,
        Some(LaunchError::NotExecutable { .. }) => CommandEnd::NotExecutable,
        _ => return Ok(()),
    };
    let now = boot_time();
    let words = args.line.iter();
    let run = Run {
        command: words.map(|word| word.as_encoded_bytes().into()).collect(),
        main: None,
        started: now,
        ended: now,
        end,
        grace_ns: duration::as_ns(grace),
        overdue_ns: None,
    };
    tell(args, outputs, &run, &Checked::default())
}

/// Writes what came of it wherever that is wanted.
fn tell(args: &CheckArgs, outputs: Outputs, run: &Run, checked: &Checked) -> anyhow::Result<()> {
    let text = if args.json {
        format!("{}\n", check::json::value(run, checked))
    } else {
        check::text::text(run, checked)
    };
    match outputs.text {
        Some(output) => output.write(text.as_bytes())?,
        // Why it did not begin is told in one line, as what else goes wrong is.
        None if !run.end.has_run() && !args.json => {}
        None => io::stderr()
            .write_all(text.as_bytes())
            .context("the output could not be written")?,
    }
    if let Some(output) = outputs.junit {
        output.write(junit(run, checked).as_bytes())?;
    }
    let is_githubs = std::env::var_os("GITHUB_ACTIONS").is_some_and(|set| set == "true");
    if args.github || is_githubs {
        io::stderr()
            .write_all(annotations(checked).as_bytes())
            .context("the annotations could not be written")?;
    }
    Ok(())
}

fn today() -> Date {
    let seconds = wall_ns() / 1_000_000_000;
    Date::of_wall_clock(i64::try_from(seconds).unwrap_or(i64::MAX))
}
