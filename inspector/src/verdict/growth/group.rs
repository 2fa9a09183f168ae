//! A group of like resources: how many there were, are and became, window by window.

use std::fmt::{self, Display, Formatter};

use super::{GREW, LEAST_MORE, LEAST_WINDOWS, windows::MOST};
use crate::{
    duration,
    event::{
        handle::HandleKind,
        id::{BootTime, CallNumber, Tgid},
        text::Text,
    },
};

/// What the resources of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupName {
    /// Whose they are; `None` = of processes that were put together, or are not known.
    pub process: Option<ProcessName>,
    /// What they are.
    pub what: What,
    /// The pattern of their targets, or of their names; `None` = not known.
    pub target: Option<Text>,
    /// The call that made them; `None` = not known, and for threads.
    pub call: Option<CallNumber>,
    /// Whether an entry owns them: then its delete judges them.
    pub owned: bool,
}

/// A process: its number, and when it was born or first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessName {
    /// Its number.
    pub tgid: Tgid,
    /// When it was born or first seen, at the latest.
    pub born: BootTime,
}

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A thread.
    Thread,
    /// A handle of this kind.
    Handle(HandleKind),
}

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Alive,
    /// Its program ended it.
    Died,
    /// It ended with its process.
    Ended,
}

/// A group of like resources.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they have in common.
    pub name: GroupName,
    /// Those that were there before the attach, or were inherited.
    pub found: u64,
    /// Born since.
    pub births: u64,
    /// Ended by their program.
    pub deaths: u64,
    /// Ended with their process. A thread that went less than a tenth of a millisecond before its
    /// main thread, or whose main thread's end was not seen, counts here too.
    pub ended_with_process: u64,
    /// When the oldest that lives was born, at the latest.
    pub oldest: Option<BootTime>,
    /// Whether their process is gone.
    pub(super) ended: bool,
    /// How long each window is; when the process ended, how long it was then.
    window_ns: u64,
    /// How many there were at each window's end.
    levels: [u64; MOST],
    /// The window in which the first appeared.
    from: usize,
    /// Windows that are complete, until the process ended.
    until: usize,
}

/// How a suspect grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Windows in which it grew.
    pub grew: usize,
    /// Of so many.
    pub windows: usize,
    /// Each so long.
    pub window_ns: u64,
    /// So many more at their end than at their beginning.
    pub more: u64,
}

impl GroupName {
    /// The target, where it says more than what they are: not of `socket socket`.
    pub fn telling_target(&self) -> Option<&Text> {
        let word = self.what.word().as_bytes();
        self.target.as_ref().filter(|target| target.bytes() != word)
    }
}

impl What {
    /// The word for it, everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Handle(kind) => kind.word(),
        }
    }
}

impl Group {
    pub(super) fn new(name: GroupName, from: usize, window_ns: u64) -> Self {
        Self {
            name,
            found: 0,
            births: 0,
            deaths: 0,
            ended_with_process: 0,
            oldest: None,
            ended: false,
            window_ns,
            levels: [0; MOST],
            from,
            until: from,
        }
    }

    /// How many live.
    pub fn alive(&self) -> u64 {
        self.level().saturating_sub(self.ended_with_process)
    }

    /// Whether their process is gone.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// How many more there are than were found; what ended with its process counts as if it lived.
    pub fn net(&self) -> i64 {
        self.births.cast_signed() - self.deaths.cast_signed()
    }

    /// How it grew, if it is a suspect.
    pub fn suspect(&self) -> Option<Suspect> {
        let levels = self.filled();
        let windows = levels.len().saturating_sub(1);
        if self.name.owned || windows < LEAST_WINDOWS {
            return None;
        }
        let pairs = || levels.windows(2).map(|pair| (pair[0], pair[1]));
        if pairs().any(|(before, after)| after < before) {
            return None;
        }
        let grew = pairs().filter(|(before, after)| after > before).count();
        let more = levels[windows] - levels[0];
        let suspect = Suspect {
            grew,
            windows,
            window_ns: self.window_ns,
            more,
        };
        (grew * 4 >= windows * GREW && more >= LEAST_MORE).then_some(suspect)
    }

    /// By how many it grew in a minute, over the windows there are; `None` = there are too few.
    pub fn a_minute(&self) -> Option<f64> {
        let levels = self.filled();
        let (first, last) = (levels.first()?, levels.last()?);
        let windows = levels.len() - 1;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate of more than 2^52 is none"
        )]
        let rate = || {
            let more = (last.cast_signed() - first.cast_signed()) as f64;
            more * 60e9 / (windows as f64 * self.window_ns as f64)
        };
        (windows > 0).then(rate)
    }

    /// The levels at the ends of the complete windows, from the one on in which it appeared.
    fn filled(&self) -> &[u64] {
        &self.levels[self.from.min(self.until)..self.until]
    }

    fn level(&self) -> u64 {
        (self.found + self.births).saturating_sub(self.deaths)
    }

    pub(super) fn count(&mut self, fate: Fate, is_birth: bool) {
        *self.born(is_birth) += 1;
        match fate {
            Fate::Alive => {}
            Fate::Died => self.deaths += 1,
            Fate::Ended => self.ended_with_process += 1,
        }
    }

    pub(super) fn uncount(&mut self, fate: Fate, is_birth: bool) {
        let born = self.born(is_birth);
        *born = born.saturating_sub(1);
        match fate {
            Fate::Alive => {}
            Fate::Died => self.deaths = self.deaths.saturating_sub(1),
            Fate::Ended => self.ended_with_process = self.ended_with_process.saturating_sub(1),
        }
    }

    fn born(&mut self, is_birth: bool) -> &mut u64 {
        if is_birth {
            &mut self.births
        } else {
            &mut self.found
        }
    }

    pub(super) fn dies(&mut self) {
        self.deaths += 1;
    }

    /// A window is complete.
    pub(super) fn window_ends(&mut self, window: usize) {
        if !self.ended {
            self.levels[window] = self.level();
            self.until = window + 1;
        }
    }

    /// Each two windows become one, unless the process ended: then nothing changes any more.
    pub(super) fn halve(&mut self) {
        if self.ended {
            return;
        }
        self.window_ns *= 2;
        for window in 0..MOST / 2 {
            self.levels[window] = self.levels[2 * window + 1];
        }
        self.from /= 2;
        self.until /= 2;
    }
}

impl Display for Suspect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            grew,
            windows,
            window_ns,
            more,
        } = *self;
        write!(
            f,
            "grew in {grew} of {windows} windows of {} and shrank in none: {more} more",
            duration::written(window_ns)
        )
    }
}
