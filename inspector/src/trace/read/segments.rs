//! Finds the segments of a recording by the name of one of them.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{OpenError, OpenSegment};
use crate::trace::{
    block::{SEGMENT_HEADER, SegmentHeader, VERSION},
    write::segment_path,
};

/// The segments, in the order of their numbers. Those whose header is damaged are taken by their
/// names.
pub(super) fn of(path: &Path) -> Result<Vec<OpenSegment>, OpenError> {
    let (base, _) = base(path);
    let failed = |path: &Path, error| OpenError::Io {
        path: path.display().to_string(),
        error,
    };
    let mut paths = beside(&base);
    if !paths.iter().any(|(there, _)| there == path) {
        // So that its lack is what is told.
        paths.push((path.to_owned(), 0));
    }
    let mut segments = Vec::new();
    let mut recording = None;
    for (segment, number) in paths {
        let opened = open(&segment);
        let (file, len, header) = match opened {
            Ok(opened) => opened,
            Err(error) if segment == path => return Err(failed(&segment, error)),
            // It may be somebody else's file.
            Err(_) => continue,
        };
        if let Some(header) = header
            && header.version > VERSION
        {
            return Err(OpenError::Later {
                path: segment.display().to_string(),
                version: header.version,
            });
        }
        if segment == path {
            recording = header.map(|header| header.recording);
        }
        segments.push((
            OpenSegment {
                file,
                path: segment,
                number: header.map_or(number, |header| header.number),
                len,
            },
            header,
        ));
    }
    // Another recording's segments may lie there under the same name.
    let mut segments: Vec<_> = segments
        .into_iter()
        .filter(|(segment, header)| {
            let of_it = header.map(|header| Some(header.recording) == recording);
            segment.path == path || of_it.unwrap_or(recording.is_none()) || header.is_none()
        })
        .map(|(segment, _)| segment)
        .collect();
    segments.sort_by_key(|segment| segment.number);
    Ok(segments)
}

/// The name of segment 0, and the number that the name ends with.
pub(super) fn base(path: &Path) -> (PathBuf, u32) {
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

fn open(path: &Path) -> io::Result<(File, u64, Option<SegmentHeader>)> {
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
    Ok((file, kind.len(), header))
}
