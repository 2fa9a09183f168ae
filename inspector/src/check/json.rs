//! A checked run as one JSON object, `inspector-check/1`; `docs/check.md` documents it.
//!
//! | field | content |
//! |---|---|
//! | `schema` | `inspector-check/1` |
//! | `clean` | whether nothing stands in the way of success |
//! | `exit` | the exit status of `check` |
//! | `command` | `{words, pid, end: {how, status}, started_ns, ended_ns}` |
//! | `findings` | `[{class, kind, program, pids, target, call, count, members, words}]` |
//! | `unknown` | `[{class, words}]`; `unknown_allowed` says whether they do harm |
//! | `ignored` | `[{from, reason, count, expired}]`, one for each rule |
//! | `judged` | `{processes, ran, handles, verdicts}` |
//!
//! What is not known is `null`. Text of the run is escaped.

use serde_json::{Value, json};

use super::{Checked, CommandEnd, Finding, Run, exit};
use crate::{event::text::Text, verdict::wording::CallWord};

/// The schema's name. Its number grows when a field changes or goes; fields may be added.
pub const SCHEMA: &str = "inspector-check/1";

/// The object described above.
pub fn value(run: &Run, checked: &Checked) -> Value {
    let unknowns = checked.unknowns.iter();
    let ignored = checked.ignored.iter();
    json!({
        "schema": SCHEMA,
        "clean": run.end.has_run() && checked.is_clean(),
        "exit": exit(run.end, checked),
        "command": {
            "words": run.command.iter().map(Text::to_string).collect::<Vec<_>>(),
            "pid": run.main.map(|main| main.0),
            "end": end_value(run.end),
            "started_ns": run.started.0,
            "ended_ns": run.ended.0,
        },
        "findings": checked.findings.iter().map(finding).collect::<Vec<_>>(),
        "unknown": unknowns.map(|unknown| json!({
            "class": unknown.class.name(),
            "words": unknown.words,
        })).collect::<Vec<_>>(),
        "unknown_allowed": checked.unknown_allowed,
        "ignored": ignored.map(|ignored| json!({
            "from": ignored.from,
            "reason": ignored.reason,
            "count": ignored.count,
            "expired": ignored.expired.map(|day| day.to_string()),
        })).collect::<Vec<_>>(),
        "judged": {
            "processes": checked.judged.processes,
            "ran": checked.judged.ran,
            "handles": checked.judged.handles,
            "verdicts": checked.judged.verdicts,
        },
    })
}

/// `{how, status}`: of a command that ended.
pub(crate) fn end_value(end: CommandEnd) -> Value {
    let (how, status) = match end {
        CommandEnd::Exited(status) => ("exited", Some(status)),
        CommandEnd::Killed(signal) => ("killed", Some(signal)),
        CommandEnd::NotExecutable => ("not_executable", None),
        CommandEnd::NotFound => ("not_found", None),
    };
    json!({ "how": how, "status": status })
}

fn finding(finding: &Finding) -> Value {
    let program = Some(&finding.program).filter(|program| !program.bytes().is_empty());
    json!({
        "class": finding.class.name(),
        "kind": finding.kind.word(),
        "program": program.map(Text::to_string),
        "pids": finding.processes.iter().map(|tgid| tgid.0).collect::<Vec<_>>(),
        "target": finding.target.as_ref().map(Text::to_string),
        "call": finding.call.map(|call| CallWord(call).to_string()),
        "count": finding.count,
        "members": finding.members,
        "words": finding.words,
    })
}
