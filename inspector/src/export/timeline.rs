//! A window as a timeline: who lived when, what waited, what was deleted, and what outlived it.
//!
//! | track | what is on it |
//! |---|---|
//! | each thread | its life, its waits within that, execs, findings, deaths that deletes led to |
//! | each number of a descriptor table | the lives of its descriptors |
//! | each key | its entries from store to delete, the delete, the verdicts; beside it what outlived the delete |
//! | each process | how many threads live, how many descriptors are open |
//! | inspector | the window, and what was lost |
//!
//! What was known before a loss, and of which nothing is known after it, is drawn from the ledger
//! before: with headings of its own, and up to the loss.

mod args;
mod counters;
mod handles;
mod keys;
mod losses;
mod painter;
mod seen;
mod threads;
pub(super) mod verdict;

use std::io;

use self::{painter::Painter, seen::Seen};
use super::{
    Subject, Totals,
    canvas::{Arg, Canvas, Category, Drawn, Title},
    past::{Era, Ledgers},
};
use crate::event::{id::BootTime, text::Text};

/// Draws a window into a file.
pub(super) fn draw(
    subject: Subject<'_>,
    canvas: &mut dyn Canvas,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let Subject {
        pipeline,
        reads,
        since,
        until,
        most_bytes,
        boot_wall_ns,
        host,
        command,
    } = subject;
    let window = Window { since, until };
    let mut ledgers = Ledgers::new(pipeline, most_bytes);
    let mut seen = Seen::take(&mut ledgers, reads, window, progress)?;
    let host = Text::from(host.into_bytes()).to_string();
    canvas.open(&Title {
        since,
        boot_wall_ns,
        host: &host,
    })?;
    let mut painter = Painter::new(Era::now(ledgers.now.ledger()), window, canvas);
    let top = painter.group(None, "inspector")?;
    let lane = painter.lane(top, "window", 0)?;
    let mut args = vec![
        ("host", Arg::word(&host)),
        ("events", Arg::Number(seen.events)),
    ];
    if let Some(command) = command {
        args.push(("command", Arg::text(Text::from(command.into_bytes()))));
    }
    let drawn = Drawn::new("window", Category::Window, &args);
    painter.slice(lane, Life::whole(window), &drawn)?;
    for (era, heard) in ledgers.eras().zip(&mut seen.heard) {
        painter.turn_to(era, window);
        let fates = keys::draw(&mut painter)?;
        threads::draw(&mut painter, heard, &fates)?;
        handles::draw(&mut painter, &fates)?;
    }
    painter.turn_to(Era::now(ledgers.now.ledger()), window);
    counters::draw(&mut painter)?;
    losses::draw(&mut painter, top, &seen.gaps)?;
    painter.close(seen.events)
}

/// The time that is drawn, both ends included.
#[derive(Clone, Copy, Debug)]
struct Window {
    since: BootTime,
    until: BootTime,
}

/// The part of a life that lies in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Life {
    from: BootTime,
    until: BootTime,
    /// It does not end in the window.
    lives_on: bool,
}

impl Window {
    /// `None` = it lies before or behind the window.
    fn part_of(self, from: BootTime, until: Option<BootTime>) -> Option<Life> {
        if from > self.until || until.is_some_and(|until| until < self.since) {
            return None;
        }
        let from = from.max(self.since);
        Some(Life {
            from,
            until: until.map_or(self.until, |until| until.clamp(from, self.until)),
            lives_on: until.is_none_or(|until| until > self.until),
        })
    }

    fn has(self, at: BootTime) -> bool {
        (self.since..=self.until).contains(&at)
    }
}

impl Life {
    fn whole(window: Window) -> Self {
        Self {
            from: window.since,
            until: window.until,
            lives_on: true,
        }
    }
}
