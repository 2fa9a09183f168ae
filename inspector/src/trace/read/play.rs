//! A recording, block by block: its events, what damage has cost, and where to go on from.

use std::sync::Arc;

use super::{Block, Content, ContentError, Recording};
use crate::{
    event::{Batch, BootTime, Event, Gap, What, loss::Layer},
    pipeline::Pipeline,
    trace::{block::Kind, keyframe::KeyframeError},
};

/// What comes next.
#[derive(Debug)]
pub enum Read {
    /// Events.
    Batch(Batch),
    /// Everything that was known at this place, where that can't be told from the events before it:
    /// at the beginning, and after a loss. It takes the place of what is known.
    State(Box<Pipeline>),
    /// A remark of the user's own.
    Note {
        /// When.
        at: BootTime,
        /// It.
        text: String,
    },
}

/// Reads on from a place.
#[derive(Debug)]
pub struct Reads {
    recording: Arc<Recording>,
    next: usize,
    /// What is known can't be told from the events so far.
    wants_state: bool,
    /// The number that the next block has, and that of its first event, where none is missing.
    expected: Option<(u64, u64)>,
    /// The latest time so far.
    latest: BootTime,
    /// What was read last is no block's own.
    is_between: bool,
    /// What was found to be damaged so far.
    damaged: Damaged,
}

/// What can't be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damaged {
    /// Blocks.
    pub blocks: u64,
    /// Events in them.
    pub events: u64,
    /// Keyframes of another version that were passed over.
    pub other_keyframes: u64,
    /// Events of kinds that this version does not know.
    pub unknown_events: u64,
}

impl Recording {
    /// From the beginning.
    pub fn reads(self: &Arc<Self>) -> Reads {
        self.reads_from(0)
    }

    /// From the last place before `at` whose state is known: a keyframe, or the beginning.
    pub fn reads_before(self: &Arc<Self>, at: BootTime) -> Reads {
        let before = |block: &Block| {
            block.header.kind == Kind::Keyframe && block.header.digest.max_ns <= at.0
        };
        let place = self.blocks.iter().rposition(before);
        self.reads_from(place.unwrap_or(0))
    }

    /// From a block of [`Recording::blocks`] on.
    pub fn reads_from(self: &Arc<Self>, place: usize) -> Reads {
        Reads {
            recording: Arc::clone(self),
            next: place,
            wants_state: true,
            expected: None,
            latest: BootTime(0),
            is_between: false,
            damaged: Damaged::default(),
        }
    }
}

impl Reads {
    /// The place in [`Recording::blocks`] of the block that comes next.
    pub fn place(&self) -> usize {
        self.next
    }

    /// Whether what was read last is no block's own: blocks are missing before the one that comes
    /// next.
    pub fn is_between(&self) -> bool {
        self.is_between
    }

    /// The recording.
    pub fn recording(&self) -> &Arc<Recording> {
        &self.recording
    }

    /// What can't be read, so far.
    pub fn damaged(&self) -> Damaged {
        self.damaged
    }

    /// A loss of events whose number is known.
    fn lost(&mut self, events: u64, until: BootTime) -> Option<Read> {
        self.damaged.events += events;
        if events == 0 {
            return None;
        }
        self.wants_state = true;
        Some(gap("event", events, self.latest.min(until), until))
    }

    /// Blocks that are missing before this one.
    fn missing(&mut self, block: &Block) -> Option<Read> {
        let header = &block.header;
        let (number, first_event) = self.expected?;
        self.expected = None;
        self.damaged.blocks += header.number.saturating_sub(number);
        let events = header.first_event.saturating_sub(first_event);
        self.lost(events, BootTime(header.digest.min_ns))
    }

    fn read(&mut self, block: &Block) -> Option<Read> {
        let header = &block.header;
        let until = BootTime(header.digest.max_ns);
        let content = match header.kind {
            // Nothing is gained by it: what is known is told by the events.
            Kind::Keyframe if !self.wants_state => return None,
            Kind::Meta | Kind::End => return None,
            _ => self.recording.content(block),
        };
        let read = match content {
            Ok(Content::Events { events, unknown }) => {
                self.damaged.unknown_events += unknown;
                // What the recorder left out can't be told; a gap of the source is part of it.
                self.wants_state |= header.kind == Kind::Loss;
                Some(Read::Batch(Batch { events }))
            }
            Ok(Content::Keyframe(pipeline)) => {
                self.wants_state = false;
                Some(Read::State(pipeline))
            }
            Ok(Content::Note(text)) => Some(Read::Note { at: until, text }),
            Ok(Content::Meta(_) | Content::Unknown) => None,
            Err(error) => {
                if let ContentError::Keyframe(KeyframeError::OtherVersion(_)) = error {
                    self.damaged.other_keyframes += 1;
                } else {
                    self.damaged.blocks += 1;
                }
                if header.kind == Kind::Keyframe {
                    // What it would have told of the time before it is not known.
                    Some(gap("keyframe", 1, BootTime(0), until))
                } else {
                    self.lost(u64::from(header.digest.events), until)
                }
            }
        };
        self.latest = self.latest.max(until);
        read
    }
}

impl Iterator for Reads {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        let recording = Arc::clone(&self.recording);
        while let Some(block) = recording.blocks.get(self.next) {
            let missing = self.missing(block);
            self.is_between = missing.is_some();
            if missing.is_some() {
                return missing;
            }
            self.next += 1;
            let header = &block.header;
            let events = u64::from(header.digest.events);
            self.expected = Some((header.number + 1, header.first_event + events));
            if let Some(read) = self.read(block) {
                return Some(read);
            }
        }
        None
    }
}

fn gap(kind: &'static str, count: u64, from: BootTime, until: BootTime) -> Read {
    let gap = Gap {
        layer: Layer::File,
        cpu: None,
        lost: vec![(kind, count)],
        from,
        until,
    };
    Read::Batch(Batch {
        events: vec![Event {
            at: until,
            what: What::Gap(Box::new(gap)),
        }],
    })
}
