//! `inspector lab`: plays scenarios or a policy run on the reference workload and scores them.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};

use super::{
    MET, NOT_MET,
    detect::{Watcher, Watching},
    tell,
};
use crate::{
    cli::{LabArgs, VariantArg, record::RecordArgs},
    lab::{
        MapKind,
        account::{Account, Invoker, choose},
        entry::{Born, EntryKind},
        harness::play,
        plan::{LAST_WORD, Pace, Plan, Run},
        policy::Policy,
        print::Printer,
        process::LabChild,
        scenario::{self, Scenario, Variant, Which},
    },
    ledger::LedgerRules,
    report::source,
};

/// Keys of a scenario, unless stated: enough to see that they are alike.
const SCENARIO_KEYS: u32 = 3;
/// Keys of a policy run, unless stated.
const POLICY_KEYS: u32 = 200;

/// Runs the verb.
///
/// # Errors
///
/// What ended it early.
pub(super) fn run(args: &LabArgs) -> anyhow::Result<ExitCode> {
    play_and_record(args, None)
}

/// The same, and writes down what happens.
///
/// # Errors
/// The same, and where the recording can't be written.
pub(super) fn record(args: &LabArgs, how: &RecordArgs) -> anyhow::Result<ExitCode> {
    play_and_record(args, Some(how))
}

fn play_and_record(args: &LabArgs, recorded: Option<&RecordArgs>) -> anyhow::Result<ExitCode> {
    let mut printer = Printer::new(io::stdout().lock(), args.json, args.grounds);
    if args.list {
        shown(printer.catalogue())?;
        return Ok(ExitCode::from(MET));
    }
    let runs = runs(args)?;
    let choice = choose(&Invoker::of_this_process(args.as_user.as_deref()))?;
    if let Some(notice) = &choice.notice {
        tell(notice);
    }
    let rules = LedgerRules {
        grace_ns: args.grace_ms() * 1_000_000,
        ..LedgerRules::default()
    };
    let mut watcher = Watcher::new(args.poll, &args.kernel.load_options(true), rules)?;
    if let Some(how) = recorded {
        watcher.record(how)?;
    }
    say_what_watches(&watcher, &mut printer)?;
    let played = play_all(
        &runs,
        choice.account.as_ref(),
        &mut watcher,
        rules,
        &mut printer,
    );
    if let Err(error) = &played {
        // Whoever reads only this output learns it too; the caller says it on stderr.
        let _first_failure_is_told = printer.error(&format!("{error:#}"));
    }
    let recorded = end(watcher, &mut printer)?;
    let met = played?;
    shown(printer.total(runs.len(), met))?;
    recorded?;
    Ok(ExitCode::from(if met == runs.len() {
        MET
    } else {
        NOT_MET
    }))
}

/// That /proc is polled, or which probes watch.
fn say_what_watches(watcher: &Watcher, printer: &mut Printer<impl Write>) -> anyhow::Result<()> {
    match watcher {
        Watcher::Polling(why) => shown(printer.polling(why)),
        Watcher::Ebpf(watching) => {
            let Some(probes) = watching.probes() else {
                return Ok(());
            };
            let value = source::probes_value(probes);
            let all_watch = value["silent"].as_array().is_none_or(Vec::is_empty);
            let text = source::probes(probes);
            shown(printer.probes((!all_watch).then_some(&text), value))
        }
    }
}

/// How many of the runs were as expected.
fn play_all(
    runs: &[Run],
    account: Option<&Account>,
    watcher: &mut Watcher,
    rules: LedgerRules,
    printer: &mut Printer<impl Write>,
) -> anyhow::Result<usize> {
    let mut met = 0;
    for run in runs {
        if play_one(run, account, watcher, rules, printer).with_context(|| run.name())? {
            met += 1;
        }
    }
    Ok(met)
}

/// Ends the source and tells how it fared; the inner result is the recording's.
fn end(watcher: Watcher, printer: &mut Printer<impl Write>) -> anyhow::Result<anyhow::Result<()>> {
    let Watcher::Ebpf(watching) = watcher else {
        return Ok(Ok(()));
    };
    let probes = watching.probes().cloned().unwrap_or_default();
    let mut stopped = watching.stop();
    let recorded = stopped.finish_recording();
    let ledger = stopped.ledger();
    let text = source::text(&probes, ledger);
    let told = shown(printer.source(&text, source::value(&probes, ledger)));
    stopped.wait(|| tell("the kernel is still detaching the probes; this ends when it has"));
    told.map(|()| recorded)
}

/// Plays one run on a child of its own; whether it was as expected.
fn play_one(
    run: &Run,
    account: Option<&Account>,
    watcher: &mut Watcher,
    rules: LedgerRules,
    printer: &mut Printer<impl Write>,
) -> anyhow::Result<bool> {
    // On this thread: the child is killed when the thread that started it ends.
    let mut child = LabChild::start(Path::new("/proc/self/exe"), account)?;
    let pid = child.pid();
    let mut polled;
    let (watching, label, repeats) = match watcher {
        Watcher::Ebpf(watching) => {
            watching.follow(pid)?;
            (watching.as_mut(), "eBPF", false)
        }
        Watcher::Polling(why) => {
            polled = Watching::polling(pid, why, rules)?;
            (&mut polled, "polling", true)
        }
    };
    let lost_before = watching.ledger().losses().by_kind.clone();
    let mut detection = watching.detection(pid, label, repeats);
    shown(printer.begin(run))?;
    let mut show = |fallen: &_| printer.fallen(run, fallen);
    let played = play(run, &mut child, &mut detection, &mut show)?;
    drop(detection);
    child.quit();
    let lost = lost_since(&lost_before, &watching.ledger().losses().by_kind);
    shown(printer.end(run, &played, &lost))?;
    Ok(played.unmet.is_empty())
}

/// By kind, what was lost beyond `before`.
fn lost_since(
    before: &[(&'static str, u64)],
    now: &[(&'static str, u64)],
) -> Vec<(&'static str, u64)> {
    let had = |kind| {
        let known = before.iter().find(|(known, _)| *known == kind);
        known.map_or(0, |(_, count)| *count)
    };
    let since = now.iter().map(|&(kind, count)| (kind, count - had(kind)));
    since.filter(|&(_, count)| count > 0).collect()
}

/// A full disk is told as what it is.
fn shown(printed: io::Result<()>) -> anyhow::Result<()> {
    printed.context("the output could not be written")
}

/// What the command line asks for.
fn runs(args: &LabArgs) -> anyhow::Result<Vec<Run>> {
    if args.policy.is_some() || args.burst.is_some() || args.entry.is_some() {
        return Ok(vec![policy_run(args)]);
    }
    let mut chosen = Vec::new();
    for name in &args.scenario {
        chosen.push(scenario::by_name(name).with_context(|| {
            let known: Vec<_> = scenario::ALL.iter().map(|known| known.name).collect();
            format!(
                "there is no scenario {name:?}; there are {} (`inspector lab --list` says what they do)",
                known.join(", ")
            )
        })?);
    }
    if chosen.is_empty() {
        chosen.extend(scenario::ALL.into_iter().filter(|scenario| scenario.shown));
    }
    let wanted = args.variant.map(|variant| match variant {
        VariantArg::Leaky => Which::Leaky,
        VariantArg::Fixed => Which::Fixed,
    });
    let mut runs = Vec::new();
    for scenario in chosen {
        for variant in scenario.variants {
            if wanted.is_none_or(|wanted| wanted == variant.which) {
                runs.push(scenario_run(args, scenario, variant));
            }
        }
    }
    if runs.is_empty() {
        let names = args.scenario.join(", ");
        let wanted = wanted.map_or("such", Which::name);
        bail!("{names} has no {wanted} variant (`inspector lab --list` says which there are)");
    }
    Ok(runs)
}

fn scenario_run(args: &LabArgs, scenario: &'static Scenario, variant: &'static Variant) -> Run {
    Run {
        plan: Plan {
            map: args.map.unwrap_or(MapKind::Mutex),
            entry: variant.entry,
            hold: variant.hold,
            born: variant.born,
            policy: variant.policy,
            keys: args.keys.unwrap_or(SCENARIO_KEYS),
            pace: Pace::Checked { rate: args.rate },
            seed: args.seed,
            grace: Duration::from_millis(args.grace_ms()),
            last_word: LAST_WORD,
        },
        scenario: Some((scenario, variant)),
    }
}

fn policy_run(args: &LabArgs) -> Run {
    let policy = args.policy.unwrap_or(Policy::Bare);
    Run {
        plan: Plan {
            map: args.map.unwrap_or(MapKind::Mutex),
            entry: args.entry.unwrap_or(EntryKind::Ticker),
            hold: policy.hold(),
            born: Born::Inside,
            policy,
            keys: args.burst.or(args.keys).unwrap_or(POLICY_KEYS),
            pace: match args.burst {
                Some(_) => Pace::Burst,
                None => Pace::Checked { rate: args.rate },
            },
            seed: args.seed,
            grace: Duration::from_millis(args.grace_ms()),
            last_word: LAST_WORD,
        },
        scenario: None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, ScreenArgs, Verb};

    fn names(line: &str) -> Vec<String> {
        let cli = Cli::parse_from(std::iter::once("inspector").chain(line.split_whitespace()));
        let Some(Verb::Lab(args)) = cli.verb else {
            panic!("{line} is the lab");
        };
        match runs(&args) {
            Ok(runs) => runs.iter().map(Run::name).collect(),
            Err(error) => vec![format!("{error:#}")],
        }
    }

    #[test]
    fn the_command_line_chooses_runs() {
        for (line, expected) in [
            (
                "lab --headless",
                &[
                    "bare-delete · leaky",
                    "bare-delete · fixed",
                    "unclosed-value · leaky",
                    "unclosed-value · fixed",
                    "signal-no-wait · leaky",
                    "signal-no-wait · fixed",
                    "owner-map · fixed",
                ][..],
            ),
            (
                "lab --scenario bare-delete --variant fixed",
                &["bare-delete · fixed"],
            ),
            (
                "lab --scenario owner-map --scenario accept-then-store --variant fixed",
                &["owner-map · fixed", "accept-then-store · fixed"],
            ),
            ("lab --policy signal --entry writer", &["policy · signal"]),
            ("lab --burst 50", &["policy · bare"]),
            (
                "lab --scenario owner-map --variant leaky",
                &["owner-map has no leaky variant (`inspector lab --list` says which there are)"],
            ),
            (
                "lab --scenario nope",
                &[
                    "there is no scenario \"nope\"; there are bare-delete, unclosed-value, signal-no-wait, owner-map, accept-then-store (`inspector lab --list` says what they do)",
                ],
            ),
        ] {
            assert_eq!(names(line), expected, "{line}");
        }
    }

    #[test]
    fn without_a_verb_it_is_the_lab() {
        let cli = Cli::parse_from(["inspector"]);
        assert!(cli.verb.is_none());
        let as_asked = Cli::parse_from(["inspector", "lab", "--headless"]);
        let Some(Verb::Lab(asked)) = as_asked.verb else {
            panic!("the lab");
        };
        let defaults = LabArgs::unasked(ScreenArgs::default());
        assert_eq!((asked.grace, asked.seed), (defaults.grace, defaults.seed));
        assert!(defaults.wants_screen() && !asked.wants_screen());
    }
}
