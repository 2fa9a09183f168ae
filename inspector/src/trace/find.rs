//! Finds the next or the last place of a delete, a bad verdict, a gap or any event: by the blocks'
//! digests first, and inside the block by its events.

use std::sync::Arc;

use super::{
    block::{Digest, Kind},
    play::{Player, Position, Until},
    read::{Content, Read, Recording},
};
use crate::{
    event::{Event, What, mark::Declared},
    ledger::LedgerRules,
    pipeline::Pipeline,
    verdict::Judgement,
};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Anything that happened.
    Event,
    /// The end of a delete.
    Delete,
    /// A loss.
    Gap,
    /// A verdict that is no good one: late or retained.
    Verdict,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To earlier ones.
    Back,
    /// To later ones.
    On,
}

/// How a search fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It isn't over.
    NotYet,
    /// Just behind it.
    Here(Position),
    /// There is none.
    Nowhere,
}

/// A search, which is done piece by piece so that nobody waits for it.
#[derive(Debug)]
pub struct Search {
    recording: Arc<Recording>,
    want: Want,
    direction: Direction,
    from: Position,
    /// The block that is looked at next; `None` = there is none.
    block: Option<usize>,
    /// Verdicts are found by judging.
    judged: Option<Judged>,
}

#[derive(Debug)]
struct Judged {
    player: Player,
    pipeline: Pipeline,
    /// The last one before where the search began, or the one that was found.
    last: Option<(Position, Judgement)>,
}

/// Whether a judgement says that something remained.
pub fn is_bad(judgement: &Judgement) -> bool {
    judgement.verdict.is_bad()
}

impl Search {
    /// From a place, which is itself not found.
    pub fn new(
        recording: &Arc<Recording>,
        want: Want,
        direction: Direction,
        from: Position,
    ) -> Self {
        Self {
            recording: Arc::clone(recording),
            want,
            direction,
            from,
            // What is told of missing blocks stands before the block that follows them.
            block: Some(match direction {
                Direction::Back => from.blocks,
                Direction::On => from.blocks.saturating_sub(1),
            }),
            judged: None,
        }
    }

    /// What is looked for.
    pub fn want(&self) -> Want {
        self.want
    }

    /// Which way.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The judgement that was found, where one was looked for.
    pub fn judgement(&self) -> Option<&Judgement> {
        let (_, judgement) = self.judged.as_ref()?.last.as_ref()?;
        Some(judgement)
    }

    /// Goes on: looks into one block, or judges so many events.
    pub fn work(&mut self, events: usize) -> Found {
        if let Some(judged) = &mut self.judged {
            let Some(block) = self.block else {
                return Found::Nowhere;
            };
            let found = judged.work(block, events, self.direction, self.from);
            if found != Found::Nowhere {
                return found;
            }
            self.judged = None;
            self.block = self.beside(block);
        }
        while let Some(block) = self.block {
            if !self.may_be_in(block) {
                self.block = self.beside(block);
                continue;
            }
            if self.want == Want::Verdict {
                self.judged = Some(Judged::new(&self.recording, block));
                return Found::NotYet;
            }
            let places = self.places(block);
            let (from, mut places) = (self.from, places.into_iter());
            let found = match self.direction {
                Direction::On => places.find(|place| *place > from),
                Direction::Back => places.rfind(|place| *place < from),
            };
            if let Some(found) = found {
                return Found::Here(found);
            }
            self.block = self.beside(block);
            return Found::NotYet;
        }
        Found::Nowhere
    }

    fn beside(&self, block: usize) -> Option<usize> {
        match self.direction {
            Direction::Back => block.checked_sub(1),
            Direction::On => (block < self.recording.blocks().len()).then_some(block + 1),
        }
    }

    /// By what the headers say.
    fn may_be_in(&self, place: usize) -> bool {
        let Some(block) = self.recording.blocks().get(place) else {
            return false;
        };
        let Digest {
            events,
            deletes,
            bad_verdicts,
            lost,
            ..
        } = block.header.digest;
        let is_cut = self.recording.missing_before(place) > 0;
        match self.want {
            Want::Event => events > 0 || is_cut || block.header.kind == Kind::Loss,
            Want::Delete => deletes > 0,
            Want::Gap => lost > 0 || is_cut || block.header.kind == Kind::Loss,
            Want::Verdict => bad_verdicts > 0,
        }
    }

    /// All in a block and just before it.
    fn places(&self, place: usize) -> Vec<Position> {
        let mut places = Vec::new();
        let is_told = |want| matches!(want, Want::Event | Want::Gap);
        if is_told(self.want) && self.recording.missing_before(place) > 0 {
            places.push(Position {
                blocks: place,
                is_between: true,
                events: 1,
            });
        }
        let Some(block) = self.recording.blocks().get(place) else {
            return places;
        };
        let behind = |event: usize| Position {
            blocks: place + 1,
            is_between: false,
            events: event + 1,
        };
        match self.recording.content(block) {
            Ok(Content::Events { events, .. }) => {
                let wanted = |(_, event): &(usize, &Event)| match self.want {
                    Want::Delete => is_delete(event),
                    Want::Gap => matches!(event.what, What::Gap(_)),
                    Want::Event | Want::Verdict => event.is_news(),
                };
                let wanted = events.iter().enumerate().filter(wanted);
                places.extend(wanted.map(|(event, _)| behind(event)));
            }
            Err(_) if is_told(self.want) && block.header.digest.events > 0 => {
                places.push(behind(0));
            }
            _ => {}
        }
        places
    }
}

/// Whether a delete ended.
pub fn is_delete(event: &Event) -> bool {
    matches!(&event.what, What::Mark(mark) if mark.what == Declared::DeleteEnd)
}

impl Judged {
    /// As of the last keyframe before a block.
    fn new(recording: &Arc<Recording>, block: usize) -> Self {
        let begin = Position {
            blocks: block + 1,
            ..Position::default()
        };
        Self {
            player: Player::before(recording, begin),
            pipeline: Pipeline::new(LedgerRules::default()),
            last: None,
        }
    }

    /// `Nowhere`: not in this block.
    fn work(&mut self, block: usize, events: usize, direction: Direction, from: Position) -> Found {
        let end = Position {
            blocks: block + 1,
            is_between: true,
            events: 0,
        };
        let end = match direction {
            Direction::Back => end.min(from),
            Direction::On => end,
        };
        // Before it no verdict is of interest, and all can be taken in at once.
        let before = Position {
            blocks: block,
            is_between: true,
            events: usize::MAX,
        };
        for _ in 0..events {
            let read = self.player.next(Until::Position(before), events);
            let read = read.or_else(|| self.player.next(Until::Position(end), 1));
            let batch = match read {
                Some(Read::Batch(batch)) => batch,
                Some(Read::State(state)) => {
                    self.pipeline = *state;
                    continue;
                }
                Some(Read::Note { .. }) => continue,
                None => {
                    let last = self.last.as_ref();
                    return last.map_or(Found::Nowhere, |(place, _)| Found::Here(*place));
                }
            };
            let fallen = self.pipeline.take(&batch);
            let here = self.player.position();
            let bad = fallen.into_iter().find(is_bad);
            if let Some(bad) = bad.filter(|_| here.blocks > block) {
                let is_next = direction == Direction::On && here > from;
                if is_next || (direction == Direction::Back && here < from) {
                    self.last = Some((here, bad));
                }
                if is_next {
                    return Found::Here(here);
                }
            }
            if batch.events.len() > 1 {
                return Found::NotYet;
            }
        }
        Found::NotYet
    }
}

impl Recording {
    /// Events that are missing between a block and the one before it.
    pub(super) fn missing_before(&self, place: usize) -> u64 {
        let Some(before) = place.checked_sub(1) else {
            return 0;
        };
        let is_begun = self.blocks().get(place).is_some();
        if !is_begun {
            return 0;
        }
        let before = &self.blocks()[before].header;
        let end = before.first_event + u64::from(before.digest.events);
        self.events_before(place).saturating_sub(end)
    }
}
