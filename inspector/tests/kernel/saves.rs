//! When a flight recorder writes out, whose keys a redacted recording hides, and what another grace
//! changes in what was recorded.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    binary::{inspector, is_refused, records, text},
    verbs::{Ends, said},
    watch::alone,
};

/// Records with these words, and says what was saved.
#[track_caller]
fn saved(folder: &Path, trigger: &str, rest: &[&str]) -> Option<PathBuf> {
    let file = folder.join("run.rec");
    let head = ["record", "-o", file.to_str().unwrap(), "--flight", "10s"];
    let trigger = ["--save-on", trigger, "--grace", "100ms"];
    let output = inspector(&[&head[..], &trigger[..], rest].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let saved = folder.join("run-1.rec");
    let tells = said(&output).contains("run-1.rec");
    assert_eq!(saved.exists(), tells, "{}", said(&output));
    saved.exists().then_some(saved)
}

/// Whether each of these saves a recording, which says why.
#[track_caller]
fn check(trigger: &str, rest: &[&str], why: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let saved = saved(folder.path(), trigger, rest);
    assert_eq!(saved.is_some(), why.is_some(), "{trigger} {rest:?}");
    if let Some((saved, why)) = saved.zip(why) {
        let info = inspector(&["info", saved.to_str().unwrap()]);
        let told = text(&info.stdout);
        assert_eq!(info.status.code(), Some(0), "{told}");
        let note = told.lines().find(|line| line.contains("saved: "));
        assert!(note.is_some_and(|note| note.contains(why)), "{why}: {told}");
    }
}

#[test]
fn many_handles_are_saved() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let opens =
        "import os, time; held = [os.open('/dev/zero', 0) for _ in range(80)]; time.sleep(4)";
    let command = ["--", "python3", "-c", opens];
    check("handles>60", &command, Some("handles, more than 60"));
    check("handles>6_000", &command, None);
}

#[test]
fn the_end_of_a_process_is_saved() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let child = ["--", "sh", "-c", "sleep 0.2; exec sleep 3"];
    check("exit", &child, Some(" ended"));
    // What happened just before the end of the recording as well.
    check("exit", &["--", "sleep", "0.5"], Some(" ended"));
    let sleeper = Ends::sleeper();
    let pid = sleeper.pid().to_string();
    check("exit", &["--for", "3s", "-p", &pid], None);
}

/// The lab, whose deletes leave all behind, or nothing.
fn lab(variant: &str) -> [&str; 9] {
    let scenario = ["lab", "--scenario", "bare-delete", "--variant"];
    let [a, b, c, d] = scenario;
    [a, b, c, d, variant, "--keys", "2", "--grace", "200"]
}

#[test]
fn a_bad_verdict_is_saved() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    check("verdict", &lab("leaky"), Some("retained"));
    check("verdict", &lab("fixed"), None);
}

/// Records the lab's leak.
fn leak(file: &Path, more: &[&str]) -> String {
    let file = file.to_str().unwrap().to_owned();
    let head = ["record", "-q", "-o", &file];
    let output = inspector(&[&head[..], more, &lab("leaky")].concat());
    assert!(output.status.success(), "{output:?}");
    file
}

/// The keys of all marks in a recording.
fn keys(file: &str) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(key) = map.get("key").and_then(Value::as_str) {
                    found.insert(key.to_owned());
                }
                map.values().for_each(|value| walk(value, found));
            }
            Value::Array(all) => all.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let output = inspector(&["export", "-q", "-f", "jsonl", file]);
    let mut found = BTreeSet::new();
    for event in records(&output.stdout) {
        walk(&event, &mut found);
    }
    found
}

#[test]
fn keys_stand_nowhere_in_a_recording_that_hides_them() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plain = keys(&leak(&folder.path().join("plain.rec"), &[]));
    assert_eq!(plain.len(), 2, "{plain:?}");
    let file = leak(&folder.path().join("hidden.rec"), &["--redact", "keys"]);
    let hidden = keys(&file);
    assert_eq!(hidden.len(), 2, "equal keys are equal still: {hidden:?}");
    assert!(hidden.iter().all(|key| key.starts_with('#')), "{hidden:?}");
    let mut all = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
    for verb in [&["export", "-q", "-f", "jsonl"][..], &["report", "--json"]] {
        let output = inspector(&[verb, &[&file]].concat());
        assert!(output.status.success(), "{output:?}");
        all.push_str(text(&output.stdout));
    }
    for key in &plain {
        assert!(!all.contains(key), "{key}: {all}");
    }
}

#[test]
fn what_another_grace_changes_is_told() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = leak(&folder.path().join("lab.rec"), &[]);
    let told = |grace| {
        let output = inspector(&["report", "--grace", grace, &file]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        said(&output).to_owned()
    };
    // The thread and the timer of both keys: with so long a grace nothing is late yet.
    let other = told("1h");
    let changed = other.lines().filter(|line| line.contains("changed: "));
    let changed: Vec<_> = changed.collect();
    assert_eq!(changed.len(), 4, "{other}");
    // The lab ends its child when it has been judged: by then what was retained has gone, in time.
    for line in changed {
        let (was, now) = line.split_once(" -> ").unwrap();
        assert!(
            was.contains(": late ") || was.contains(": retained"),
            "{line}"
        );
        assert!(
            now.starts_with("gone") || now.starts_with("pending"),
            "{line}"
        );
    }
    let sum = "4 of 4 verdicts are others than with the grace of the recording, 200ms";
    assert!(other.contains(sum), "{other}");
    // The one that it was made with changes nothing, and nothing is said.
    assert_eq!(told("200ms"), "");
}
