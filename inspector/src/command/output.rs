//! Files that a verb writes: they are the invoking user's.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::screen::as_account;
use crate::lab::account::{Account, Invoker, through_sudo};

/// A file that is opened before there is something to write: whoever has shed privileges by then
/// may not be allowed to, and whoever may not write at all should hear it before the run.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Opens it; what stands in it stays until something is written.
    ///
    /// # Errors
    /// Where the user may not write it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        Ok(Self {
            path: path.to_owned(),
            file: as_user(&options, path)?,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it in place of what was there.
    ///
    /// # Errors
    /// A full disk.
    pub(super) fn write(self, content: &[u8]) -> anyhow::Result<()> {
        self.write_by(|file| file.write_all(content))
    }

    /// The same, piece by piece.
    ///
    /// # Errors
    /// A full disk.
    pub(super) fn write_by(
        self,
        write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let whole = || {
            if self.file.metadata()?.is_file() {
                self.file.set_len(0)?;
            }
            let mut pieces = BufWriter::new(&self.file);
            write(&mut pieces)?;
            pieces.flush()
        };
        whole().with_context(|| format!("{} could not be written", self.path.display()))
    }

    /// Empties it for someone who writes it by its path.
    ///
    /// # Errors
    /// Where it is no file, and whatever that one says.
    pub(super) fn fill<T>(self, fill: impl FnOnce(&Path) -> io::Result<T>) -> anyhow::Result<T> {
        let whole = || {
            if !self.file.metadata()?.is_file() {
                return Err(io::Error::other("it is no regular file"));
            }
            self.file.set_len(0)?;
            fill(&self.path)
        };
        whole().with_context(|| format!("{} could not be written", self.path.display()))
    }
}

/// A new folder of the user's, for files that a verb makes in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    owner: Option<Account>,
}

impl Folder {
    /// Makes it.
    ///
    /// # Errors
    /// Where it is there already, or the user may not.
    pub(super) fn make(path: &Path) -> anyhow::Result<Self> {
        let owner = through_sudo(&Invoker::of_this_process(None))?;
        as_account(owner.as_ref(), || {
            DirBuilder::new().mode(0o700).create(path)
        })
        .with_context(|| format!("the folder {} can't be made", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            owner,
        })
    }

    /// Makes a file in it.
    ///
    /// # Errors
    /// Where it is there already.
    pub(super) fn new_file(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        as_account(self.owner.as_ref(), || options.open(self.path.join(name)))
    }
}

/// Puts a file of this content in the place of what is there, at once: whoever reads meanwhile sees
/// the one or the other.
///
/// # Errors
/// Where the user may not, or the disk is full.
pub(super) fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let owner = through_sudo(&Invoker::of_this_process(None))?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let new = PathBuf::from(name);
    as_account(owner.as_ref(), || {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        let written = file
            .write_all(content)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            let _what_failed_is_told = fs::remove_file(&new);
        }
        written
    })
    .with_context(|| format!("{} can't be written", path.display()))
}

/// Opens a file to append to.
///
/// # Errors
/// Where the user may not.
pub(super) fn append_to(path: &Path) -> anyhow::Result<File> {
    as_user(
        OpenOptions::new().append(true).create(true).mode(0o600),
        path,
    )
}

fn as_user(options: &OpenOptions, path: &Path) -> anyhow::Result<File> {
    let owner = through_sudo(&Invoker::of_this_process(None))?;
    as_account(owner.as_ref(), || options.open(path))
        .with_context(|| format!("{} can't be written", path.display()))
}
