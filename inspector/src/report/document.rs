//! A run and its whole ledger as one JSON document, `inspector-report/1`.
//!
//! | field | content |
//! |---|---|
//! | `schema` | `inspector-report/1` |
//! | `run` | `{of, words, pids, end, started_ns, ended_ns, boot_wall_ns}` ([`Run`]) |
//! | `now_ns`, `delivered_ns` | the latest time of any event; everything before this was delivered |
//! | `source` | `{kind: "ebpf", …}` or `{kind: "polling", every_ns, why, …}`, then the members of [`super::source::value`]; `probes` is `null` where /proc is polled |
//! | `processes` | every process that is remembered, dead ones too |
//! | `threads` | every live thread |
//! | `tables` | every live descriptor table with its open `handles` |
//! | `verdicts` | every judgement that stands, as [`super::json`] has it |
//! | `suspects` | groups that only grow |
//! | `groups` | every group of like resources: births, deaths, what is left |
//! | `findings` | what is wrong without any delete, as [`super::finding`] has it: the latest 1,000 |
//! | `tally` | `{births, closes}`: descriptors ever born, by call, and ever closed, by cause |
//! | `not_told` | what can't be told, and why, in words |
//! | `drift`, `counters` | what audits found; the ledger's sums |
//!
//! Times are nanoseconds since boot (`CLOCK_BOOTTIME`); one that is known only to lie between two
//! is `{earliest, latest}`. What is not known is `null`. Text of other processes is escaped.
//! `docs/report.md` tells users of every field. [`Document`] is serialized item by item: a large
//! ledger is never held twice.

mod groups;
mod handles;
mod processes;
#[cfg(test)]
mod tests;
mod threads;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::{Map, Value, json};

use self::{groups::Groups, handles::Tables, processes::Processes, threads::Threads};
pub(crate) use self::{processes::words as command_words, threads::state as thread_state};
use super::{finding, json as judgement, not_told::not_told, source};
use crate::{
    check::{CommandEnd, json::end_value},
    duration::as_ns,
    event::{
        id::{BootTime, Moment, Tgid},
        text::Text,
    },
    ledger::{Ledger, counters::Counters, scan::Drift, tally::Tally},
    pipeline::Pipeline,
    source::{SourceKind, probe_set::ProbeSet},
    verdict::{growth::Growth, wording::CallWord},
};

/// The schema's name. Its number grows when a field changes or goes; fields may be added.
pub const SCHEMA: &str = "inspector-report/1";

/// What a report is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What was watched.
    pub of: Of,
    /// When that began.
    pub started: BootTime,
    /// When it ended, or this was written.
    pub ended: BootTime,
    /// The wall clock at boot, nanoseconds since 1970: added to a time it gives that of the wall
    /// clock. `None` = not known.
    pub boot_wall_ns: Option<u64>,
}

/// What was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// A command that was started for it.
    Command {
        /// Its words.
        words: Vec<Text>,
        /// Its process.
        tgid: Tgid,
        /// How it ended; `None` = it runs.
        end: Option<CommandEnd>,
    },
    /// Processes that ran already.
    Processes(Vec<Tgid>),
}

/// The document: it can be serialized.
#[derive(Clone, Copy)]
pub struct Document<'a> {
    /// What it is of.
    pub run: &'a Run,
    /// What it rests on.
    pub source: &'a SourceKind,
    /// What is known.
    pub pipeline: &'a Pipeline,
    /// What grew.
    pub growth: &'a Growth,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ledger = self.pipeline.ledger();
        let mut object = serializer.serialize_struct("Document", 16)?;
        object.serialize_field("schema", SCHEMA)?;
        object.serialize_field("run", &run(self.run))?;
        object.serialize_field("now_ns", &ledger.now().0)?;
        object.serialize_field("delivered_ns", &ledger.delivered().0)?;
        object.serialize_field("source", &source_value(self.source, ledger))?;
        object.serialize_field("processes", &Processes(ledger))?;
        object.serialize_field("threads", &Threads(ledger))?;
        object.serialize_field("tables", &Tables(ledger))?;
        object.serialize_field("verdicts", &Verdicts(self.pipeline))?;
        object.serialize_field("suspects", &groups::suspects(self.growth))?;
        object.serialize_field("groups", &Groups(self.growth))?;
        object.serialize_field("findings", &Findings(ledger))?;
        object.serialize_field("tally", &tally(ledger.tally()))?;
        let not_told = not_told(self.source, ledger, self.growth);
        object.serialize_field("not_told", &not_told)?;
        object.serialize_field("drift", &drift(ledger.drift()))?;
        object.serialize_field("counters", &counters(ledger.counters()))?;
        object.end()
    }
}

struct Findings<'a>(&'a Ledger);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.findings().iter().map(finding::value))
    }
}

struct Verdicts<'a>(&'a Pipeline);

impl Serialize for Verdicts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.judgements().map(|one| judgement::value(&one)))
    }
}

fn run(run: &Run) -> Value {
    let (of, words, pids, end) = match &run.of {
        Of::Command { words, tgid, end } => {
            let words: Vec<_> = words.iter().map(Text::to_string).collect();
            ("command", Some(words), vec![tgid.0], end.map(end_value))
        }
        Of::Processes(pids) => {
            let pids = pids.iter().map(|tgid| tgid.0).collect();
            ("processes", None, pids, None)
        }
    };
    json!({
        "of": of,
        "words": words,
        "pids": pids,
        "end": end,
        "started_ns": run.started.0,
        "ended_ns": run.ended.0,
        "boot_wall_ns": run.boot_wall_ns,
    })
}

fn source_value(kind: &SourceKind, ledger: &Ledger) -> Value {
    match kind {
        SourceKind::Ebpf(probes) => {
            let mut value = source::value(probes, ledger);
            value["kind"] = json!("ebpf");
            value
        }
        SourceKind::Polling { every, why } => {
            let mut value = source::value(&ProbeSet::default(), ledger);
            value["kind"] = json!("polling");
            value["probes"] = Value::Null;
            value["every_ns"] = json!(as_ns(*every));
            value["why"] = json!(Text::from(why.as_bytes()).to_string());
            value
        }
    }
}

fn tally(tally: &Tally) -> Value {
    let births = tally.births();
    let births: Map<_, _> = births
        .map(|(call, count)| (CallWord(call).to_string(), json!(count)))
        .collect();
    let closes: Map<_, _> = tally
        .closes()
        .map(|(how, count)| (how.words().to_owned(), json!(count)))
        .collect();
    json!({"births": births, "closes": closes})
}

fn drift(drift: &Drift) -> Value {
    json!({
        "audits": drift.audits,
        "total": drift.total(),
        "most": drift.most,
        "threads_missed": drift.threads_missed,
        "threads_left": drift.threads_left,
        "handles_missed": drift.handles_missed,
        "handles_left": drift.handles_left,
        "handles_other": drift.handles_other,
    })
}

fn counters(counters: &Counters) -> Value {
    json!({
        "events": counters.events,
        "threads": counters.threads,
        "threads_unseen": counters.threads_unseen,
        "threads_forgotten": counters.threads_forgotten,
        "handles": counters.handles,
        "handles_unseen": counters.handles_unseen,
        "handles_forgotten": counters.handles_forgotten,
        "entries": counters.entries,
        "entries_forgotten": counters.entries_forgotten,
        "closes_of_unseen": counters.closes_of_unseen,
        "closes_refused": counters.closes_refused,
        "births_refused": counters.births_refused,
        "ambiguous": counters.ambiguous,
    })
}

/// A moment: a number, or `{earliest, latest}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum At {
    /// Known exactly.
    Exactly(u64),
    /// Known to lie between two times.
    Between {
        /// Not before.
        earliest: u64,
        /// Not after.
        latest: u64,
    },
}

impl From<Moment> for At {
    fn from(moment: Moment) -> Self {
        let (earliest, latest) = (moment.earliest.0, moment.latest.0);
        if moment.is_exact() {
            Self::Exactly(latest)
        } else {
            Self::Between { earliest, latest }
        }
    }
}

/// The entry that owns a resource.
#[derive(Debug, Serialize)]
struct Owned {
    map: u64,
    key: String,
    generation: u32,
    rule: &'static str,
}

fn owned(ledger: &Ledger, owner: Option<crate::ledger::own::Owner>) -> Option<Owned> {
    let owner = owner?;
    let name = ledger
        .entry(owner.entry)
        .map(|_| ledger.entry_name(owner.entry))?;
    Some(Owned {
        map: name.map.0,
        key: name.key.text.to_string(),
        generation: name.generation,
        rule: owner.rule.word(),
    })
}
