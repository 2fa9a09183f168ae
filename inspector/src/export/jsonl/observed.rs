//! Marks of applications, and what is told of the observation itself, as JSON objects.

use serde_json::{Map, Value, json};

use crate::event::{
    Gap, Mark, SourceEnd,
    loss::Layer,
    mark::{Declared, Owned},
    text::Text,
};

/// A mark.
pub(super) fn mark(mark: &Mark) -> Value {
    let mut value = match &mark.what {
        Declared::StoreBegin { span } => json!({"event": "store_begin", "span": span}),
        Declared::StoreEnd { span } => json!({"event": "store_end", "span": span}),
        Declared::Own(Owned::Handle(fd)) => json!({"event": "own_handle", "fd": fd.0}),
        Declared::Own(Owned::Thread(tid)) => json!({"event": "own_thread", "thread": tid.0}),
        Declared::DeleteBegin { policy } => json!({
            "event": "delete_begin",
            "policy": policy.as_ref().map(ToString::to_string),
        }),
        Declared::DeleteUnlink => json!({"event": "delete_unlink"}),
        Declared::DeleteEnd => json!({"event": "delete_end"}),
    };
    value["tid"] = json!(mark.tid.0);
    value["tgid"] = json!(mark.tgid.0);
    value["map"] = json!(mark.map.0);
    value["key"] = json!(mark.key.text.to_string());
    value["key_len"] = json!(mark.key.len);
    value
}

/// What was lost.
pub(super) fn gap(gap: &Gap) -> Value {
    let of = match gap.layer {
        Layer::Map(name) | Layer::Unwatched(name) => Some(name),
        Layer::Ring | Layer::Missed | Layer::Damaged | Layer::Recorder | Layer::File => None,
    };
    let mut lost = Map::new();
    for &(kind, count) in &gap.lost {
        let before = lost.get(kind).and_then(Value::as_u64).unwrap_or(0);
        lost.insert(kind.to_owned(), json!(before.saturating_add(count)));
    }
    json!({
        "event": "gap",
        "layer": gap.layer.word(),
        "of": of,
        "cpu": gap.cpu,
        "lost": lost,
        "from_ns": gap.from.0,
        "until_ns": gap.until.0,
    })
}

/// The source's end.
pub(super) fn end(end: &SourceEnd) -> Value {
    let mut counts = Map::new();
    for (kind, count) in &end.counts {
        let count = json!({
            "produced": count.produced,
            "received": count.received,
            "lost": count.lost,
        });
        counts.insert((*kind).to_owned(), count);
    }
    let error = end.error.as_ref();
    let error = error.map(|error| Text::from(error.as_bytes()).to_string());
    json!({"event": "end", "error": error, "counts": counts})
}
