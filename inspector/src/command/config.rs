//! `inspector config`: prints the settings in force, or which file they are read from.

use std::{
    io::{self, Write as _},
    os::unix::ffi::OsStrExt as _,
    process::ExitCode,
};

use anyhow::Context as _;

use crate::{
    cli::ConfigArgs,
    command::tell,
    config::{self, Config},
};

/// Prints one or the other.
///
/// # Errors
/// Where the configuration can't be read or is wrong, and where the output can't be written.
pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let asked = args.file.path.as_deref();
    let mut out = io::stdout().lock();
    if args.what.path {
        let path = config::path(asked)?
            .context("there is no place for a configuration: nobody knows your home (set HOME)")?;
        out.write_all(path.as_os_str().as_bytes())?;
        writeln!(out)?;
    } else {
        let config = Config::load(asked)?;
        if let Some(notice) = &config.notice {
            tell(notice);
        }
        out.write_all(config.toml().as_bytes())?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
