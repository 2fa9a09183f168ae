//! Where the programs' own diagnostics go: a line each on stderr.

use log::{Log, Metadata, Record};

/// Writes every record to stderr.
pub(super) struct StderrLog;

impl Log for StderrLog {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    #[expect(
        clippy::print_stderr,
        reason = "asked for by --program-log; no screen owns the terminal then"
    )]
    fn log(&self, record: &Record<'_>) {
        eprintln!(
            "inspector: program says ({}): {}",
            record.level(),
            record.args()
        );
    }

    fn flush(&self) {}
}
