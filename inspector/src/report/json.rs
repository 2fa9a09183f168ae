//! A judgement as one JSON object.
//!
//! | field | content |
//! |---|---|
//! | `verdict` | `pending`, `gone`, `late`, `retained`, `reassigned` or `unknown` |
//! | `words` | the verdict in words, as the text report prints it |
//! | `after_ns` | `{least, most}` from the delete's end, for `gone` after it and `late` |
//! | `when` | for `gone`: `before_delete`, `during_delete`, `before_end` or `after` |
//! | `state` | for a retained thread: `active`, `parked`, `quiet`, `exiting` or `not_known` |
//! | `entry` | `{tgid, map, key, key_len, generation}`; `key` is escaped text |
//! | `resource` | `{kind: "thread", tid, tgid, start_ns, epoch, comm}` or `{kind: "handle", tgid, table, fd, generation, handle, target}` |
//! | `evidence` | `{rule, stored_ns, delete, born, last, last_ns, not_known, words}` |
//! | `at_ns` | when the verdict fell |
//!
//! Times are nanoseconds since boot (`CLOCK_BOOTTIME`); one that is known only to lie between
//! two is `{earliest, latest}`. What is not known is `null`.

use serde_json::{Value, json};

use crate::{
    event::id::{BootTime, Moment},
    ledger::{
        entry::{Delete, Removal},
        identity::{EntryName, ResourceName},
        own::Rule,
    },
    verdict::{
        Evidence, How, Judgement, Latency, Retained, ThreadState, Verdict, evidence::Kind,
        wording::CallWord,
    },
};

/// The object described above.
pub fn value(judgement: &Judgement) -> Value {
    let Judgement {
        entry,
        resource,
        verdict,
        evidence,
        at,
    } = judgement;
    let mut object = json!({
        "verdict": verdict.word(),
        "words": verdict.to_string(),
        "entry": entry_value(entry),
        "resource": resource_value(resource, &evidence.what),
        "evidence": evidence_value(evidence),
        "at_ns": at.0,
    });
    match verdict {
        Verdict::Gone(how) => {
            let (when, after) = match how {
                How::BeforeDelete => ("before_delete", None),
                How::DuringDelete => ("during_delete", None),
                How::BeforeEnd => ("before_end", None),
                How::After(latency) => ("after", Some(*latency)),
            };
            object["when"] = json!(when);
            object["after_ns"] = json!(after.map(latency_value));
        }
        Verdict::Late { after } => object["after_ns"] = latency_value(*after),
        Verdict::Retained(Retained::Thread(state)) => object["state"] = json!(state_word(*state)),
        Verdict::Reassigned { to, .. } => object["to"] = entry_value(to),
        Verdict::Pending | Verdict::Retained(_) | Verdict::Unknown(_) => {}
    }
    object
}

fn state_word(state: ThreadState) -> &'static str {
    match state {
        ThreadState::Active { .. } => "active",
        ThreadState::Parked { .. } => "parked",
        ThreadState::Quiet { .. } => "quiet",
        ThreadState::Exiting { .. } => "exiting",
        ThreadState::NotKnown => "not_known",
    }
}

fn latency_value(latency: Latency) -> Value {
    json!({"least": latency.least_ns, "most": latency.most_ns})
}

pub(super) fn entry_value(entry: &EntryName) -> Value {
    json!({
        "tgid": entry.tgid.0,
        "map": entry.map.0,
        "key": entry.key.text.to_string(),
        "key_len": entry.key.len,
        "generation": entry.generation,
    })
}

fn resource_value(resource: &ResourceName, what: &Kind) -> Value {
    let mut object = match resource {
        ResourceName::Thread(thread) => json!({
            "kind": "thread",
            "tid": thread.tid.0,
            "tgid": thread.tgid.0,
            "start_ns": time(thread.start),
            "epoch": thread.epoch,
        }),
        ResourceName::Handle(handle) => json!({
            "kind": "handle",
            "tgid": handle.tgid.0,
            "table": handle.table,
            "fd": handle.fd.0,
            "generation": handle.generation,
        }),
    };
    match what {
        Kind::Thread(comm) => object["comm"] = json!(comm.to_string()),
        Kind::Handle(kind, target) => {
            object["handle"] = json!(kind.word());
            object["target"] = json!(target.as_ref().map(ToString::to_string));
        }
    }
    object
}

fn evidence_value(evidence: &Evidence) -> Value {
    json!({
        "rule": evidence.rule.map(Rule::word),
        "stored_ns": time(evidence.stored),
        "delete": evidence.delete.as_ref().map(delete_value),
        "born": {
            "at_ns": moment(evidence.born.at),
            "by": evidence.born.by.map(|tid| tid.0),
            "call": evidence.born.call.map(|call| CallWord(call).to_string()),
            "origin": evidence.born.origin.word(),
        },
        "last_ns": moment(evidence.last_at),
        "not_known": evidence.not_known.iter().map(|what| what.words()).collect::<Vec<_>>(),
        "words": evidence.to_string(),
    })
}

fn delete_value(delete: &Delete) -> Value {
    let (how, policy) = match &delete.how {
        Removal::Overwritten => ("overwritten", None),
        Removal::Deleted { policy } => ("deleted", policy.as_ref()),
    };
    json!({
        "how": how,
        "policy": policy.map(ToString::to_string),
        "begin_ns": time(delete.begin),
        "unlink_ns": time(delete.unlink),
        "end_ns": time(delete.end),
    })
}

fn time(at: Option<BootTime>) -> Value {
    json!(at.map(|at| at.0))
}

pub(super) fn moment(at: Moment) -> Value {
    if at.is_exact() {
        json!(at.latest.0)
    } else {
        json!({"earliest": at.earliest.0, "latest": at.latest.0})
    }
}
