//! A checked run as JUnit XML, which build servers read.
//!
//! One suite with a case for the command itself, one for each finding (`failure`), one for each
//! thing that is unknown (`error`, or `skipped` where that is allowed), and one that passed for each
//! class in which nothing was found. Where the command did not begin its case is the only one, an
//! `error`. What XML can't hold is replaced by U+FFFD.

use std::fmt::Write as _;

use super::{Checked, Class, CommandEnd, Run, text};

/// The document.
pub fn junit(run: &Run, checked: &Checked) -> String {
    let mut cases = Cases::default();
    let bad = match run.end {
        CommandEnd::Exited(0) => None,
        end if end.has_run() => Some("failure"),
        _ => Some("error"),
    };
    let ended = text::ended(run);
    let bad = bad.map(|element| (element, ended.as_str(), String::new()));
    cases.add("command", "the command succeeds", bad);
    let judged = Class::ALL.into_iter().filter(|_| run.end.has_run());
    for class in judged {
        let findings = checked
            .findings
            .iter()
            .filter(|finding| finding.class == class);
        let unknowns = checked
            .unknowns
            .iter()
            .filter(|unknown| unknown.class == class);
        let mut passed = true;
        for finding in findings {
            passed = false;
            let members = finding.members.join("\n");
            let failure = ("failure", finding.words.as_str(), members);
            cases.add(class.name(), &finding.words, Some(failure));
        }
        for unknown in unknowns {
            passed = false;
            let how = if checked.unknown_allowed {
                "skipped"
            } else {
                "error"
            };
            let words = unknown.words.as_str();
            cases.add(class.name(), words, Some((how, words, String::new())));
        }
        if passed {
            cases.add(class.name(), &format!("nothing {}", class.words()), None);
        }
    }
    let seconds = run.ended.since_ns(run.started) / 1_000_000;
    let time = format!("{}.{:03}", seconds / 1000, seconds % 1000);
    let Cases {
        text,
        tests,
        failures,
        errors,
        skipped,
    } = cases;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites>\n\
         <testsuite name=\"inspector check\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{time}\">\n\
         {text}</testsuite>\n\
         </testsuites>\n"
    )
}

/// The cases so far, and how many of each kind.
#[derive(Default)]
struct Cases {
    text: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Cases {
    /// A case; `bad` is the element's name, its message and its text.
    fn add(&mut self, class: &str, name: &str, bad: Option<(&str, &str, String)>) {
        self.tests += 1;
        let name = escaped(name);
        // Writing to a string can't fail.
        let _ = write!(
            self.text,
            "<testcase classname=\"inspector.{class}\" name=\"{name}\""
        );
        let Some((element, message, text)) = bad else {
            self.text += "/>\n";
            return;
        };
        match element {
            "failure" => self.failures += 1,
            "error" => self.errors += 1,
            _ => self.skipped += 1,
        }
        let (message, text) = (escaped(message), escaped(&text));
        let _ = writeln!(
            self.text,
            "><{element} message=\"{message}\">{text}</{element}></testcase>"
        );
    }
}

/// Text for an element or for an attribute in double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            // In an attribute they would become spaces.
            '\n' => escaped += "&#10;",
            '\t' => escaped += "&#9;",
            '\r' => escaped += "&#13;",
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
