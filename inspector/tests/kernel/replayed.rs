//! Replays of what real servers, the lab and overrun rings did: the ledger and the verdicts are those
//! that live had.

use std::{process::Command, sync::Arc, time::Duration};

use inspector::{
    event::id::Tgid,
    ledger::LedgerRules,
    pipeline::Pipeline,
    report::json,
    source::ebpf::load::LoadOptions,
    trace::{
        read::{Limits, Read, Recording},
        write::Options,
    },
};
use serde_json::Value;

use crate::{
    binary::{inspector, is_refused, record, records},
    program::Program,
    real::{
        free_port, lacks_any,
        run::{finished, wait_for},
    },
    recording::replays,
    verbs::{Ends, until, words},
    watch::{Watch, alone},
};

/// redis, started by a shell that is followed, and asked by others.
pub(crate) struct Redis {
    folder: tempfile::TempDir,
    port: String,
}

impl Redis {
    /// `None` = it is lacking.
    pub(crate) fn new() -> Option<Self> {
        let needed = ["redis-server", "redis-cli", "redis-benchmark"];
        (!lacks_any(&needed)).then(|| Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port().to_string(),
        })
    }

    /// Its command line.
    pub(crate) fn line(&self) -> [&str; 7] {
        let folder = self.folder.path().to_str().unwrap();
        let port = &self.port;
        [
            "redis-server",
            "--port",
            port,
            "--dir",
            folder,
            "--daemonize",
            "no",
        ]
    }

    /// Asks a lot of it, has it fork to save, and tells it to end.
    pub(crate) fn load(&self) {
        let client = |words: &[&str]| {
            let mut client = Command::new("redis-cli");
            client.args(["-p", &self.port]).args(words);
            client
        };
        wait_for("redis to listen", || {
            let ping = client(&["ping"]).output();
            ping.is_ok_and(|ping| ping.stdout.starts_with(b"PONG"))
        });
        let mut load = Command::new("redis-benchmark");
        load.args([
            "-p", &self.port, "-n", "4000", "-c", "20", "-q", "-t", "set,get",
        ]);
        finished(&mut load);
        finished(&mut client(&["bgsave"]));
        wait_for("the background save", || {
            finished(&mut client(&["info", "persistence"])).contains("rdb_bgsave_in_progress:0")
        });
        finished(&mut client(&["shutdown", "nosave"]));
    }
}

#[test]
fn a_replay_of_redis_under_load_is_what_it_was() {
    let Some(redis) = Redis::new() else { return };
    let mut shell = Ends::shell();
    let Some(mut watch) = Watch::start(&LoadOptions::default()) else {
        return;
    };
    watch.also(Tgid(shell.pid())).unwrap();
    shell.tell(&format!("{} > /dev/null; exit", redis.line().join(" ")));
    redis.load();
    until("the shell's end", || {
        watch.take_for(Duration::from_millis(20));
        shell.0.try_wait().unwrap().is_some()
    });
    watch.stop();
    let events = std::mem::take(&mut watch.events);
    assert!(events.len() > 200, "{}", events.len());
    replays(&events, Options::default());
}

/// What was lost is part of the story: the same is unknown, and audits mend the same.
#[test]
fn a_replay_of_what_an_overrun_ring_lost_is_what_it_was() {
    let options = LoadOptions {
        ring_bytes: 4096,
        ..LoadOptions::default()
    };
    let mut racing = Program::start("race");
    let mut marking = Program::start("marks");
    let Some(mut watch) = Watch::follow(&options, &racing) else {
        return;
    };
    watch.also(marking.tgid()).unwrap();
    for _ in 0..3 {
        racing.order("o 1500");
        marking.order("pass");
        racing.answer("race");
        marking.answer("pass");
    }
    watch.drain();
    watch.audit(true);
    let lost = watch.ledger.losses().total();
    watch.stop();
    let events = std::mem::take(&mut watch.events);
    println!("{lost} events lost, {} not", events.len());
    assert!(lost > 0, "nothing was lost");
    replays(&events, Options::default());
}

/// The file that the verb wrote gives each verdict that the verb printed.
#[test]
fn a_replay_of_the_lab_is_what_it_was() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    for (line, knows_all) in [
        ("--policy bare --keys 20", true),
        ("--policy stop-wait-delete --keys 20", true),
        ("--burst 200 --ring-bytes 4096", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.rec");
        let head = ["record", "-q", "-o", path.to_str().unwrap(), "lab"];
        let how = "--headless --json --grace 800";
        let output = inspector(&[&head[..], &words(how), &words(line)].concat());
        let printed = records(&output.stdout);
        let live: Vec<_> = printed
            .iter()
            .filter(|record| record["record"] == "verdict")
            .map(|record| &record["judgement"])
            .collect();
        // Where marks are lost, there are as few as are known to be deleted.
        assert!(live.len() >= 20 || !knows_all, "{line}: {output:?}");
        let recording = Arc::new(Recording::open(&path, Limits::default()).unwrap());
        assert!(recording.is_clean() && recording.damage().is_empty());
        let rules = LedgerRules {
            grace_ns: recording.meta().grace_ns,
            ..LedgerRules::default()
        };
        let (again, replayed) = replay(&recording, rules);
        let missing = |again: &[Value]| {
            let is_missing = |verdict: &&&Value| !again.contains(verdict);
            live.iter().filter(is_missing).count()
        };
        assert_eq!(missing(&again), 0, "{line}: verdicts that the replay lacks");
        // The control: verdicts of another grace are others.
        let other = LedgerRules {
            grace_ns: rules.grace_ns / 2,
            ..rules
        };
        if line.contains("bare") {
            assert!(missing(&replay(&recording, other).0) > 0, "{line}");
        }
        let source = record(&printed, "source");
        let lost: u64 = source["lost"]
            .as_object()
            .unwrap()
            .values()
            .map(|lost| lost.as_u64().unwrap())
            .sum();
        assert_eq!(replayed.ledger().losses().total(), lost);
        assert_eq!(lost == 0, knows_all, "{line}");
        let unknown = &record(&printed, "score")["unknown"];
        println!(
            "{line}: {} verdicts, {unknown} unknown, {lost} events lost",
            live.len()
        );
        assert_eq!(*unknown == 0, knows_all, "{line}");
        let end = replayed.ledger().end().unwrap();
        assert_eq!(end.error, None);
        for (kind, count) in &end.counts {
            assert_eq!(
                source["records"][kind]["produced"], count.produced,
                "{kind}"
            );
            assert_eq!(
                source["records"][kind]["received"], count.received,
                "{kind}"
            );
        }
    }
}

/// The verdicts that fall in a replay, and what is known at its end.
fn replay(recording: &Arc<Recording>, rules: LedgerRules) -> (Vec<Value>, Pipeline) {
    let mut pipeline = Pipeline::new(rules);
    let mut fallen = Vec::new();
    for read in recording.reads() {
        match read {
            Read::Batch(batch) => fallen.extend(pipeline.take(&batch).iter().map(json::value)),
            Read::State(state) => pipeline = state.with_rules(rules),
            Read::Note { .. } => {}
        }
    }
    (fallen, pipeline)
}
