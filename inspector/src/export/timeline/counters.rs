//! Counters: how many threads live and how many descriptors are open, of each process and of all.

use std::io;

use super::painter::{Counted, Painter};
use crate::{
    event::id::BootTime,
    export::canvas::{Shape, TrackId},
};

/// A birth, or a death.
type Step = (Counted, BootTime, bool);

/// Draws the counters from the lives that were drawn.
pub(super) fn draw(painter: &mut Painter<'_>) -> io::Result<()> {
    let lives = std::mem::take(&mut painter.lives);
    let mut steps: Vec<(TrackId, Step)> = Vec::with_capacity(lives.len() * 2);
    for (process, of, life) in lives {
        steps.push((process, (of, life.from, true)));
        if !life.lives_on {
            steps.push((process, (of, life.until, false)));
        }
    }
    steps.sort_unstable_by_key(|&(process, (of, at, _))| (process.0, of, at));
    for steps in steps.chunk_by(|one, other| (one.0, one.1.0) == (other.0, other.1.0)) {
        count(painter, Some(steps[0].0), "live", steps)?;
    }
    steps.sort_unstable_by_key(|&(_, (of, at, _))| (of, at));
    for steps in steps.chunk_by(|one, other| one.1.0 == other.1.0) {
        count(painter, None, "all live", steps)?;
    }
    Ok(())
}

fn count(
    painter: &mut Painter<'_>,
    parent: Option<TrackId>,
    which: &str,
    steps: &[(TrackId, Step)],
) -> io::Result<()> {
    let what = match steps[0].1.0 {
        Counted::Threads => "threads",
        Counted::Handles => "handles",
    };
    let track = painter.track(
        parent,
        painter.window.since,
        &format!("{which} {what}"),
        Shape::Counter,
    )?;
    let mut live = 0_u64;
    for at_once in steps.chunk_by(|one, other| one.1.1 == other.1.1) {
        let born = at_once.iter().filter(|(_, (_, _, born))| *born).count();
        let died = at_once.len() - born;
        live = (live + born as u64).saturating_sub(died as u64);
        painter.counter(track, at_once[0].1.1, live)?;
    }
    Ok(())
}
