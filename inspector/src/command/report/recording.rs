//! `inspector report RECORDING`: judges a recording anew, and tells what other rules have changed.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use super::{MET, Outputs};
use crate::{
    cli::any::ReportArgs,
    command::{recorded, tell},
    config::Config,
    duration,
    event::text::Text,
    ledger::LedgerRules,
    pipeline::Pipeline,
    report::document::Document,
};

/// Runs the verb.
///
/// # Errors
/// Where the recording can't be read, or the report not be written.
pub(super) fn run(args: &ReportArgs, path: &Path) -> anyhow::Result<ExitCode> {
    let recording = recorded::open(path, &args.read)?;
    let outputs = Outputs::open(args)?;
    let recorded_rules = recorded::recorded_rules(&recording);
    let rules = rules(args, recorded_rules)?;
    let mut before = None;
    if rules.grace_ns != recorded_rules.grace_ns {
        // Only its verdicts are kept: the memory is that of one.
        let played = recorded::play(&recording, recorded_rules, args.memory)?;
        before = Some(verdicts(&played.pipeline));
    }
    let played = recorded::play(&recording, rules, args.memory)?;
    played.tell_lacks();
    if let Some(before) = before {
        let now = verdicts(&played.pipeline);
        tell_changes(&before, &now, recorded_rules.grace_ns);
    }
    for (at, note) in &played.notes {
        let note = Text::from(note.as_bytes());
        let after = duration::written(at.since_ns(recording.span().0));
        tell(&format!("note after {after}: {note}"));
    }
    let run = played.run();
    let source = played.source();
    let document = Document {
        run: &run,
        source: &source,
        pipeline: &played.pipeline,
        growth: &played.growth,
    };
    let kernel = Text::from(recording.meta().kernel.as_bytes());
    outputs.write(args.json, document, &played.moments, &kernel)?;
    Ok(ExitCode::from(MET))
}

/// Those of the recording, unless the user says otherwise.
fn rules(args: &ReportArgs, recorded: LedgerRules) -> anyhow::Result<LedgerRules> {
    let config = Config::load(args.config.path.as_deref())?;
    let of_file =
        (config.grace.from != crate::config::Origin::Default).then_some(config.grace.value);
    let grace = args.watch.grace.or(of_file);
    Ok(LedgerRules {
        grace_ns: grace.map_or(recorded.grace_ns, duration::as_ns),
        ..recorded
    })
}

/// The verdicts by what they are of, in words.
type Verdicts = BTreeMap<String, String>;

fn verdicts(pipeline: &Pipeline) -> Verdicts {
    let all = pipeline.judgements();
    all.map(|one| {
        (
            format!("{} of {}", one.resource, one.entry),
            one.verdict.to_string(),
        )
    })
    .collect()
}

/// Which verdicts are others than they were.
fn tell_changes(before: &Verdicts, now: &Verdicts, grace_ns: u64) {
    let mut changed = 0;
    for (what, verdict) in now {
        match before.get(what) {
            Some(was) if was == verdict => {}
            Some(was) => {
                changed += 1;
                tell(&format!("changed: {what}: {was} -> {verdict}"));
            }
            None => {}
        }
    }
    let recorded = duration::written(grace_ns);
    tell(&format!(
        "{changed} of {} verdicts are others than with the grace of the recording, {recorded}",
        now.len()
    ));
}
