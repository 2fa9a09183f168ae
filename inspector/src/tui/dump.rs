//! The ledger as one JSON object: what lives, whose it is, and every verdict that stands.

use serde_json::{Value, json};

use super::model::Model;
use crate::{
    event::id::Moment,
    ledger::{Ledger, entry::Removal, identity::ThreadName, resource::Resource},
    report,
    verdict::judge,
};

/// Version of the members below.
const VERSION: u32 = 1;

/// The world that is shown, as JSON text: `version`, `at_ns` (since boot), `grace_ns`,
/// `threads` (live), `handles` (open), `entries`, `verdicts` (as in `lab --json`), `lost` by kind
/// and `drift`.
pub(super) fn json(model: &Model) -> String {
    let world = model.world();
    let ledger = world.ledger();
    let threads = ledger
        .threads()
        .filter(|(_, thread)| thread.gone.is_none() && world.shows(thread.process))
        .map(|(key, thread)| {
            json!({
                "tid": thread.name.tid.0,
                "tgid": thread.name.tgid.0,
                "start_ns": thread.name.start.map(|start| start.0),
                "comm": thread.comm.to_string(),
                "born_ns": moment(thread.born),
                "owner": owner(ledger, Resource::Thread(key)),
                "blocked_in": thread.activity().and_then(|activity| activity.blocked).map(|blocked| {
                    super::words::blocked(ledger, key, &blocked)
                }),
            })
        })
        .collect::<Vec<_>>();
    let handles = ledger
        .handles()
        .filter(|(_, handle)| handle.is_open())
        .filter_map(|(key, handle)| {
            let table = ledger
                .table(handle.table)
                .filter(|table| world.shows(table.process))?;
            Some(json!({
                "tgid": table.tgid.0,
                "fd": handle.fd.0,
                "kind": super::words::handle(ledger, handle),
                "target": ledger
                    .description(handle.description)
                    .and_then(|shared| Some(shared.target.as_ref()?.to_string())),
                "cloexec": handle.cloexec,
                "born_ns": moment(handle.born),
                "owner": owner(ledger, Resource::Handle(key)),
            }))
        })
        .collect::<Vec<_>>();
    let entries = ledger
        .entries()
        .filter(|(_, entry)| world.shows(entry.process))
        .map(|(_, entry)| {
            let delete = entry.delete.as_ref().map(|delete| {
                let policy = match &delete.how {
                    Removal::Overwritten => json!("overwritten"),
                    Removal::Deleted { policy } => json!(policy.as_ref().map(ToString::to_string)),
                };
                json!({
                    "begin_ns": delete.begin.map(|at| at.0),
                    "end_ns": delete.end.map(|at| at.0),
                    "policy": policy,
                })
            });
            json!({
                "key": entry.key.text.to_string(),
                "map": entry.map.0,
                "generation": entry.generation,
                "stored_ns": entry.stored.map(|at| at.0),
                "delete": delete,
                "owns": entry.resources().iter().filter_map(|&resource| name(ledger, resource)).collect::<Vec<_>>(),
            })
        })
        .collect::<Vec<_>>();
    let shown = |judgement: &crate::verdict::Judgement| {
        ledger
            .process_by_tgid(judgement.entry.tgid)
            .is_none_or(|process| world.shows(process))
    };
    let verdicts: Vec<_> = judge::standing(ledger)
        .filter(shown)
        .map(|judgement| report::json::value(&judgement))
        .collect();
    let dump = json!({
        "version": VERSION,
        "at_ns": model.now().0,
        "grace_ns": ledger.rules().grace_ns,
        "threads": threads,
        "handles": handles,
        "entries": entries,
        "verdicts": verdicts,
        "lost": report::source::lost_value(&ledger.losses().by_kind),
        "drift": ledger.drift().total(),
    });
    // What was just made of plain values can be written.
    serde_json::to_string_pretty(&dump).unwrap_or_default() + "\n"
}

fn owner(ledger: &Ledger, resource: Resource) -> Value {
    let owner = match resource {
        Resource::Thread(_) => ledger
            .owner(resource)
            .map(|owner| (owner.entry, owner.rule)),
        Resource::Handle(handle) => ledger.owner_of_handle(handle),
    };
    match owner {
        Some((entry, rule)) => json!({
            "entry": ledger.entry_name(entry).to_string(),
            "rule": rule.word(),
        }),
        None => Value::Null,
    }
}

fn name(ledger: &Ledger, resource: Resource) -> Option<Value> {
    Some(match resource {
        Resource::Thread(thread) => {
            let ThreadName { tid, tgid, .. } = ledger.thread(thread)?.name;
            json!({"kind": "thread", "tid": tid.0, "tgid": tgid.0})
        }
        Resource::Handle(handle) => {
            let name = ledger.handle_name(handle)?;
            json!({"kind": "handle", "fd": name.fd.0, "tgid": name.tgid.0})
        }
    })
}

fn moment(at: Moment) -> Value {
    if at.is_exact() {
        json!(at.latest.0)
    } else {
        json!({"earliest": at.earliest.0, "latest": at.latest.0})
    }
}
