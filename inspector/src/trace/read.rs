//! Reads a recording: finds its blocks by their headers alone, and passes over what is damaged.
//!
//! Nothing that a file says makes this fail or take more memory than [`Limits`] allow: what makes no
//! sense is damage, told with its place, and costs the blocks it hits.

mod content;
mod play;
mod scan;
mod segments;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

pub use self::{
    content::{Content, ContentError},
    play::{Damaged, Read, Reads},
};
use super::{
    block::{Header, Kind, SegmentHeader},
    meta::Meta,
};
use crate::event::BootTime;

/// What reading may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one block's content, unpacked.
    pub block_bytes: u32,
    /// Most blocks.
    pub blocks: usize,
}

impl Default for Limits {
    /// Blocks of 256 MB: a keyframe of some two million live resources. A million of blocks: three
    /// days of a busy target.
    fn default() -> Self {
        Self {
            block_bytes: 256 << 20,
            blocks: 1 << 20,
        }
    }
}

/// A recording, of which the headers are known.
#[derive(Debug)]
pub struct Recording {
    segments: Vec<OpenSegment>,
    blocks: Vec<Block>,
    damage: Vec<Damage>,
    /// The header of the last block, if its content is cut off.
    cut: Option<Header>,
    meta: Meta,
    limits: Limits,
    /// Whether it has its END.
    is_clean: bool,
}

/// A segment's file.
#[derive(Debug)]
struct OpenSegment {
    file: File,
    path: PathBuf,
    number: u32,
    len: u64,
    /// `None` = it is damaged.
    header: Option<SegmentHeader>,
    /// The marker of the recording's blocks; `None` = none was found.
    marker: Option<[u8; 8]>,
}

/// A block whose header is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The segment's place in [`Recording::segments`].
    pub segment: usize,
    /// Where in it the header begins.
    pub offset: u64,
    /// The header.
    pub header: Header,
}

/// Bytes that are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment's place in [`Recording::segments`].
    pub segment: usize,
    /// Where it begins,
    pub offset: u64,
    /// and how long it is.
    pub bytes: u64,
    /// Whether it may be a block that was never finished: it is the last thing in its segment.
    pub is_tail: bool,
}

/// A segment, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Its number.
    pub number: u32,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Why a recording can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file can't be read.
    #[error("{path} can't be read: {error}")]
    Io {
        /// The file.
        path: String,
        /// The kernel's reason.
        error: std::io::Error,
    },
    /// It is something else.
    #[error("{path} is no recording of inspector's: no block of one was found in it")]
    NoRecording {
        /// The file.
        path: String,
    },
    /// It is of a later version.
    #[error(
        "{path} was written in version {version} of the format, and this program reads up to {}: use a later inspector",
        super::block::VERSION
    )]
    Later {
        /// The file.
        path: String,
        /// Its version.
        version: u16,
    },
    /// It has more blocks than the limits allow.
    #[error("{path} has more than {most} blocks: allow more with --most-blocks")]
    TooManyBlocks {
        /// The file.
        path: String,
        /// How many are allowed.
        most: usize,
    },
}

impl Recording {
    /// Opens a recording by the name of any of its segments, and finds its blocks.
    ///
    /// # Errors
    /// [`OpenError`]; damage is none.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, OpenError> {
        let segments = segments::of(path)?;
        let mut recording = Self {
            segments: Vec::new(),
            blocks: Vec::new(),
            damage: Vec::new(),
            cut: None,
            meta: Meta::default(),
            limits,
            is_clean: false,
        };
        for segment in segments {
            let place = recording.segments.len();
            let found = scan::blocks(&segment, place, limits.blocks - recording.blocks.len());
            let found = found.map_err(|error| OpenError::Io {
                path: segment.path.display().to_string(),
                error,
            })?;
            if found.is_cut_short {
                return Err(OpenError::TooManyBlocks {
                    path: segment.path.display().to_string(),
                    most: limits.blocks,
                });
            }
            recording.cut = found.cut;
            recording.blocks.extend(found.blocks);
            recording.damage.extend(found.damage);
            recording.segments.push(segment);
        }
        if recording.blocks.is_empty() {
            return Err(OpenError::NoRecording {
                path: path.display().to_string(),
            });
        }
        // Numbers tell the order, and segments may come from different disks.
        recording.blocks.sort_by_key(|block| block.header.number);
        recording.blocks.dedup_by_key(|block| block.header.number);
        let last = recording.blocks.last();
        recording.is_clean = last.is_some_and(|block| block.header.kind == Kind::End);
        recording.meta = recording.find_meta();
        Ok(recording)
    }

    /// The META, or the END's copy of it.
    fn find_meta(&self) -> Meta {
        let of_kind = |kind| {
            self.blocks
                .iter()
                .filter(move |one| one.header.kind == kind)
        };
        let mut meta: Option<Meta> = None;
        for block in of_kind(Kind::Meta).take(1).chain(of_kind(Kind::End)) {
            let Ok(Content::Meta(found)) = self.content(block) else {
                continue;
            };
            match &mut meta {
                Some(meta) => {
                    meta.totals = found.totals;
                    meta.command_end = found.command_end;
                }
                None => meta = Some(*found),
            }
        }
        meta.unwrap_or_default()
    }

    /// What it is of.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Its blocks, in their order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// What is damaged in the places where blocks begin; damaged content is found by reading it.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Whether it was ended, and not cut off.
    pub fn is_clean(&self) -> bool {
        self.is_clean
    }

    /// Its segments.
    pub fn segments(&self) -> impl Iterator<Item = SegmentFile<'_>> {
        self.segments.iter().map(|segment| SegmentFile {
            path: &segment.path,
            number: segment.number,
            bytes: segment.len,
        })
    }

    /// The time of the first event and that of the last.
    pub fn span(&self) -> (BootTime, BootTime) {
        let told = || {
            let kinds = |kind| matches!(kind, Kind::Events | Kind::Keyframe | Kind::Loss);
            let blocks = self.blocks.iter();
            blocks.filter(move |block| kinds(block.header.kind) && block.header.digest.max_ns > 0)
        };
        let first = told().next().map_or(0, |block| block.header.digest.min_ns);
        let last = told().map(|block| block.header.digest.max_ns).max();
        (BootTime(first), BootTime(last.unwrap_or(first)))
    }

    /// Events in the blocks whose headers are whole.
    pub fn events(&self) -> u64 {
        let events = self.blocks.iter();
        events
            .map(|block| u64::from(block.header.digest.events))
            .sum()
    }
}
