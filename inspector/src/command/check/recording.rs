//! `inspector check RECORDING`: holds a recording of a command to the rules of now.

use std::{path::Path, process::ExitCode};

use anyhow::bail;

use super::{Outputs, rules, tell, today};
use crate::{
    check::{Run, exit, judge},
    cli::any::CheckArgs,
    command::{self, recorded},
    config::Config,
    duration,
    event::id::Tgid,
    ledger::LedgerRules,
};

/// Runs the verb.
///
/// # Errors
/// Where the recording can't be read, or is not of a command's whole run.
pub(super) fn run(args: &CheckArgs, path: &Path) -> anyhow::Result<ExitCode> {
    let recording = recorded::open(path, &args.read)?;
    let of = &recording.meta().watched;
    if of.of != "command" {
        bail!(
            "{} is no recording of a command, from its first instruction to its end: `inspector \
             report` tells what remained in it",
            path.display()
        );
    }
    let Some((end, ended)) = recorded::command_end(&recording) else {
        bail!(
            "{} does not say how its command ended: its recorder was ended before. `inspector \
             report` tells what remained until then",
            path.display()
        );
    };
    let mut config = Config::load(args.config.path.as_deref())?;
    let grace = args.watch.grace.or(config.check.grace);
    let recorded_rules = recorded::recorded_rules(&recording);
    config.grace.set_from_cli(grace);
    let ledger_rules = LedgerRules {
        grace_ns: grace.map_or(recorded_rules.grace_ns, duration::as_ns),
        ..recorded_rules
    };
    let outputs = Outputs::open(args)?;
    let played = recorded::play(&recording, ledger_rules, args.memory)?;
    played.tell_lacks();
    if recorded::is_late(&recording) {
        command::tell(
            "the recording begins when its command ran already: what was over before is not in it",
        );
    }
    let run = Run {
        command: recorded::words(&recording),
        main: of.pids.first().map(|&pid| Tgid(pid)),
        started: recording.span().0,
        ended,
        end,
        grace_ns: ledger_rules.grace_ns,
        overdue_ns: None,
    };
    let checked = judge(
        played.pipeline.ledger(),
        played.pipeline.judgements(),
        &played.growth,
        &rules(args, config.check),
        &run,
        today(),
    );
    tell(args, outputs, &run, &checked)?;
    Ok(ExitCode::from(exit(run.end, &checked)))
}
