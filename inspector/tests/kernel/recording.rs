//! Recordings of the real programs' events: a replay is what the run was, and the verb's files are
//! the user's, whole, and saved when they should be.

use std::{fs, os::unix::fs::MetadataExt as _, process::Command, sync::Arc, time::Duration};

use inspector::{
    event::{Batch, Event, id::Tgid},
    ledger::LedgerRules,
    pipeline::Pipeline,
    source::ebpf::load::LoadOptions,
    trace::{
        block::Kind,
        keyframe,
        meta::Meta,
        read::{Content, Limits, Read, Recording},
        write::{Files, Options, Recorder},
    },
};
use serde_json::Value;

use crate::{
    binary::{inspector, is_refused, text},
    invoker::{USER, as_sudo},
    verbs::{Ends, said, until},
    watch::{Watch, alone},
};

/// Events in a batch, and in every segment some hundred of them.
const BATCH: usize = 7;

/// All that a pipeline holds. Its hash maps have another order once they were written and read, so
/// lines are sorted.
fn lines(pipeline: &Pipeline) -> Vec<String> {
    let all = format!("{pipeline:#?}");
    let mut lines: Vec<_> = all.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Records these events, live, and reads them back.
pub(crate) fn replays(events: &[Event], options: Options) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.rec");
    let mut live = Pipeline::new(LedgerRules::default());
    let mut fallen = Vec::new();
    // Segments go by the time of events.
    let meta = Meta {
        began_ns: events[0].at.0,
        ..Meta::default()
    };
    let mut recorder = Recorder::start(Files::new(&path), options, meta, &live, || Ok(())).unwrap();
    for events in events.chunks(BATCH) {
        let batch = Batch {
            events: events.to_vec(),
        };
        let judged = live.take(&batch);
        recorder.take(&batch, &live, &judged);
        fallen.extend(judged);
        // The disk keeps up: what was left out would be another test's.
        std::thread::sleep(Duration::from_micros(20));
    }
    let progress = recorder.finish(&live);
    assert_eq!((progress.halted, progress.lost), (None, 0));
    let recording = Arc::new(Recording::open(&path, Limits::default()).unwrap());
    assert!(recording.is_clean() && recording.damage().is_empty());
    assert_eq!(recording.events(), events.len() as u64);
    // In one go, as the verbs read it.
    let mut replayed = Pipeline::new(LedgerRules::default());
    let mut again = Vec::new();
    for read in recording.reads() {
        match read {
            Read::Batch(batch) => again.extend(replayed.take(&batch)),
            Read::State(state) => replayed = *state,
            Read::Note { .. } => {}
        }
    }
    assert!(again == fallen, "other verdicts fell");
    assert!(
        format!("{replayed:?}") == format!("{live:?}"),
        "another ledger"
    );
    // Each keyframe is what was known at its place.
    let mut known = Pipeline::new(LedgerRules::default());
    let mut keyframes = 0;
    for block in recording.blocks() {
        match recording.content(block).unwrap() {
            Content::Events { events, unknown: 0 } => drop(known.take(&Batch { events })),
            Content::Keyframe(keyframe) => {
                keyframes += 1;
                let trimmed = keyframe::of(known.clone());
                assert!(lines(&keyframe) == lines(&trimmed), "keyframe {keyframes}");
            }
            Content::Meta(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let segments = recording.segments().count();
    let metas = recording
        .blocks()
        .iter()
        .filter(|block| block.header.kind == Kind::Meta);
    assert_eq!(metas.count(), segments);
    println!(
        "{} events, {keyframes} keyframes, {segments} segments",
        events.len()
    );
    segments
}

/// The events of a shell that does this.
fn events(line: &str) -> Option<Vec<Event>> {
    let mut shell = Ends::shell();
    let mut watch = Watch::start(&LoadOptions::default())?;
    watch.also(Tgid(shell.pid())).unwrap();
    shell.tell(line);
    shell.tell("exit");
    until("the shell's end", || {
        watch.take_for(Duration::from_millis(20));
        shell.0.try_wait().unwrap().is_some()
    });
    watch.stop();
    Some(std::mem::take(&mut watch.events))
}

fn replays_of(line: &str) {
    let Some(events) = events(line) else { return };
    assert!(events.len() > 300, "{}", events.len());
    assert_eq!(replays(&events, Options::default()), 1);
    // A segment ends only with a block, of which a short run has few.
    let small = Options {
        segment_bytes: 1 << 10,
        ..Options::default()
    };
    assert!(replays(&events, small) > 1);
}

#[test]
fn a_replay_of_a_thread_pool_is_what_it_was() {
    replays_of(
        "python3 -c 'import concurrent.futures as f, os, time
def work(n):
    time.sleep(0.02)
    with open(os.devnull): return n
with f.ThreadPoolExecutor(8) as pool: list(pool.map(work, range(300)))'",
    );
}

/// A folder in which `make` compiles so many files.
pub(crate) fn c_project(files: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut rules = "all:".to_owned();
    for file in 0..files {
        rules.push_str(&format!(" f{file}.o"));
        let source = format!("int f{file}(void) {{ return {file}; }}\n");
        fs::write(folder.path().join(format!("f{file}.c")), source).unwrap();
    }
    fs::write(folder.path().join("Makefile"), rules + "\n").unwrap();
    folder
}

#[test]
fn a_replay_of_a_parallel_build_is_what_it_was() {
    let folder = c_project(6);
    replays_of(&format!(
        "make -s -j2 -C {0}; sleep 0.6; make -s -B -j2 -C {0}; sleep 0.6; true < /dev/null",
        folder.path().display()
    ));
}

#[test]
fn a_recorded_command_is_its_users() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let line = "exec 5< /dev/zero; sleep 0.2; exit 3";
    let output = as_sudo(
        &folder,
        &["record", "-o", "run.rec", "--", "sh", "-c", line],
    );
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let path = folder.path().join("run.rec");
    let file = fs::metadata(&path).unwrap();
    assert_eq!(
        (file.uid(), file.gid(), file.mode() & 0o777),
        (USER, USER, 0o600)
    );
    let path = path.to_str().unwrap();
    let info = inspector(&["info", "--json", "--verify", path]);
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(info["meta"]["source"]["kind"], "ebpf");
    assert_eq!(info["has_end"], true);
    let report = inspector(&["report", "--json", path]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert!(report["groups"].to_string().contains("/dev/zero"));
    let output = as_sudo(&folder, &["repair", "run.rec"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let index = fs::metadata(folder.path().join("run.rec.index")).unwrap();
    assert_eq!(
        (index.uid(), index.gid(), index.mode() & 0o777),
        (USER, USER, 0o600)
    );
}

#[test]
fn a_flight_recorder_saves_when_it_should() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let many = "for n in 1 2 3 4 5 6 7 8; do sleep 4 & done; wait";
    let crash = "sleep 0.3; kill -SEGV $$";
    for (trigger, line, saves) in [
        ("threads>5", many, true),
        ("threads>50", many, false),
        ("crash", crash, true),
        ("crash", "sleep 0.3", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.rec");
        let output = inspector(&[
            "record",
            "-o",
            path.to_str().unwrap(),
            "--flight",
            "5s",
            "--save-on",
            trigger,
            "--grace",
            "50ms",
            "--",
            "sh",
            "-c",
            line,
        ]);
        let saved = folder.path().join("run-1.rec");
        assert_eq!(saved.exists(), saves, "{trigger} {line}: {}", said(&output));
        if saves {
            let info = inspector(&["info", saved.to_str().unwrap()]);
            let told = text(&info.stdout);
            assert!(info.status.code() < Some(2), "{told}");
            assert!(told.contains("events"), "{told}");
        }
    }
}

#[test]
fn a_flight_recorder_saves_at_sigusr1() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let target = Ends::sleeper();
    let mut command = Command::new(crate::binary::program());
    command
        .args(["record", "-q", "-o", "run.rec", "--flight", "5s", "-p"])
        .arg(target.pid().to_string())
        .current_dir(folder.path())
        .env_remove("SUDO_UID")
        .env_remove("SUDO_GID");
    let mut recorder = Ends::start(&mut command);
    until("its listening", || {
        let status = fs::read_to_string(format!("/proc/{}/status", recorder.pid())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        caught & 1 << (libc::SIGUSR1 - 1) != 0
    });
    recorder.signal(rustix::process::Signal::USR1);
    until("what was saved", || {
        folder.path().join("run-1.rec").exists()
    });
    recorder.signal(rustix::process::Signal::TERM);
    until("the recorder's end", || {
        recorder.0.try_wait().unwrap().is_some()
    });
}
