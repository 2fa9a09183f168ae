//! A recording on the screen: where in it the screen is, and how it gets from there to where it is
//! asked to be, piece by piece, so that nobody waits for it.

pub mod goto;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::world::World;
use crate::{
    event::{Batch, BootTime, text::Text},
    trace::{
        find::{Direction, Found, Search, Want},
        play::{Player, Until, WARM},
        read::{Read, Recording},
        timeline::{Column, Timeline},
    },
    verdict::Judgement,
};

/// How fast it can be played, in hundredths.
pub const SPEEDS: [u32; 10] = [10, 25, 50, 100, 200, 500, 1000, 2500, 5000, 10_000];
/// As it was.
const AS_IT_WAS: usize = 3;

/// A recording that is looked at.
#[derive(Debug)]
pub struct Replay {
    /// The file.
    pub file: Text,
    /// What it looks like from afar.
    pub timeline: Timeline,
    /// The same, in as many columns as the scrubber has.
    pub columns: Vec<Column>,
    /// The recorded time that is shown.
    pub at: BootTime,
    /// The number of the speed in [`SPEEDS`].
    pub speed: usize,
    /// Whether time passes.
    pub is_playing: bool,
    /// Since when what happened is known: a jump begins at a keyframe, which tells what lived there
    /// and not what came before.
    pub since: BootTime,
    /// Whether the mouse holds the place.
    pub is_held: bool,
    player: Player,
    task: Option<Task>,
}

/// What is to be done before time passes again.
#[derive(Debug)]
enum Task {
    /// Find a place.
    Search(Box<Search>),
    /// Go to one.
    Go(Box<Go>),
    /// Play until then.
    Play(BootTime),
}

/// A way to a place.
#[derive(Debug)]
struct Go {
    until: Until,
    /// Where it began, and where it leads, in events.
    span: (u64, u64),
    /// What was looked for and is found there.
    found: Option<(Want, Option<Box<Judgement>>)>,
    /// What is known on the way, where it doesn't lead on from what is shown.
    aside: Option<(World, Player, BootTime)>,
}

/// What came of some work.
#[derive(Debug, PartialEq, Eq)]
pub enum Worked {
    /// It goes on.
    On,
    /// The time that was asked for is shown.
    Arrived,
    /// What was looked for is shown; of a verdict the judgement.
    Found(Want, Option<Box<Judgement>>),
    /// There is no such place.
    Nowhere(Want, Direction),
}

impl Replay {
    /// At its beginning, which is shown as soon as work is done.
    pub fn new(recording: &Arc<Recording>, file: Text) -> Self {
        let timeline = Timeline::of(recording);
        let mut replay = Self {
            file,
            columns: Vec::new(),
            at: timeline.from,
            speed: AS_IT_WAS,
            is_playing: false,
            since: timeline.from,
            is_held: false,
            player: Player::new(recording),
            task: None,
            timeline,
        };
        replay.task = Some(Task::Play(replay.at));
        replay
    }

    /// What is shown first is this time.
    pub fn begin_at(&mut self, at: BootTime) {
        let until = Until::Time(at.clamp(self.timeline.from, self.timeline.until));
        if let Some(player) = self.player.begin_before(until, self.at) {
            self.player = player;
        }
        let span = (self.player.event(), self.recording().event_at(until));
        self.task = Some(Task::Go(Box::new(Go {
            until,
            span,
            found: None,
            aside: None,
        })));
    }

    /// The recording.
    pub fn recording(&self) -> &Arc<Recording> {
        self.player.recording()
    }

    /// What can't be read, of what was read to get here.
    pub fn damaged(&self) -> crate::trace::read::Damaged {
        self.player.damaged()
    }

    /// How fast, as it is shown.
    pub fn speed_words(&self) -> String {
        let hundredths = SPEEDS[self.speed];
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => format!("×{whole}"),
            (whole, part) if part % 10 == 0 => format!("×{whole}.{}", part / 10),
            (whole, part) => format!("×{whole}.{part}"),
        }
    }

    /// Whether there is something to be done.
    pub fn is_behind(&self) -> bool {
        self.task.is_some()
    }

    /// Whether all of it was played.
    pub fn is_at_end(&self) -> bool {
        self.player.is_at_end() && self.at >= self.timeline.until
    }

    /// The recorded time that will be shown when all is done, as far as that is known.
    pub fn aim(&self) -> BootTime {
        match &self.task {
            Some(Task::Go(go)) => match go.until {
                Until::Time(time) => time,
                Until::Position(_) => self.at,
            },
            Some(Task::Play(time)) => *time,
            Some(Task::Search(_)) | None => self.at,
        }
    }

    /// While it looks for a place or goes to one: what it does, and how much of it is done, of a
    /// hundred.
    pub fn progress(&self) -> Option<(&'static str, Option<u64>)> {
        match self.task.as_ref()? {
            Task::Search(_) => Some(("searching", None)),
            Task::Go(go) => {
                let here = match &go.aside {
                    Some((_, player, _)) => player.event(),
                    None => self.player.event(),
                };
                let (from, to) = go.span;
                let all = to.saturating_sub(from).max(1);
                let done = here.saturating_sub(from).min(all);
                Some(("going there", Some(done * 100 / all)))
            }
            Task::Play(_) => None,
        }
    }

    /// Time passes on the wall.
    pub fn passed(&mut self, wall_ns: u64) {
        if !self.is_playing || matches!(self.task, Some(Task::Search(_) | Task::Go(_))) {
            return;
        }
        let passed = u128::from(wall_ns) * u128::from(SPEEDS[self.speed]) / 100;
        let to = self.at.plus_ns(u64::try_from(passed).unwrap_or(u64::MAX));
        // What could not be done in time is left out of time, and not made up for.
        self.task = Some(Task::Play(to.min(self.timeline.until)));
    }

    /// Leaves what was begun.
    pub fn stop(&mut self) {
        self.is_playing = false;
        self.task = None;
    }

    /// Looks for a place, and goes there.
    pub fn search(&mut self, want: Want, direction: Direction) {
        self.is_playing = false;
        let from = self.player.position();
        let search = Search::new(self.recording(), want, direction, from);
        self.task = Some(Task::Search(Box::new(search)));
    }

    /// Goes to a time; beyond its ends to the nearer one.
    pub fn go_to(&mut self, world: &World, time: BootTime) {
        let time = time.clamp(self.timeline.from, self.timeline.until);
        self.go(world, Until::Time(time), None);
    }

    fn go(&mut self, world: &World, until: Until, found: Option<(Want, Option<Box<Judgement>>)>) {
        let other = self.player.begin_before(until, self.at);
        let to = self.player.recording().event_at(until);
        let from = other.as_ref().unwrap_or(&self.player).event();
        self.task = Some(Task::Go(Box::new(Go {
            until,
            span: (from, to),
            found,
            aside: other.map(|player| (world.emptied(), player, self.timeline.from)),
        })));
    }

    /// Does so much of what is to be done, in events.
    pub fn work(&mut self, world: &mut World, events: usize) -> Worked {
        match self.task.take() {
            None => Worked::Arrived,
            Some(Task::Play(until)) => self.play(world, until, events),
            Some(Task::Search(mut search)) => match search.work(events) {
                Found::NotYet => {
                    self.task = Some(Task::Search(search));
                    Worked::On
                }
                Found::Here(place) => {
                    let found = (search.want(), search.judgement().cloned().map(Box::new));
                    self.go(world, Until::Position(place), Some(found));
                    Worked::On
                }
                Found::Nowhere => Worked::Nowhere(search.want(), search.direction()),
            },
            Some(Task::Go(go)) => self.going(world, go, events),
        }
    }

    fn play(&mut self, world: &mut World, until: BootTime, events: usize) -> Worked {
        let notes = &self.timeline.notes;
        let taken = take(
            &mut self.player,
            world,
            notes,
            Until::Time(until),
            events,
            World::take,
        );
        if let Some(taken) = taken {
            if taken == Taken::State {
                self.since = self.since.max(world.ledger().now());
            }
            self.at = self.at.max(world.ledger().now()).min(until);
            self.task = Some(Task::Play(until));
            return Worked::On;
        }
        self.at = until;
        if self.is_at_end() {
            self.is_playing = false;
        }
        Worked::Arrived
    }

    fn going(&mut self, world: &mut World, mut go: Box<Go>, events: usize) -> Worked {
        let notes = &self.timeline.notes;
        let is_aside = go.aside.is_some();
        let (player, known, since) = match &mut go.aside {
            Some((aside, player, since)) => (player, aside, since),
            None => (&mut self.player, &mut *world, &mut self.since),
        };
        let is_long_before = is_aside && player.event() + WARM < go.span.1;
        let so = if is_long_before {
            World::pass
        } else {
            World::take
        };
        let taken = take(player, known, notes, go.until, events, so);
        if is_long_before || taken == Some(Taken::State) {
            *since = (*since).max(known.ledger().now());
        }
        if taken.is_some() {
            self.task = Some(Task::Go(go));
            return Worked::On;
        }
        if let Some((aside, player, since)) = go.aside {
            (*world, self.player, self.since) = (aside, player, since);
            world.catch_up();
        }
        self.at = match go.until {
            Until::Time(time) => time,
            Until::Position(_) => world.ledger().now(),
        };
        match go.found {
            Some((want, judgement)) => Worked::Found(want, judgement),
            None => Worked::Arrived,
        }
    }
}

/// What was taken in.
#[derive(PartialEq, Eq)]
enum Taken {
    State,
    Events,
}

/// Takes in what comes next, so; `None` = nothing more comes until there.
fn take(
    player: &mut Player,
    world: &mut World,
    notes: &[(BootTime, String)],
    until: Until,
    events: usize,
    so: fn(&mut World, &Batch),
) -> Option<Taken> {
    match player.next(until, events)? {
        Read::Batch(batch) => so(world, &batch),
        Read::Note { at, text } => world.noted(at, &text),
        Read::State(state) => {
            world.adopt(*state);
            // Remarks are few, and no keyframe has them.
            let now = world.ledger().now();
            for (at, text) in notes.iter().filter(|(at, _)| *at <= now) {
                world.noted(*at, text);
            }
            return Some(Taken::State);
        }
    }
    Some(Taken::Events)
}
