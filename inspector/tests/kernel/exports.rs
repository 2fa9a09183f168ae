//! Exports of real recordings by the real program, as other people's tools read them, held against the
//! ledger that the same file gives.

#[path = "../../src/export/tests/genuine.rs"]
mod genuine;
#[path = "exports/known.rs"]
mod known;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use self::{
    genuine::{answered, asked, python},
    known::{Known, LOST, QUERIES},
};
use crate::{
    binary::{inspector, is_refused, program, text},
    recording::c_project,
    replayed::Redis,
    verbs::{Ends, until, words},
    watch::alone,
};

/// A recording that the program made.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    /// Of the lab, or of a command behind `--`.
    fn of(words: &[&str]) -> Self {
        let made = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let path = made.path();
        let head = ["record", "-q", "-o", path.to_str().unwrap()];
        let output = inspector(&[&head[..], words].concat());
        assert!(path.exists(), "{output:?}");
        made
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run.rec")
    }

    /// Where its export in a format is.
    fn export(&self, format: &str) -> PathBuf {
        let place = self.folder.path().join(format);
        let path = self.path();
        let (path, to) = (path.to_str().unwrap(), place.to_str().unwrap());
        let output = inspector(&["export", path, "-q", "--format", format, "-o", to]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        place
    }

    /// Every format agrees with the ledger.
    fn agrees(&self) -> Known {
        let known = Known::of(&self.path(), |_| false);
        println!("{known:?}");
        for (format, prefix) in [("perfetto", "debug."), ("chrome", "args.")] {
            let Some(answers) = ask(&self.export(format), prefix, &QUERIES) else {
                continue;
            };
            known
                .agrees(&answers)
                .unwrap_or_else(|why| panic!("{format}: {why}"));
            // A death that is not seen is missed.
            let mut deaths = 0;
            let other = Known::of(&self.path(), |event| {
                deaths += u64::from(known::is_death(event));
                known::is_death(event) && deaths == 1
            });
            assert_eq!(other.agrees(&answers).is_err(), deaths > 0, "{format}");
            assert!(deaths > 0 || known.lost > 0, "nobody died");
        }
        self.lines_agree(&known);
        self.packets_agree(&known);
        known
    }

    fn lines_agree(&self, known: &Known) {
        let file = self.export("jsonl");
        let lines = fs::read(&file).unwrap();
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
        // The validator takes a millisecond a line.
        let some = lines.split_inclusive(|&byte| byte == b'\n').take(2_000);
        let some = some.collect::<Vec<_>>().concat();
        python("jsonschema", "valid-lines.py", &schema, &some);
        let mut jq = Command::new("jq");
        jq.args([
            "-sc",
            "[.[1:][] | .event] | group_by(.) | map([.[0], length])",
        ]);
        let Some(counted) = answered(&mut jq, "jq", &lines) else {
            return;
        };
        let counted: Vec<(String, u64)> = serde_json::from_str(&counted).unwrap();
        let of = |kind: &str| {
            let counted = counted.iter().find(|(name, _)| name == kind);
            counted.map_or(0, |(_, count)| *count)
        };
        assert_eq!(
            counted.iter().map(|(_, count)| count).sum::<u64>(),
            known.events
        );
        for (kind, count) in &known.kinds {
            assert_eq!(of(kind), *count, "{kind}");
        }
        let mut jq = Command::new("jq");
        jq.args(["-s", r#"[.[] | select(.event == "gap").lost[]] | add // 0"#]);
        let lost = answered(&mut jq, "jq", &lines).unwrap();
        assert_eq!(lost.trim(), known.lost.to_string());
    }

    fn packets_agree(&self, known: &Known) {
        let folder = self.export("ctf");
        let Ok(output) = Command::new("babeltrace2").arg(&folder).output() else {
            genuine::lacking("babeltrace2");
            return;
        };
        assert!(output.status.success(), "{output:?}");
        assert_eq!(text(&output.stdout).lines().count() as u64, known.events);
        let warned = text(&output.stderr);
        assert_eq!(warned.contains("discarded"), known.lost > 0, "{warned}");
    }
}

fn ask(file: &Path, prefix: &str, queries: &[&str]) -> Option<Vec<Value>> {
    let queries: Vec<_> = queries
        .iter()
        .map(|query| query.replace("debug.", prefix))
        .collect();
    let queries: Vec<_> = queries.iter().map(String::as_str).collect();
    asked(&fs::read(file).unwrap(), &queries)
}

const LAB: &str = "lab --headless --policy bare --keys 12 --grace 300";

#[test]
fn exports_of_the_lab_are_what_its_recording_tells() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let made = Made::of(&words(LAB));
    let known = made.agrees();
    assert_eq!((known.lost, known.entries), (0, 12));
    // The page's own question: each key's thread outlived its delete, by its own time.
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md"));
    let (_, rest) = manual.split_once("```sql\n").unwrap();
    let (question, _) = rest.split_once("```").unwrap();
    let Some(answers) = ask(&made.export("perfetto"), "debug.", &[question]) else {
        return;
    };
    let found: Vec<_> = answers[0]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let row = row.as_array().unwrap();
            (
                row[0].as_str().unwrap().to_owned(),
                row[2].as_u64().unwrap(),
                row[4].as_u64().unwrap(),
            )
        })
        .collect();
    let mut expected = known.outlived;
    expected.sort_by(|one, other| other.2.cmp(&one.2).then_with(|| one.cmp(other)));
    let mut sorted = found.clone();
    sorted.sort_by(|one, other| other.2.cmp(&one.2).then_with(|| one.cmp(other)));
    assert_eq!(sorted, expected);
    assert!(found.is_sorted_by_key(|row| std::cmp::Reverse(row.2)));
    assert_eq!(found.len(), 12);
}

/// The control: where everything goes with its key, the question finds nobody.
#[test]
fn exports_of_a_clean_lab_have_nothing_that_is_retained() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let made = Made::of(&words(
        "lab --headless --policy stop-wait-delete --keys 12 --grace 800",
    ));
    let known = made.agrees();
    assert!(
        !known
            .verdicts
            .keys()
            .any(|word| word.starts_with("retained")),
        "{known:?}"
    );
}

#[test]
fn exports_of_a_parallel_build_are_what_its_recording_tells() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let folder = c_project(4);
    let at = folder.path().to_str().unwrap();
    let known = Made::of(&["--grace", "200ms", "--", "make", "-s", "-j2", "-C", at]).agrees();
    assert!(known.threads.0 > 8, "{known:?}");
}

#[test]
fn exports_of_redis_under_load_are_what_its_recording_tells() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let Some(redis) = Redis::new() else { return };
    let made = Made {
        folder: tempfile::tempdir().unwrap(),
    };
    let mut command = Command::new(program());
    command
        .args(["record", "-q", "--grace", "200ms", "-o"])
        .arg(made.path())
        .arg("--")
        .args(redis.line())
        .stdout(std::process::Stdio::null())
        .env_remove("SUDO_UID")
        .env_remove("SUDO_GID");
    let mut recorder = Ends::start(&mut command);
    redis.load();
    until("the recorder's end", || {
        recorder.0.try_wait().unwrap().is_some()
    });
    let known = made.agrees();
    assert!(known.handles.0 > 50, "{known:?}");
}

#[test]
fn exports_of_what_an_overrun_ring_lost_show_it() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let line = "lab --headless --burst 200 --ring-bytes 4096 --grace 300";
    let made = Made::of(&words(line));
    let known = made.agrees();
    assert!(known.lost > 100, "{known:?}");
    for (format, prefix) in [("perfetto", "debug."), ("chrome", "args.")] {
        if let Some(answers) = ask(&made.export(format), prefix, &[LOST]) {
            assert_eq!(answers[0], json!([[known.gaps, known.lost]]), "{format}");
        }
    }
}
