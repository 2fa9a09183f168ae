//! Finds the blocks of a recording by its index, where that fits it and nothing contradicts it.

use std::{
    fs::{self, File},
    io::{BufReader, Read as _},
    path::Path,
};

use super::{
    Block, Damage, Limits, OpenSegment,
    scan::{Found, damaged_header, header_at},
};
use crate::trace::{
    block::{HEADER, Header},
    index::{FIRST_BLOCK, Index, IndexedSegment, SCHEMA, hex},
};

/// Most bytes that an index may have.
const MOST_BYTES: u64 = 64 << 20;

/// What became of the index of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IndexUse {
    /// There is none.
    #[default]
    None,
    /// It told where the blocks are.
    Used,
    /// It is not believed, for this reason.
    Ignored(String),
}

/// What an index tells: of each segment its blocks and damage, and which blocks are bad.
pub(super) struct Indexed {
    pub(super) found: Vec<Found>,
    pub(super) bad: Vec<Block>,
}

/// Reads an index, and holds it against the segments. `Ok(None)` = there is none; `Err` = why it is
/// not to be believed.
pub(super) fn read(
    path: &Path,
    segments: &[OpenSegment],
    limits: Limits,
) -> Result<Option<Indexed>, String> {
    let Some(index) = parse(path)? else {
        return Ok(None);
    };
    if index.schema != SCHEMA {
        return Err(format!("it is not in the form {SCHEMA}"));
    }
    let ids = segments.iter().filter_map(id);
    let mut ids = ids.map(hex).peekable();
    if ids.peek().is_none() || ids.any(|id| id != index.recording) {
        return Err("it is of another recording".to_owned());
    }
    let lengths = |segment: &OpenSegment| (segment.number, segment.len);
    let told = index.segments.iter().map(|one| (one.number, one.bytes));
    if !segments.iter().map(lengths).eq(told) {
        return Err("the recording's files are others, or longer or shorter, by now".to_owned());
    }
    let blocks: usize = index.segments.iter().map(|one| one.blocks.len()).sum();
    if blocks > limits.blocks {
        return Err("it has too many blocks".to_owned());
    }
    let mut indexed = Indexed {
        found: Vec::new(),
        bad: Vec::new(),
    };
    for (place, (segment, told)) in segments.iter().zip(&index.segments).enumerate() {
        let found = blocks_of(segment, place, told)?;
        let is_bad = |block: &&Block| told.bad.contains(&block.offset);
        indexed.bad.extend(found.blocks.iter().filter(is_bad));
        indexed.found.push(found);
    }
    Ok(Some(indexed))
}

fn parse(path: &Path) -> Result<Option<Index>, String> {
    let unreadable = |error: std::io::Error| format!("it can't be read: {error}");
    match fs::metadata(path) {
        Ok(there) if there.is_file() && there.len() <= MOST_BYTES => {}
        Ok(there) if there.is_file() => return Err("it is too large".to_owned()),
        Ok(_) => return Err("it is no regular file".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    }
    let file = File::open(path).map_err(unreadable)?.take(MOST_BYTES);
    let index = serde_json::from_reader(BufReader::new(file));
    index
        .map(Some)
        .map_err(|error| format!("it is no index: {error}"))
}

/// The recording's id, where the segment's header is whole.
pub(super) fn id(segment: &OpenSegment) -> Option<[u8; 16]> {
    segment.header.map(|header| header.recording)
}

/// The blocks that an index tells of a segment. What lies between them is damage.
fn blocks_of(segment: &OpenSegment, place: usize, told: &IndexedSegment) -> Result<Found, String> {
    let wrong = |offset: u64| {
        let name = segment.path.display();
        format!("it is wrong about the block at {offset} of {name}")
    };
    let whole = |offset: u64| {
        let header = header_at(segment, offset).map_err(|error| error.to_string())?;
        let end = |header: &Header| offset + HEADER as u64 + u64::from(header.stored_len);
        Ok::<_, String>(header.filter(|header| end(header) <= segment.len))
    };
    let mut found = Found::default();
    found.damage.extend(damaged_header(segment, place));
    let mut end = FIRST_BLOCK;
    let mut damage = |from: u64, until: u64| {
        if from < until {
            found.damage.push(Damage {
                segment: place,
                offset: from,
                bytes: until - from,
                is_tail: until == segment.len,
            });
        }
    };
    for &offset in &told.blocks {
        let Some(header) = whole(offset)?.filter(|_| offset >= end) else {
            return Err(wrong(offset));
        };
        // A whole block where it tells of damage.
        if offset > end && whole(end)?.is_some() {
            return Err(wrong(end));
        }
        damage(end, offset);
        found.blocks.push(Block {
            segment: place,
            offset,
            header,
        });
        end = offset + HEADER as u64 + u64::from(header.stored_len);
    }
    if whole(end)?.is_some() {
        return Err(wrong(end));
    }
    damage(end, segment.len);
    if end < segment.len {
        found.cut = header_at(segment, end).map_err(|error| error.to_string())?;
    }
    Ok(found)
}
