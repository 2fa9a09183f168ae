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
    /// What the next block tells of itself, where none is missing.
    expected: Option<Expected>,
    /// The latest time so far.
    latest: BootTime,
    /// What was read last is no block's own.
    is_between: bool,
    /// What was found to be damaged so far.
    damaged: Damaged,
    has_ended: bool,
}

/// What a block tells of itself that follows the one before.
#[derive(Clone, Copy, Debug)]
struct Expected {
    number: u64,
    first_event: u64,
    /// Events that the recorder had left out; `None` = not known.
    lost: Option<u64>,
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
        let mut reads = self.reads_from(0);
        reads.expected = self.beginning();
        reads
    }

    /// What its first block is, where none is missing.
    fn beginning(&self) -> Option<Expected> {
        let first = self.segments.first()?;
        let is_first = first.number == 0;
        let (number, first_event) = match first.header {
            Some(header) => (header.first_block, header.first_event),
            None if is_first => (0, 0),
            None => return None,
        };
        Some(Expected {
            number,
            first_event,
            lost: is_first.then_some(0),
        })
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
            has_ended: false,
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

    /// A loss of so many events.
    fn lost(&mut self, events: u64, from: BootTime, until: BootTime) -> Option<Read> {
        if events == 0 {
            return None;
        }
        self.wants_state = true;
        Some(gap("event", events, self.latest.min(from), until))
    }

    /// Blocks that are missing before this one.
    fn missing(&mut self, block: &Block) -> Option<Read> {
        let header = &block.header;
        let expected = self.expected.take()?;
        let blocks = header.number.saturating_sub(expected.number);
        let events = header.first_event.saturating_sub(expected.first_event);
        self.damaged.blocks = self.damaged.blocks.saturating_add(blocks);
        self.damaged.events = self.damaged.events.saturating_add(events);
        // What the recorder left out before is told by a block of its own, which may be missing.
        let before = match header.kind {
            Kind::Loss => header.lost.saturating_sub(u64::from(header.digest.lost)),
            _ => header.lost,
        };
        let untold = expected.lost.map_or(0, |lost| before.saturating_sub(lost));
        let until = BootTime(header.digest.min_ns);
        let is_state_missing = blocks > 0 && self.wants_state && header.kind != Kind::Keyframe;
        match self.lost(events.saturating_add(untold), until, until) {
            None if is_state_missing => Some(gap("keyframe", 1, BootTime(0), until)),
            told => told,
        }
    }

    fn read(&mut self, block: &Block) -> Option<Read> {
        let header = &block.header;
        let (from, until) = (header.digest.min_ns, header.digest.max_ns);
        let (from, until) = (BootTime(from), BootTime(until));
        let read = match self.content(block) {
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
                let is_odd_state = matches!(error, ContentError::Keyframe(_));
                if let ContentError::Keyframe(KeyframeError::OtherVersion(_)) = error {
                    self.damaged.other_keyframes += 1;
                } else {
                    self.damaged.blocks += 1;
                }
                match header.kind {
                    // What it would have told of the time before it is not known.
                    Kind::Keyframe if self.wants_state || is_odd_state => {
                        Some(gap("keyframe", 1, BootTime(0), until))
                    }
                    Kind::Loss => self.lost(u64::from(header.digest.lost), from, until),
                    _ => {
                        let events = u64::from(header.digest.events);
                        self.damaged.events = self.damaged.events.saturating_add(events);
                        self.lost(events, from, until)
                    }
                }
            }
        };
        self.latest = self.latest.max(until);
        read
    }

    /// A block's content. What is not used is looked at all the same: damage is told.
    fn content(&self, block: &Block) -> Result<Content, ContentError> {
        match block.header.kind {
            // What is known is told by the events.
            Kind::Keyframe if !self.wants_state => {
                let whole = self.recording.stored(block);
                whole.map(|_| Content::Unknown)
            }
            _ => self.recording.content(block),
        }
    }

    /// The last block may be damaged, or was never finished: none that follows tells of it.
    fn end(&mut self) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let last = self.recording.segments.len().saturating_sub(1);
        let mut damage = self.recording.damage.iter();
        if damage.any(|damage| damage.is_tail && damage.segment == last) {
            self.damaged.blocks += 1;
            let events = self.recording.cut.map_or(0, |header| header.digest.events);
            self.damaged.events += u64::from(events);
        }
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
            self.expected = Some(Expected {
                number: header.number.saturating_add(1),
                first_event: header.first_event.saturating_add(events),
                lost: Some(header.lost),
            });
            if let Some(read) = self.read(block) {
                return Some(read);
            }
        }
        self.end();
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
