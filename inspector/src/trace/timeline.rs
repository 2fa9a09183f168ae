//! A recording from afar: what lived when, and where deletes, bad verdicts, gaps and notes are.

use std::sync::Arc;

use super::{
    block::Kind,
    find::{is_bad, is_delete},
    play::{Player, Until},
    read::{Content, Read, Recording},
};
use crate::{
    event::{Batch, BootTime, What},
    ledger::LedgerRules,
    pipeline::Pipeline,
};

/// Up to so many events all of them are read, and every mark stands at its own time; beyond, the
/// blocks' headers tell, to the quarter of a second.
const EXACT: u64 = 100_000;

/// It.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The time of the first event.
    pub from: BootTime,
    /// And that of the last.
    pub until: BootTime,
    lives: Vec<(BootTime, Lives)>,
    marks: Vec<(BootTime, Mark)>,
    /// The user's own remarks.
    pub notes: Vec<(BootTime, String)>,
}

/// What lived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lives {
    /// Threads.
    pub threads: u32,
    /// Open handles.
    pub handles: u32,
}

/// What is marked. Where several fall together, the last of these is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The end of a delete.
    Delete,
    /// A remark of the user's own.
    Note,
    /// A verdict that is no good one.
    Verdict,
    /// A loss.
    Gap,
}

/// A stretch of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The most that lived; `None` = nothing is known of so early a time.
    pub lives: Option<Lives>,
    /// What is marked in it.
    pub mark: Option<Mark>,
}

impl Timeline {
    /// Of a recording.
    pub fn of(recording: &Arc<Recording>) -> Self {
        let (from, until) = recording.span();
        let mut timeline = Self {
            from,
            until,
            ..Self::default()
        };
        timeline.find_notes(recording);
        if recording.events() <= EXACT {
            timeline.read(recording);
        } else {
            timeline.glance(recording);
        }
        timeline
    }

    fn find_notes(&mut self, recording: &Recording) {
        let blocks = recording.blocks().iter();
        for block in blocks.filter(|block| block.header.kind == Kind::Note) {
            if let Ok(Content::Note(text)) = recording.content(block) {
                let at = BootTime(block.header.digest.max_ns);
                self.notes.push((at, text));
                self.marks.push((at, Mark::Note));
            }
        }
    }

    /// Whether a delete ended in it.
    pub fn has_deletes(&self) -> bool {
        self.marks.iter().any(|(_, mark)| *mark == Mark::Delete)
    }

    fn read(&mut self, recording: &Arc<Recording>) {
        let mut player = Player::new(recording);
        let mut pipeline = Pipeline::new(LedgerRules::default());
        while let Some(read) = player.next(Until::END, 1) {
            match read {
                Read::Batch(batch) => self.take(&batch, &mut pipeline),
                Read::State(state) => pipeline = *state,
                Read::Note { .. } => {}
            }
            let now = pipeline.ledger().now();
            let (threads, handles) = pipeline.ledger().live();
            self.lived(now, Lives { threads, handles });
        }
    }

    fn take(&mut self, batch: &Batch, pipeline: &mut Pipeline) {
        let fallen = pipeline.take(batch);
        let now = pipeline.ledger().now();
        for event in &batch.events {
            if is_delete(event) {
                self.marks.push((now, Mark::Delete));
            }
            if matches!(event.what, What::Gap(_)) {
                self.marks.push((now, Mark::Gap));
            }
        }
        if fallen.iter().any(is_bad) {
            self.marks.push((now, Mark::Verdict));
        }
    }

    fn glance(&mut self, recording: &Recording) {
        for (place, block) in recording.blocks().iter().enumerate() {
            let digest = &block.header.digest;
            let at = BootTime(digest.max_ns);
            if recording.missing_before(place) > 0 {
                self.marks.push((BootTime(digest.min_ns), Mark::Gap));
            }
            match block.header.kind {
                Kind::Events | Kind::Keyframe => self.lived(
                    at,
                    Lives {
                        threads: digest.threads,
                        handles: digest.handles,
                    },
                ),
                Kind::Loss => self.marks.push((at, Mark::Gap)),
                Kind::Note | Kind::Meta | Kind::End | Kind::Other(_) => continue,
            }
            if digest.deletes > 0 {
                self.marks.push((at, Mark::Delete));
            }
            if digest.bad_verdicts > 0 {
                self.marks.push((at, Mark::Verdict));
            }
            if digest.lost > 0 {
                self.marks.push((at, Mark::Gap));
            }
        }
    }

    fn lived(&mut self, at: BootTime, lives: Lives) {
        if self.lives.last().is_none_or(|(_, last)| *last != lives) {
            self.lives.push((at, lives));
        }
    }

    /// Its length.
    pub fn span_ns(&self) -> u64 {
        self.until.since_ns(self.from)
    }

    /// The column of a time, where there are so many.
    pub fn column(&self, at: BootTime, columns: usize) -> usize {
        let last = columns.saturating_sub(1);
        let passed = u128::from(at.since_ns(self.from)) * last as u128;
        let column = passed / u128::from(self.span_ns().max(1));
        usize::try_from(column).unwrap_or(last).min(last)
    }

    /// The time at which a column begins.
    pub fn time(&self, column: usize, columns: usize) -> BootTime {
        let last = columns.saturating_sub(1).max(1);
        if column >= last {
            return self.until;
        }
        let passed = u128::from(self.span_ns()) * column as u128;
        let passed = passed.div_ceil(last as u128);
        self.from.plus_ns(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// All of it in so many columns.
    pub fn columns(&self, columns: usize) -> Vec<Column> {
        let mut found = vec![Column::default(); columns];
        if columns == 0 {
            return found;
        }
        let mut lasts = vec![None; columns];
        for &(at, lives) in &self.lives {
            let column = self.column(at, columns);
            let most = found[column].lives.get_or_insert(lives);
            most.threads = most.threads.max(lives.threads);
            most.handles = most.handles.max(lives.handles);
            lasts[column] = Some(lives);
        }
        for &(at, mark) in &self.marks {
            let column = &mut found[self.column(at, columns)];
            column.mark = column.mark.max(Some(mark));
        }
        // What lived at the end of one lives at the beginning of the next.
        let mut last: Option<Lives> = None;
        for (column, ends) in found.iter_mut().zip(lasts) {
            column.lives = match (column.lives, last) {
                (Some(own), Some(before)) => Some(Lives {
                    threads: own.threads.max(before.threads),
                    handles: own.handles.max(before.handles),
                }),
                (own, before) => own.or(before),
            };
            last = ends.or(last);
        }
        found
    }
}
