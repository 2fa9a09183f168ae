//! What a page rests on: what it can't tell, how its source fared, what audits found.

use std::io::{self, Write};

use super::{Page, escape::Html, time::Count};
use crate::{
    duration::{as_ns, written},
    event::text::Text,
    report::{not_told::not_told, source},
    source::SourceKind,
};

/// What a reader should know before the first number: nothing where all went well.
pub(super) fn cautions(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let ledger = page.document.pipeline.ledger();
    let mut cautions = Vec::new();
    match page.document.source {
        SourceKind::Ebpf(probes) => {
            for probe in probes.silent() {
                cautions.push(format!(
                    "the probe {} does not watch: {}",
                    probe.name, probe.without
                ));
            }
        }
        SourceKind::Polling { every, why } => cautions.push(format!(
            "/proc was read every {} in place of probes: {}",
            written(as_ns(*every)),
            Text::from(why.as_bytes())
        )),
    }
    let lost = ledger.losses().total();
    if lost > 0 {
        cautions.push(format!(
            "events lost: {}; verdicts that rest on them say unknown until an audit settles it",
            Count(lost)
        ));
    }
    if let Some(error) = ledger.end().and_then(|end| end.error.as_deref()) {
        cautions.push(format!(
            "the source ended early: {}",
            Text::from(error.as_bytes())
        ));
    }
    let not_told = not_told(page.document.source, ledger, page.document.growth);
    cautions.extend(not_told.iter().map(|what| format!("not told: {what}")));
    if cautions.is_empty() {
        return Ok(());
    }
    out.write_all(b"<aside class=caution><h2>Read this first</h2><ul>\n")?;
    for caution in cautions {
        writeln!(out, "<li>{}</li>", Html(caution))?;
    }
    out.write_all(b"</ul></aside>\n")
}

/// The last section.
pub(super) fn write(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let ledger = page.document.pipeline.ledger();
    out.write_all(b"<section id=basis><h2>What this rests on</h2><pre>")?;
    match page.document.source {
        SourceKind::Ebpf(probes) => write!(out, "{}", Html(source::text(probes, ledger)))?,
        SourceKind::Polling { every, .. } => {
            writeln!(out, "source   /proc, read every {}", written(as_ns(*every)))?;
        }
    }
    let (drift, counters) = (ledger.drift(), ledger.counters());
    writeln!(
        out,
        "drift    {} differences in {} audits, {} at most in one",
        Count(drift.total()),
        Count(drift.audits),
        Count(drift.most)
    )?;
    writeln!(
        out,
        "met      {} threads, {} handles, {} entries, in {} events",
        Count(counters.threads),
        Count(counters.handles),
        Count(counters.entries),
        Count(counters.events)
    )?;
    writeln!(
        out,
        "forgot   {} threads, {} handles, {} entries, all of them dead, to bound memory",
        Count(counters.threads_forgotten),
        Count(counters.handles_forgotten),
        Count(counters.entries_forgotten)
    )?;
    writeln!(
        out,
        "grace    {}: what a deleted entry owned may live so long",
        written(ledger.rules().grace_ns)
    )?;
    out.write_all(
        "</pre>\n<p class=note>– means not known, never none. ≥ means at least: the beginning was \
         not seen, or the end has not come. Long texts are cut in their middle (…). \
         <code>inspector report --json</code> tells everything, row by row.</p></section>\n"
            .as_bytes(),
    )
}
