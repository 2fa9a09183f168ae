//! `inspector doctor`: prints what works here and the command that mends each lack.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{
    doctor::Report,
    source::ebpf::load::{LoadOptions, load},
};

/// Examines this machine, loads the programs for a moment to see what becomes of each, and prints
/// the result, as text or as one JSON object.
///
/// Exit code 0: every probe can work; 1: something is lacking.
///
/// # Errors
/// Where the output can't be written.
pub(super) fn run(json: bool) -> anyhow::Result<ExitCode> {
    let report = Report::examine(load(&LoadOptions::default()).map(|loaded| loaded.probes));
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &report.json())?;
        writeln!(out)?;
    } else {
        write!(out, "{}", report.text())?;
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(!report.ok())))
}
