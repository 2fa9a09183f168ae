//! What a block holds.

use std::os::unix::fs::FileExt as _;

use super::{Block, Recording};
use crate::{
    event::Event,
    pipeline::Pipeline,
    trace::{
        block::{HEADER, Kind, Packing, is_checked},
        field::{BadRow, Context},
        keyframe::{self, KeyframeError},
        meta::Meta,
        row,
    },
};

/// Most events of one block, whatever its header says.
const MOST_EVENTS: usize = 4 << 20;

/// The content of a block.
#[derive(Debug)]
pub enum Content {
    /// About the recording.
    Meta(Box<Meta>),
    /// Events, in their order.
    Events {
        /// Those that this version knows.
        events: Vec<Event>,
        /// How many are of kinds it does not know.
        unknown: u64,
    },
    /// Everything that was known.
    Keyframe(Box<Pipeline>),
    /// A remark of the user's own.
    Note(String),
    /// Of a kind that this version does not know.
    Unknown,
}

/// Why a block has no content.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The file can't be read.
    #[error("it can't be read: {0}")]
    Io(#[from] std::io::Error),
    /// The checksum says so.
    #[error("its checksum is wrong")]
    Checksum,
    /// It is longer than the limits allow.
    #[error("it has {0} bytes, more than allowed: allow more with --most-block-bytes")]
    TooLarge(u32),
    /// Its checksum is right, but it can't be unpacked.
    #[error("it can't be unpacked")]
    Packing,
    /// Its rows are none.
    #[error("{0}")]
    Rows(#[from] BadRow),
    /// It says that it has another number of events.
    #[error("it has another number of events than its header says")]
    Count,
    /// It is a keyframe that can't be used.
    #[error("{0}")]
    Keyframe(#[from] KeyframeError),
    /// What it says of the recording makes no sense.
    #[error("it is no JSON of a recording: {0}")]
    Meta(#[from] serde_json::Error),
}

impl Recording {
    /// What a block holds.
    ///
    /// # Errors
    /// [`ContentError`]: nothing of it can be used.
    pub fn content(&self, block: &Block) -> Result<Content, ContentError> {
        let raw = self.raw(block)?;
        let header = &block.header;
        Ok(match header.kind {
            Kind::Meta | Kind::End => Content::Meta(serde_json::from_slice(&raw)?),
            Kind::Events => rows(&raw, u64::from(header.digest.events))?,
            Kind::Loss => rows(&raw, 1)?,
            Kind::Keyframe => Content::Keyframe(Box::new(keyframe::parse(&raw)?)),
            Kind::Note => Content::Note(String::from_utf8_lossy(&raw).into_owned()),
            Kind::Other(_) => Content::Unknown,
        })
    }

    /// Its bytes, checked and unpacked.
    ///
    /// # Errors
    /// [`ContentError`]
    pub(crate) fn raw(&self, block: &Block) -> Result<Vec<u8>, ContentError> {
        let header = &block.header;
        let stored = self.stored(block)?;
        match header.packing {
            Packing::Plain => Ok(stored),
            Packing::Zstd => {
                let raw = zstd::bulk::decompress(&stored, header.raw_len as usize);
                let raw = raw.map_err(|_| ContentError::Packing)?;
                if raw.len() == header.raw_len as usize {
                    Ok(raw)
                } else {
                    Err(ContentError::Packing)
                }
            }
        }
    }

    /// Its bytes as they are stored, checked.
    ///
    /// # Errors
    /// [`ContentError`]
    pub(super) fn stored(&self, block: &Block) -> Result<Vec<u8>, ContentError> {
        let header = &block.header;
        let larger = header.raw_len.max(header.stored_len);
        if larger > self.limits.block_bytes {
            return Err(ContentError::TooLarge(larger));
        }
        let mut stored = vec![0; header.stored_len as usize];
        let file = &self.segments[block.segment].file;
        file.read_exact_at(&mut stored, block.offset + HEADER as u64)?;
        if is_checked() && crc32fast::hash(&stored) != header.content_crc {
            return Err(ContentError::Checksum);
        }
        Ok(stored)
    }
}

fn rows(mut raw: &[u8], told: u64) -> Result<Content, ContentError> {
    let mut context = Context::default();
    // A row has three bytes at least. No recorder puts so many into one block.
    let most = (raw.len() / 3).min(MOST_EVENTS);
    let told = usize::try_from(told).ok().filter(|&told| told <= most);
    let told = told.ok_or(ContentError::Count)?;
    let mut events = Vec::with_capacity(told);
    let mut unknown = 0;
    while !raw.is_empty() && events.len() + unknown < told {
        match row::get(&mut raw, &mut context)? {
            Some(event) => events.push(event),
            None => unknown += 1,
        }
    }
    if !raw.is_empty() || events.len() + unknown < told {
        return Err(ContentError::Count);
    }
    let unknown = unknown as u64;
    Ok(Content::Events { events, unknown })
}
