//! What a check of a whole recording found, kept beside it as JSON: `FILE.index`.
//!
//! It says where the good blocks begin, so that a damaged recording need not be searched again. It is
//! a hint: a reader believes nothing of it that the recording's own checksums contradict.

use serde::{Deserialize, Serialize};

use super::{
    block::{HEADER, SEGMENT_HEADER},
    read::{ContentError, Recording},
};
use crate::event::text::Text;

/// The name and version of the form.
pub const SCHEMA: &str = "inspector-index/1";

/// The index of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// [`SCHEMA`].
    pub schema: String,
    /// The recording's id, in hexadecimal digits.
    pub recording: String,
    /// Its segments, in their order.
    pub segments: Vec<IndexedSegment>,
    /// What the damage has cost.
    pub lost: Lost,
}

/// A segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedSegment {
    /// Its file's name, escaped.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Its length.
    pub bytes: u64,
    /// Where blocks begin whose headers are whole.
    pub blocks: Vec<u64>,
    /// Those of them whose content is damaged.
    pub bad: Vec<u64>,
    /// Places that are no block.
    pub damage: Vec<Place>,
}

/// A place in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
}

/// What damage has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Bytes that are no block, or a damaged one.
    pub bytes: u64,
    /// Blocks, as far as the numbers of the others tell.
    pub blocks: u64,
    /// Events, as far as the headers tell.
    pub events: u64,
}

impl Index {
    /// Reads every block of a recording.
    ///
    /// # Errors
    /// [`ContentError::TooLarge`] and [`ContentError::Io`]: of such a block nothing is known.
    pub fn of(recording: &Recording) -> Result<Self, ContentError> {
        let mut index = Self {
            schema: SCHEMA.to_owned(),
            recording: recording.id().map(hex).unwrap_or_default(),
            ..Self::default()
        };
        for segment in recording.segments() {
            let name = segment.path.file_name().unwrap_or_default();
            index.segments.push(IndexedSegment {
                name: Text::from(name.as_encoded_bytes()).to_string(),
                number: segment.number,
                bytes: segment.bytes,
                ..IndexedSegment::default()
            });
        }
        let mut expected = None;
        for block in recording.blocks() {
            let header = &block.header;
            if let Some((number, event)) = expected {
                let lost = &mut index.lost;
                let blocks = header.number.saturating_sub(number);
                let events = header.first_event.saturating_sub(event);
                lost.blocks = lost.blocks.saturating_add(blocks);
                lost.events = lost.events.saturating_add(events);
            }
            let events = u64::from(header.digest.events);
            expected = Some((header.number + 1, header.first_event + events));
            let segment = &mut index.segments[block.segment];
            segment.blocks.push(block.offset);
            match recording.content(block) {
                Ok(_) => {}
                Err(error @ (ContentError::TooLarge(_) | ContentError::Io(_))) => {
                    return Err(error);
                }
                Err(error) if error.is_of_another_version() => {}
                Err(_) => {
                    segment.bad.push(block.offset);
                    index.lost.bytes += HEADER as u64 + u64::from(header.stored_len);
                    index.lost.blocks += 1;
                    index.lost.events = index.lost.events.saturating_add(events);
                }
            }
        }
        for damage in recording.damage() {
            index.lost.bytes += damage.bytes;
            index.segments[damage.segment].damage.push(Place {
                offset: damage.offset,
                bytes: damage.bytes,
            });
        }
        Ok(index)
    }

    /// Whether nothing is damaged.
    pub fn is_whole(&self) -> bool {
        self.lost == Lost::default()
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Where the first block of a segment begins.
pub(crate) const FIRST_BLOCK: u64 = SEGMENT_HEADER as u64;
