//! What was lost, and how a source ended.

use super::{
    id::BootTime,
    name::{self, Name},
};

/// Events that were produced and did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Gap {
    /// Where they were lost.
    pub layer: Layer,
    /// The cpu whose events they were, where one is known.
    pub cpu: Option<u16>,
    /// How many, by record kind (names of `inspector_ebpf::abi::record::kind`); of a full map's
    /// updates `update`, of damaged records [`DAMAGED`].
    #[serde(with = "name::counts")]
    pub lost: Vec<(&'static str, u64)>,
    /// Not before.
    pub from: BootTime,
    /// Not after.
    pub until: BootTime,
}

impl Gap {
    /// All kinds together.
    pub fn total(&self) -> u64 {
        let counts = self.lost.iter().map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }

    /// Whether something may have been born or have died unseen, so that only /proc can tell. A
    /// lost wait or name (a thread's, or a file's) leaves nobody's life in doubt, nor does a map that was full: those with
    /// an end hold waits.
    pub fn hides_lives(&self) -> bool {
        self.lost
            .iter()
            .any(|&(kind, count)| count > 0 && !hides_nothing(kind))
    }
}

/// Whether the loss of such records, or of such rows of a recording, leaves nobody's life in doubt.
pub(crate) fn hides_nothing(kind: &str) -> bool {
    matches!(
        kind,
        "wait" | "renamed" | "update" | "name" | "named" | "targets" | "tick"
    )
}

/// The kind of a record that could not be decoded: what it was is part of what is not known.
pub const DAMAGED: &str = "damaged";

/// Where events can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Layer {
    /// The kernel's ring was full.
    Ring,
    /// A kernel map was full: what it would have followed is not followed.
    Map(#[serde(with = "name::one")] Name),
    /// The kernel skipped runs of a program.
    Missed,
    /// This program does not watch: how many events it would have told, and up to when, is not
    /// known. Its gap counts none and does not end.
    Unwatched(#[serde(with = "name::one")] Name),
    /// Records arrived that could not be decoded.
    Damaged,
    /// A recorder that could not keep up, or whose disk was full, left them out of its recording.
    Recorder,
    /// A part of a recording is damaged.
    File,
}

impl Layer {
    /// The word for it, in files that programs read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Map(_) => "map",
            Self::Missed => "missed",
            Self::Unwatched(_) => "unwatched",
            Self::Damaged => "damaged",
            Self::Recorder => "recorder",
            Self::File => "file",
        }
    }
}

/// How a source ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourceEnd {
    /// `None` = it was asked to, or its target ended.
    pub error: Option<String>,
    /// By record kind: produced, received, lost.
    #[serde(with = "name::counts")]
    pub counts: Vec<(&'static str, Count)>,
}

/// How one kind of record fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Count {
    /// Wanted to be sent.
    pub produced: u64,
    /// Arrived.
    pub received: u64,
    /// Did not.
    pub lost: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_no_life_is_told_apart() {
        let hides = |layer, kind, count| {
            let gap = Gap {
                layer,
                cpu: None,
                lost: vec![(kind, count)],
                from: BootTime(1),
                until: BootTime(2),
            };
            gap.hides_lives()
        };
        assert!(hides(Layer::Ring, "call", 1) && hides(Layer::Damaged, DAMAGED, 1));
        assert!(!hides(Layer::Ring, "call", 0));
        assert!(!hides(Layer::Ring, "wait", 1));
        assert!(!hides(Layer::Map("WAITS"), "update", 1));
    }
}
