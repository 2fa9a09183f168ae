//! Equal windows of time over a whole run, at most sixteen: when they are full, each two become one.

use super::Group;
use crate::event::id::BootTime;

/// Most windows.
pub(super) const MOST: usize = 16;
/// How long each is at first.
const FIRST_NS: u64 = 1_000_000_000;

/// Where the windows of a run end.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// When the current one began; `None` = there was no look yet.
    began: Option<BootTime>,
    width_ns: u64,
    complete: usize,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            began: None,
            width_ns: FIRST_NS,
            complete: 0,
        }
    }
}

impl Windows {
    pub(super) fn complete(&self) -> usize {
        self.complete
    }

    pub(super) fn width_ns(&self) -> u64 {
        self.width_ns
    }

    /// Ends every window that is over at `now`. What a group holds now counts for all of them: a
    /// late look makes windows without growth, never growth that was not.
    pub(super) fn reach(&mut self, now: BootTime, groups: &mut [Group]) {
        let began = *self.began.get_or_insert(now);
        let mut began = began;
        while now.since_ns(began) >= self.width_ns {
            began = began.plus_ns(self.width_ns);
            for group in &mut *groups {
                group.window_ends(self.complete);
            }
            self.complete += 1;
            if self.complete == MOST {
                for group in &mut *groups {
                    group.halve();
                }
                self.complete = MOST / 2;
                self.width_ns *= 2;
            }
        }
        self.began = Some(began);
    }
}
