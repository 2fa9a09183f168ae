//! `inspector record`: watches processes, a command or the lab without a screen, and writes down
//! everything that happens.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use super::{
    MET,
    any::Aim,
    elevate, lab, members,
    recording::Recording,
    runtime,
    watch::{Asked, Watch},
    watched::{self, PATIENCE, Started, Wish},
    with_command,
};
use crate::{
    cli::{
        any::AuditArg,
        record::{RecordArgs, RecordLab},
    },
    config::Config,
    event::text::Text,
    launch::status,
    ledger::{Ledger, LedgerRules, retain::Retain},
    target::{Found, Roots},
    trace::{meta::Watched, redact::Redaction},
};

/// Runs the verb.
///
/// # Errors
/// Who can't be watched, and what kept the source from working or the recording from being written.
pub(super) fn run(args: &RecordArgs) -> anyhow::Result<ExitCode> {
    let wanted = args.target.wanted();
    if let Some(RecordLab::Lab(lab_args)) = &args.lab {
        if !wanted.is_empty() || !args.line.is_empty() {
            bail!("processes, a command or the lab: only one of them");
        }
        return lab::record(lab_args, args);
    }
    match (wanted.is_empty(), args.line.is_empty()) {
        (true, true) => bail!(
            "say who: -p PID, --comm NAME, --cgroup PATH, --container ID, lab, or a command behind --"
        ),
        (false, false) => bail!("processes or a command: not both"),
        (true, false) if elevate::is_asked(&args.command) => {
            let passed = elevate::run(&args.command, &args.line, None, false, &[]);
            with_command(passed.map(Into::into))
        }
        (true, false) => with_command(of_command(args)),
        (false, true) => of_processes(args, &wanted.find(&Roots::here())?),
    }
}

fn of_processes(args: &RecordArgs, found: &Found) -> anyhow::Result<ExitCode> {
    let rules = rules(args)?;
    let opened = Aim::at(found, &args.watch, &args.kernel).open()?;
    members::follow(
        found.groups.clone(),
        &found.processes,
        opened.running.requests.clone(),
    )?;
    let runtime = runtime()?;
    let pids = found.processes.iter().map(|tgid| tgid.0);
    let mut watch = Watch::recorded(opened, rules, |kind, pipeline| {
        let watched = Watched::processes(pids);
        let (path, how) = (&args.output, &args.recording);
        let redaction = Redaction::new(&how.redact);
        let begun = Recording::start(path, how, redaction, watched, kind, pipeline)?;
        Ok(Some(begun.quietly(args.quiet)))
    })?;
    runtime.block_on(async {
        let mut asked = Asked::new()?;
        let time = args.time.map(|time| Instant::now() + time);
        let mut nothing = |_: &Ledger| {};
        watch
            .until(None, time, &mut asked, &mut |_| Ok(()), &mut nothing)
            .await?;
        watch.audit(args.watch.audit == AuditArg::Heal).await;
        anyhow::Ok(())
    })?;
    watch.finish()?;
    Ok(ExitCode::from(MET))
}

fn of_command(args: &RecordArgs) -> anyhow::Result<ExitCode> {
    let rules = rules(args)?;
    let grace = Duration::from_nanos(rules.grace_ns);
    let wish = Wish {
        command: &args.command,
        line: &args.line,
        watch: &args.watch,
        kernel: &args.kernel,
        rules,
        time: args.time,
    };
    let runtime = runtime()?;
    let mut started = wish.start_recorded(&runtime, |words, tgid, kind, pipeline| {
        let words = words.iter().map(Text::bytes);
        let watched = Watched::command(words, tgid.0);
        let (path, how) = (&args.output, &args.recording);
        let redaction = Redaction::new(&how.redact);
        let begun = Recording::start(path, how, redaction, watched, kind, pipeline)?;
        Ok(Some(begun.quietly(args.quiet)))
    })?;
    let mut nothing = |_: &Ledger| {};
    let mut ended = runtime.block_on(async {
        let ended = started.until_it_ends(&mut |_| Ok(()), &mut nothing).await?;
        if let Some(ended) = ended {
            started.watch.command_ended(watched::end(ended));
            // What outlives it is part of the story.
            started.rest(grace, &mut |_| Ok(()), &mut nothing).await?;
        }
        let heals = args.watch.audit == AuditArg::Heal;
        started.watch.audit(heals).await;
        anyhow::Ok(ended)
    })?;
    let Started {
        watch, mut command, ..
    } = started;
    let recorded = watch.finish();
    if ended.is_none() {
        command.terminate();
        ended = command.wait(PATIENCE);
    }
    recorded?;
    let ended = ended.with_context(|| {
        format!(
            "process {} was told to end and goes on, unwatched",
            command.pid
        )
    })?;
    Ok(ExitCode::from(status::code(ended)))
}

fn rules(args: &RecordArgs) -> anyhow::Result<LedgerRules> {
    let mut config = Config::load(args.config.path.as_deref())?;
    config.grace.set_from_cli(args.watch.grace);
    Ok(LedgerRules {
        retain: Retain::RECORDED,
        ..config.ledger_rules()
    })
}
