//! The groups of like resources of a document, and which of them are suspects.

use serde::{Serialize, Serializer};

use crate::verdict::{
    growth::{Group, Growth, Suspect},
    wording::CallWord,
};

pub(super) struct Groups<'a>(pub(super) &'a Growth);

/// A group.
#[derive(Serialize)]
struct Row {
    /// `null` = of several processes, or not known.
    pid: Option<u32>,
    kind: &'static str,
    target: Option<String>,
    call: Option<String>,
    /// Whether an entry owns them.
    owned: bool,
    alive: u64,
    found: u64,
    births: u64,
    deaths: u64,
    ended_with_process: u64,
    net: i64,
    /// `null` = too little time passed.
    net_a_minute: Option<f64>,
    oldest_ns: Option<u64>,
}

/// A suspect: a group, and how it grew.
#[derive(Serialize)]
pub(super) struct SuspectRow {
    #[serde(flatten)]
    group: Row,
    grew_windows: usize,
    windows: usize,
    window_ns: u64,
    more: u64,
    words: String,
}

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.groups().iter().map(row))
    }
}

pub(super) fn suspects(growth: &Growth) -> Vec<SuspectRow> {
    let suspects = growth.suspects().into_iter();
    let row = |(group, suspect): (&Group, Suspect)| SuspectRow {
        group: row(group),
        grew_windows: suspect.grew,
        windows: suspect.windows,
        window_ns: suspect.window_ns,
        more: suspect.more,
        words: suspect.to_string(),
    };
    suspects.map(row).collect()
}

fn row(group: &Group) -> Row {
    let name = &group.name;
    Row {
        pid: name.process.map(|process| process.tgid.0),
        kind: name.what.word(),
        target: name.target.as_ref().map(ToString::to_string),
        call: name.call.map(|call| CallWord(call).to_string()),
        owned: name.owned,
        alive: group.alive(),
        found: group.found,
        births: group.births,
        deaths: group.deaths,
        ended_with_process: group.ended_with_process,
        net: group.net(),
        net_a_minute: group.a_minute(),
        oldest_ns: group.oldest.map(|at| at.0),
    }
}
