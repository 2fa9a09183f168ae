//! The processes of a document: those that live, and those whose records are kept.

use rustc_hash::FxHashMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{At, tally};
use crate::ledger::{
    Ledger,
    arena::Key,
    process::{Process, Watch},
    thread::Thread,
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
    /// Up to when it is known to be as told here.
    known_until_ns: u64,
    polled: bool,
    /// Births and closes of its descriptors.
    tally: Value,
}

impl Serialize for Processes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let leaders = leaders(self.0);
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
                known_until_ns: self.0.known_until(key).0,
                polled: matches!(process.watch, Watch::Polls { .. }),
                tally: tally(&process.tally),
            }
        }))
    }
}

/// The main thread of each process: the one of the latest program.
pub(crate) fn leaders(ledger: &Ledger) -> FxHashMap<Key<Process>, &Thread> {
    let mut leaders: FxHashMap<_, &Thread> = FxHashMap::default();
    let main = |thread: &Thread| thread.name.tid.0 == thread.name.tgid.0;
    for (_, thread) in ledger.threads().filter(|(_, thread)| main(thread)) {
        let leader = leaders.entry(thread.process).or_insert(thread);
        if leader.name.epoch <= thread.name.epoch {
            *leader = thread;
        }
    }
    leaders
}
