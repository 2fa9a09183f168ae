//! The hand that draws: it numbers tracks, gives each process its own, and counts what is drawn.

use std::io;

use rustc_hash::FxHashMap;

use super::{Life, Window};
use crate::{
    event::{
        id::{BootTime, Tgid},
        text::Text,
    },
    export::{
        Totals,
        canvas::{Canvas, Drawn, Shape, Track, TrackId},
        past::Era,
    },
    ledger::{Ledger, arena::Key, process::Process, thread::Thread},
};

/// What is drawn from, and into.
pub(super) struct Painter<'a> {
    pub(super) era: Era<'a>,
    /// The era's.
    pub(super) ledger: &'a Ledger,
    /// Up to the era's end.
    pub(super) window: Window,
    /// What the counters go by, each with its process's track.
    pub(super) lives: Vec<(TrackId, Counted, Life)>,
    canvas: &'a mut dyn Canvas,
    totals: Totals,
    flows: u64,
    /// By their numbers and births: one process has another place in each ledger.
    processes: FxHashMap<Option<(Tgid, BootTime)>, TrackId>,
    leaders: FxHashMap<Key<Process>, &'a Thread>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counted {
    Threads,
    Handles,
}

impl<'a> Painter<'a> {
    pub(super) fn new(era: Era<'a>, window: Window, canvas: &'a mut dyn Canvas) -> Self {
        Self {
            era,
            ledger: era.ledger,
            window,
            lives: Vec::new(),
            canvas,
            totals: Totals::default(),
            flows: 0,
            processes: FxHashMap::default(),
            leaders: era.ledger.leaders(),
        }
    }

    /// Draws from this ledger from now on: the window's part up to its end.
    pub(super) fn turn_to(&mut self, era: Era<'a>, window: Window) {
        self.era = era;
        self.ledger = era.ledger;
        self.leaders = era.ledger.leaders();
        let ended = era.ended().map(|ended| ended.latest);
        self.window = Window {
            until: ended.map_or(window.until, |ended| {
                ended.clamp(window.since, window.until)
            }),
            ..window
        };
    }

    /// A process's own track.
    pub(super) fn process(&mut self, process: Key<Process>) -> io::Result<TrackId> {
        let record = self.ledger.process(process);
        let who = record.map(|record| (record.tgid, record.born.latest));
        if let Some(&track) = self.processes.get(&who) {
            return Ok(track);
        }
        let name = self.leaders.get(&process).map(|leader| leader.comm);
        let command = record.and_then(|record| record.facts.as_ref()?.limits.command.as_ref());
        let words: Vec<String> = command.map_or_else(Vec::new, |command| {
            let words = command.bytes().split(|&byte| byte == 0);
            let words = words.filter(|word| !word.is_empty());
            words.map(|word| Text::from(word).to_string()).collect()
        });
        let shape = match record {
            Some(record) => Shape::Process {
                pid: record.tgid,
                command: &words,
            },
            None => Shape::Group,
        };
        let name = name.map_or_else(String::new, |name| name.to_string());
        let track = self.track(None, self.window.since, &name, shape)?;
        self.processes.insert(who, track);
        Ok(track)
    }

    /// A heading.
    pub(super) fn group(&mut self, parent: Option<TrackId>, name: &str) -> io::Result<TrackId> {
        self.track(parent, self.window.since, name, Shape::Group)
    }

    /// A heading within a process's track. What is not known any more has one of its own.
    pub(super) fn heading(&mut self, process: TrackId, name: &str) -> io::Result<TrackId> {
        match self.era.ended() {
            None => self.group(Some(process), name),
            Some(_) => self.group(Some(process), &format!("{name}, until events were lost")),
        }
    }

    /// A place for slices.
    pub(super) fn lane(&mut self, parent: TrackId, name: &str, rank: u32) -> io::Result<TrackId> {
        self.track(Some(parent), self.window.since, name, Shape::Lane { rank })
    }

    pub(super) fn track(
        &mut self,
        parent: Option<TrackId>,
        from: BootTime,
        name: &str,
        shape: Shape<'_>,
    ) -> io::Result<TrackId> {
        self.totals.tracks += 1;
        let id = TrackId(self.totals.tracks);
        self.canvas.track(&Track {
            id,
            parent,
            from,
            name,
            shape,
        })?;
        Ok(id)
    }

    /// A slice with nothing within it.
    pub(super) fn slice(
        &mut self,
        track: TrackId,
        life: Life,
        drawn: &Drawn<'_>,
    ) -> io::Result<()> {
        self.begin(track, life, drawn)?;
        self.end(track, life)
    }

    /// A slice begins; what is drawn on its track until its end is within it.
    pub(super) fn begin(
        &mut self,
        track: TrackId,
        life: Life,
        drawn: &Drawn<'_>,
    ) -> io::Result<()> {
        self.totals.slices += 1;
        self.canvas.begin(track, life.from, life.until, drawn)
    }

    pub(super) fn end(&mut self, track: TrackId, life: Life) -> io::Result<()> {
        self.canvas.end(track, life.until)
    }

    pub(super) fn instant(
        &mut self,
        track: TrackId,
        at: BootTime,
        drawn: &Drawn<'_>,
    ) -> io::Result<()> {
        self.totals.instants += 1;
        self.totals.flows += u64::from(drawn.led_by.is_some());
        self.canvas.instant(track, at, drawn)
    }

    pub(super) fn counter(&mut self, track: TrackId, at: BootTime, value: u64) -> io::Result<()> {
        self.totals.counters += 1;
        self.canvas.counter(track, at, value)
    }

    /// So many events were lost.
    pub(super) fn lost(&mut self, events: u64) {
        self.totals.lost = self.totals.lost.saturating_add(events);
    }

    /// A flow's number.
    pub(super) fn new_flow(&mut self) -> u64 {
        self.flows += 1;
        self.flows
    }

    /// The end of everything.
    pub(super) fn close(self, events: u64) -> io::Result<Totals> {
        self.canvas.close(self.totals.lost)?;
        Ok(Totals {
            events,
            ..self.totals
        })
    }
}
