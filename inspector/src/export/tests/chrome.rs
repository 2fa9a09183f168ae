//! Chrome's JSON: the same content as a Perfetto trace, as trace_processor reads both.

use serde_json::{Value, json};

use super::{
    CLEAN, LAB, Told,
    genuine::asked,
    perfetto::{BY_CATEGORY, FLOWS, WRONG},
};
use crate::export::Format;

#[test]
fn it_holds_what_the_perfetto_trace_holds() {
    for told in [LAB, CLEAN] {
        let queries = [
            BY_CATEGORY,
            FLOWS,
            "select ts, dur, name, category, extract_arg(arg_set_id, 'debug.outlived_ns'),
             extract_arg(arg_set_id, 'debug.verdict') from slice
             where category = 'outlived' order by ts, dur",
            "select max(value) from counter group by track_id order by 1",
        ];
        let (perfetto, drawn) = told.written(Format::Perfetto);
        let (chrome, again) = told.written(Format::Chrome);
        assert_eq!(drawn.slices, again.slices);
        let Some(expected) = asked(&perfetto, &queries) else {
            return;
        };
        // Its arguments have another prefix there.
        let queries = queries.map(|query| query.replace("debug.", "args."));
        let mut queries: Vec<_> = queries.iter().map(String::as_str).collect();
        queries.push(WRONG);
        let mut answers = asked(&chrome, &queries).unwrap();
        assert_eq!(answers.pop(), Some(json!([])));
        assert_eq!(answers, expected);
    }
}

/// trace_processor would read nothing behind it, were it spelled as usual.
#[test]
fn a_name_may_end_with_a_backslash() {
    let told = Told {
        story: "
            10 100 rename a%5c
            11 100 open 3",
        until_ms: 20,
        ..Told::default()
    };
    let (bytes, _) = told.written(Format::Chrome);
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    let events = value["traceEvents"].as_array().unwrap();
    assert!(events.iter().any(|event| event["name"] == r"thread a\"));
    let queries = [
        "select count(*) from slice where category in ('thread', 'handle')",
        WRONG,
    ];
    let Some(answers) = asked(&bytes, &queries) else {
        return;
    };
    assert_eq!(answers, [json!([[2]]), json!([])]);
}

#[test]
fn it_is_one_json_document_that_tells_its_losses() {
    let (bytes, totals) = LAB.written(Format::Chrome);
    assert_eq!(totals.bytes, bytes.len() as u64);
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(value["otherData"]["lost_events"], 2);
    assert_eq!(value["otherData"]["host"], r"host\u{1b}[2J");
    let events = value["traceEvents"].as_array().unwrap();
    let of = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count() as u64;
    assert_eq!(of("X"), totals.slices);
    assert_eq!(of("i"), totals.instants);
    assert_eq!((of("s"), of("f")), (totals.flows, totals.flows));
    assert_eq!(of("C"), totals.counters);
}
