//! A window as tables, `inspector-tables/1`: their columns, and their rows as typed values.
//!
//! SQLite and Parquet are written from here, so that one question has one answer in both. Events
//! are told as they are read, and take no memory; the rest is told when the window has been read
//! to its end. `docs/export.md` tells users of every column.

mod event;
mod life;
mod verdict;

use std::{borrow::Cow, io};

use super::{Subject, Totals, past::Ledgers};
use crate::{
    event::{
        What,
        id::{BootTime, Moment},
        text::Text,
    },
    trace::read::Read,
};

/// The schema's name. Its number grows when a column changes or goes; columns may be added.
pub(super) const SCHEMA: &str = "inspector-tables/1";

/// Who takes the rows.
pub(super) trait Sink {
    /// A row has as many values as its table has columns.
    fn row(&mut self, table: Table, row: &[Value<'_>]) -> io::Result<()>;
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// What happened in the window.
    Events,
    /// Every thread and handle that was known at the window's end.
    Resources,
    /// Every entry.
    Entries,
    /// What is claimed of each resource of a deleted entry at the window's end.
    Verdicts,
    /// What was lost in the window.
    Gaps,
    /// One row: of what this is.
    Meta,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// What a column holds, unless it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A time, a count or a number of the kernel's; signed, so that it can be subtracted.
    Number,
    /// Any 64 bits without a sign: how an application numbers its maps.
    Wide,
    Flag,
    /// Escaped, where it is another process's.
    Text,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Not known, or there is none.
    Null,
    Number(i64),
    Wide(u64),
    Flag(bool),
    Text(Cow<'a, str>),
}

/// Tells every row of a window.
pub(super) fn fill(
    subject: Subject<'_>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let mut rows = Counted { sink, rows: 0 };
    let Subject {
        pipeline,
        reads,
        since,
        until,
        most_bytes,
        boot_wall_ns,
        host,
        command,
    } = subject;
    let mut totals = Totals::default();
    let mut ledgers = Ledgers::new(pipeline, most_bytes);
    for read in reads {
        let mut batch = match read {
            Read::Batch(batch) => batch,
            Read::State(state) => {
                if state.ledger().now() <= until {
                    ledgers.adopt(*state);
                }
                continue;
            }
            Read::Note { .. } => continue,
        };
        if let Some(last) = batch.events.last() {
            progress(last.at);
        }
        batch.events.retain(|event| event.at <= until);
        for event in &batch.events {
            let json = super::jsonl::value(event);
            rows.row(Table::Events, &event::row(&json))?;
            if let What::Gap(gap) = &event.what {
                totals.lost = totals.lost.saturating_add(gap.total());
                rows.row(Table::Gaps, &event::gap_row(gap, &json))?;
            }
            totals.events += 1;
        }
        ledgers.take(&batch);
        ledgers.check_bytes(0)?;
    }
    for era in ledgers.eras() {
        life::fill(era, &mut rows)?;
        verdict::fill(era, until, &mut rows)?;
    }
    let escaped = |text: String| Value::text(Text::from(text.into_bytes()));
    let meta: [_; META.len()] = [
        Value::word(SCHEMA),
        escaped(host),
        Value::maybe(command, escaped),
        Value::number(since.0),
        Value::number(until.0),
        Value::maybe(boot_wall_ns, Value::number),
        Value::number(ledgers.now.ledger().rules().grace_ns),
        Value::number(totals.events),
        Value::number(totals.lost),
    ];
    rows.row(Table::Meta, &meta)?;
    totals.rows = rows.rows;
    Ok(totals)
}

const META: [Column; 9] = [
    Column::text("schema"),
    Column::text("host"),
    Column::text("command"),
    Column::number("since_ns"),
    Column::number("until_ns"),
    Column::number("boot_wall_ns"),
    Column::number("grace_ns"),
    Column::number("events"),
    Column::number("lost"),
];

/// Counts what goes through.
struct Counted<'a> {
    sink: &'a mut dyn Sink,
    rows: u64,
}

impl Sink for Counted<'_> {
    fn row(&mut self, table: Table, row: &[Value<'_>]) -> io::Result<()> {
        self.rows += 1;
        self.sink.row(table, row)
    }
}

impl Table {
    /// Every table, in the order of the declaration.
    pub(super) const ALL: [Self; 6] = [
        Self::Events,
        Self::Resources,
        Self::Entries,
        Self::Verdicts,
        Self::Gaps,
        Self::Meta,
    ];

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Resources => "resources",
            Self::Entries => "entries",
            Self::Verdicts => "verdicts",
            Self::Gaps => "gaps",
            Self::Meta => "meta",
        }
    }

    /// Its columns.
    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            Self::Events => &event::COLUMNS,
            Self::Resources => &life::RESOURCES,
            Self::Entries => &life::ENTRIES,
            Self::Verdicts => &verdict::COLUMNS,
            Self::Gaps => &event::GAPS,
            Self::Meta => &META,
        }
    }
}

impl Column {
    const fn number(name: &'static str) -> Self {
        let kind = Kind::Number;
        Self { name, kind }
    }

    const fn wide(name: &'static str) -> Self {
        let kind = Kind::Wide;
        Self { name, kind }
    }

    const fn flag(name: &'static str) -> Self {
        let kind = Kind::Flag;
        Self { name, kind }
    }

    const fn text(name: &'static str) -> Self {
        let kind = Kind::Text;
        Self { name, kind }
    }
}

impl<'a> Value<'a> {
    /// A word of this program's own, or text that is escaped.
    fn word(word: &'a str) -> Self {
        Self::Text(Cow::Borrowed(word))
    }

    /// Text that escapes itself.
    fn text(text: impl std::fmt::Display) -> Self {
        Self::Text(Cow::Owned(text.to_string()))
    }

    /// The kernel's clock comes to the end of 63 bits after 292 years, counts never do.
    fn number(number: impl Into<u64>) -> Self {
        Self::Number(i64::try_from(number.into()).unwrap_or(i64::MAX))
    }

    fn flag(is: Option<bool>) -> Self {
        is.map_or(Self::Null, Self::Flag)
    }

    /// What there may be none of, or what may not be known.
    fn maybe<T>(known: Option<T>, value: impl FnOnce(T) -> Self) -> Self {
        known.map_or(Self::Null, value)
    }

    fn time(at: Option<BootTime>) -> Self {
        Self::maybe(at, |at| Self::number(at.0))
    }

    /// When something happened, and, where that is not known exactly, after what.
    fn moment(moment: Option<Moment>) -> [Self; 2] {
        let after = moment.filter(|moment| !moment.is_exact());
        [
            Self::time(moment.map(|moment| moment.latest)),
            Self::time(after.map(|moment| moment.earliest)),
        ]
    }
}
