//! Where the programs' own diagnostics go: a line each on stderr.

use std::io::{self, Write as _};

use log::{Log, Metadata, Record};

/// Writes every record to stderr.
pub(super) struct StderrLog;

impl Log for StderrLog {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let (level, what) = (record.level(), record.args());
        // A closed or full stderr is no reason to end.
        let _nobody_may_hear = writeln!(io::stderr(), "inspector: program says ({level}): {what}");
    }

    fn flush(&self) {}
}
