//! Finds the segments of a recording by the name of one of them.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{OpenError, OpenSegment, scan};
use crate::trace::{
    block::{SEGMENT_HEADER, SegmentHeader, VERSION},
    write::segment_path,
};

/// The segments, in the order of their numbers. Those whose header is damaged are taken by their
/// names; what of them is another recording's has another marker.
pub(super) fn of(path: &Path) -> Result<Vec<OpenSegment>, OpenError> {
    let (base, _) = base(path);
    let mut paths = beside(&base);
    // The first segment of a ring has made room for later ones.
    let is_there = paths.iter().any(|(there, _)| there == path);
    if !is_there && (path != base || paths.is_empty()) {
        // So that its lack is what is told.
        paths.push((path.to_owned(), 0));
    }
    let mut segments = Vec::new();
    for (name, number) in paths {
        match open(&name, number) {
            Ok(segment) => segments.push(segment),
            Err(error) if name == path => {
                return Err(OpenError::Io {
                    path: name.display().to_string(),
                    error,
                });
            }
            // It may be somebody else's file.
            Err(_) => {}
        }
    }
    segments.sort_by_key(|segment| segment.number);
    let named = segments.iter().find(|segment| segment.path == path);
    let marker = match named.or(segments.last()) {
        Some(segment) => segment.marker().map_err(|error| OpenError::Io {
            path: segment.path.display().to_string(),
            error,
        })?,
        None => None,
    };
    // Another recording's segments may lie there under the same name.
    segments.retain(|segment| {
        let header = segment.header.as_ref();
        segment.path == path || header.is_none_or(|header| Some(header.marker) == marker)
    });
    if let Some(later) = segments.iter().find(|segment| segment.version() > VERSION) {
        return Err(OpenError::Later {
            path: later.path.display().to_string(),
            version: later.version(),
        });
    }
    for segment in &mut segments {
        segment.marker = marker;
    }
    Ok(segments)
}

impl OpenSegment {
    fn version(&self) -> u16 {
        self.header.map_or(VERSION, |header| header.version)
    }

    /// The marker of its blocks, as its header or the first of its blocks has it.
    fn marker(&self) -> io::Result<Option<[u8; 8]>> {
        match self.header {
            Some(header) => Ok(Some(header.marker)),
            None => scan::unmarked(self),
        }
    }
}

/// The name of segment 0, and the number that the name ends with.
fn base(path: &Path) -> (PathBuf, u32) {
    let number = path.extension().and_then(|end| end.to_str()?.parse().ok());
    match number {
        Some(number) if segment_path(&path.with_extension(""), number) == path => {
            (path.with_extension(""), number)
        }
        _ => (path.to_owned(), 0),
    }
}

/// All that have the name of a segment of `base`.
fn beside(base: &Path) -> Vec<(PathBuf, u32)> {
    let folder = match base.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut found = Vec::new();
    // A folder that can't be listed still has the file that was named.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = base.with_file_name(entry.file_name());
        let (its_base, number) = base_or_itself(&name, base);
        if its_base == base {
            found.push((name, number));
        }
    }
    found
}

fn base_or_itself(name: &Path, base_name: &Path) -> (PathBuf, u32) {
    if name == base_name {
        return (name.to_owned(), 0);
    }
    base(name)
}

fn open(path: &Path, number: u32) -> io::Result<OpenSegment> {
    let file = File::open(path)?;
    let kind = file.metadata()?;
    if !kind.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = [0; SEGMENT_HEADER];
    let header = match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => SegmentHeader::parse(&bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => return Err(error),
    };
    Ok(OpenSegment {
        file,
        path: path.to_owned(),
        number: header.map_or(number, |header| header.number),
        len: kind.len(),
        header,
        marker: None,
    })
}
