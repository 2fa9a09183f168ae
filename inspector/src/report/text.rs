//! A judgement as one line of text, loudest word first, and its grounds as another.
//!
//! ```text
//! ✗ RETAINED    task-0001  thread 4711 "tick-0001"  active; running 998 ms after the delete
//!     owned by span; born 1.3 ms before the delete's end by thread 4680; deleted (bare) in 30 µs
//! ```
//!
//! Every string of the observed process is escaped: a line is one line, and drives no terminal.

use std::fmt::{self, Display, Formatter};

use crate::{
    ledger::identity::ResourceName,
    verdict::{Judgement, Verdict},
};

/// A judgement's line, without the line's end.
pub struct Line<'a>(pub &'a Judgement);

/// The grounds of a judgement, in one line.
pub struct Grounds<'a>(pub &'a Judgement);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Judgement {
            entry,
            resource,
            verdict,
            evidence,
            at: _,
        } = self.0;
        let word = verdict.word().to_uppercase();
        write!(f, "{} {word:<11} ", glyph(verdict))?;
        write!(f, "{}", entry.key.text)?;
        if !entry.key.is_whole() {
            f.write_str("…")?;
        }
        if entry.generation > 1 {
            write!(f, "#{}", entry.generation)?;
        }
        match resource {
            ResourceName::Thread(thread) => write!(f, "  thread {}", thread.tid)?,
            ResourceName::Handle(handle) => write!(f, "  fd {}", handle.fd)?,
        }
        write!(f, " {}  {}", evidence.what, verdict.how())?;
        evidence.write_last(f)
    }
}

impl Display for Grounds<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.evidence.fmt(f)
    }
}

/// A sign beside the word, for eyes that skim.
pub(super) fn glyph(verdict: &Verdict) -> char {
    match verdict {
        Verdict::Pending => '…',
        Verdict::Gone(_) => '✓',
        Verdict::Late { .. } => '~',
        Verdict::Retained(_) => '✗',
        Verdict::Reassigned { .. } => '→',
        Verdict::Unknown(_) => '?',
    }
}
