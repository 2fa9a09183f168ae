//! Perfetto traces, as the genuine trace_processor and the official schema read them.

use std::fs;

use serde_json::json;

use super::{
    CLEAN, LAB, Told,
    genuine::{asked, python},
    lived,
};
use crate::{
    event::{What, id::BootTime, wait::WaitEvent},
    export::{
        Format,
        canvas::{Canvas as _, Category, Drawn, Shape, Title, Track, TrackId},
        perfetto::Perfetto,
    },
    pipeline::story::Cast,
};

/// How many slices there are of each category, and how long they are together.
pub(super) const BY_CATEGORY: &str =
    "select category, count(*), sum(dur) from slice group by category order by category";

/// From what to what flows lead, and how many.
pub(super) const FLOWS: &str = "select one.category, other.category, other.name, other.ts, count(*)
    from flow join slice one on one.id = slice_out join slice other on other.id = slice_in
    group by 1, 2, 3, 4 order by 1, 2, 3, 4";

/// What trace_processor itself finds wrong.
pub(super) const WRONG: &str = "select name, value from stats
    where severity in ('error', 'data_loss') and value > 0";

#[test]
fn trace_processor_finds_what_the_ledger_holds() {
    let (trace, totals) = LAB.written(Format::Perfetto);
    let Some(answers) = asked(
        &trace,
        &[
            BY_CATEGORY,
            "select pid, tid, thread.name, ts, dur from thread_track
             join slice on track_id = thread_track.id join thread using (utid)
             join process using (upid) where category = 'thread' order by tid, ts",
            FLOWS,
            "select track.name, max(value) from counter join track on track.id = track_id
             group by track_id order by 1, 2",
            WRONG,
            "select count(*) from slice where dur < 0 or parent_id is null and category in
             ('wait', 'delete')",
            "select (select count(*) from slice), (select count(*) from flow),
             (select count(*) from counter)",
        ],
    ) else {
        return;
    };
    let (pipeline, waits) = (LAB.pipeline(), waits(&LAB));
    let ledger = pipeline.ledger();
    let (threads, handles) = lived(ledger, &LAB);
    let counts = |category: &str| {
        let rows = answers[0].as_array().unwrap();
        let row = rows.iter().find(|row| row[0] == category);
        row.map_or((0, 0), |row| {
            (row[1].as_u64().unwrap(), row[2].as_u64().unwrap())
        })
    };
    assert_eq!(counts("thread").0, threads as u64);
    assert_eq!(counts("handle").0, handles as u64);
    assert_eq!(counts("entry").0, ledger.entries().count() as u64);
    assert_eq!(counts("delete").0, 2);
    // One more was seen and not seen to end: 1,325 ms of it.
    let sum: u64 = waits.iter().sum();
    assert_eq!(
        counts("wait"),
        (waits.len() as u64 + 1, sum + 1_325_000_000)
    );
    let thread = |tid: u64, pid: u64, name: &str, from: u64, until: u64| {
        json!([pid, tid, name, from * 1_000_000, (until - from) * 1_000_000])
    };
    assert_eq!(
        answers[1],
        json!([
            thread(100, 100, "lab", 10, 2000),
            thread(101, 100, "t101", 21, 1501),
            thread(102, 100, "t102", 42, 2000),
            // One number, two threads.
            thread(103, 100, "t103", 62, 66),
            thread(103, 100, "t103", 95, 2000),
            thread(200, 200, "new", 80, 2000),
        ])
    );
    assert_eq!(
        answers[2],
        json!([
            ["delete", "death", "died of a delete", 51_000_000, 1],
            ["delete", "death", "died of a delete", 60_000_000, 1],
            ["delete", "death", "died of a delete", 1_501_000_000, 1],
            [
                "delete",
                "retained",
                "retained after a delete",
                1_070_000_000,
                1
            ],
        ])
    );
    assert_eq!(
        answers[3],
        json!([
            ["all live handles", 3],
            ["all live threads", 5],
            ["live handles", 1],
            ["live handles", 3],
            ["live threads", 1],
            ["live threads", 4],
        ])
    );
    assert_eq!(
        answers[4],
        json!([["traced_buf_trace_writer_packet_loss", 2]])
    );
    assert_eq!(answers[5], json!([[0]]));
    assert_eq!(
        answers[6],
        json!([[
            totals.slices + totals.instants,
            totals.flows,
            totals.counters
        ]])
    );
}

#[test]
fn the_question_of_the_manual_has_the_answer_of_the_manual() {
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md"));
    let question = between(manual, "```sql\n", "```");
    let answer = between(manual, "```text\n", "```");
    let (trace, _) = LAB.written(Format::Perfetto);
    let Some(answers) = asked(&trace, &[question]) else {
        return;
    };
    let rows = answers[0].as_array().unwrap().iter().map(|row| {
        let cells = row.as_array().unwrap().iter();
        let cells = cells.map(|cell| {
            cell.as_str()
                .map_or_else(|| cell.to_string(), str::to_owned)
        });
        cells.collect::<Vec<_>>().join("|")
    });
    let rows: Vec<_> = rows.collect();
    let expected: Vec<_> = answer.lines().skip(1).collect();
    assert_eq!(rows, expected);
    assert_eq!(
        rows,
        [
            "warm|1|102|retained|1930000000|1",
            "tick|1|101|late|1449000000|0",
        ]
    );
}

#[test]
fn where_nothing_outlives_a_delete_nothing_is_found() {
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md"));
    let (trace, _) = CLEAN.written(Format::Perfetto);
    let queries = [between(manual, "```sql\n", "```"), FLOWS, WRONG];
    let Some(answers) = asked(&trace, &queries) else {
        return;
    };
    assert_eq!(answers[0], json!([]));
    assert_eq!(
        answers[1],
        json!([
            ["delete", "death", "died of a delete", 51_000_000, 1],
            ["delete", "death", "died of a delete", 52_000_000, 1],
        ])
    );
    assert_eq!(answers[2], json!([]));
}

#[test]
fn the_official_schema_knows_every_field() {
    let (trace, totals) = LAB.written(Format::Perfetto);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.pftrace");
    fs::write(&file, &trace).unwrap();
    let module = "perfetto.protos.perfetto.trace.perfetto_trace_pb2";
    let Some(said) = python(module, "strict-trace.py", &file, &[]) else {
        return;
    };
    let events = totals.slices * 2 + totals.instants + totals.counters;
    let tracks = totals.tracks;
    assert_eq!(
        said,
        format!(
            "clock_snapshot 1\nsystem_info 1\ntrace_stats 1\ntrack_descriptor {tracks}\n\
             track_event {events}\n"
        )
    );
}

/// More words than are known at once: those from before are spelled again.
#[test]
fn words_that_were_forgotten_are_spelled_again() {
    const NAMES: u64 = 70_000;
    let mut trace = Vec::new();
    let mut out: &mut dyn std::io::Write = &mut trace;
    let mut perfetto = Perfetto::new(&mut out);
    perfetto
        .open(&Title {
            since: BootTime(1),
            boot_wall_ns: None,
            host: "",
        })
        .unwrap();
    let id = TrackId(1);
    let track = Track {
        id,
        parent: None,
        from: BootTime(1),
        name: "one",
        shape: Shape::Lane { rank: 0 },
    };
    perfetto.track(&track).unwrap();
    for number in (0..NAMES).chain([0]) {
        let name = format!("name {number}");
        let drawn = Drawn::new(&name, Category::Verdict, &[]);
        perfetto.instant(id, BootTime(1 + number), &drawn).unwrap();
    }
    let queries = [
        "select count(*), count(distinct name), count(distinct category) from slice",
        "select ts, name from slice where name in ('name 0', 'name 69999') order by ts, id",
        WRONG,
    ];
    let Some(answers) = asked(&trace, &queries) else {
        return;
    };
    assert_eq!(answers[0], json!([[NAMES + 1, NAMES, 1]]));
    assert_eq!(
        answers[1],
        json!([[1, "name 0"], [1, "name 0"], [NAMES, "name 69999"]])
    );
    assert_eq!(answers[2], json!([]));
}

#[test]
fn hostile_text_is_escaped() {
    let told = Told {
        story: "
            10 100 rename a%1b[2J
            11 100 store-begin k%e2%80%aey
            12 100 thread 101
            13 100 store-end k%e2%80%aey
            14 100 delete-begin k%e2%80%aey p%07
            15 100 delete-end k%e2%80%aey
            2000 100 tick",
        until_ms: 2000,
        ..Told::default()
    };
    for format in [Format::Perfetto, Format::Chrome, Format::Jsonl] {
        let (bytes, _) = told.written(format);
        let text = String::from_utf8_lossy(&bytes);
        let raw = [&b"\x1b["[..], b"p\x07", "k\u{202e}y".as_bytes()];
        for raw in raw {
            assert!(
                !bytes.windows(raw.len()).any(|there| there == raw),
                "{format:?}"
            );
        }
        assert!(
            text.contains("202e}y") && text.contains("1b}[2J"),
            "{format:?}"
        );
    }
}

/// The lengths of the waits that ended.
fn waits(told: &Told<'_>) -> Vec<u64> {
    let batches = Cast::default().batches(told.story).collect::<Vec<_>>();
    let events = batches.iter().flat_map(|batch| &batch.events);
    let lengths = events.filter_map(|event| match &event.what {
        What::Wait(wait) => match **wait {
            WaitEvent::Ended { wait, .. } => Some(event.at.since_ns(wait.since?)),
            _ => None,
        },
        _ => None,
    });
    lengths.collect()
}

/// What stands between two texts, the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}
