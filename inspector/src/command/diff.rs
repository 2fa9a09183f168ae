//! `inspector diff`: two recordings, before and after a change, compared site by site.

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use super::{
    MET, NOT_MET,
    recorded::{self, Played},
};
use crate::{
    cli::recorded::{DiffArgs, MemoryArgs},
    duration,
    event::text::Text,
    report::diff::{Diff, Pair, Side, json, text::Comparison},
    source::SourceKind,
};

/// Runs the verb.
///
/// # Errors
/// Where one of them can't be read.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let diff = compare(args)?;
    let text = if args.json {
        format!("{}\n", json::value(&diff))
    } else {
        Comparison {
            diff: &diff,
            all: args.all,
        }
        .to_string()
    };
    io::stdout().write_all(text.as_bytes())?;
    let is_worse = diff.worse().next().is_some();
    Ok(ExitCode::from(if is_worse { NOT_MET } else { MET }))
}

fn compare(args: &DiffArgs) -> anyhow::Result<Diff> {
    let (before, after) = (&args.before, &args.after);
    let a = played(before, args)?;
    let b = played(after, args)?;
    let not_comparable = not_comparable(&a, &b);
    let sides = Pair {
        a: side(before, &a),
        b: side(after, &b),
    };
    let mut diff = Diff::of(&sides, not_comparable);
    let told = diff.longer().map(longer);
    diff.not_comparable.extend(told);
    Ok(diff)
}

/// Each is judged by the grace it was made with.
fn played(path: &Path, args: &DiffArgs) -> anyhow::Result<Played> {
    let recording = recorded::open(path, &args.read)?;
    let rules = recorded::recorded_rules(&recording);
    // There are two.
    let memory = MemoryArgs {
        memory: args.memory.memory / 2,
    };
    recorded::play(&recording, rules, memory)
}

fn side<'a>(path: &Path, played: &'a Played) -> Side<'a> {
    let (first, last) = played.recording.span();
    let path = Text::from(path.as_os_str().as_encoded_bytes());
    let watched = &played.recording.meta().watched;
    let of = match watched.of.as_str() {
        "command" => {
            let words = watched.words.join(" ");
            format!("the command {}", Text::from(words.as_bytes()))
        }
        "lab" => "the lab".to_owned(),
        _ => "processes".to_owned(),
    };
    Side {
        name: format!("{path}: {of}"),
        length_ns: last.since_ns(first),
        events: played.recording.events(),
        pipeline: &played.pipeline,
        growth: &played.growth,
    }
}

/// That one is longer than the other: its counts are no regression yet.
fn longer((times, is_b): (f64, bool)) -> String {
    let (longer, other) = if is_b { ("B", "A") } else { ("A", "B") };
    let much = if times < 2.0 {
        format!("{:.0} % longer than", (times - 1.0) * 100.0)
    } else {
        format!("{times:.1} times as long as")
    };
    format!(
        "{longer} is {much} {other}: for that alone, more is born and may survive in it; compare the \
         rates"
    )
}

/// What can't be compared, and why.
fn not_comparable(a: &Played, b: &Played) -> Vec<String> {
    let mut told = Vec::new();
    let basis = (basis(a), basis(b));
    if basis.0 != basis.1 {
        told.push(format!(
            "A rests on {}, B on {}: what only one of them sees is no difference of the programs",
            basis.0, basis.1
        ));
    }
    let grace = |played: &Played| played.pipeline.ledger().rules().grace_ns;
    if grace(a) != grace(b) {
        told.push(format!(
            "the grace of A is {}, that of B {}: what is late or retained in one may be neither in \
             the other",
            duration::written(grace(a)),
            duration::written(grace(b))
        ));
    }
    for (letter, played) in [("A", a), ("B", b)] {
        let lacks = played.lacks().into_iter();
        told.extend(lacks.map(|lack| format!("{letter}: {lack}")));
        let lost = played.pipeline.ledger().losses().total();
        if lost > 0 {
            told.push(format!(
                "{letter}: {lost} events are lost: births, deaths and verdicts may be missing"
            ));
        }
        let redacted = &played.recording.meta().redacted;
        if redacted
            .iter()
            .any(|what| what == "paths" || what == "names")
        {
            told.push(format!(
                "{letter}: names are hashed, with another salt in each recording: sites of like \
                 form are one"
            ));
        }
    }
    told
}

/// What a recording rests on, in words.
fn basis(played: &Played) -> String {
    match played.source() {
        SourceKind::Ebpf(probes) => {
            let (working, wanted) = probes.working();
            format!("{working} of {wanted} probes, {}", probes.kind.words())
        }
        SourceKind::Polling { every, .. } => {
            let every = duration::written(duration::as_ns(every));
            format!("/proc, read every {every}")
        }
    }
}
