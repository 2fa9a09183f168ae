//! Rows of verdicts: what stands at the window's end of each resource of a deleted entry.

use std::io;

use super::{
    Column, Sink, Table, Value,
    life::{entry_id, policy, resource_id},
};
use crate::{
    event::id::BootTime,
    export::{past::Era, timeline::verdict::outlived},
    ledger::identity::ResourceName,
    verdict::{Retained, Verdict, judge},
};

pub(super) const COLUMNS: [Column; 19] = [
    Column::number("entry"),
    Column::number("resource"),
    Column::number("tgid"),
    Column::wide("map"),
    Column::text("key"),
    Column::number("generation"),
    Column::text("policy"),
    Column::text("kind"),
    Column::number("number"),
    Column::text("what"),
    Column::text("verdict"),
    Column::text("words"),
    Column::number("delete_end_ns"),
    Column::number("outlived_ns"),
    Column::number("outlived_most_ns"),
    Column::flag("lives_on"),
    Column::text("rule"),
    Column::number("holders"),
    Column::text("grounds"),
];

/// Tells every judgement that stands, pending ones included.
pub(super) fn fill(era: Era<'_>, until: BootTime, rows: &mut dyn Sink) -> io::Result<()> {
    for (entry, resource, judgement) in judge::standing_by_place(era.ledger) {
        if !era.has_entry(entry) {
            continue;
        }
        let verdict = &judgement.verdict;
        let evidence = &judgement.evidence;
        let delete = evidence.delete.as_ref();
        let end = delete.and_then(|delete| delete.end);
        let outlived = end.and_then(|end| outlived(verdict, end, until));
        let lives_on = matches!(verdict, Verdict::Retained(_) | Verdict::Pending);
        let (kind, number) = match &judgement.resource {
            ResourceName::Thread(thread) => ("thread", thread.tid.0),
            ResourceName::Handle(handle) => ("handle", handle.fd.0),
        };
        let holders = match verdict {
            Verdict::Retained(Retained::HeldBy { count, .. }) => Some(*count as u64),
            _ => None,
        };
        let name = &judgement.entry;
        let row: [_; COLUMNS.len()] = [
            entry_id(era, entry),
            resource_id(era, resource),
            Value::number(name.tgid.0),
            Value::Wide(name.map.0),
            Value::text(&name.key.text),
            Value::number(name.generation),
            policy(delete),
            Value::word(kind),
            Value::number(number),
            Value::text(&evidence.what),
            Value::word(verdict.word()),
            Value::text(verdict),
            Value::time(end),
            Value::maybe(outlived, |outlived| Value::number(outlived.least_ns)),
            Value::maybe(outlived, |outlived| Value::number(outlived.most_ns)),
            Value::maybe(outlived, |_| Value::Flag(lives_on)),
            Value::maybe(evidence.rule, |rule| Value::word(rule.word())),
            Value::maybe(holders, Value::number),
            Value::text(evidence),
        ];
        rows.row(Table::Verdicts, &row)?;
    }
    Ok(())
}
