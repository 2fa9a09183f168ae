//! What happens when there is no room: the recording ends, the oldest segment goes, or nothing is
//! written until there is room again. What is lost is counted and told.

use std::{
    io,
    time::{Duration, Instant},
};

use super::{Goes, Piece, RING_SEGMENTS, Writer};
use crate::{
    duration::as_ns,
    event::Gap,
    trace::write::{Options, WhenFull, lock, merge},
};

/// How often a full disk is looked at again.
const RETRY: Duration = Duration::from_secs(1);

impl Options {
    /// Whether the oldest makes room for the latest.
    pub(super) fn is_ring(&self) -> bool {
        self.when_full == WhenFull::Ring || self.flight.is_some()
    }
}

impl Writer {
    /// Asks for the next segment where this one is full, and drops what is beyond the bounds.
    pub(super) fn hold_bounds(&mut self, piece: &Piece) -> io::Result<Goes> {
        if self.is_segment_full() {
            lock(&self.shared).wants_keyframe = true;
        }
        if let Some(flight) = self.options.flight {
            let now = self.segments.back().map_or(0, |last| last.ended_ns);
            let oldest_kept = now.saturating_sub(as_ns(flight));
            while self.segments.len() > 1 && self.segments[0].ended_ns < oldest_kept {
                self.drop_oldest()?;
            }
        }
        let Some(most) = self.options.most_bytes else {
            return Ok(Goes::On);
        };
        let bytes = |writer: &Self| writer.segments.iter().map(|one| one.bytes).sum::<u64>();
        if self.options.is_ring() && self.can_roll {
            while bytes(self) > most && self.segments.len() > 1 {
                self.drop_oldest()?;
            }
            if bytes(self) > most {
                // The next segment takes its place.
                lock(&self.shared).wants_keyframe = true;
            }
        } else if bytes(self) > most {
            self.end(piece.at())?;
            lock(&self.shared).progress.halted =
                Some("the recording is as large as it may be (--max-size)".to_owned());
            return Ok(Goes::Over);
        }
        Ok(Goes::On)
    }

    fn drop_oldest(&mut self) -> io::Result<()> {
        if let Some(oldest) = self.segments.pop_front() {
            self.place.drop_segment(oldest.number)?;
        }
        Ok(())
    }

    /// The disk is full.
    pub(super) fn full(&mut self, piece: Piece, why: &str) -> io::Result<Goes> {
        if self.options.is_ring() && self.makes_room(&piece)? {
            return self.piece(piece);
        }
        if self.options.when_full == WhenFull::Pause {
            lock(&self.shared).progress.halted = Some(format!("paused: {why}"));
            self.leave_out(&piece);
            return Ok(Goes::On);
        }
        // What follows is lost as well; that the recording ends here says so.
        self.count_lost(&piece);
        if let Some(gap) = piece.as_lost() {
            self.loss(&gap)?;
        }
        self.end(piece.at())?;
        Err(io::Error::new(io::ErrorKind::StorageFull, why))
    }

    /// Whether something went that can be done without.
    fn makes_room(&mut self, piece: &Piece) -> io::Result<bool> {
        if self.segments.len() > 1 {
            self.drop_oldest()?;
            return Ok(true);
        }
        // The only one makes room for the next, if it holds more than its META; from now on there
        // are several.
        let holds_something = self.block > self.header.first_block + 1;
        if self.segment.is_none() || !holds_something || !self.can_roll {
            return Ok(false);
        }
        let bytes = self.segments.back().map_or(0, |last| last.bytes);
        let most = self.options.segment_bytes.min(bytes / RING_SEGMENTS);
        self.options.segment_bytes = most;
        if let Some(segment) = &mut self.segment {
            // It gives back what it had reserved: the next one begins with that.
            segment.finish();
        }
        let number = self.header.number + 1;
        if self.begin(number, piece.at().0, true).is_err() {
            return Ok(false);
        }
        self.drop_oldest()?;
        lock(&self.shared).wants_keyframe = true;
        Ok(true)
    }

    /// Counts what is lost with a piece, unless it was counted before.
    pub(super) fn count_lost(&self, piece: &Piece) {
        if let Piece::Events(block) = piece {
            lock(&self.shared).progress.lost += block.as_lost().total();
        }
    }

    fn leave_out(&mut self, piece: &Piece) {
        self.count_lost(piece);
        let Some(gap) = piece.as_lost() else { return };
        match &mut self.unwritten {
            Some((earlier, _)) => merge(earlier, &gap),
            None => self.unwritten = Some((gap, Instant::now() + RETRY)),
        }
    }

    /// Whether nothing is written at the moment, so that the piece is left out. What was lost is
    /// told before anything else is written.
    pub(super) fn is_paused(&mut self, piece: &Piece) -> io::Result<bool> {
        let Some((gap, mut again)) = self.unwritten.take() else {
            return Ok(false);
        };
        let is_wanted = matches!(piece, Piece::End(..) | Piece::Note(..) | Piece::Save(..));
        if is_wanted || Instant::now() >= again {
            // The reserve is there for this: whether there is more, the next block shows.
            match self.loss(&gap) {
                Ok(()) => {
                    let mut shared = lock(&self.shared);
                    shared.wants_keyframe = true;
                    shared.progress.halted = None;
                    return Ok(false);
                }
                Err(error) if is_full(&error) && !matches!(piece, Piece::End(..)) => {
                    again = Instant::now() + RETRY;
                }
                Err(error) => return Err(error),
            }
        }
        self.unwritten = Some((gap, again));
        self.leave_out(piece);
        Ok(true)
    }
}

impl Piece {
    /// What is lost with it.
    fn as_lost(&self) -> Option<Gap> {
        match self {
            Self::Events(block) => Some(block.as_lost()),
            Self::Loss(gap) => Some(gap.clone()),
            _ => None,
        }
    }
}

pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
