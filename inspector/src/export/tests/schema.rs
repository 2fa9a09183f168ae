//! Every kind of event, held against `docs/events.schema.json`.

pub(super) mod every;

use std::path::Path;

use self::every::every;
use super::{LAB, genuine::python, keeping_everything, ms};
use crate::{
    event::{Batch, id::BootTime},
    export::{Format, Out, Subject, write},
    trace::read::Read,
};

#[test]
fn every_kind_of_event_is_as_the_schema_says() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
    let (lab, _) = LAB.written(Format::Jsonl);
    let mut bytes = Vec::new();
    let mut reads = std::iter::once(Read::Batch(Batch { events: every() }));
    let subject = Subject {
        pipeline: keeping_everything(),
        reads: &mut reads,
        since: BootTime(0),
        until: ms(1),
        most_bytes: u64::MAX,
        boot_wall_ns: None,
        host: "host".to_owned(),
        command: None,
    };
    write(Format::Jsonl, subject, Out::Stream(&mut bytes), &mut |_| ()).unwrap();
    if python("jsonschema", "valid-lines.py", &schema, &lab).is_none() {
        return;
    }
    let met = python("jsonschema", "valid-lines.py", &schema, &bytes).unwrap();
    let text = std::fs::read_to_string(&schema).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let named = schema["oneOf"].as_array().unwrap().iter().map(|one| {
        let name = one["$ref"].as_str().unwrap();
        name.strip_prefix("#/$defs/").unwrap()
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    assert_eq!(met.lines().collect::<Vec<_>>(), named);
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md"));
    for name in named {
        assert!(
            name == "header" || manual.contains(&format!("| `{name}` |")),
            "{name}"
        );
    }
}
