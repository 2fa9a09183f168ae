//! A finding as one JSON object.
//!
//! | field | content |
//! |---|---|
//! | `finding` | `foreign_close`, `double_close`, `close_of_nothing` or `birth_refused` |
//! | `words` | the finding in words, in one line |
//! | `number` | counts the findings; it stays when the fact repeats |
//! | `thread` | `{tid, tgid, start_ns, epoch, comm}`: whose call it was |
//! | `call` | the call |
//! | `fd` | the number it is about; −1 as the program wrote it |
//! | `count`, `first_ns`, `last_ns` | how often, and when first and last |
//! | `doubtful` | events were lost around then: its grounds may be others |
//! | `handle` | for a foreign close, what was closed: `{tgid, table, fd, generation, handle, target, born_ns, born_by, call, origin}` |
//! | `owner`, `rule` | the entry it belongs to, `{tgid, map, key, key_len, generation}`, and why |
//! | `closed_for`, `ground` | the entry it was closed for, and how that is known: `in_delete` or `owned_thread` |
//! | `former` | what had the number before: as `handle`, with `closed_ns`, `closed_by` and `how` |
//! | `errno`, `open` | for a refused birth: `EMFILE` or `ENFILE`, and how many the table held |

use serde_json::{Value, json};

use super::json::{entry_value, moment};
use crate::{
    ledger::finding::{Fact, Finding, FindingKind, Former, Ground, Subject, Totals},
    verdict::wording::CallWord,
};

/// The object described above.
pub fn value(finding: &Finding) -> Value {
    let thread = &finding.thread;
    let mut object = json!({
        "finding": finding.kind().word(),
        "words": finding.to_string(),
        "number": finding.number,
        "thread": {
            "tid": thread.tid.0,
            "tgid": thread.tgid.0,
            "start_ns": thread.start.map(|start| start.0),
            "epoch": thread.epoch,
            "comm": finding.comm.to_string(),
        },
        "call": CallWord(finding.call).to_string(),
        "fd": finding.fd().map(|fd| fd.0.cast_signed()),
        "count": finding.count,
        "first_ns": finding.first.0,
        "last_ns": finding.last.0,
        "doubtful": finding.doubtful,
    });
    match &finding.fact {
        Fact::DoubleClose { former, .. } => object["former"] = former_value(former),
        Fact::CloseOfNothing { .. } => {}
        Fact::ForeignClose(foreign) => {
            object["handle"] = subject(&foreign.handle);
            object["owner"] = entry_value(&foreign.owner.0);
            object["rule"] = json!(foreign.owner.1.word());
            object["closed_for"] = entry_value(&foreign.closed_for);
            object["ground"] = json!(match foreign.ground {
                Ground::InDelete => "in_delete",
                Ground::OwnedThread => "owned_thread",
            });
            object["former"] = former_value(&foreign.former);
        }
        Fact::BirthRefused { limit, open } => {
            object["errno"] = json!(limit.errno());
            object["open"] = json!(open);
        }
    }
    object
}

/// Sums by kind, repetitions included: a member for each kind.
pub fn totals(totals: &Totals) -> Value {
    let sums = FindingKind::ALL.map(|kind| (kind.word().to_owned(), json!(totals.of(kind))));
    Value::Object(sums.into_iter().collect())
}

fn subject(subject: &Subject) -> Value {
    let name = subject.name;
    json!({
        "tgid": name.tgid.0,
        "table": name.table,
        "fd": name.fd.0,
        "generation": name.generation,
        "handle": subject.kind.word(),
        "target": subject.target.as_ref().map(ToString::to_string),
        "born_ns": moment(subject.born),
        "born_by": subject.born_by.map(|tid| tid.0),
        "call": subject.call.map(|call| CallWord(call).to_string()),
        "origin": subject.origin.word(),
    })
}

fn former_value(former: &Former) -> Value {
    let mut object = subject(&former.handle);
    object["closed_ns"] = moment(former.closed);
    object["closed_by"] = json!(former.closed_by.map(|tid| tid.0));
    object["how"] = json!(former.how.words());
    object
}
