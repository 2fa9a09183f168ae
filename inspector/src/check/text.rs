//! A checked run as text: the verdict first, then each finding, then what to know of the rest.

use std::fmt::Write as _;

use super::{Checked, CommandEnd, Run};
use crate::event::text::Text;

/// The text, of several lines. Every string of the run is escaped.
pub fn text(run: &Run, checked: &Checked) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = writeln!(text, "{}", headline(run, checked));
    if !run.end.has_run() {
        return text;
    }
    for finding in &checked.findings {
        let _ = writeln!(text, "✗ {}: {}", finding.class.words(), finding.words);
        for member in &finding.members {
            let _ = writeln!(text, "    {member}");
        }
        let more = (finding.count as usize).saturating_sub(finding.members.len());
        if more > 0 && !finding.members.is_empty() {
            let _ = writeln!(text, "    … and {more} more");
        }
    }
    for unknown in &checked.unknowns {
        let (class, words) = (unknown.class.words(), &unknown.words);
        let allowed = if checked.unknown_allowed {
            ", as allowed"
        } else {
            ""
        };
        let _ = writeln!(text, "? unknown ({class}{allowed}): {words}");
    }
    for ignored in &checked.ignored {
        let (count, from, reason) = (ignored.count, &ignored.from, &ignored.reason);
        let _ = match (ignored.expired, count) {
            (Some(day), 0) => writeln!(
                text,
                "- the ignore of {from} expired on {day}, and ignored nothing any more: {reason}"
            ),
            (Some(day), _) => writeln!(
                text,
                "- the ignore of {from} expired on {day}; it would have ignored {count}: {reason}"
            ),
            (None, 0) => writeln!(text, "- the ignore of {from} ignored nothing: {reason}"),
            (None, _) => writeln!(text, "- ignored {count}, by {from}: {reason}"),
        };
    }
    let judged = checked.judged;
    let _ = writeln!(
        text,
        "judged {} of {} processes, {} descriptors they opened, and {} verdicts on deletes",
        judged.processes, judged.ran, judged.handles, judged.verdicts
    );
    text
}

/// `2 findings, 1 unknown: ./tests exited 0`; `nothing to judge: ./tests was not found`.
pub fn headline(run: &Run, checked: &Checked) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let mut parts: Vec<_> = count(checked.findings.len(), "finding", "findings")
        .into_iter()
        .collect();
    parts.extend(count(checked.unknowns.len(), "unknown", "unknown"));
    if !run.end.has_run() {
        parts.push("nothing to judge".to_owned());
    } else if parts.is_empty() {
        parts.push("clean".to_owned());
    }
    format!("{}: {}", parts.join(", "), ended(run))
}

/// `./tests exited 0`.
pub(super) fn ended(run: &Run) -> String {
    let name = run.command.first().map_or_else(Text::default, Text::clone);
    match run.end {
        CommandEnd::Exited(status) => format!("{name} exited {status}"),
        CommandEnd::Killed(signal) => format!("{name} was killed by signal {signal}"),
        CommandEnd::NotExecutable => format!("{name} could not be executed"),
        CommandEnd::NotFound => format!("{name} was not found"),
    }
}
