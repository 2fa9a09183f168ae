//! A recording goes on while nobody waits: as much of it is taken in as a frame has time for.

use std::time::{Duration, Instant};

use super::App;
use crate::{
    source::clock::{boot_time, wall_ns},
    tui::{
        message::Message,
        model::{Clock, Setting},
        update::update,
    },
};

/// How often time passes while a recording is played or a place in it is looked for.
pub(super) const PLAY: Duration = Duration::from_millis(33);
/// As long is worked at a time; then keys and the screen have their turn.
const WORK: Duration = Duration::from_millis(28);
/// Events that are taken in before the clock is looked at again.
const EVENTS: usize = 1024;

/// What the screen's clocks begin with: this machine's time, or the recording's.
pub(super) fn clock(setting: &Setting) -> Clock {
    let own = boot_time();
    match &setting.replay {
        Some(replay) => Clock {
            now: replay.at,
            started: replay.at,
            own,
            boot_on_wall_ns: replay.recording().meta().boot_wall_ns.unwrap_or(0),
        },
        None => Clock {
            now: own,
            started: own,
            own,
            boot_on_wall_ns: wall_ns().saturating_sub(own.0),
        },
    }
}

impl App {
    /// Whether a recording goes on.
    pub(super) fn plays(&self) -> bool {
        let replay = self.model.replay.as_ref();
        replay.is_some_and(|replay| replay.is_playing || replay.is_behind())
    }

    /// Time passes in a recording.
    pub(super) fn play(&mut self) {
        let _nothing_to_do = update(&mut self.model, Message::Tick(boot_time()));
        self.play_on();
        self.is_dirty = true;
        self.has_news = true;
    }

    /// Does what is to be done there, as far as there is time.
    pub(super) fn play_on(&mut self) {
        let started = Instant::now();
        let is_behind = |app: &Self| {
            let replay = app.model.replay.as_ref();
            replay.is_some_and(|replay| replay.is_behind())
        };
        while is_behind(self) && started.elapsed() < WORK {
            let _nothing_to_do = update(&mut self.model, Message::Replay(EVENTS));
        }
    }
}
