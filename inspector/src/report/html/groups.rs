//! The groups of like resources of a page, and which of them are suspects.

use std::io::{self, Write};

use super::{
    escape::{Cut, Html},
    table,
    time::{Count, Lasted},
};
use crate::{
    event::id::BootTime,
    verdict::{
        growth::{Group, Growth},
        wording::CallWord,
    },
};

/// Most rows.
const MOST: usize = 1_000;

/// The section: suspects first, then what grew most, then what is most.
pub(super) fn write(out: &mut dyn Write, growth: &Growth, now: BootTime) -> io::Result<()> {
    let mut groups: Vec<_> = growth.groups().iter().collect();
    let is_suspect = |group: &&Group| group.suspect().is_some();
    groups.sort_by_key(|group| std::cmp::Reverse((is_suspect(group), group.net(), group.alive())));
    let all = groups.len() as u64;
    table::section(out, "groups", "What remains, by kind and origin", all)?;
    let suspects = growth.suspects().len();
    if suspects == 0 {
        out.write_all(b"<p class=none>No suspects: no group only grew.</p>\n")?;
    } else {
        writeln!(
            out,
            "<p class=note>A suspect has no delete declared and only grows. A cache that fills \
             looks the same: it is a question, not a leak.</p>"
        )?;
    }
    if groups.is_empty() {
        return out.write_all(b"</section>\n");
    }
    let columns = [
        ("Alive", true),
        ("Change", true),
        ("A minute", true),
        ("Kind", false),
        ("Target", false),
        ("Opened by", false),
        ("Suspect?", false),
        ("Born", true),
        ("Gone", true),
        ("Oldest", true),
        ("Process", true),
    ];
    table::begin(out, "groups", "Groups of like resources", &columns)?;
    for group in groups.iter().take(MOST) {
        row(out, group, now)?;
    }
    let shown = groups.len().min(MOST) as u64;
    table::end(out, shown, all, "groups, none of which grew more")?;
    out.write_all(b"</section>\n")
}

fn row(out: &mut dyn Write, group: &Group, now: BootTime) -> io::Result<()> {
    let name = &group.name;
    let suspect = group.suspect();
    let class = if suspect.is_some() {
        " class=suspect"
    } else {
        ""
    };
    write!(
        out,
        "<tr{class}><td class=n data-v={}>{}</td>",
        group.alive(),
        Count(group.alive()),
    )?;
    match group.net() {
        0 => write!(out, "<td class=n>0</td>")?,
        net => write!(out, "<td class=n data-v={net}>{net:+}</td>")?,
    }
    match group.a_minute() {
        Some(0.0) => write!(out, "<td class=n>0</td>")?,
        Some(rate) => write!(out, "<td class=n data-v={rate:.3}>{rate:+.1}</td>")?,
        None => write!(out, "<td class=n>–</td>")?,
    }
    write!(out, "<td>{}</td><td>", name.what.word())?;
    match name.telling_target() {
        Some(target) => write!(out, "{}</td>", Cut(target))?,
        None => write!(out, "–</td>")?,
    }
    match name.call {
        Some(call) => write!(out, "<td>{}</td>", CallWord(call))?,
        None => write!(out, "<td>–</td>")?,
    }
    match (suspect, name.owned) {
        (Some(suspect), _) => write!(out, "<td><b>~ suspect</b> {}</td>", Html(suspect))?,
        (None, true) => write!(out, "<td>owned by entries</td>")?,
        (None, false) => write!(out, "<td></td>")?,
    }
    let gone = group.deaths + group.ended_with_process;
    for count in [group.births, gone] {
        write!(out, "<td class=n data-v={count}>{}</td>", Count(count))?;
    }
    match group.oldest.map(|oldest| now.since_ns(oldest)) {
        Some(lasts) => write!(out, "<td class=n data-v={lasts}>{}</td>", Lasted(lasts))?,
        None => write!(out, "<td class=n>–</td>")?,
    }
    match name.process {
        Some(process) => write!(out, "<td class=n>{}</td>", process.tgid)?,
        None => write!(out, "<td class=n>several</td>")?,
    }
    writeln!(out, "</tr>")
}
