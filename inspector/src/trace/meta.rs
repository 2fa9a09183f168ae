//! What a recording is of, and what it rests on: the content of its META and END, as JSON.
//!
//! Fields are added and never change their meaning; a reader takes what it knows. Text of other
//! processes is kept without what could drive a terminal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::KINDS;
use crate::{
    event::name::known,
    source::{
        SourceKind,
        ebpf::hook::PROBES,
        probe_set::{ProbeSet, ProbeSetKind, ProbeState, ProbeStatus},
    },
};

/// About a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// What wrote it, with its version.
    pub tool: String,
    /// The host's name.
    pub host: String,
    /// Its kernel (`uname -r`).
    pub kernel: String,
    /// The id of its boot: times of recordings of one boot can be compared.
    pub boot: String,
    /// When this segment began, nanoseconds since boot.
    pub began_ns: u64,
    /// The wall clock at boot then, nanoseconds since 1970. `None` = not known.
    pub boot_wall_ns: Option<u64>,
    /// What was watched.
    pub watched: Watched,
    /// What it rests on.
    pub source: Source,
    /// The grace that the recorded verdicts rest on, in nanoseconds.
    pub grace_ns: u64,
    /// What was made unreadable: `paths`, `args`, `keys`, `names`.
    pub redacted: Vec<String>,
    /// The kinds of row: their numbers and names.
    pub kinds: Vec<(u8, String)>,
    /// Of the whole recording, where it ended cleanly.
    pub totals: Option<Totals>,
    /// How the command ended, where one was recorded to its end.
    pub command_end: Option<End>,
}

/// What was watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watched {
    /// `command`, `processes` or `lab`.
    pub of: String,
    /// The command's words, escaped; as many as fit [`MOST_WORDS`] bytes.
    pub words: Vec<String>,
    /// Whether there were more.
    pub words_cut: bool,
    /// Its process, or those that were asked for.
    pub pids: Vec<u32>,
    /// Whether the command ran already when the recording began.
    pub is_late: bool,
}

/// What it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// `ebpf` or `polling`.
    pub kind: String,
    /// `births and deaths` or `with waits and wakes`.
    pub probe_set: String,
    /// The programs.
    pub probes: Vec<Probe>,
    /// Of polling: nanoseconds from one reading to the next.
    pub every_ns: u64,
    /// Of polling: why there was nothing better.
    pub why: String,
}

/// A program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// Its name.
    pub name: String,
    /// Its hook.
    pub hook: String,
    /// How it fares, as [`ProbeState::word`] says it.
    pub state: String,
    /// Why it does not run, where something hinders it.
    pub why: Option<String>,
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct End {
    /// `exited` or `killed`.
    pub how: String,
    /// The status or the signal.
    pub status: u8,
    /// When it was waited for, nanoseconds since boot.
    pub ended_ns: u64,
}

/// Of a whole recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// When it ended, nanoseconds since boot.
    pub ended_ns: u64,
    /// Events in it.
    pub events: u64,
    /// Events that the recorder could not keep.
    pub lost: u64,
    /// Blocks before the END.
    pub blocks: u64,
}

/// Most bytes of a command's words that are kept.
pub const MOST_WORDS: usize = 16 << 10;

impl Meta {
    /// About a recording that this program begins now.
    pub fn new(began_ns: u64, boot_wall_ns: Option<u64>, source: &SourceKind) -> Self {
        let uname = rustix::system::uname();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        Self {
            tool: format!("inspector {}", env!("CARGO_PKG_VERSION")),
            host: uname.nodename().to_string_lossy().into_owned(),
            kernel: uname.release().to_string_lossy().into_owned(),
            // One that can't be read is not known.
            boot: boot.unwrap_or_default().trim().to_owned(),
            began_ns,
            boot_wall_ns,
            source: Source::of(source),
            kinds: KINDS.map(|(number, name)| (number, name.to_owned())).into(),
            ..Self::default()
        }
    }
}

impl Watched {
    /// A command, by its words, and its process.
    pub fn command<'a>(words: impl IntoIterator<Item = &'a [u8]>, pid: u32) -> Self {
        let mut watched = Self {
            of: "command".to_owned(),
            pids: vec![pid],
            ..Self::default()
        };
        let mut left = MOST_WORDS;
        for word in words {
            if word.len() > left {
                watched.words_cut = true;
                break;
            }
            left -= word.len();
            watched
                .words
                .push(crate::event::text::Text::from(word).to_string());
        }
        watched
    }

    /// Processes that ran already.
    pub fn processes(pids: impl IntoIterator<Item = u32>) -> Self {
        Self {
            of: "processes".to_owned(),
            pids: pids.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The lab.
    pub fn lab() -> Self {
        Self {
            of: "lab".to_owned(),
            ..Self::default()
        }
    }
}

impl Source {
    fn of(source: &SourceKind) -> Self {
        match source {
            SourceKind::Ebpf(set) => Self {
                kind: "ebpf".to_owned(),
                probe_set: set.kind.words().to_owned(),
                probes: set.probes.iter().map(Probe::of).collect(),
                ..Self::default()
            },
            SourceKind::Polling { every, why } => Self {
                kind: "polling".to_owned(),
                every_ns: crate::duration::as_ns(*every),
                why: why.clone(),
                ..Self::default()
            },
        }
    }

    /// As it was while it was recorded. Programs that this version does not know are left out.
    pub fn kind(&self) -> SourceKind {
        if self.kind != "ebpf" {
            return SourceKind::Polling {
                every: Duration::from_nanos(self.every_ns),
                why: self.why.clone(),
            };
        }
        let births = ProbeSetKind::BirthsAndDeaths;
        SourceKind::Ebpf(ProbeSet {
            kind: if self.probe_set == births.words() {
                births
            } else {
                ProbeSetKind::WithWaits
            },
            probes: self.probes.iter().filter_map(Probe::status).collect(),
        })
    }
}

impl Probe {
    fn of(status: &ProbeStatus) -> Self {
        Self {
            name: status.name.to_owned(),
            hook: status.hook.clone(),
            state: status.state.word().to_owned(),
            why: status.state.why().map(str::to_owned),
        }
    }

    fn status(&self) -> Option<ProbeStatus> {
        let probe = PROBES.iter().find(|probe| probe.program == self.name)?;
        let why = || self.why.clone().unwrap_or_default();
        Some(ProbeStatus {
            name: known(&self.name),
            hook: self.hook.clone(),
            without: probe.without,
            state: match self.state.as_str() {
                "attached" => ProbeState::Attached,
                "ready" => ProbeState::Ready,
                "disabled" => ProbeState::Disabled,
                "not of this set" => ProbeState::OtherSet,
                "unsupported" => ProbeState::Unsupported { why: why() },
                _ => ProbeState::Refused { why: why() },
            },
        })
    }
}
