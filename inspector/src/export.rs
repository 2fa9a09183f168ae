//! A recording's window in the formats of other people's tools: Perfetto, Chrome's JSON, JSON Lines.
//!
//! Perfetto and Chrome get a *timeline*: lives as slices on tracks, deletes and what
//! they led to as flows. It is drawn when the window has been read to its end, for a life's name,
//! owner and cause of death are known only then; until then a wait takes 64 bytes of memory, and
//! what died is kept by the ledger. JSON Lines get the events themselves, one by one.
//!
//! The caller has the ledger keep everything that is dead: what it forgets is not drawn.
//! `docs/export.md` tells users of each format.

#![forbid(unsafe_code)]

mod canvas;
mod chrome;
mod jsonl;
mod perfetto;
#[cfg(test)]
mod tests;
mod timeline;

use std::{
    fmt::{self, Display, Formatter},
    io::{self, BufWriter, Write},
};

use self::{chrome::Chrome, perfetto::Perfetto};
use crate::{
    event::{Batch, id::BootTime},
    pipeline::Pipeline,
};

/// What is exported: a pipeline as it was when the window began, and what happened since.
pub struct Subject<'a> {
    /// The state before the first batch.
    pub pipeline: Pipeline,
    /// What happened, in order; it ends at or after `until`. Events after that are passed over.
    pub batches: &'a mut dyn Iterator<Item = Batch>,
    /// The window's first nanosecond.
    pub since: BootTime,
    /// Its last.
    pub until: BootTime,
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
    /// Bytes of the whole file.
    pub bytes: u64,
}

/// Writes a window in a format. `progress` is told the time of each batch as it is read.
///
/// # Errors
/// When `out` can't be written.
pub fn write(
    format: Format,
    subject: Subject<'_>,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let mut out = Counted {
        out: BufWriter::with_capacity(1 << 16, out),
        bytes: 0,
    };
    let mut totals = match format {
        Format::Perfetto => timeline::draw(subject, &mut Perfetto::new(&mut out), progress)?,
        Format::Chrome => timeline::draw(subject, &mut Chrome::new(&mut out), progress)?,
        Format::Jsonl => jsonl::write(subject, &mut out, progress)?,
    };
    out.flush()?;
    totals.bytes = out.bytes;
    Ok(totals)
}

impl Display for Totals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} events as ", self.events)?;
        if self.lines > 0 {
            write!(f, "{} lines", self.lines)?;
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
