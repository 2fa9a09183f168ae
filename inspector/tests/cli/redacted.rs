//! `--redact`: what is secret stands nowhere in the recording, and what was equal still is.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    recording::{folder, json, path, told},
    records, text,
};

/// Stands in a path, in an argument and in a thread's name.
const SECRET: &str = "hush-4711";

/// Records a program whose name, arguments and open files have the secret. The file, and its events.
fn recorded(folder: &TempDir, name: &str, redact: &[&str]) -> (Vec<u8>, String) {
    // Named by the secret: so are its process's name and its path.
    let program = folder.path().join(SECRET);
    if !program.exists() {
        fs::copy("/bin/sh", &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join(format!("{SECRET}.key")), "").unwrap();
    }
    let file = path(folder, name);
    let open = folder.path().join(format!("{SECRET}.key"));
    let line = format!(
        "exec 5< {0}; exec 6< {0}; sleep 0.7; : {SECRET}",
        open.display()
    );
    let head = ["record", "-q", "-o", &file, "--grace", "50ms"];
    let tail = ["--", program.to_str().unwrap(), "-c", &line];
    told(&[&head, redact, &tail].concat(), 0);
    let events = told(&["export", "-q", "-f", "jsonl", &file], 0);
    (fs::read(&file).unwrap(), text(&events.stdout).to_owned())
}

fn contains(bytes: &[u8], what: &str) -> bool {
    memchr::memmem::find(bytes, what.as_bytes()).is_some()
}

/// What the handles of these numbers point at.
fn targets(events: &str, fds: [u64; 2]) -> BTreeSet<String> {
    fn walk(value: &Value, fds: [u64; 2], found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let (Some(fd), Some(target)) = (map.get("fd"), map.get("target"))
                    && fd.as_u64().is_some_and(|fd| fds.contains(&fd))
                {
                    found.extend(target.as_str().map(str::to_owned));
                }
                map.values().for_each(|value| walk(value, fds, found));
            }
            Value::Array(all) => all.iter().for_each(|value| walk(value, fds, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for event in records(events.as_bytes()) {
        walk(&event, fds, &mut found);
    }
    found
}

#[test]
fn secrets_stand_nowhere_in_a_redacted_recording() {
    let folder = folder();
    let (bytes, events) = recorded(&folder, "open.rec", &[]);
    // Each kind of them, so that their lack below means something.
    let plain = json(&["info", "--json", &path(&folder, "open.rec")], 0);
    assert!(
        plain["meta"]["watched"]["words"]
            .to_string()
            .contains(SECRET)
    );
    for what in [
        format!("{SECRET}.key"),
        format!("\"comm\":\"{SECRET}\""),
        format!("; : {SECRET}"),
    ] {
        assert!(events.contains(&what), "{what}: {events}");
    }
    let (redacted, hidden) = recorded(
        &folder,
        "hidden.rec",
        &["--redact", "paths,args,keys,names"],
    );
    assert!(!contains(&redacted, SECRET));
    assert!(!hidden.contains(SECRET), "{hidden}");
    assert!(contains(&bytes, SECRET) || events.contains(SECRET));
    let info = json(&["info", "--json", &path(&folder, "hidden.rec")], 0);
    assert!(!info.to_string().replace("hidden.rec", "").contains(SECRET));
    assert_eq!(info["meta"]["redacted"].as_array().unwrap().len(), 4);
    // Both numbers are of one file: they still are.
    let (open, hashed) = (targets(&events, [5, 6]), targets(&hidden, [5, 6]));
    assert_eq!((open.len(), hashed.len()), (1, 1), "{open:?} {hashed:?}");
    assert!(hashed.first().unwrap().contains('#'), "{hashed:?}");
    for verb in ["report", "info"] {
        let output = told(&[verb, &path(&folder, "hidden.rec")], 0);
        assert!(!text(&output.stdout).contains(SECRET), "{verb}: {output:?}");
    }
}

#[test]
fn only_what_was_asked_for_is_hidden() {
    let folder = folder();
    let (_, events) = recorded(&folder, "some.rec", &["--redact", "args"]);
    assert!(events.contains(&format!("{SECRET}.key")), "{events}");
    assert!(!events.contains(&format!("; : {SECRET}")), "{events}");
}
