//! Finds the blocks of a segment: from header to header, and past damage by the marker.

use std::{io, os::unix::fs::FileExt as _};

use super::{Block, Damage, OpenSegment};
use crate::trace::block::{HEADER, Header, SEGMENT_HEADER, SegmentHeader};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    pub(super) damage: Vec<Damage>,
    /// There were more blocks than allowed.
    pub(super) is_cut_short: bool,
}

/// Bytes that are searched at once.
const CHUNK: usize = 1 << 20;
/// How far the first block of a segment whose header is damaged is looked for.
const SEARCHED: u64 = 64 << 20;

/// The blocks of a segment, at most so many.
pub(super) fn blocks(segment: &OpenSegment, place: usize, most: usize) -> io::Result<Found> {
    let mut found = Found::default();
    let marker = match marker_of(segment)? {
        Some(marker) => marker,
        None => match unmarked(segment)? {
            Some(marker) => marker,
            None => return Ok(found),
        },
    };
    let mut offset = SEGMENT_HEADER as u64;
    // Where bytes began that are no block.
    let mut bad = None;
    while offset < segment.len {
        match header_at(segment, offset, Some(marker))? {
            Some((header, _)) => {
                if found.blocks.len() == most {
                    found.is_cut_short = true;
                    return Ok(found);
                }
                if let Some(from) = bad.take() {
                    found.damage.push(Damage {
                        segment: place,
                        offset: from,
                        bytes: offset - from,
                        is_tail: false,
                    });
                }
                found.blocks.push(Block {
                    segment: place,
                    offset,
                    header,
                });
                offset += HEADER as u64 + u64::from(header.stored_len);
            }
            None => {
                bad.get_or_insert(offset);
                match search(segment, offset + 1, marker)? {
                    Some(next) => offset = next,
                    None => break,
                }
            }
        }
    }
    if let Some(from) = bad {
        found.damage.push(Damage {
            segment: place,
            offset: from,
            bytes: segment.len - from,
            is_tail: true,
        });
    }
    Ok(found)
}

/// The marker of a segment's blocks, where its header is whole.
pub(super) fn marker_of(segment: &OpenSegment) -> io::Result<Option<[u8; 8]>> {
    let mut bytes = [0; SEGMENT_HEADER];
    let whole = read(segment, 0, &mut bytes)?;
    let header = whole.then(|| SegmentHeader::parse(&bytes)).flatten();
    Ok(header.map(|header| header.marker))
}

/// The header of the block that begins here, and its marker, which is this one if it is known.
pub(super) fn header_at(
    segment: &OpenSegment,
    offset: u64,
    marker: Option<[u8; 8]>,
) -> io::Result<Option<(Header, [u8; 8])>> {
    let mut bytes = [0; HEADER];
    let has_room = offset
        .checked_add(HEADER as u64)
        .is_some_and(|end| end <= segment.len);
    if !has_room || !read(segment, offset, &mut bytes)? {
        return Ok(None);
    }
    let mut its_marker = [0; 8];
    its_marker.copy_from_slice(&bytes[..8]);
    let left = segment.len - offset - HEADER as u64;
    Ok(Header::parse(&bytes)
        .filter(|_| marker.is_none_or(|marker| marker == its_marker))
        .filter(|header| u64::from(header.stored_len) <= left)
        .map(|header| (header, its_marker)))
}

/// Whether so many bytes were there.
fn read(segment: &OpenSegment, offset: u64, bytes: &mut [u8]) -> io::Result<bool> {
    match segment.file.read_exact_at(bytes, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The next place of the marker.
fn search(segment: &OpenSegment, from: u64, marker: [u8; 8]) -> io::Result<Option<u64>> {
    let finder = memchr::memmem::Finder::new(&marker);
    let mut offset = from;
    let mut chunk = vec![0; CHUNK];
    while offset < segment.len {
        let len = CHUNK.min(usize::try_from(segment.len - offset).unwrap_or(CHUNK));
        if !read(segment, offset, &mut chunk[..len])? {
            return Ok(None);
        }
        if let Some(at) = finder.find(&chunk[..len]) {
            return Ok(Some(offset + at as u64));
        }
        if len < CHUNK {
            return Ok(None);
        }
        // It may lie across the end.
        offset += (len - marker.len() + 1) as u64;
    }
    Ok(None)
}

/// The marker of a segment whose header is damaged: that of the first bytes which are a whole header.
fn unmarked(segment: &OpenSegment) -> io::Result<Option<[u8; 8]>> {
    let until = segment.len.min(SEARCHED);
    let mut offset = SEGMENT_HEADER as u64;
    let mut chunk = vec![0; CHUNK];
    while offset + HEADER as u64 <= until {
        let len = CHUNK.min(usize::try_from(until - offset).unwrap_or(CHUNK));
        if !read(segment, offset, &mut chunk[..len])? {
            return Ok(None);
        }
        for window in chunk[..len].windows(HEADER) {
            let bytes: &[u8; HEADER] = window.try_into().expect("windows are as long");
            if Header::parse(bytes).is_some() {
                let mut marker = [0; 8];
                marker.copy_from_slice(&bytes[..8]);
                return Ok(Some(marker));
            }
        }
        offset += (len - HEADER + 1) as u64;
    }
    Ok(None)
}
