//! Rules as arguments: `--ignore 'file:/var/log/*.log=REASON'`, `--budget socket=3`.

use std::str::FromStr;

use super::{Budget, Glob, Ignore, Kind, kind::NoKind};
use crate::config::Origin;

/// Why an argument is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRule {
    /// Its kind.
    #[error(transparent)]
    Kind(#[from] NoKind),
    /// Its form.
    #[error(
        "an ignore is KIND=REASON or KIND:PATTERN=REASON, such as 'file:/var/log/*.log=the logger keeps it open'"
    )]
    Ignore,
    /// Its reason.
    #[error("an ignore needs a reason behind its =")]
    Reason,
    /// Its pattern.
    #[error("the pattern behind the : is empty")]
    Pattern,
    /// Its form.
    #[error("a budget is KIND=NUMBER, such as socket=3")]
    Budget,
}

/// The pattern is that of a handle's target, or of the name of a thread or process.
impl FromStr for Ignore {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Self, NoRule> {
        let (what, reason) = text.split_once('=').ok_or(NoRule::Ignore)?;
        let (kind, pattern) = match what.split_once(':') {
            Some((kind, pattern)) => (kind, Some(pattern)),
            None => (what, None),
        };
        let kind: Kind = kind.parse()?;
        if pattern == Some("") {
            return Err(NoRule::Pattern);
        }
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(NoRule::Reason);
        }
        let glob = pattern.map(Glob::new);
        let (path, name) = if kind.is_handle() {
            (glob, None)
        } else {
            (None, glob)
        };
        Ok(Self {
            kind: Some(kind),
            path,
            name,
            reason: reason.to_owned(),
            expires: None,
            from: Origin::CommandLine,
        })
    }
}

impl FromStr for Budget {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Self, NoRule> {
        let (kind, most) = text.split_once('=').ok_or(NoRule::Budget)?;
        Ok(Self {
            kind: kind.parse()?,
            most: most.parse().map_err(|_| NoRule::Budget)?,
            from: Origin::CommandLine,
        })
    }
}
