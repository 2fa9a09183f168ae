//! A recording's window in the formats of other people's tools: timelines, tables, events.
//!
//! Perfetto and Chrome get a *timeline*: lives as slices on tracks, deletes and what
//! they led to as flows. It is drawn when the window has been read to its end, for a life's name,
//! owner and cause of death are known only then; until then a wait takes 64 bytes of memory, and
//! what died is kept by the ledger. JSON Lines get the events themselves, one by one, and so does CTF. SQLite and
//! Parquet get *tables*: the events as they are read, and at the end what is known of each life.
//!
//! The caller has the ledger keep everything that is dead: what it forgets is not drawn.
//! `docs/export.md` tells users of each format.

#![forbid(unsafe_code)]

mod canvas;
mod chrome;
mod ctf;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;
mod past;
mod perfetto;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "parquet"))]
mod tables;
#[cfg(test)]
mod tests;
mod timeline;

use std::{
    fmt::{self, Display, Formatter},
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use self::{chrome::Chrome, perfetto::Perfetto};
use crate::{event::id::BootTime, pipeline::Pipeline, trace::read::Read};

/// What is exported: a pipeline as it was when the window began, and what happened since.
pub struct Subject<'a> {
    /// The state before the first batch.
    pub pipeline: Pipeline,
    /// What happened, in order, and after a loss what is known then; it ends at or after `until`.
    /// What is after that is passed over.
    pub reads: &'a mut dyn Iterator<Item = Read>,
    /// The window's first nanosecond.
    pub since: BootTime,
    /// Its last.
    pub until: BootTime,
    /// How much memory what is known of it may take, about.
    pub most_bytes: u64,
    /// The wall clock at boot, nanoseconds since 1970; `None` = not known.
    pub boot_wall_ns: Option<u64>,
    /// The host's name. It is escaped here.
    pub host: String,
    /// The traced command. It is escaped here.
    pub command: Option<String>,
}

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A Perfetto trace, for ui.perfetto.dev and trace_processor
    Perfetto,
    /// Chrome's trace events as JSON, for small windows
    Chrome,
    /// The events themselves as JSON, one a line
    Jsonl,
    /// The events as a Common Trace Format trace in a new folder, for babeltrace2 and Trace Compass
    Ctf,
    /// Tables of events, lives and verdicts, as one SQLite database
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// The same tables as Parquet files in a new folder, one a table
    #[cfg(feature = "parquet")]
    Parquet,
}

/// What an export is written to.
pub enum Out<'a> {
    /// A stream of bytes.
    Stream(&'a mut dyn Write),
    /// A file, by its path: it is there, and empty.
    File(&'a Path),
    /// A folder in which this makes a new file of a name.
    Folder(&'a mut dyn FnMut(&str) -> io::Result<File>),
}

/// Which [`Out`] a format needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A stream of bytes.
    Stream,
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events read in the window.
    pub events: u64,
    /// Slices: lives, waits, entries, deletes, outlivings, gaps.
    pub slices: u64,
    /// Instants: deaths after deletes, verdicts, execs, findings.
    pub instants: u64,
    /// Flows, from a delete to what it led to.
    pub flows: u64,
    /// Values of counters.
    pub counters: u64,
    /// Tracks.
    pub tracks: u64,
    /// Events lost in the window's gaps, as far as they were counted.
    pub lost: u64,
    /// Lines of JSON Lines, the header included.
    pub lines: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Packets of a trace.
    pub packets: u64,
    /// Bytes of all that was written.
    pub bytes: u64,
}

impl Format {
    /// What it is written to.
    pub fn target(self) -> Target {
        match self {
            Self::Perfetto | Self::Chrome | Self::Jsonl => Target::Stream,
            Self::Ctf => Target::Folder,
            #[cfg(feature = "sqlite")]
            Self::Sqlite => Target::File,
            #[cfg(feature = "parquet")]
            Self::Parquet => Target::Folder,
        }
    }
}

/// Writes a window in a format. `progress` is told the time of each batch as it is read.
///
/// # Errors
/// When `out` can't be written, or is not what the format needs.
pub fn write(
    format: Format,
    subject: Subject<'_>,
    out: Out<'_>,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    match (format, out) {
        (Format::Perfetto, Out::Stream(out)) => counted(out, |out| {
            timeline::draw(subject, &mut Perfetto::new(out), progress)
        }),
        (Format::Chrome, Out::Stream(out)) => counted(out, |out| {
            timeline::draw(subject, &mut Chrome::new(out), progress)
        }),
        (Format::Jsonl, Out::Stream(out)) => {
            counted(out, |out| jsonl::write(subject, out, progress))
        }
        (Format::Ctf, Out::Folder(open)) => ctf::write(open, subject, progress),
        #[cfg(feature = "sqlite")]
        (Format::Sqlite, Out::File(path)) => sqlite::write(path, subject, progress),
        #[cfg(feature = "parquet")]
        (Format::Parquet, Out::Folder(open)) => parquet::write(open, subject, progress),
        (format, _) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{format:?} is written to another kind of place"),
        )),
    }
}

fn counted(
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<Totals>,
) -> io::Result<Totals> {
    let mut out = Counted {
        out: BufWriter::with_capacity(1 << 16, out),
        bytes: 0,
    };
    let totals = write(&mut out)?;
    out.flush()?;
    Ok(Totals {
        bytes: out.bytes,
        ..totals
    })
}

impl Display for Totals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} events as ", self.events)?;
        if self.lines > 0 {
            write!(f, "{} lines", self.lines)?;
        } else if self.rows > 0 {
            write!(f, "{} rows", self.rows)?;
        } else if self.packets > 0 {
            write!(f, "{} packets", self.packets)?;
        } else {
            write!(
                f,
                "{} slices, {} instants, {} flows and {} counter values on {} tracks",
                self.slices, self.instants, self.flows, self.counters, self.tracks
            )?;
        }
        write!(f, ", {} bytes", self.bytes)?;
        match self.lost {
            0 => Ok(()),
            lost => write!(f, "; {lost} events were lost in this window"),
        }
    }
}

/// Counts what goes through.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
