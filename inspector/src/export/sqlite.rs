//! Tables as one SQLite database.
//!
//! It is filled in one transaction without a journal: an export that is broken off leaves a file
//! that is of no use, as every other format does. Columns have the types that SQLite knows, but
//! for [`Kind::Wide`]: such a column has none, and a number from 2^63 on is text there, in decimal.

use std::{fmt::Write as _, fs, io, path::Path};

use rusqlite::{
    Connection, OpenFlags, Statement, ToSql,
    types::{Null, ToSqlOutput, ValueRef},
};

use super::{
    Subject, Totals,
    tables::{self, Column, Kind, Sink, Table, Value},
};
use crate::event::id::BootTime;

/// What is asked for by something else than a row's number.
const INDICES: &str = "
    create index events_by_time on events (at_ns);
    create index events_by_kind on events (event, at_ns);
    create index events_by_thread on events (tid, at_ns);
    create index resources_by_number on resources (kind, number);
    create index resources_by_entry on resources (entry);
    create index entries_by_key on entries (key);
    create index verdicts_by_word on verdicts (verdict);
    create index verdicts_by_entry on verdicts (entry);
    create index verdicts_by_resource on verdicts (resource);";

/// Fills an empty file.
pub(super) fn write(
    path: &Path,
    subject: Subject<'_>,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let totals = filled(path, subject, progress)?;
    Ok(Totals {
        bytes: fs::metadata(path)?.len(),
        ..totals
    })
}

fn filled(
    path: &Path,
    subject: Subject<'_>,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(io::Error::other)?;
    let run = |text: &str| database.execute_batch(text).map_err(io::Error::other);
    run(
        "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;
        begin;",
    )?;
    let mut inserts = Vec::new();
    for table in Table::ALL {
        run(&creation(table))?;
        let insertion = insertion(table);
        inserts.push(database.prepare(&insertion).map_err(io::Error::other)?);
    }
    let mut inserts = Inserts(inserts);
    let totals = tables::fill(subject, &mut inserts, progress)?;
    drop(inserts);
    run(INDICES)?;
    run("commit;")?;
    database
        .close()
        .map_err(|(_, error)| io::Error::other(error))?;
    Ok(totals)
}

/// One statement for each table, in the order of [`Table::ALL`].
struct Inserts<'a>(Vec<Statement<'a>>);

impl Sink for Inserts<'_> {
    fn row(&mut self, table: Table, row: &[Value<'_>]) -> io::Result<()> {
        let statement = &mut self.0[table as usize];
        let mut bound = || {
            for (place, value) in row.iter().enumerate() {
                statement.raw_bind_parameter(place + 1, value)?;
            }
            statement.raw_execute()
        };
        bound().map(drop).map_err(io::Error::other)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => Null.into(),
            Value::Number(number) => (*number).into(),
            Value::Wide(wide) => match i64::try_from(*wide) {
                Ok(number) => number.into(),
                Err(_) => wide.to_string().into(),
            },
            Value::Flag(is) => i64::from(*is).into(),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn creation(table: Table) -> String {
    let mut text = format!("create table {} (", table.name());
    for (place, column) in table.columns().iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        let kind = kind(column);
        write!(text, "{separator}\"{}\"{kind}", column.name).expect("a string takes all");
    }
    text + ");"
}

fn kind(column: &Column) -> &'static str {
    match column.kind {
        _ if column.name == "id" => " integer primary key",
        Kind::Number | Kind::Flag => " integer",
        Kind::Wide => "",
        Kind::Text => " text",
    }
}

fn insertion(table: Table) -> String {
    let values = vec!["?"; table.columns().len()].join(", ");
    format!("insert into {} values ({values})", table.name())
}
