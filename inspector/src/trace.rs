//! The recording: an append-only log of blocks that survives kills, full disks and damage.
//!
//! A recording is one or more segments, each a file of its own: a [`block::SegmentHeader`], then
//! blocks, each a [`block::Header`] and its content. Damage costs the blocks it hits and no others:
//! every header and every content has its checksum, and each header begins with the recording's own
//! marker, by which the next block is found. Old bytes are never written again.
//!
//! | block | content |
//! |---|---|
//! | META | a [`meta::Meta`] as JSON: first in each segment |
//! | KEYFRAME | everything that is known, as of its place: where reading can begin ([`keyframe`]) |
//! | EVENTS | rows ([`row`]), one an event |
//! | LOSS | a row of a gap: what the recorder could not keep |
//! | NOTE | the user's own remarks |
//! | END | the [`meta::Meta`] once more, with totals: only after a clean end |
//!
//! [`mod@write`] makes one, [`read`] reads it, [`play`] goes to and fro in it, [`find`] finds places in it
//! and [`timeline`] is what it looks like from afar. Nothing but the rows' kinds and fields, the headers and
//! the names in the META and END is promised to later versions; a keyframe of another version is passed over,
//! and what it would have told is replayed from the events before it.

#![forbid(unsafe_code)]

pub mod at;
pub mod block;
pub(crate) mod field;
pub mod find;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod index;
pub mod keyframe;
pub mod meta;
pub mod play;
pub mod read;
pub mod redact;
pub mod row;
#[cfg(test)]
pub(crate) mod tests;
pub mod timeline;
pub mod write;
