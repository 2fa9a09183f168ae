//! A judgement as one line of text.
//!
//! ```text
//! retained (open)   0:k7#1  fd 5 of 4242, timerfd: owned by span; born … ; deleted (bare) in …
//! ```
//!
//! Every string of the observed process is escaped: a line is one line, and drives no terminal.

use std::fmt::{self, Display, Formatter};

use crate::verdict::Judgement;

/// A judgement's line, without the line's end.
pub struct Line<'a>(pub &'a Judgement);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Judgement {
            entry,
            resource,
            verdict,
            evidence,
            at: _,
        } = self.0;
        write!(
            f,
            "{verdict}  {entry}  {resource}, {}: {evidence}",
            evidence.what
        )
    }
}
