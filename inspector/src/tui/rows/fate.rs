//! What became of an entry, in one cell: the loudest word, how much of the grace is left, and what
//! it owns; what has died is struck out, with its latency.

use ratatui::text::{Line, Span};

use super::{
    entries::{EntryRow, State},
    line,
};
use crate::{
    ledger::{Ledger, entry::Entry, resource::Resource},
    tui::{table::Look, theme::Class, words},
    verdict::{How, Latency, Retained, Verdict, delete, wording::quantity::Duration},
};

/// Cells of the gauge of a running grace.
const GAUGE: usize = 10;

/// The cell.
pub(super) fn cell(row: &EntryRow, look: &Look<'_>, width: usize) -> Line<'static> {
    let (theme, glyphs) = (look.theme, look.glyphs);
    let word = match row.class {
        Class::Live if row.state == State::Deleting => return line("deleting", theme.warning),
        Class::Live if row.state == State::Ended => return line("its process ended", theme.dim),
        Class::Live => String::new(),
        Class::Gone | Class::Pending | Class::Reassigned => row.class.word().to_owned(),
        Class::Retained | Class::Unknown | Class::Late => row.class.word().to_uppercase(),
    };
    let Some(entry) = look.ledger().entry(row.entry) else {
        return line(glyphs.none, theme.dim);
    };
    let mut cell = Cell {
        spans: Vec::new(),
        used: 0,
        room: width,
    };
    if !word.is_empty() {
        let said = format!("{} {word}  ", glyphs.class(row.class));
        cell.add(Span::styled(said, theme.class(row.class)));
    }
    let judged = judged(look.ledger(), entry, row);
    headline(&mut cell, entry, row, &judged, look);
    for (index, (resource, verdict)) in judged.iter().enumerate() {
        if cell.is_full() {
            break;
        }
        if index > 0 {
            cell.add(Span::styled(format!(" {} ", glyphs.dot), theme.dim));
        }
        fate(&mut cell, *resource, verdict.as_ref(), row, look);
    }
    Line::from(cell.spans)
}

/// What it owns, with the verdicts: threads first, then by number.
fn judged(ledger: &Ledger, entry: &Entry, row: &EntryRow) -> Vec<(Resource, Option<Verdict>)> {
    /// More than fit into any cell.
    const MOST: usize = 24;
    let mut resources: Vec<_> = entry.resources().iter().copied().take(4 * MOST).collect();
    resources.sort_by_cached_key(|&resource| order(ledger, resource));
    let verdict = |resource| match entry.delete {
        Some(_) => delete::verdict(ledger, row.entry, resource),
        None => None,
    };
    resources
        .into_iter()
        .map(|resource| (resource, verdict(resource)))
        .collect()
}

/// Threads first, then handles, each by number: as a person would tell it.
pub fn order(ledger: &Ledger, resource: Resource) -> (u8, u32) {
    match resource {
        Resource::Thread(thread) => (
            0,
            ledger.thread(thread).map_or(0, |thread| thread.name.tid.0),
        ),
        Resource::Handle(handle) => (1, ledger.handle(handle).map_or(0, |handle| handle.fd.0)),
    }
}

/// A cell that is filled until nothing more would be seen.
struct Cell {
    spans: Vec<Span<'static>>,
    used: usize,
    room: usize,
}

impl Cell {
    fn add(&mut self, span: Span<'static>) {
        self.used += span.width();
        self.spans.push(span);
    }

    fn is_full(&self) -> bool {
        self.used > self.room
    }
}

/// What is said of all of it together.
fn headline(
    cell: &mut Cell,
    entry: &Entry,
    row: &EntryRow,
    judged: &[(Resource, Option<Verdict>)],
    look: &Look<'_>,
) {
    let theme = look.theme;
    match (row.class, row.since_ns) {
        (Class::Pending, Some(since)) => {
            let grace = look.ledger().rules().grace_ns;
            cell.add(gauge(since, grace, look));
            let left = words::passed(grace.saturating_sub(since));
            cell.add(Span::styled(format!(" {left} left  "), theme.text));
        }
        (Class::Pending, None) => {
            cell.add(Span::styled("its delete has not returned  ", theme.dim));
        }
        (Class::Gone | Class::Late, _) => {
            let words = match last(judged) {
                Some(words) => words,
                None => match entry
                    .delete
                    .as_ref()
                    .and_then(|delete| Some(Duration(delete.end?.since_ns(delete.begin?))))
                {
                    Some(took) => format!("it owned nothing; the delete took {took}"),
                    None => "it owned nothing".to_owned(),
                },
            };
            cell.add(Span::styled(format!("{words}  "), theme.text));
        }
        (Class::Reassigned, _) => {
            if let Some(moved) = entry.moved.last() {
                cell.add(Span::styled(format!("to {}  ", moved.to), theme.text));
            }
        }
        (Class::Live | Class::Unknown | Class::Retained, _) => {}
    }
}

/// When the last of it went.
fn last(judged: &[(Resource, Option<Verdict>)]) -> Option<String> {
    let mut last: Option<(u64, String)> = None;
    for verdict in judged.iter().filter_map(|(_, verdict)| verdict.as_ref()) {
        let (most, words) = match verdict {
            Verdict::Gone(How::After(latency)) | Verdict::Late { after: latency } => (
                latency.most_ns.max(1),
                format!("{latency} after the delete"),
            ),
            Verdict::Gone(how) => (0, how.to_string()),
            _ => continue,
        };
        if last.as_ref().is_none_or(|(known, _)| most > *known) {
            last = Some((most, words));
        }
    }
    last.map(|(_, words)| words)
}

/// How much of the grace is left.
fn gauge(since_ns: u64, grace_ns: u64, look: &Look<'_>) -> Span<'static> {
    let over = u128::from(since_ns) * GAUGE as u128 / u128::from(grace_ns.max(1));
    let over = usize::try_from(over).unwrap_or(GAUGE).min(GAUGE);
    let [full, empty] = look.glyphs.gauge;
    let text = full.repeat(GAUGE - over) + &empty.repeat(over);
    Span::styled(text, look.theme.class(Class::Pending))
}

/// One resource: as it is, or struck out.
fn fate(
    cell: &mut Cell,
    resource: Resource,
    verdict: Option<&Verdict>,
    row: &EntryRow,
    look: &Look<'_>,
) {
    let (theme, ledger) = (look.theme, look.ledger());
    let name = short(ledger, resource);
    let class = verdict.map_or(Class::Live, Class::of);
    match verdict {
        None => cell.add(Span::styled(name, theme.dim)),
        Some(Verdict::Gone(how)) => {
            cell.add(Span::styled(name, theme.dead(class)));
            if let How::After(latency) = how
                && row.class != Class::Gone
            {
                cell.add(Span::styled(
                    format!(" {}", shortest(latency)),
                    theme.class(class),
                ));
            }
        }
        Some(Verdict::Late { after }) => {
            cell.add(Span::styled(name, theme.dead(class)));
            cell.add(Span::styled(
                format!(" {}", shortest(after)),
                theme.class(class),
            ));
        }
        Some(Verdict::Pending) => cell.add(Span::styled(name, theme.text)),
        Some(Verdict::Retained(Retained::Open)) => cell.add(Span::styled(name, theme.class(class))),
        Some(verdict) => {
            cell.add(Span::styled(name, theme.class(class)));
            cell.add(Span::styled(format!(" {}", verdict.how()), theme.text));
        }
    }
}

/// A latency in as few cells as it takes.
fn shortest(latency: &Latency) -> String {
    if latency.least_ns == latency.most_ns {
        Duration(latency.most_ns).to_string()
    } else {
        format!("≤ {}", Duration(latency.most_ns))
    }
}

/// A resource in two words.
pub fn short(ledger: &Ledger, resource: Resource) -> String {
    match resource {
        Resource::Thread(thread) => match ledger.thread(thread) {
            Some(thread) => format!("thread {}", thread.name.tid),
            None => "thread".to_owned(),
        },
        Resource::Handle(handle) => match ledger.handle(handle) {
            Some(record) => format!("{} {}", words::handle(ledger, record), record.fd),
            None => "handle".to_owned(),
        },
    }
}
