//! What the user's ignores let through, and which of them still do something.

use super::Ignored;
use crate::{
    event::text::Text,
    rules::{Date, Ignore, Kind, Rules},
};

/// The ignores of a run.
pub(super) struct Sieve<'a> {
    ignores: Vec<(&'a Ignore, u64)>,
    today: Date,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(rules: &'a Rules, today: Date) -> Self {
        let ignores = rules.ignores.iter().map(|ignore| (ignore, 0));
        Self {
            ignores: ignores.collect(),
            today,
        }
    }

    /// Whether a resource is ignored. The first rule that holds and fits counts it; expired ones
    /// count what they would have ignored.
    pub(super) fn ignores(&mut self, kind: Kind, path: Option<&[u8]>, name: &[u8]) -> bool {
        for (ignore, count) in &mut self.ignores {
            if ignore.is_about(kind, path, name) {
                *count += 1;
                if ignore.holds(self.today) {
                    return true;
                }
            }
        }
        false
    }

    pub(super) fn ignored(&self) -> Vec<Ignored> {
        let ignored = self.ignores.iter().map(|&(ignore, count)| Ignored {
            from: ignore.from.to_string(),
            reason: Text::from(ignore.reason.as_bytes()).to_string(),
            count,
            expired: ignore.expires.filter(|_| !ignore.holds(self.today)),
        });
        ignored.collect()
    }
}
