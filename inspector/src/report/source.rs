//! How a source fared: which probes watched, what was lost, what audits found.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    event::{
        Gap,
        loss::{DAMAGED, Layer},
    },
    ledger::{Ledger, loss::Losses},
    source::probe_set::ProbeSet,
};

/// Text: a line for probes, one for what was lost, and one for audits if there were any.
pub fn text(probes: &ProbeSet, ledger: &Ledger) -> String {
    let mut text = self::probes(probes);
    let losses = ledger.losses();
    let produced: u64 = ledger
        .end()
        .map_or(0, |end| end.counts.iter().map(|(_, n)| n.produced).sum());
    let records = losses_of_records(losses);
    // Writing to a string can't fail.
    let _ = match &records[..] {
        [] => writeln!(text, "lost     none of {produced} records"),
        kinds => writeln!(
            text,
            "lost     {} of {produced} records, in {} gaps; verdicts that rest on them say unknown until an audit settles it, and a larger --ring-bytes loses fewer",
            lost(kinds),
            gaps(losses),
        ),
    };
    match of_kind(losses, DAMAGED) {
        0 => {}
        records => {
            let _ = writeln!(
                text,
                "damaged  {records} records could not be read; verdicts that rest on them say unknown until an audit settles it"
            );
        }
    }
    for (map, option) in full_maps(losses) {
        let _ = writeln!(
            text,
            "full     the map {map}: what did not fit is not followed, and {option} makes it larger"
        );
    }
    let drift = ledger.drift();
    if drift.audits > 0 {
        let _ = writeln!(
            text,
            "audits   {} of /proc, which found {} differences and {}",
            drift.audits,
            drift.total(),
            if drift.observed == drift.audits {
                "left them as they were"
            } else {
                "settled them"
            }
        );
    }
    if let Some(error) = ledger.end().and_then(|end| end.error.as_deref()) {
        let _ = writeln!(text, "ended    early: {error}");
    }
    text
}

/// The line for the probes, and one for each that does not work.
pub fn probes(probes: &ProbeSet) -> String {
    let (working, wanted) = probes.working();
    let mut text = format!("probes   {working}/{wanted}, {}\n", probes.kind.words());
    for probe in probes.silent() {
        let why = match probe.state.why() {
            Some(why) => format!("{}: {}", probe.state.word(), why.trim()),
            None => "left out".to_owned(),
        };
        let _ = writeln!(
            text,
            "           {} {why}; without it {}",
            probe.name, probe.without
        );
    }
    text
}

/// `12 records (call 10, born 2)`, without the noun: it stands behind.
pub fn lost(kinds: &[(&'static str, u64)]) -> String {
    let total: u64 = kinds.iter().map(|(_, count)| count).sum();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    format!("{total} ({})", kinds.join(", "))
}

/// The same for a program: members `probes`, `records` (by kind: produced, received, lost),
/// `lost` (by kind, those of full maps as `update`, records that could not be read as `damaged`), `gaps`, `full_maps`, `audits`, `drift` and
/// `error`.
pub fn value(probes: &ProbeSet, ledger: &Ledger) -> Value {
    let losses = ledger.losses();
    let counts = ledger.end().map_or(&[][..], |end| &end.counts);
    let records: Map<_, _> = counts
        .iter()
        .map(|(kind, n)| {
            let count = json!({ "produced": n.produced, "received": n.received, "lost": n.lost });
            ((*kind).to_owned(), count)
        })
        .collect();
    let full: Vec<_> = full_maps(losses).into_iter().map(|(map, _)| map).collect();
    json!({
        "probes": probes_value(probes),
        "records": records,
        "lost": lost_value(&losses.by_kind),
        "gaps": gaps(losses),
        "full_maps": full,
        "audits": ledger.drift().audits,
        "drift": ledger.drift().total(),
        "error": ledger.end().and_then(|end| end.error.as_deref()),
    })
}

/// `{set, working, wanted, silent: [{name, hook, state, why, without}]}`; `silent` are those that
/// do not watch, with state `disabled` for those left out as asked.
pub fn probes_value(probes: &ProbeSet) -> Value {
    let (working, wanted) = probes.working();
    let silent: Vec<_> = probes
        .silent()
        .map(|probe| {
            json!({
                "name": probe.name, "hook": probe.hook, "state": probe.state.word(),
                "why": probe.state.why(), "without": probe.without,
            })
        })
        .collect();
    json!({
        "set": probes.kind.words(), "working": working, "wanted": wanted, "silent": silent,
    })
}

/// Counts by kind as an object.
pub fn lost_value(kinds: &[(&'static str, u64)]) -> Value {
    let kinds = kinds.iter().map(|&(kind, n)| (kind.to_owned(), n.into()));
    Value::Object(kinds.collect())
}

/// What was lost of records; damaged ones did arrive, and updates of full maps are told by the map.
fn losses_of_records(losses: &Losses) -> Vec<(&'static str, u64)> {
    let mut kinds = losses.by_kind.clone();
    kinds.retain(|&(kind, count)| kind != "update" && kind != DAMAGED && count > 0);
    kinds
}

/// How many were lost of one kind.
fn of_kind(losses: &Losses, kind: &str) -> u64 {
    let mut kinds = losses.by_kind.iter();
    kinds
        .find(|(known, _)| *known == kind)
        .map_or(0, |(_, count)| *count)
}

/// How many times something was lost; what no probe watches is told with the probes.
fn gaps(losses: &Losses) -> usize {
    let lost = |gap: &&Gap| !matches!(gap.layer, Layer::Unwatched(_));
    losses.gaps.iter().filter(lost).count()
}

/// Maps that were full, and the option that sizes each.
fn full_maps(losses: &Losses) -> Vec<(&'static str, &'static str)> {
    let mut full = Vec::new();
    for gap in &losses.gaps {
        let Layer::Map(map) = gap.layer else { continue };
        let option = match map {
            "WAITS" => "--max-threads",
            _ => "--max-futexes",
        };
        if !full.contains(&(map, option)) {
            full.push((map, option));
        }
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{BootTime, Event, SourceEnd, What, loss::Count},
        ledger::LedgerRules,
        source::probe_set::{ProbeSetKind, ProbeState, ProbeStatus},
    };

    fn probe(name: &'static str, state: ProbeState) -> ProbeStatus {
        ProbeStatus {
            name,
            hook: "tp_btf:x".to_owned(),
            without: "x is not seen",
            state,
        }
    }

    fn ledger(events: Vec<What>) -> Ledger {
        let mut ledger = Ledger::new(LedgerRules::default());
        for what in events {
            let at = BootTime(9);
            ledger.apply(&Event { at, what });
        }
        ledger
    }

    fn gap(layer: Layer, lost: &[(&'static str, u64)]) -> What {
        What::Gap(Box::new(Gap {
            layer,
            cpu: Some(0),
            lost: lost.to_vec(),
            from: BootTime(1),
            until: BootTime(2),
        }))
    }

    fn end(produced: u64, lost: u64) -> What {
        let received = produced - lost;
        let count = Count {
            produced,
            received,
            lost,
        };
        What::End(Box::new(SourceEnd {
            error: None,
            counts: vec![("call", count)],
        }))
    }

    #[test]
    fn when_all_is_well_it_says_so_in_two_lines() {
        let probes = ProbeSet {
            kind: ProbeSetKind::WithWaits,
            probes: vec![
                probe("one", ProbeState::Attached),
                probe("of the other set", ProbeState::OtherSet),
            ],
        };
        assert_eq!(
            text(&probes, &ledger(vec![end(7, 0)])),
            "probes   1/1, with waits and wakes\nlost     none of 7 records\n"
        );
    }

    #[test]
    fn what_is_lacking_or_lost_is_told_with_its_cost() {
        let why = "EPERM".to_owned();
        let probes = ProbeSet {
            kind: ProbeSetKind::BirthsAndDeaths,
            probes: vec![
                probe("one", ProbeState::Attached),
                probe("two", ProbeState::Refused { why }),
                probe("three", ProbeState::Disabled),
            ],
        };
        let ledger = ledger(vec![
            gap(Layer::Ring, &[("call", 10), ("born", 2)]),
            gap(Layer::Map("WAITS"), &[("update", 3)]),
            gap(Layer::Map("WAITS"), &[("update", 1)]),
            gap(Layer::Damaged, &[(DAMAGED, 2)]),
            end(100, 12),
        ]);
        assert_eq!(
            text(&probes, &ledger),
            "probes   1/2, births and deaths\n\
            \x20          two refused: EPERM; without it x is not seen\n\
            \x20          three left out; without it x is not seen\n\
             lost     12 (call 10, born 2) of 100 records, in 4 gaps; verdicts that rest on them say unknown until an audit settles it, and a larger --ring-bytes loses fewer\n\
             damaged  2 records could not be read; verdicts that rest on them say unknown until an audit settles it\n\
             full     the map WAITS: what did not fit is not followed, and --max-threads makes it larger\n"
        );
        let value = value(&probes, &ledger);
        assert_eq!(
            value["lost"],
            json!({ "call": 10, "born": 2, "update": 4, "damaged": 2 })
        );
        assert_eq!(value["records"]["call"]["lost"], 12);
        assert_eq!(value["full_maps"], json!(["WAITS"]));
        assert_eq!(value["probes"]["silent"][0]["why"], "EPERM");
        assert_eq!(value["probes"]["silent"][1]["state"], "disabled");
    }
}
