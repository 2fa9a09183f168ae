//! Files that a verb writes: they are the invoking user's.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;

use super::screen::as_account;
use crate::lab::account::{Invoker, through_sudo};

/// Writes a whole file in place of what was there.
///
/// # Errors
/// Where the user may not, or the disk is full.
pub(super) fn write_to(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(content)?;
        file.sync_all().or_else(|error| {
            // A pipe or a terminal has nothing to be synchronized.
            if error.kind() == std::io::ErrorKind::InvalidInput {
                Ok(())
            } else {
                Err(error)
            }
        })
    };
    let owner = through_sudo(&Invoker::of_this_process(None))?;
    as_account(owner.as_ref(), write)
        .with_context(|| format!("{} can't be written", path.display()))
}

/// Opens a file to append to.
///
/// # Errors
/// Where the user may not.
pub(super) fn append_to(path: &Path) -> anyhow::Result<File> {
    let owner = through_sudo(&Invoker::of_this_process(None))?;
    let open = || {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
    };
    as_account(owner.as_ref(), open).with_context(|| format!("{} can't be written", path.display()))
}
