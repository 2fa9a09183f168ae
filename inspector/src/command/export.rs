//! `inspector export`: a recording, or a window of it, in a format of other tools.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::{MET, output::Output, recorded, tell};
use crate::{
    cli::recorded::ExportArgs,
    event::{Batch, BootTime},
    export::{self, Subject},
    pipeline::Pipeline,
    trace::read::{Read, Reads},
};

/// How often progress is told.
const TELL: Duration = Duration::from_millis(500);

/// Runs the verb.
///
/// # Errors
/// Where the recording can't be read, or its export not be written.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let recording = recorded::open(&args.file, &args.read)?;
    let meta = recording.meta();
    let span = recording.span();
    let time = |at: Option<crate::trace::at::At>, default| {
        at.map_or(Ok(default), |at| at.within(span, meta.boot_wall_ns))
    };
    let since = time(args.since, span.0).context("--since")?;
    let until = time(args.until, span.1).context("--until")?;
    if since > until {
        bail!("the window ends before it begins: --since is after --until");
    }
    let output = args.output.as_deref().map(Output::open).transpose()?;
    let rules = recorded::keeping_all(recorded::recorded_rules(&recording));
    let mut reads = recording.reads_before(since);
    let (pipeline, rest) = until_time(&mut reads, Pipeline::new(rules), since);
    let mut batches = rest
        .into_iter()
        .chain(reads.by_ref().filter_map(|read| match read {
            Read::Batch(batch) => Some(batch),
            // What is known after a loss is not put in the place of what was drawn before.
            Read::State(_) | Read::Note { .. } => None,
        }));
    let subject = Subject {
        pipeline,
        batches: &mut batches,
        since,
        until,
        boot_wall_ns: meta.boot_wall_ns,
        host: meta.host.clone(),
        command: (!meta.watched.words.is_empty()).then(|| meta.watched.words.join(" ")),
    };
    let mut told = Instant::now();
    let shows = !args.quiet && io::stderr().is_terminal();
    let mut progress = |at: BootTime| {
        if shows && told.elapsed() >= TELL {
            told = Instant::now();
            let whole = until.since_ns(since).max(1);
            let percent = at.since_ns(since).min(whole) as f64 / whole as f64 * 100.0;
            let _nobody_may_see = write!(io::stderr(), "\rinspector: read {percent:.0} %\x1b[K");
        }
    };
    let totals = match output {
        None => export::write(
            args.format,
            subject,
            &mut io::stdout().lock(),
            &mut progress,
        )?,
        Some(output) => {
            let mut totals = None;
            output.write_by(|out| {
                totals = Some(export::write(args.format, subject, out, &mut progress)?);
                Ok(())
            })?;
            totals.expect("it was written")
        }
    };
    if shows {
        let _nobody_may_see = write!(io::stderr(), "\r\x1b[K");
    }
    for lack in recorded::lacks(&recording, reads.damaged()) {
        tell(&lack);
    }
    if !args.quiet {
        tell(&format!("exported {totals}"));
    }
    Ok(ExitCode::from(MET))
}

/// Plays what was before a time. What comes behind it in the last batch is returned as well.
fn until_time(
    reads: &mut Reads,
    mut pipeline: Pipeline,
    since: BootTime,
) -> (Pipeline, Option<Batch>) {
    let rules = pipeline.ledger().rules();
    for read in reads {
        match read {
            Read::Batch(mut batch) => {
                let later = |at: BootTime| at >= since;
                let place = batch.events.iter().position(|event| later(event.at));
                let rest = place.map(|place| batch.events.split_off(place));
                pipeline.take(&batch);
                if let Some(events) = rest {
                    return (pipeline, Some(Batch { events }));
                }
            }
            Read::State(state) => pipeline = state.with_rules(rules),
            Read::Note { .. } => {}
        }
    }
    (pipeline, None)
}
