//! The findings of a page: what is wrong without any delete.

use std::io::{self, Write};

use super::{escape::Html, table, time::Count};
use crate::{event::id::BootTime, ledger::Ledger, verdict::wording::CallWord};

/// Most rows.
const MOST: u64 = 500;

/// The section: the latest first.
pub(super) fn write(out: &mut dyn Write, ledger: &Ledger, started: BootTime) -> io::Result<()> {
    let findings = ledger.findings();
    let made = findings.made();
    table::section(out, "findings", "Findings", made)?;
    if made == 0 {
        return out.write_all(
            b"<p class=none>None: no number was closed twice or for another entry, and no descriptor was refused.</p></section>\n",
        );
    }
    let columns = [
        ("Last at", true),
        ("Times", true),
        ("What", false),
        ("Thread", false),
        ("Call", false),
    ];
    table::begin(out, "findings", "Findings", &columns)?;
    let mut shown = 0;
    for finding in findings.iter().rev().take(MOST as usize) {
        shown += 1;
        let last = finding.last.since_ns(started);
        write!(
            out,
            "<tr><td class=n data-v={last}>+{}.{:03} s</td><td class=n data-v={}>{}</td>",
            last / 1_000_000_000,
            last % 1_000_000_000 / 1_000_000,
            finding.count,
            Count(finding.count)
        )?;
        let doubt = if finding.doubtful { " (doubtful)" } else { "" };
        write!(
            out,
            "<td><details><summary><b class=v-late>! {}</b>{doubt} {}</summary>{}</details></td>",
            finding.kind().words(),
            Html(finding.what()),
            Html(finding)
        )?;
        writeln!(
            out,
            "<td>{} <q>{}</q></td><td>{}</td></tr>",
            finding.thread.tid,
            Html(finding.comm),
            CallWord(finding.call)
        )?;
    }
    table::end(out, shown, made, "findings, all of them earlier")?;
    out.write_all(b"</section>\n")
}
