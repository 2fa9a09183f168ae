//! Rows of events and of gaps: the fields most asked for, and the whole event as JSON.

use serde_json::Value as Json;

use super::{Column, Value};
use crate::event::Gap;

pub(super) const COLUMNS: [Column; 14] = [
    Column::number("at_ns"),
    Column::text("event"),
    Column::number("tid"),
    Column::number("tgid"),
    Column::text("call"),
    Column::number("fd"),
    Column::text("kind"),
    Column::text("file"),
    Column::text("comm"),
    Column::wide("map"),
    Column::text("key"),
    Column::number("wait_since_ns"),
    Column::number("woken_by"),
    Column::text("json"),
];

pub(super) const GAPS: [Column; 8] = [
    Column::text("layer"),
    Column::text("of"),
    Column::number("cpu"),
    Column::number("lost"),
    Column::text("kinds"),
    Column::flag("hides_lives"),
    Column::number("from_ns"),
    Column::number("until_ns"),
];

/// An event, as its line of JSON Lines tells it.
pub(super) fn row(json: &Json) -> [Value<'_>; COLUMNS.len()] {
    let wait = &json["wait"];
    let call = match &json["call_name"] {
        Json::Null => &wait["call_name"],
        call => call,
    };
    [
        number(&json["at_ns"]),
        text(&json["event"]),
        number(&json["tid"]),
        number(&json["tgid"]),
        text(call),
        number(&json["fd"]),
        text(&json["kind"]),
        text(&json["file"]),
        text(&json["comm"]),
        Value::maybe(json["map"].as_u64(), Value::Wide),
        text(&json["key"]),
        number(&wait["since_ns"]),
        number(&json["waker"]["tid"]),
        Value::text(json),
    ]
}

/// A gap, and its line.
pub(super) fn gap_row<'a>(gap: &Gap, json: &'a Json) -> [Value<'a>; GAPS.len()] {
    [
        text(&json["layer"]),
        text(&json["of"]),
        number(&json["cpu"]),
        Value::number(gap.total()),
        Value::text(&json["lost"]),
        Value::Flag(gap.hides_lives()),
        number(&json["from_ns"]),
        number(&json["until_ns"]),
    ]
}

fn number(json: &Json) -> Value<'_> {
    Value::maybe(json.as_u64(), Value::number)
}

fn text(json: &Json) -> Value<'_> {
    Value::maybe(json.as_str(), Value::word)
}
