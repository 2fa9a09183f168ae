//! Findings: one by one as rows among the events, and all of them in one line.

use crate::{
    event::BootTime,
    ledger::{
        Ledger,
        finding::{Fact, Finding, FindingKind, Totals},
    },
    tui::world::World,
    verdict::wording::CallWord,
};

/// Those of the run that is shown, the latest first.
pub(super) fn of(world: &World, since: BootTime) -> impl Iterator<Item = &Finding> {
    let findings = world.ledger().findings().iter().rev();
    findings.filter(move |finding| finding.last >= since)
}

/// A finding in one line, without its time and its thread's number.
pub fn tell(finding: &Finding) -> String {
    let mut text = format!(
        "{}, by \"{}\" in {}",
        finding.what(),
        finding.comm,
        CallWord(finding.call)
    );
    if finding.count > 1 {
        text.push_str(&format!(", {} times", finding.count));
    }
    format!("{text}; {}", finding.grounds())
}

/// How many there are that hurt somebody. Closing what is not open is what loops over all numbers
/// do, and programs whose variable holds -1.
pub fn worth_telling(totals: &Totals) -> u64 {
    let hurts = |kind: &FindingKind| *kind != FindingKind::CloseOfNothing;
    let kinds = FindingKind::ALL.into_iter().filter(hurts);
    kinds.map(|kind| totals.of(kind)).sum()
}

/// How many of which kind, in words; `None` = there are none.
pub fn summary(ledger: &Ledger, dot: &str) -> Option<String> {
    let findings = ledger.findings();
    let told: Vec<_> = FindingKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let count = findings.totals().of(kind);
            let (one, many) = match kind {
                FindingKind::ForeignClose => (
                    "number of another entry closed",
                    "numbers of other entries closed",
                ),
                FindingKind::DoubleClose => ("number closed twice", "numbers closed twice"),
                FindingKind::CloseOfNothing => (
                    "close of a number that is not open",
                    "closes of numbers that are not open",
                ),
                FindingKind::BirthRefused => {
                    let refused = format!("{} {count} times", errno(ledger));
                    return (count > 0).then_some(refused);
                }
            };
            let words = if count == 1 { one } else { many };
            (count > 0).then(|| format!("{count} {words}"))
        })
        .collect();
    (!told.is_empty()).then(|| told.join(&format!(" {dot} ")))
}

/// What kept descriptors from being made, as far as the latest findings tell.
fn errno(ledger: &Ledger) -> &'static str {
    let limits = ledger
        .findings()
        .iter()
        .filter_map(|finding| match finding.fact {
            Fact::BirthRefused { limit, .. } => Some(limit.errno()),
            _ => None,
        });
    let mut names: Vec<_> = limits.collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        [one] => one,
        _ => "EMFILE or ENFILE",
    }
}
