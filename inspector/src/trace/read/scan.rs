//! Finds the blocks of a segment: from header to header, and past damage by the marker.

use std::{io, os::unix::fs::FileExt as _};

use super::{Block, Damage, OpenSegment};
use crate::trace::block::{HEADER, Header, SEGMENT_HEADER};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    pub(super) damage: Vec<Damage>,
    /// The header of a last block whose content is cut off.
    pub(super) cut: Option<Header>,
    /// There were more blocks than allowed.
    pub(super) is_cut_short: bool,
}

/// Bytes that are searched at once.
const CHUNK: usize = 1 << 20;
/// How far the first block of a segment whose header is damaged is looked for.
const SEARCHED: u64 = 64 << 20;

/// The header of the block that begins here, whether its content is cut off or not.
pub(super) fn header_at(segment: &OpenSegment, offset: u64) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    if offset >= segment.len {
        return Ok(None);
    }
    match segment.file.read_exact_at(&mut bytes, offset) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let is_its = segment.marker.is_some_and(|marker| bytes[..8] == marker);
    Ok(is_its.then(|| Header::parse(&bytes)).flatten())
}

/// The damage of a segment whose own header is damaged.
pub(super) fn damaged_header(segment: &OpenSegment, place: usize) -> Option<Damage> {
    segment.header.is_none().then(|| Damage {
        segment: place,
        offset: 0,
        bytes: segment.len.min(SEGMENT_HEADER as u64),
        is_tail: false,
    })
}

/// The blocks of a segment, at most so many.
pub(super) fn blocks(segment: &OpenSegment, place: usize, most: usize) -> io::Result<Found> {
    let mut found = Found::default();
    let Some(marker) = segment.marker else {
        return Ok(found);
    };
    found.damage.extend(damaged_header(segment, place));
    let mut window = Window::default();
    let mut offset = SEGMENT_HEADER as u64;
    // Where bytes began that are no block, and the header there, if its content is cut off.
    let (mut bad, mut cut) = (None, None);
    while offset < segment.len {
        let mut bytes = [0; HEADER];
        let header = window
            .read(segment, offset, &mut bytes)?
            .then(|| Header::parse(&bytes))
            .flatten()
            .filter(|_| bytes[..8] == marker);
        let end = |header: &Header| offset + HEADER as u64 + u64::from(header.stored_len);
        match header {
            Some(header) if end(&header) <= segment.len => {
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
                offset = end(&header);
            }
            _ => {
                if bad.is_none() {
                    cut = header;
                }
                bad.get_or_insert(offset);
                match window.search(segment, offset + 1, marker)? {
                    Some(next) => offset = next,
                    None => break,
                }
            }
        }
    }
    if let Some(from) = bad {
        found.cut = cut;
        found.damage.push(Damage {
            segment: place,
            offset: from,
            bytes: segment.len - from,
            is_tail: true,
        });
    }
    Ok(found)
}

/// Whether so many bytes were there.
fn read(segment: &OpenSegment, offset: u64, bytes: &mut [u8]) -> io::Result<bool> {
    match segment.file.read_exact_at(bytes, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A part of the file that is held: a search reads it once, however many markers lie in it that
/// begin no block.
#[derive(Default)]
struct Window {
    offset: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// Whether so many bytes were there.
    fn read(&self, segment: &OpenSegment, offset: u64, bytes: &mut [u8]) -> io::Result<bool> {
        match self.held(offset).get(..bytes.len()) {
            Some(held) => {
                bytes.copy_from_slice(held);
                Ok(true)
            }
            None => read(segment, offset, bytes),
        }
    }

    /// What of it lies at and behind a place.
    fn held(&self, offset: u64) -> &[u8] {
        let at = offset.checked_sub(self.offset);
        let at = at.and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.bytes.get(at..)).unwrap_or_default()
    }

    /// The next place of the marker.
    fn search(
        &mut self,
        segment: &OpenSegment,
        from: u64,
        marker: [u8; 8],
    ) -> io::Result<Option<u64>> {
        let finder = memchr::memmem::Finder::new(&marker);
        let mut offset = from;
        while offset + marker.len() as u64 <= segment.len {
            if self.held(offset).len() < marker.len() {
                let len = CHUNK.min(usize::try_from(segment.len - offset).unwrap_or(CHUNK));
                self.offset = offset;
                self.bytes.resize(len, 0);
                if !read(segment, offset, &mut self.bytes)? {
                    self.bytes.clear();
                    return Ok(None);
                }
            }
            let held = self.held(offset);
            if let Some(at) = finder.find(held) {
                return Ok(Some(offset + at as u64));
            }
            // It may lie across the end.
            offset += (held.len() - marker.len() + 1) as u64;
        }
        Ok(None)
    }
}

/// The marker of a segment whose header is damaged: that which two blocks have, for no checksum
/// tells of a damaged one; where no two have the same, that of the last.
pub(super) fn unmarked(segment: &OpenSegment) -> io::Result<Option<[u8; 8]>> {
    let until = segment.len.min(SEARCHED);
    let mut offset = SEGMENT_HEADER as u64;
    let mut chunk = vec![0; CHUNK];
    let mut found: Vec<[u8; 8]> = Vec::new();
    // The next one follows the content of the one before.
    let mut next = 0;
    while offset + HEADER as u64 <= until {
        let len = CHUNK.min(usize::try_from(until - offset).unwrap_or(CHUNK));
        if !read(segment, offset, &mut chunk[..len])? {
            return Ok(None);
        }
        for (place, window) in (offset..).zip(chunk[..len].windows(HEADER)) {
            if place < next {
                continue;
            }
            let bytes: &[u8; HEADER] = window.try_into().expect("windows are as long");
            if let Some(header) = Header::parse(bytes) {
                let mut marker = [0; 8];
                marker.copy_from_slice(&bytes[..8]);
                if found.contains(&marker) {
                    return Ok(Some(marker));
                }
                found.push(marker);
                next = place + HEADER as u64 + u64::from(header.stored_len);
            }
        }
        offset += (len - HEADER + 1) as u64;
    }
    Ok(found.pop())
}
