//! Values beside slices, as several kinds of slice have them.

use crate::{
    event::id::Moment,
    export::canvas::Arg,
    ledger::{Ledger, identity::EntryName, own::Owner},
};

/// It was alive before a loss, and is not known after it.
pub(super) const ENDED_WHILE_LOST: (&str, Arg<'static>) = ("ended_while_lost", Arg::Is(true));

/// Which entry it is.
pub(super) fn entry_args(entry: &EntryName) -> Vec<(&'static str, Arg<'static>)> {
    let mut args = vec![
        ("key", Arg::text(&entry.key.text)),
        ("map", Arg::Number(entry.map.0)),
        ("generation", Arg::Number(entry.generation.into())),
    ];
    if !entry.key.is_whole() {
        args.push(("key_len", Arg::Number(entry.key.len)));
    }
    args
}

/// When something happened: exactly, or between two times.
pub(super) fn moment_args(
    name: &'static str,
    after: &'static str,
    moment: Option<Moment>,
) -> impl Iterator<Item = (&'static str, Arg<'static>)> {
    let latest = moment.map(|moment| (name, Arg::Number(moment.latest.0)));
    let earliest = moment.filter(|moment| !moment.is_exact());
    let earliest = earliest.map(|moment| (after, Arg::Number(moment.earliest.0)));
    latest.into_iter().chain(earliest)
}

/// Whose something is.
pub(super) fn owner_args(
    ledger: &Ledger,
    owner: Option<Owner>,
) -> Vec<(&'static str, Arg<'static>)> {
    let Some(owner) = owner else {
        return Vec::new();
    };
    let mut args = entry_args(&ledger.entry_name(owner.entry));
    args.push(("rule", Arg::word(owner.rule.word())));
    if owner.shared {
        args.push(("shared", Arg::Is(true)));
    }
    args
}
