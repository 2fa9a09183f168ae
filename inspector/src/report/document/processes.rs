//! The processes of a document: those that live, and those whose records are kept.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{At, tally};
use crate::{
    event::{limits::Ceiling, text::Text},
    ledger::{
        Ledger,
        process::{self, Watch},
    },
};

pub(super) struct Processes<'a>(pub(super) &'a Ledger);

/// A process. What its main thread tells is `null` where that is forgotten.
#[derive(Serialize)]
struct Row {
    pid: u32,
    /// The thread that made it.
    parent_tid: Option<u32>,
    start_ns: Option<u64>,
    born_ns: At,
    origin: &'static str,
    comm: Option<String>,
    /// Programs it executed since it was first seen.
    epoch: u32,
    alive: bool,
    died_ns: Option<At>,
    threads: usize,
    /// What /proc told of it last; `null` = it was not read.
    facts: Option<Facts>,
    /// Up to when it is known to be as told here.
    known_until_ns: u64,
    polled: bool,
    /// Births and closes of its descriptors.
    tally: Value,
}

/// What limits it, and who it is besides. What could not be read is `null`.
#[derive(Serialize)]
struct Facts {
    read_ns: u64,
    parent_pid: Option<u32>,
    inner_pid: Option<u32>,
    uid: Option<u32>,
    start_ticks: Option<u64>,
    command: Option<Vec<String>>,
    nofile: Option<Value>,
    nofile_hard: Option<Value>,
    nproc: Option<Value>,
    cgroup_pids: Option<Value>,
    host_threads: Option<u64>,
    threads_max: Option<u64>,
    pid_max: Option<u64>,
}

impl Facts {
    fn of(facts: &process::Facts) -> Self {
        let limits = &*facts.limits;
        Self {
            read_ns: facts.at.0,
            parent_pid: limits.parent.map(|tgid| tgid.0),
            inner_pid: limits.inner_pid,
            uid: limits.uid,
            start_ticks: limits.start_ticks,
            command: limits.command.as_ref().map(words),
            nofile: limits.nofile.map(ceiling),
            nofile_hard: limits.nofile_hard.map(ceiling),
            nproc: limits.nproc.map(ceiling),
            cgroup_pids: limits.pids.as_ref().map(|pids| {
                json!({
                    "cgroup": pids.cgroup.to_string(), "max": pids.max, "current": pids.current,
                })
            }),
            host_threads: limits.host_threads,
            threads_max: limits.threads_max,
            pid_max: limits.pid_max,
        }
    }
}

/// A number, or `"unlimited"`.
fn ceiling(ceiling: Ceiling) -> Value {
    ceiling
        .number()
        .map_or_else(|| json!("unlimited"), |number| json!(number))
}

/// The arguments: each ends with a NUL, but for one that was cut off.
pub(crate) fn words(line: &Text) -> Vec<String> {
    let bytes = line.bytes();
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let words = bytes.split(|&byte| byte == 0);
    words.map(|word| Text::from(word).to_string()).collect()
}

impl Serialize for Processes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let leaders = self.0.leaders();
        let mut processes: Vec<_> = self.0.processes().collect();
        processes.sort_unstable_by_key(|(_, process)| (process.tgid, process.born.latest));
        serializer.collect_seq(processes.into_iter().map(|(key, process)| {
            let leader = leaders.get(&key);
            Row {
                pid: process.tgid.0,
                parent_tid: leader.and_then(|leader| leader.parent).map(|tid| tid.0),
                start_ns: leader.and_then(|leader| leader.name.start).map(|at| at.0),
                born_ns: process.born.into(),
                origin: process.origin.word(),
                comm: leader.map(|leader| leader.comm.to_string()),
                epoch: process.epoch,
                alive: process.dead.is_none(),
                died_ns: process.dead.map(Into::into),
                threads: process.live_threads(),
                facts: process.facts.as_ref().map(Facts::of),
                known_until_ns: self.0.known_until(key).0,
                polled: matches!(process.watch, Watch::Polls { .. }),
                tally: tally(&process.tally),
            }
        }))
    }
}
