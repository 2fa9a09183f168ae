//! What reads recordings: every verb on the same small one, on damaged ones, and on what is none.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    recording::{folder, json, path, record, told},
    records, text,
};

/// A shell that keeps a device open.
const KEEPS: &str = "exec 5< /dev/zero; sleep 0.7";

#[test]
fn a_recording_is_told_of() {
    let folder = folder();
    let file = record(&folder, "run.rec", KEEPS);
    let output = told(&["info", &file], 0);
    let said = text(&output.stdout);
    assert!(said.contains("of         the command sh -c "), "{said}");
    assert!(said.contains("rests on   /proc, read every "), "{said}");
    assert!(said.contains("every header was read"), "{said}");
    let output = told(&["info", "--verify", &file], 0);
    assert!(text(&output.stdout).contains("every block was read"));
    let info = json(&["info", "--json", "--verify", &file], 0);
    assert_eq!(info["schema"], "inspector-info/1");
    assert_eq!(info["meta"]["grace_ns"], 100_000_000);
    assert_eq!(
        (&info["verified"], &info["has_end"]),
        (&true.into(), &true.into())
    );
    assert_eq!(info["damage"], Value::Array(Vec::new()));
    assert_eq!(info["damaged_blocks"], 0);
    assert_eq!(info["index"]["used"], false);
}

#[test]
fn a_recording_is_reported_as_the_run_was() {
    let folder = folder();
    let file = record(&folder, "run.rec", KEEPS);
    let output = told(&["report", &file], 0);
    assert!(text(&output.stdout).contains("sh -c "), "{output:?}");
    assert_eq!(text(&output.stderr), "");
    let report = json(&["report", "--json", &file], 0);
    assert_eq!(report["source"]["kind"], "polling");
    assert_eq!(report["run"]["end"]["status"], 0);
    assert!(report["groups"].to_string().contains("/dev/zero"));
    let page = path(&folder, "page.html");
    told(&["report", "--html", &page, &file], 0);
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!"));
    // Another grace may change verdicts; here there are none.
    let output = told(&["report", "--grace", "5s", &file], 0);
    let said = text(&output.stderr);
    assert!(
        said.contains("0 of 0 verdicts are others than with the grace of the recording, 100ms"),
        "{said}"
    );
}

#[test]
fn a_recording_is_checked_as_the_run_was() {
    let folder = folder();
    let file = record(&folder, "run.rec", KEEPS);
    let output = told(&["check", &file], 1);
    assert!(text(&output.stderr).contains("? unknown ("), "{output:?}");
    let clean = record(&folder, "clean.rec", "sleep 0.5");
    told(&["check", "--allow-unknown", &clean], 0);
}

/// Opens so many descriptors and closes them again, so many times.
fn opens(descriptors: u32, times: u32) -> String {
    let last = 9 + descriptors;
    let each =
        |act: &str| format!("for i in {{10..{last}}}; do eval \"exec $i{act}\"; done; sleep 0.3");
    format!(
        "exec bash -c 'for t in {{1..{times}}}; do {}; {}; done'",
        each("</dev/zero"),
        each("<&-")
    )
}

#[test]
fn what_is_known_takes_as_much_memory_as_it_may() {
    let folder = folder();
    let file = record(&folder, "many.rec", &opens(60, 6));
    let whole = told(&["report", &file], 0);
    assert_eq!(text(&whole.stderr), "", "by default all is kept");
    let part = told(&["report", "--memory", "128K", &file], 0);
    let said = text(&part.stderr);
    assert!(
        said.contains("were forgotten: --memory allows no more"),
        "{said}"
    );
    // Two are compared, each with half of it.
    let compared = told(&["diff", "--memory", "256K", &file, &file], 0);
    let said = text(&compared.stdout);
    let forgotten = "were forgotten: --memory allows no more";
    assert!(
        said.contains("A: the oldest ") && said.contains(forgotten),
        "{said}"
    );
    let compared = told(&["diff", &file, &file], 0);
    assert!(!text(&compared.stdout).contains(forgotten));
    let export = ["export", "-q", "-f", "perfetto", "-o"];
    let out = path(&folder, "out");
    let small = ["--memory", "64K", &file];
    let refused = told(&[&export[..], &[&out[..]], &small[..]].concat(), 2);
    let said = text(&refused.stderr);
    assert!(
        said.contains("than --memory allows") && said.contains("--since"),
        "{said}"
    );
    told(&[&export[..], &[&out[..], &file]].concat(), 0);
}

#[test]
fn more_that_lives_than_memory_holds_is_an_error() {
    let folder = folder();
    let file = record(&folder, "living.rec", &opens(600, 1));
    let refused = told(&["report", "--memory", "64K", &file], 2);
    let said = text(&refused.stderr);
    assert!(said.contains(" handles live at once"), "{said}");
    told(&["report", &file], 0);
}

#[test]
fn a_window_is_exported_in_every_format() {
    let folder = folder();
    let file = record(&folder, "run.rec", KEEPS);
    let whole = told(&["export", "-q", "-f", "jsonl", &file], 0);
    let whole = records(&whole.stdout);
    let window = ["--since", "+200ms", "--until", "+400ms"];
    let part = told(
        &[&["export", "-q", "-f", "jsonl", &file], &window[..]].concat(),
        0,
    );
    let part = records(&part.stdout);
    // Its first line says what it is of; the window's are those of the whole that lie in it.
    let bound = |name: &str| part[0][name].as_u64().unwrap();
    let (since, until) = (bound("since_ns"), bound("until_ns"));
    let within = |event: &&Value| (since..=until).contains(&event["at_ns"].as_u64().unwrap());
    let expected: Vec<_> = whole[1..].iter().filter(within).collect();
    assert!(!expected.is_empty() && part.len() < whole.len());
    assert_eq!(part[1..].iter().collect::<Vec<_>>(), expected);
    let chrome = json(
        &[&["export", "-q", "-f", "chrome", &file], &window[..]].concat(),
        0,
    );
    assert!(chrome["traceEvents"].is_array());
    let perfetto = path(&folder, "trace.pftrace");
    told(
        &["export", "-q", "-f", "perfetto", "-o", &perfetto, &file],
        0,
    );
    assert!(fs::metadata(&perfetto).unwrap().len() > 100);
    for (window, words) in [
        (
            &["--since", "+2s", "--until", "+1s"][..],
            "ends before it begins",
        ),
        (&["--since", "yesterday"], "--since"),
    ] {
        let output = told(&[&["export", "-f", "jsonl", &file], window].concat(), 2);
        assert!(text(&output.stderr).contains(words), "{output:?}");
    }
}

#[test]
fn two_recordings_are_compared() {
    let folder = folder();
    // It is looked at before it opens anything; its children do not inherit what it keeps.
    let line = "sleep 0.5; exec 5< /dev/zero; sleep 0.5 5<&-; true";
    let leaky = record(&folder, "leaky", line);
    let line = "sleep 0.5; exec 5< /dev/zero; sleep 0.5 5<&-; exec 5<&-; sleep 0.5";
    let mended = record(&folder, "mended", line);
    let better = told(&["diff", &leaky, &mended], 0);
    let said = text(&better.stdout);
    assert!(said.contains("better: 1 → 0 survivors of "), "{said}");
    let worse = told(&["diff", &mended, &leaky], 1);
    assert!(text(&worse.stdout).contains("worse: 0 → 1 survivors of "));
    let alike = json(&["diff", "--json", &leaky, &leaky], 0);
    assert_eq!((&alike["worse"], &alike["better"]), (&0.into(), &0.into()));
    assert_eq!(alike["schema"], "inspector-diff/1");
    told(&["diff", &leaky, &path(&folder, "none")], 2);
}

#[test]
fn a_damaged_recording_is_repaired_beside_itself() {
    let folder = folder();
    let file = record(&folder, "run.rec", KEEPS);
    let whole = json(&["repair", "--json", &file], 0);
    assert_eq!(whole["schema"], "inspector-index/1");
    let mut bytes = fs::read(&file).unwrap();
    // The content of the first block behind the META.
    let block = whole["segments"][0]["blocks"][2].as_u64().unwrap();
    bytes[usize::try_from(block).unwrap() + 100] ^= 0xff;
    fs::write(&file, &bytes).unwrap();
    let before = told(&["export", "-q", "-f", "jsonl", &file], 0);
    let output = told(&["repair", &file], 1);
    let said = text(&output.stdout);
    assert!(said.contains("is damaged\n"), "{said}");
    assert!(said.contains("run.rec.index\n"), "{said}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    use std::os::unix::fs::MetadataExt as _;
    let index = fs::metadata(format!("{file}.index")).unwrap();
    assert_eq!(index.mode() & 0o777, 0o600);
    let after = told(&["export", "-q", "-f", "jsonl", &file], 0);
    assert_eq!(text(&after.stdout), text(&before.stdout));
    let info = json(&["info", "--json", "--verify", &file], 1);
    assert_eq!(info["index"]["used"], true);
    assert_eq!(info["damaged_blocks"], 1);
    // Of another recording, it is not believed.
    let other = record(&folder, "other.rec", "sleep 0.4");
    let index = fs::read(format!("{file}.index")).unwrap();
    fs::write(format!("{other}.index"), index).unwrap();
    let output = told(&["info", &other], 0);
    let said = text(&output.stderr);
    assert!(
        said.contains("other.rec.index is ignored: it is of another recording"),
        "{said}"
    );
}

/// Every verb that reads one.
fn verbs(file: &str) -> [Vec<&str>; 6] {
    [
        vec!["info", file],
        vec!["report", file],
        vec!["check", file],
        vec!["export", "-f", "jsonl", file],
        vec!["diff", file, file],
        vec!["repair", file],
    ]
}

#[test]
fn what_is_no_recording_is_told_in_one_line() {
    let folder = folder();
    let file = record(&folder, "run.rec", "sleep 0.4");
    let good = fs::read(&file).unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = path(&folder, name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let mut later = good.clone();
    later[8..10].copy_from_slice(&2_u16.to_le_bytes());
    let crc = crc32fast::hash(&later[..60]);
    later[60..64].copy_from_slice(&crc.to_le_bytes());
    let garbage: Vec<u8> = (0..100_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let wrong = [
        (path(&folder, "missing"), "can't be read: No such file"),
        (path(&folder, "."), "can't be read: it is no regular file"),
        (put("empty", b""), "is no recording of inspector's"),
        (put("words", b"hello\n"), "is no recording of inspector's"),
        (put("garbage", &garbage), "is no recording of inspector's"),
        (put("header", &good[..64]), "is no recording of inspector's"),
        (
            put("later", &later),
            "was written in version 2 of the format",
        ),
    ];
    for (file, words) in &wrong {
        for line in verbs(file) {
            // A check's own failures leave the small codes to the command.
            let code = if line[0] == "check" { 125 } else { 2 };
            let output = told(&line, code);
            let said = text(&output.stderr);
            assert!(said.contains(words), "{line:?}: {said}");
            assert_eq!(said.lines().count(), 1, "{line:?}: {said}");
        }
        assert!(!Path::new(&format!("{file}.index")).exists());
    }
}

#[test]
fn a_recording_that_was_cut_is_read_to_its_last_block() {
    let folder = folder();
    let file = record(&folder, "run.rec", KEEPS);
    let good = fs::read(&file).unwrap();
    let cut = path(&folder, "cut.rec");
    fs::write(&cut, &good[..good.len() - 20]).unwrap();
    let output = told(&["info", &cut], 1);
    assert!(text(&output.stdout).contains("the recording has no end"));
    let output = told(&["report", &cut], 0);
    assert!(text(&output.stderr).contains("the recording has no end"));
    let output = told(&["check", &cut], 125);
    let said = text(&output.stderr);
    assert!(
        said.contains("does not say how its command ended"),
        "{said}"
    );
    told(&["repair", &cut], 1);
    // Cut anywhere, nothing panics.
    for length in (64..good.len()).step_by(good.len() / 20) {
        fs::write(&cut, &good[..length]).unwrap();
        let output = crate::run(&crate::ordinary(), &["info", "--verify", &cut]);
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{length}: {output:?}"
        );
    }
}
