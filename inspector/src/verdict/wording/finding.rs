//! Findings in words.
//!
//! ```text
//! finding = what ", by thread " tid " of " tgid " \"" name "\" in " call " at " time
//!           [ ", " count " times until " time ] "; " grounds
//! what    = "fd " number " closed twice" | "fd " number " closed, which is not open"
//!         | "fd " number " of " entry " closed for " entry | "no descriptor to be had (EMFILE)"
//! ```

use std::fmt::{self, Display, Formatter};

use super::{CallWord, quantity::Seen};
use crate::{
    event::id::{BootTime, Moment},
    ledger::{
        finding::{Fact, Finding, FindingKind, ForeignClose, Former, Ground, Limit, Subject},
        identity::Origin,
    },
};

impl FindingKind {
    /// The words for it, where people read.
    pub fn words(self) -> &'static str {
        match self {
            Self::DoubleClose => "closed twice",
            Self::CloseOfNothing => "closed, not open",
            Self::ForeignClose => "closed another entry's number",
            Self::BirthRefused => "no descriptor to be had",
        }
    }
}

impl Limit {
    /// The errno's name.
    pub fn errno(self) -> &'static str {
        match self {
            Self::Process => "EMFILE",
            Self::System => "ENFILE",
        }
    }
}

impl Finding {
    /// What happened, without who did it.
    pub fn what(&self) -> impl Display {
        fmt::from_fn(move |f| match &self.fact {
            Fact::DoubleClose { fd, .. } => write!(f, "fd {fd} closed twice"),
            // As the program wrote it: -1, not 4294967295.
            Fact::CloseOfNothing { fd } => {
                write!(f, "fd {} closed, which is not open", fd.0.cast_signed())
            }
            Fact::ForeignClose(foreign) => write!(
                f,
                "fd {} of {} closed for {}",
                foreign.handle.name.fd, foreign.owner.0, foreign.closed_for
            ),
            Fact::BirthRefused { limit, .. } => {
                write!(f, "no descriptor to be had ({})", limit.errno())
            }
        })
    }

    /// What it rests on.
    pub fn grounds(&self) -> impl Display {
        fmt::from_fn(move |f| {
            match &self.fact {
                Fact::DoubleClose { former, .. } => former.fmt(f)?,
                Fact::CloseOfNothing { .. } => {
                    f.write_str("no descriptor of this number is known")?;
                }
                Fact::ForeignClose(foreign) => foreign.fmt(f)?,
                Fact::BirthRefused {
                    limit: Limit::Process,
                    open,
                } => write!(f, "the process's limit, with {open} open")?,
                Fact::BirthRefused {
                    limit: Limit::System,
                    open,
                } => write!(f, "the system's limit, with {open} open here")?,
            }
            if self.doubtful {
                f.write_str("; events were lost around then, it may be otherwise")?;
            }
            Ok(())
        })
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, by {} \"{}\" in {} {}",
            self.what(),
            self.thread,
            self.comm,
            CallWord(self.call),
            at(self.first)
        )?;
        if self.count > 1 {
            write!(f, ", {} times, last {}", self.count, at(self.last))?;
        }
        write!(f, "; {}", self.grounds())
    }
}

impl Display for ForeignClose {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (entry, rule) = &self.owner;
        let closed_for = &self.closed_for;
        write!(
            f,
            "{}, belongs to {entry} by {}; ",
            self.handle,
            rule.word()
        )?;
        match self.ground {
            Ground::InDelete => write!(f, "closed in the delete of {closed_for}")?,
            Ground::OwnedThread => write!(
                f,
                "closed by {closed_for}'s own thread after its delete began"
            )?,
        }
        write!(f, "; {closed_for} had the number before: {}", self.former)
    }
}

impl Display for Former {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, was closed by {}", self.handle, self.how.words())?;
        if let Some(by) = self.closed_by {
            write!(f, " of thread {by}")?;
        }
        write!(f, " {}", Seen(self.closed, None))
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        if let Some(target) = &self.target {
            write!(f, " {target}")?;
        }
        write!(f, ", born {}", Seen(self.born, None))?;
        if let Some(by) = self.born_by {
            write!(f, " by thread {by}")?;
        }
        if let Some(call) = self.call {
            write!(f, " in {}", CallWord(call))?;
        }
        if self.origin != Origin::Announced {
            write!(f, " ({})", self.origin.word())?;
        }
        Ok(())
    }
}

fn at(time: BootTime) -> Seen {
    Seen(Moment::exact(time), None)
}
