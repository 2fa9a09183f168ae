//! Where segments go: files that grow ahead of what is written, so that a full disk still takes the
//! end.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, IoSlice, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate};

/// A place that takes the segments of a recording.
pub trait Place: Send {
    /// Begins a segment.
    ///
    /// # Errors
    /// Where that can't be.
    fn begin(&mut self, number: u32) -> io::Result<Box<dyn Segment>>;

    /// Drops a segment that makes room.
    ///
    /// # Errors
    /// Where that can't be.
    fn drop_oldest(&mut self, number: u32) -> io::Result<()>;

    /// Gives segments the names of a recording of its own, the `save`th. Says where it is.
    ///
    /// # Errors
    /// Where that can't be.
    fn keep(&mut self, numbers: &[u32], save: u32) -> io::Result<PathBuf>;
}

/// A segment that is being written.
pub trait Segment: Send {
    /// Appends these parts, all or nothing. Unless it `may_use_reserve`, room for an end is left.
    ///
    /// # Errors
    /// Where the disk is full, or fails.
    fn append(&mut self, parts: [&[u8]; 2], may_use_reserve: bool) -> io::Result<()>;

    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// Where the disk fails.
    fn sync(&mut self) -> io::Result<()>;

    /// Gives back what was reserved beyond its end.
    fn finish(&mut self);
}

/// Files beside each other: `FILE`, `FILE.1`, `FILE.2`, …
#[derive(Debug)]
pub struct Files {
    path: PathBuf,
}

impl Files {
    /// Segments of this name. Nothing is made yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

/// The name of a segment.
pub(crate) fn segment_path(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

impl Place for Files {
    fn begin(&mut self, number: u32) -> io::Result<Box<dyn Segment>> {
        let path = segment_path(&self.path, number);
        // A recording that is there already is never written over; what is no file (a pipe, a
        // device) is written into.
        let is_special = fs::metadata(&path).is_ok_and(|there| !there.is_file());
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        let file = if is_special {
            options.open(&path)
        } else {
            options.create_new(true).open(&path)
        }
        .map_err(|error| explained(&error, &path))?;
        Ok(Box::new(FileSegment {
            grows: !is_special,
            file,
            len: 0,
            reserved: 0,
        }))
    }

    fn drop_oldest(&mut self, number: u32) -> io::Result<()> {
        let path = segment_path(&self.path, number);
        fs::remove_file(&path).map_err(|error| explained(&error, &path))
    }

    fn keep(&mut self, numbers: &[u32], save: u32) -> io::Result<PathBuf> {
        let stem = self.path.file_stem().unwrap_or_default().to_owned();
        let mut name = stem;
        name.push(format!("-{save}"));
        if let Some(extension) = self.path.extension() {
            name.push(".");
            name.push(extension);
        }
        let kept = self.path.with_file_name(name);
        for (place, &number) in (0..).zip(numbers) {
            let (from, to) = (segment_path(&self.path, number), segment_path(&kept, place));
            // Two links for a moment: a name that is taken is not written over.
            fs::hard_link(&from, &to)
                .and_then(|()| fs::remove_file(&from))
                .map_err(|error| explained(&error, &to))?;
        }
        Ok(kept)
    }
}

fn explained(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Bytes left for a loss and an end when all else finds no room.
const RESERVE: u64 = 1 << 20;
/// Bytes by which a file grows ahead.
const STEP: u64 = 8 << 20;

struct FileSegment {
    file: File,
    /// Whether it is a file, which can be asked for room ahead.
    grows: bool,
    len: u64,
    /// Up to where the disk has room for it.
    reserved: u64,
}

impl FileSegment {
    /// Makes sure that there is room for so many bytes and the reserve.
    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let needed = self.len + bytes + RESERVE;
        if !self.grows || needed <= self.reserved {
            return Ok(());
        }
        for until in [needed + STEP, needed] {
            let flags = FallocateFlags::KEEP_SIZE;
            match fallocate(&self.file, flags, self.len, until - self.len) {
                Ok(()) => {
                    self.reserved = until;
                    return Ok(());
                }
                Err(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) => {}
                // Not every file system can: then a full disk is found by writing.
                Err(_) => {
                    self.grows = false;
                    return Ok(());
                }
            }
        }
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}

impl Segment for FileSegment {
    fn append(&mut self, parts: [&[u8]; 2], may_use_reserve: bool) -> io::Result<()> {
        let bytes = (parts[0].len() + parts[1].len()) as u64;
        if !may_use_reserve {
            self.reserve(bytes)?;
        }
        let mut slices = parts.map(IoSlice::new);
        let mut left: &mut [IoSlice<'_>] = &mut slices;
        let mut written = || -> io::Result<()> {
            while left.iter().any(|slice| !slice.is_empty()) {
                match self.file.write_vectored(left) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => IoSlice::advance_slices(&mut left, count),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        match written() {
            Ok(()) => {
                self.len += bytes;
                Ok(())
            }
            Err(error) => {
                if self.grows || self.reserved > 0 {
                    use std::io::Seek as _;
                    // Half a block would be told as damage.
                    let _half_a_block_stays = self
                        .file
                        .set_len(self.len)
                        .and_then(|()| self.file.seek(io::SeekFrom::Start(self.len)).map(drop));
                }
                Err(error)
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.file.sync_data() {
            // A pipe has nothing to wait for.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    fn finish(&mut self) {
        if self.reserved > self.len {
            let _some_room_stays_reserved = self.file.set_len(self.len);
        }
    }
}
