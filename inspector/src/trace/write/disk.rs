//! Where segments go: files that grow ahead of what is written, so that a full disk still takes the
//! end.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, IoSlice, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, FallocateFlags, RenameFlags, fallocate, renameat_with};

/// A place that takes the segments of a recording.
pub trait Place: Send {
    /// Whether there can be more than one segment.
    fn can_roll(&self) -> bool {
        true
    }

    /// Begins a segment.
    ///
    /// # Errors
    /// Where that can't be.
    fn begin(&mut self, number: u32) -> io::Result<Box<dyn Segment>>;

    /// Drops a segment that makes room, or could not be begun.
    ///
    /// # Errors
    /// Where that can't be.
    fn drop_segment(&mut self, number: u32) -> io::Result<()>;

    /// Gives segments the names of a recording of its own, the `save`th or, where those names are
    /// taken, a later one. Says where it is.
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

    /// Whether it is no file but a pipe or a device.
    fn is_special(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|there| !there.is_file())
    }

    /// The name of what is saved, the `save`th.
    fn kept(&self, save: u32) -> PathBuf {
        let mut name = self.path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{save}"));
        if let Some(extension) = self.path.extension() {
            name.push(".");
            name.push(extension);
        }
        self.path.with_file_name(name)
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
    fn can_roll(&self) -> bool {
        !self.is_special()
    }

    fn begin(&mut self, number: u32) -> io::Result<Box<dyn Segment>> {
        let path = segment_path(&self.path, number);
        // A recording that is there already is never written over; what is no file (a pipe, a
        // device) is written into.
        let is_special = self.is_special();
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        let file = if is_special {
            options.open(&path)
        } else {
            options.create_new(true).open(&path)
        }
        .map_err(|error| explained(&error, &path))?;
        Ok(Box::new(FileSegment {
            is_file: !is_special,
            grows: !is_special,
            file,
            len: 0,
            reserved: 0,
        }))
    }

    fn drop_segment(&mut self, number: u32) -> io::Result<()> {
        if self.is_special() {
            return Ok(());
        }
        let path = segment_path(&self.path, number);
        fs::remove_file(&path).map_err(|error| explained(&error, &path))
    }

    fn keep(&mut self, numbers: &[u32], save: u32) -> io::Result<PathBuf> {
        let places = || (0..).zip(numbers);
        let is_free = |kept: &PathBuf| {
            places().all(|(place, _)| fs::symlink_metadata(segment_path(kept, place)).is_err())
        };
        let mut saves = (save..=u32::MAX).map(|save| self.kept(save));
        let kept = saves
            .find(is_free)
            .ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
        for (place, &number) in places() {
            let (from, to) = (segment_path(&self.path, number), segment_path(&kept, place));
            // Not over a name that somebody has taken meanwhile.
            renameat_with(CWD, &from, CWD, &to, RenameFlags::NOREPLACE)
                .map_err(|error| explained(&error.into(), &to))?;
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
    /// Whether it is no pipe or device: what was written can be taken back.
    is_file: bool,
    /// Whether it can be asked for room ahead.
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

impl FileSegment {
    /// Takes back what was written of a block: half a one would be told as damage.
    fn take_back(&mut self) {
        if !self.is_file {
            return;
        }
        let taken = self.file.set_len(self.len);
        let _half_a_block_stays = taken.and_then(|()| self.file.seek(SeekFrom::Start(self.len)));
        // What was reserved beyond the end went with it.
        self.reserved = 0;
        let _none_is_left = self.reserve(0);
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
                self.take_back();
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
