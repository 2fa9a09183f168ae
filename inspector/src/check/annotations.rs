//! A checked run as workflow commands, which GitHub's runners show beside the change:
//! `::error title=open at exit::…`.
//!
//! Findings are errors, and so is what is unknown, unless that is allowed: then, like rules that
//! expired or ignore nothing, it is a warning. Escaping is that of GitHub's own toolkit.

use std::fmt::Write as _;

use super::Checked;

/// One command a line.
pub fn annotations(checked: &Checked) -> String {
    let mut text = String::new();
    for finding in &checked.findings {
        let members = match &finding.members[..] {
            [] => String::new(),
            members => format!("\n{}", members.join("\n")),
        };
        let message = format!("{}{members}", finding.words);
        command(&mut text, "error", finding.class.words(), &message);
    }
    for unknown in &checked.unknowns {
        let level = if checked.unknown_allowed {
            "warning"
        } else {
            "error"
        };
        let title = format!("unknown: {}", unknown.class.words());
        command(&mut text, level, &title, &unknown.words);
    }
    for ignored in &checked.ignored {
        let (from, reason) = (&ignored.from, &ignored.reason);
        if let Some(day) = ignored.expired {
            let message = format!("the ignore of {from} expired on {day}: {reason}");
            command(&mut text, "warning", "expired ignore", &message);
        } else if ignored.count == 0 {
            let message = format!("the ignore of {from} ignored nothing: {reason}");
            command(&mut text, "warning", "unused ignore", &message);
        }
    }
    text
}

fn command(text: &mut String, level: &str, title: &str, message: &str) {
    let message = escaped(message);
    let title = escaped(&format!("inspector: {title}"))
        .replace(':', "%3A")
        .replace(',', "%2C");
    // Writing to a string can't fail.
    let _ = writeln!(text, "::{level} title={title}::{message}");
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
