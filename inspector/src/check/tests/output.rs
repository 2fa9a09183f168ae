//! What is printed of a checked run, for people and for machines.

use serde_json::json;

use super::{BEGIN, CommandEnd, END, Run, judged, run};
use crate::{
    check::{Checked, annotations::annotations, json::value, junit::junit, text::text},
    event::text::Text,
    rules::Rules,
};

/// Two sockets left open, one ignored, one rule expired, something lost.
fn checked() -> Checked {
    let story = format!(
        "{BEGIN}\n10 100 rename a<%1b[2J>&%0a\n11 100 open 5 socket\n12 100 open 6 socket\n13 100 open 7 file\n{END}"
    );
    let mut rules = Rules::default();
    rules
        .ignores
        .push("file=kept\u{1b} on purpose".parse().unwrap());
    let mut expired: crate::rules::Ignore = "pipe=till then, 100%".parse().unwrap();
    expired.expires = Some("2026-01-31".parse().unwrap());
    rules.ignores.push(expired);
    judged(&story, &rules)
}

#[test]
fn the_text_says_the_verdict_first() {
    assert_eq!(
        text(&run(), &checked()),
        r"1 finding: ./tests exited 0
✗ open at exit: a<\u{1b}[2J>&\u{a} (pid 100) opened and left open at its end: 2 × socket, by timerfd_create
    fd 5
    fd 6
- ignored 1, by command line: kept\u{1b} on purpose
- the ignore of command line expired on 2026-01-31, and ignored nothing any more: till then, 100%
judged 1 of 1 processes, 3 descriptors they opened, and 0 verdicts on deletes
"
    );
    let clean = judged(&format!("{BEGIN}\n{END}"), &Rules::default());
    assert!(text(&run(), &clean).starts_with("clean: ./tests exited 0\n"));
    let mut failed = run();
    failed.end = CommandEnd::Killed(6);
    assert!(text(&failed, &clean).starts_with("clean: ./tests was killed by signal 6\n"));
}

#[test]
fn the_object_says_the_same() {
    let value = value(&run(), &checked());
    assert_eq!(value["schema"], "inspector-check/1");
    assert_eq!(
        (&value["clean"], &value["exit"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(
        value["findings"][0],
        json!({
            "class": "open_at_exit", "kind": "socket", "program": r"a<\u{1b}[2J>&\u{a}",
            "pids": [100], "target": null, "call": "timerfd_create", "count": 2,
            "members": ["fd 5", "fd 6"],
            "words": r"a<\u{1b}[2J>&\u{a} (pid 100) opened and left open at its end: 2 × socket, by timerfd_create",
        })
    );
    assert_eq!(value["ignored"][1]["expired"], "2026-01-31");
    assert_eq!(value["command"]["words"], json!(["./tests", "-v"]));
}

#[test]
fn annotations_are_one_escaped_line_each() {
    assert_eq!(
        annotations(&checked()),
        "::error title=inspector%3A open at exit::a<\\u{1b}[2J>&\\u{a} (pid 100) opened and left open at its end: 2 × socket, by timerfd_create%0Afd 5%0Afd 6\n\
         ::warning title=inspector%3A expired ignore::the ignore of command line expired on 2026-01-31: till then, 100%25\n"
    );
    let mut unknown = judged("3500 100 tick", &Rules::default());
    assert!(
        annotations(&unknown)
            .starts_with("::error title=inspector%3A unknown%3A open at exit::what")
    );
    unknown.unknown_allowed = true;
    assert!(annotations(&unknown).starts_with("::warning "));
}

/// The names of a document's elements in order, checked to be well nested, and its text unescaped.
fn parsed(mut document: &str) -> (Vec<String>, String) {
    let (mut names, mut open, mut text) = (Vec::new(), Vec::new(), String::new());
    let unescape = |text: &str| {
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'));
        [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&apos;", "'"),
            ("&#10;", "\n"),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    while let Some(start) = document.find('<') {
        let end = document.find('>').expect("every tag ends");
        assert!(end > start, "no bare > in text");
        text += &unescape(&document[..start]);
        let tag = &document[start + 1..end];
        assert!(!tag.contains('<'));
        document = &document[end + 1..];
        if tag.starts_with('?') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let name = tag
            .split(' ')
            .next()
            .unwrap()
            .trim_end_matches('/')
            .to_owned();
        assert_eq!(tag.matches('"').count() % 2, 0);
        text += &unescape(tag);
        names.push(name.clone());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty());
    (names, text)
}

#[test]
fn junit_is_well_formed_whatever_the_names() {
    let document = junit(&run(), &checked());
    let (names, text) = parsed(&document);
    let count = |name: &str| names.iter().filter(|one| *one == name).count();
    assert_eq!(
        (count("testcase"), count("failure"), count("error")),
        (7, 1, 0)
    );
    assert!(
        document.contains("tests=\"7\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"2.000\"")
    );
    assert!(text.contains(r"a<\u{1b}[2J>&\u{a} (pid 100)"));
    let mut hostile = checked();
    hostile.findings[0].words = "\u{1}\u{b}\u{ffff}]]>\"'&amp;".to_owned();
    let (_, text) = parsed(&junit(&run(), &hostile));
    assert!(text.contains("\u{fffd}\u{fffd}\u{fffd}]]>\"'&amp;"));
}

#[test]
fn junit_tells_a_failed_command_and_what_is_unknown() {
    let mut unknown = judged("3500 100 tick", &Rules::default());
    let mut failed = run();
    failed.end = CommandEnd::Exited(3);
    failed.command = vec![Text::from(&b"\"./t\""[..])];
    let (names, text) = parsed(&junit(&failed, &unknown));
    assert!(text.contains("\"./t\" exited 3"));
    assert!(names.contains(&"error".to_owned()) && names.contains(&"failure".to_owned()));
    unknown.unknown_allowed = true;
    let (names, _) = parsed(&junit(&run(), &unknown));
    assert!(names.contains(&"skipped".to_owned()) && !names.contains(&"error".to_owned()));
}

#[test]
fn a_command_that_did_not_begin_is_an_error_and_never_clean() {
    for (end, how, words) in [
        (CommandEnd::NotFound, "not_found", "was not found"),
        (
            CommandEnd::NotExecutable,
            "not_executable",
            "could not be executed",
        ),
    ] {
        let run = Run {
            main: None,
            end,
            ..run()
        };
        let nothing = Checked::default();
        let value = value(&run, &nothing);
        assert_eq!(value["clean"], false);
        let command = &value["command"];
        assert_eq!(command["end"], json!({"how": how, "status": null}));
        assert_eq!(command["pid"], json!(null));
        let said = text(&run, &nothing);
        assert_eq!(said, format!("nothing to judge: ./tests {words}\n"));
        let junit = junit(&run, &nothing);
        let (_, suite) = junit.split_once("<testsuite ").unwrap();
        assert!(
            suite.contains("tests=\"1\" failures=\"0\" errors=\"1\""),
            "{junit}"
        );
        assert!(
            suite.contains(&format!("><error message=\"./tests {words}\">")),
            "{junit}"
        );
    }
}
