//! The head of a page: the outcome, what was watched, when, and by what.

use std::{
    fmt::{self, Display, Formatter},
    io::{self, Write},
};

use super::{
    Page,
    escape::Cut,
    time::{At, Count, Lasted},
    verdicts::WORDS,
};
use crate::{
    check::CommandEnd,
    duration::{as_ns, written},
    event::id::Tgid,
    report::document::{Of, Run},
    source::SourceKind,
};

/// The command's words, or the processes.
pub(super) struct Watched<'a>(pub(super) &'a Run);

impl Display for Watched<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.of {
            Of::Command { words, .. } => list(f, words, " "),
            Of::Processes(pids) => {
                let one = if pids.len() == 1 { "" } else { "es" };
                write!(f, "process{one} ")?;
                list(f, pids, ", ")
            }
        }
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T], between: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        let before = if index == 0 { "" } else { between };
        write!(f, "{before}{item}")?;
    }
    Ok(())
}

/// The header, with the sections' links and the places for what the script adds.
pub(super) fn write(
    out: &mut dyn Write,
    page: &Page<'_>,
    counts: &[u64; WORDS.len()],
) -> io::Result<()> {
    let run = page.document.run;
    writeln!(
        out,
        "<header><p class=brand>inspector report</p><h1>{}</h1>\n<p class=outcome>",
        Cut(Watched(run))
    )?;
    outcome(out, page, counts)?;
    out.write_all(b"</p>\n<dl>")?;
    facts(out, page)?;
    out.write_all(
        b"</dl></header>\n<nav><input id=search type=search placeholder=\"Search all tables\" aria-label=\"Search all tables\" hidden> \
          <a href=#verdicts>Verdicts</a> <a href=#timeline>Timeline</a> <a href=#groups>Remains</a> \
          <a href=#findings>Findings</a> <a href=#threads>Threads</a> <a href=#handles>Handles</a> \
          <a href=#processes>Processes</a> <a href=#basis>Basis</a> \
          <button id=theme type=button hidden>Light / dark</button></nav>\n",
    )
}

/// The verdicts by their words, the worst first, and what else there is to see.
fn outcome(out: &mut dyn Write, page: &Page<'_>, counts: &[u64; WORDS.len()]) -> io::Result<()> {
    let mut is_told = false;
    for ((sign, word), &count) in WORDS.iter().zip(counts) {
        if count > 0 {
            is_told = true;
            writeln!(
                out,
                "<b class=\"chip v-{word}\">{sign} {} {word}</b>",
                Count(count)
            )?;
        }
    }
    if !is_told {
        out.write_all(b"<span class=chip>no deletes declared</span>\n")?;
    }
    let suspects = page.document.growth.suspects().len() as u64;
    let findings = page.document.pipeline.ledger().findings().made();
    for (count, one, many) in [
        (suspects, "suspect", "suspects"),
        (findings, "finding", "findings"),
    ] {
        if count > 0 {
            let noun = if count == 1 { one } else { many };
            writeln!(
                out,
                "<b class=\"chip v-late\">! {} {noun}</b>",
                Count(count)
            )?;
        }
    }
    Ok(())
}

fn facts(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let run = page.document.run;
    let ledger = page.document.pipeline.ledger();
    let boot_wall_ns = run.boot_wall_ns;
    let at = |at| At { at, boot_wall_ns };
    let mut fact = |name: &str, told: &dyn Display| {
        writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", Cut(told))
    };
    match &run.of {
        Of::Command { tgid, end, .. } => {
            fact("Process", tgid)?;
            match end {
                Some(CommandEnd::Exited(code)) => {
                    fact("Ended", &format_args!("exited with status {code}"))?;
                }
                Some(CommandEnd::Killed(signal)) => {
                    fact("Ended", &format_args!("killed by signal {signal}"))?;
                }
                Some(CommandEnd::NotExecutable) => fact("Ended", &"could not be executed")?,
                Some(CommandEnd::NotFound) => fact("Ended", &"there is no such command")?,
                None => fact("Ended", &"not yet, when this was written")?,
            }
        }
        Of::Processes(pids) => {
            let leaders = ledger.leaders();
            let name = |tgid: Tgid| {
                let mut leaders = leaders.values().filter(|one| one.name.tgid == tgid);
                let name = leaders.next().map(|leader| leader.comm.to_string());
                name.map_or_else(|| tgid.to_string(), |name| format!("{tgid} {name}"))
            };
            let named: Vec<_> = pids.iter().map(|tgid| name(*tgid)).collect();
            fact("Processes", &named.join(", "))?;
        }
    }
    fact("Watched from", &at(run.started))?;
    fact("until", &at(run.ended))?;
    fact("for", &Lasted(run.ended.since_ns(run.started)))?;
    match page.kernel {
        Some(kernel) => fact("Kernel", kernel)?,
        None => fact("Kernel", &"not known")?,
    }
    match page.document.source {
        SourceKind::Ebpf(probes) => {
            let (working, wanted) = probes.working();
            let kind = probes.kind.words();
            fact(
                "Source",
                &format_args!("eBPF, {working}/{wanted} probes, {kind}"),
            )?;
        }
        SourceKind::Polling { every, .. } => {
            let every = written(as_ns(*every));
            fact("Source", &format_args!("/proc, read every {every}"))?;
        }
    }
    fact("Events lost", &Count(ledger.losses().total()))?;
    let drift = ledger.drift();
    let audits = Count(drift.audits);
    fact(
        "Drift",
        &format_args!("{} in {audits} audits", Count(drift.total())),
    )
}
