//! Goes to and fro in a recording: forward event by event, back by beginning again at a keyframe.
//!
//! The player knows nothing of what is known: it hands out what there is to take in, and whoever
//! takes it in has what live had. Going back is [`Player::begin_before`], which says that what is
//! known is void, and going forward again.

use std::sync::Arc;

use super::{
    block::Kind,
    read::{Block, Damaged, Read, Reads, Recording},
};
use crate::{
    event::{Batch, BootTime, Event},
    pipeline::Pipeline,
};

/// A place between two events. Later places compare as greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Blocks that were begun.
    pub blocks: usize,
    /// Behind them, where blocks are missing.
    pub is_between: bool,
    /// Events taken of the last block, or of what is told of missing ones.
    pub events: usize,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// To the last event before the first one that is after this. Events aren't strictly in the
    /// order of their times.
    Time(BootTime),
    /// To here.
    Position(Position),
}

impl Until {
    /// To the end.
    pub const END: Self = Self::Time(BootTime(u64::MAX));
}

/// A place in a recording, and what comes next.
#[derive(Debug)]
pub struct Player {
    reads: Reads,
    /// What was known where it began.
    state: Option<Box<Pipeline>>,
    /// The rest of the block that was begun.
    events: std::vec::IntoIter<Event>,
    position: Position,
    /// Nothing was read yet: what comes next is what is known at the beginning.
    is_fresh: bool,
}

/// A keyframe is gone back to from so many events before the place that is wanted, where there is
/// one: the latest events, the rates and who died lately are known there then.
pub(crate) const WARM: u64 = 20_000;
/// Keyframes that are tried, of damaged ones, before all begins at the beginning.
const TRIED: usize = 4;
/// And going forward by more than this many events begins at a keyframe.
const FAR: u64 = 60_000;

impl Player {
    /// At the beginning.
    pub fn new(recording: &Arc<Recording>) -> Self {
        Self::of(recording.reads())
    }

    fn of(reads: Reads) -> Self {
        let position = Position {
            blocks: reads.place(),
            ..Position::default()
        };
        Self {
            reads,
            state: None,
            events: Vec::new().into_iter(),
            position,
            is_fresh: true,
        }
    }

    /// At the last of these keyframes that can be read; else at the beginning.
    fn at_keyframe(recording: &Arc<Recording>, places: impl Iterator<Item = usize>) -> Self {
        let mut places: Vec<_> = places.collect();
        for place in places.drain(..).rev().take(TRIED) {
            let mut player = Self::of(recording.reads_from(place));
            if let Some(Read::State(state)) = player.reads.next() {
                player.position.blocks = player.reads.place();
                player.state = Some(state);
                return player;
            }
        }
        Self::new(recording)
    }

    /// From the last keyframe before here.
    pub(super) fn before(recording: &Arc<Recording>, place: Position) -> Self {
        let last = recording.last_keyframe(Until::Position(place));
        Self::at_keyframe(recording, recording.keyframes_until(last))
    }

    /// The recording.
    pub fn recording(&self) -> &Arc<Recording> {
        self.reads.recording()
    }

    /// Where it is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What can't be read, of what was read so far.
    pub fn damaged(&self) -> Damaged {
        self.reads.damaged()
    }

    /// What comes next, of events at most so many; `None` = nothing more comes until there.
    pub fn next(&mut self, until: Until, most: usize) -> Option<Read> {
        if let Some(state) = self.state.take() {
            self.is_fresh = false;
            return Some(Read::State(state));
        }
        loop {
            if let Some(batch) = self.of_block(until, most) {
                return Some(batch);
            }
            if self.events.len() > 0 || !self.may_begin(until) {
                return None;
            }
            let read = self.reads.next()?;
            self.is_fresh = false;
            self.position = Position {
                blocks: self.reads.place(),
                is_between: self.reads.is_between(),
                events: 0,
            };
            match read {
                Read::Batch(batch) => self.events = batch.events.into_iter(),
                other => return Some(other),
            }
        }
    }

    /// More of the block that was begun.
    fn of_block(&mut self, until: Until, most: usize) -> Option<Read> {
        let rest = self.events.as_slice();
        let most = most.min(rest.len());
        let count = match until {
            Until::Time(time) => {
                let within = rest[..most].iter().take_while(|event| event.at <= time);
                within.count()
            }
            Until::Position(place) => {
                let here = self.position;
                let is_in_it = (here.blocks, here.is_between) == (place.blocks, place.is_between);
                match here.cmp(&place) {
                    std::cmp::Ordering::Less if is_in_it => most.min(place.events - here.events),
                    std::cmp::Ordering::Less => most,
                    _ => 0,
                }
            }
        };
        if count == 0 {
            return None;
        }
        self.position.events += count;
        let events = self.events.by_ref().take(count).collect();
        Some(Read::Batch(Batch { events }))
    }

    /// Whether what comes next is not after what is wanted, by the header of its block.
    fn may_begin(&self, until: Until) -> bool {
        match until {
            Until::Position(place) => self.position < place || self.is_fresh,
            Until::Time(time) => {
                let blocks = &self.recording().blocks()[self.reads.place()..];
                let next = blocks.iter().find(|block| tells(block));
                self.is_fresh || next.is_none_or(|block| block.header.digest.min_ns <= time.0)
            }
        }
    }

    /// Whether there is nothing behind here.
    pub fn is_at_end(&self) -> bool {
        let blocks = &self.recording().blocks()[self.reads.place()..];
        self.events.len() == 0 && !blocks.iter().any(tells)
    }

    /// A player from which `until` is reached by going on, and by less than from here: for what is
    /// behind, and for what is far and has a keyframe before it. `None` = go on from here.
    ///
    /// What is known is void then: the first thing that comes takes its place.
    pub fn begin_before(&self, until: Until, now: BootTime) -> Option<Self> {
        let is_back = match until {
            Until::Time(time) => time < now,
            Until::Position(place) => place < self.position,
        };
        let recording = self.recording();
        let last = recording.last_keyframe(until);
        let (last_event, here) = (recording.events_before(last), self.event());
        if !is_back && last_event <= here + FAR {
            return None;
        }
        let enough = recording.event_at(until).saturating_sub(WARM);
        let is_warm = |place: &usize| recording.events_before(*place) <= enough;
        let places = recording.keyframes_until(last).filter(is_warm);
        // Without one so early the beginning is near enough.
        Some(Self::at_keyframe(recording, places))
    }

    /// How many events of the recording are before here.
    pub fn event(&self) -> u64 {
        if self.position.is_between || self.position.blocks == 0 {
            return self.recording().events_before(self.position.blocks);
        }
        self.recording().events_before(self.position.blocks - 1) + self.position.events as u64
    }
}

/// Whether a block has anything that is handed out.
fn tells(block: &Block) -> bool {
    !matches!(block.header.kind, Kind::Meta | Kind::End | Kind::Other(_))
}

impl Recording {
    /// How many events are in the blocks before this one, missing ones among them.
    pub fn events_before(&self, place: usize) -> u64 {
        match (self.blocks().get(place), self.blocks().last()) {
            (Some(block), _) => block.header.first_event,
            (None, Some(last)) => last.header.first_event + u64::from(last.header.digest.events),
            (None, None) => 0,
        }
    }

    /// How many events are before the block of a place, or of a time.
    pub fn event_at(&self, until: Until) -> u64 {
        self.events_before(match until {
            Until::Time(time) => self.block_at(time),
            Until::Position(place) => place.blocks.saturating_sub(1),
        })
    }

    /// The place of the block in which a time is, or of the last one before it.
    fn block_at(&self, time: BootTime) -> usize {
        let blocks = self.blocks();
        let before = |block: &Block| tells(block) && block.header.digest.min_ns <= time.0;
        blocks.iter().rposition(before).unwrap_or(0)
    }

    /// The places of the keyframes up to this place.
    fn keyframes_until(&self, last: usize) -> impl Iterator<Item = usize> {
        let blocks = self.blocks().iter().enumerate().take(last + 1);
        let keyframes = blocks.filter(|(_, block)| block.header.kind == Kind::Keyframe);
        keyframes.map(|(place, _)| place)
    }

    /// The place of the last keyframe that is not after what is wanted; 0 = there is none.
    fn last_keyframe(&self, until: Until) -> usize {
        let is_before = |(place, block): (usize, &Block)| {
            block.header.kind == Kind::Keyframe
                && match until {
                    Until::Time(time) => block.header.digest.max_ns <= time.0,
                    Until::Position(position) => place < position.blocks,
                }
        };
        let mut blocks = self.blocks().iter().enumerate();
        blocks
            .rfind(|&found| is_before(found))
            .map_or(0, |(place, _)| place)
    }
}
