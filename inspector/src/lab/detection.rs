//! What the harness knows of detection: whatever watches a child and says what became of what it
//! deleted. Nothing goes in but the child's number and, for a source that cannot attach to marks,
//! the marks themselves.

use super::protocol::ToldMark;

/// A detection at work on one child.
pub trait Detection {
    /// What it is, for every output: `eBPF`, or `polling`.
    fn label(&self) -> &str;

    /// Whether the child must repeat its marks, because they cannot be seen from outside.
    fn wants_marks(&self) -> bool;

    /// The repeated marks of one order, if they are wanted.
    ///
    /// # Errors
    ///
    /// Detection ended.
    fn told(&mut self, marks: &[ToldMark]) -> anyhow::Result<()>;

    /// Returns once everything that happened so far has been taken in.
    ///
    /// # Errors
    ///
    /// Detection ended.
    fn quiet(&mut self) -> anyhow::Result<()>;

    /// The judgements that fell or changed since the last call, in order.
    ///
    /// # Errors
    ///
    /// Detection ended.
    fn fallen(&mut self) -> anyhow::Result<Vec<Fallen>>;
}

/// A judgement, as far as harness and score look into it, and how to show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fallen {
    /// What is scored.
    pub claim: Claim,
    /// One line for a person.
    pub text: String,
    /// What it rests on, in one line.
    pub grounds: String,
    /// The same for a program.
    pub json: serde_json::Value,
}

/// What detection says of a resource of a deleted entry. A later claim about the same resource of
/// the same entry replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key's bytes.
    pub key: Vec<u8>,
    /// Which store of that key, from 1.
    pub generation: u32,
    /// The resource.
    pub resource: Named,
    /// The verdict.
    pub said: Said,
}

/// A resource by the kernel's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// A thread.
    Thread {
        /// Its tid.
        tid: u32,
    },
    /// A handle.
    Handle {
        /// Its number at birth.
        fd: u32,
    },
}

/// The verdicts, as far as they are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// No verdict yet.
    Pending,
    /// Gone within the grace, between these two (equal when known exactly).
    Gone {
        /// Not before.
        earliest: When,
        /// Not after.
        latest: When,
    },
    /// Gone after the grace.
    Late,
    /// Still there.
    Retained {
        /// Whether it ran lately, where that is known (threads only).
        life: Option<Life>,
    },
    /// It belongs to another entry now.
    Reassigned,
    /// It cannot be said.
    Unknown,
}

/// When something went, against its delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Before the delete began.
    Before,
    /// Between its begin and its end.
    During,
    /// This long after its end.
    After {
        /// Nanoseconds.
        ns: u64,
    },
}

/// What a retained thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It ran within the last grace.
    Active,
    /// One uninterrupted wait since before the grace ended.
    Parked,
}
