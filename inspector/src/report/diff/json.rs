//! Two runs compared, as one JSON object: `inspector-diff/1`, which docs/recording.md describes.

use serde_json::{Map, Value, json};

use super::{
    Deletes, Diff,
    rate::{MINUTE, rate},
    sites::{Site, Tally},
};
use crate::{event::id::CallNumber, verdict::wording::CallWord};

/// The object.
pub fn value(diff: &Diff) -> Value {
    let side = |is_b: bool| {
        let deletes = diff.deletes.of(is_b);
        json!({
            "name": diff.names.of(is_b),
            "length_ns": diff.lengths_ns.of(is_b),
            "events": diff.events.of(is_b),
            "verdicts": deletes.verdicts,
            "latency": latency(deletes),
        })
    };
    let sites = diff.sites.iter().map(|site| self::site(site, diff));
    let policies = diff.policies.iter().map(|(policy, pair)| {
        json!({
            "policy": policy.as_ref().map(ToString::to_string),
            "a": of_policy(&pair.a),
            "b": of_policy(&pair.b),
        })
    });
    json!({
        "schema": "inspector-diff/1",
        "a": side(false),
        "b": side(true),
        "not_comparable": diff.not_comparable,
        "worse": diff.worse().count(),
        "better": diff.better().count(),
        "sites": sites.collect::<Vec<_>>(),
        "policies": policies.collect::<Vec<_>>(),
    })
}

fn site(site: &Site, diff: &Diff) -> Value {
    let name = &site.name;
    let call = name.call.map(|call| CallWord(CallNumber(call)).to_string());
    let change = match (site.is_worse(), site.is_better(), site.is_alike()) {
        (true, _, _) => "worse",
        (_, true, _) => "better",
        (_, _, true) => "alike",
        _ => "other",
    };
    json!({
        "kind": name.what.word(),
        "target": name.target.as_ref().map(ToString::to_string),
        "call": call,
        "change": change,
        "more_survivors": site.more_survivors(),
        "more_retained": site.more_verdicts("retained"),
        "a": tally(site.of.a.as_ref(), diff.lengths_ns.a),
        "b": tally(site.of.b.as_ref(), diff.lengths_ns.b),
    })
}

fn tally(tally: Option<&Tally>, length_ns: u64) -> Value {
    tally.map_or(Value::Null, |tally| {
        json!({
            "found": tally.found,
            "births": tally.births,
            "births_a_minute": rate(tally.births, length_ns, MINUTE),
            "deaths": tally.deaths,
            "survivors": tally.survivors,
            "verdicts": tally.verdicts,
        })
    })
}

fn of_policy(deletes: &Deletes) -> Map<String, Value> {
    let mut of = Map::new();
    of.insert("verdicts".to_owned(), json!(deletes.verdicts));
    of.insert("latency".to_owned(), latency(deletes));
    of
}

fn latency(deletes: &Deletes) -> Value {
    deletes.latencies.summary().map_or(Value::Null, |summary| {
        json!({
            "count": summary.count,
            "p50_ns": summary.p50_ns,
            "p99_ns": summary.p99_ns,
            "max_ns": summary.max_ns,
        })
    })
}
