//! Alarms: limits on live counts and retained entries; one shows until it is acknowledged.

use super::{rows::entries, theme::Class, world::World};
use crate::event::BootTime;

/// The limits, and what has passed them.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    limits: Vec<(What, u64)>,
    raised: Vec<Raised>,
    /// When it was last compared.
    checked: BootTime,
}

/// How often the world is compared with the limits, at most.
const EVERY_NS: u64 = 2_000_000_000;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Live threads.
    Threads,
    /// Open handles.
    Handles,
    /// Entries with something retained.
    Retained,
}

impl What {
    fn words(self) -> &'static str {
        match self {
            Self::Threads => "threads live",
            Self::Handles => "handles open",
            Self::Retained => "deleted entries retain something",
        }
    }
}

/// A limit that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Raised {
    what: What,
    limit: u64,
    /// The most there were since.
    most: u64,
    /// Whether somebody has seen it; it may be raised again once it was below the limit.
    acknowledged: bool,
}

impl Alarms {
    /// Alarms at these limits: a count that is above one raises it.
    pub fn new(threads: Option<u64>, handles: Option<u64>, retained: Option<u64>) -> Self {
        let limits = [
            (What::Threads, threads),
            (What::Handles, handles),
            (What::Retained, retained),
        ];
        let limits = limits
            .into_iter()
            .filter_map(|(what, limit)| Some((what, limit?)));
        Self {
            limits: limits.collect(),
            raised: Vec::new(),
            checked: BootTime(0),
        }
    }

    /// Compares with the world, if that is due.
    pub fn check(&mut self, world: &World, now: BootTime) {
        // A recording's time may go back.
        if now >= self.checked && now.since_ns(self.checked) < EVERY_NS {
            return;
        }
        self.checked = now;
        for index in 0..self.limits.len() {
            let (what, limit) = self.limits[index];
            let count = match what {
                What::Threads => u64::from(world.live().threads),
                What::Handles => u64::from(world.live().handles),
                What::Retained => {
                    let rows = entries::rows(world, now);
                    rows.iter()
                        .filter(|row| row.class == Class::Retained)
                        .count() as u64
                }
            };
            self.count(what, limit, count);
        }
    }

    fn count(&mut self, what: What, limit: u64, count: u64) {
        let raised = self.raised.iter_mut().find(|raised| raised.what == what);
        match raised {
            Some(raised) if count > limit => raised.most = raised.most.max(count),
            Some(raised) if raised.acknowledged => self.raised.retain(|raised| raised.what != what),
            Some(_) => {}
            None if count > limit => self.raised.push(Raised {
                what,
                limit,
                most: count,
                acknowledged: false,
            }),
            None => {}
        }
    }

    /// Somebody has seen them.
    pub fn acknowledge(&mut self) {
        for raised in &mut self.raised {
            raised.acknowledged = true;
        }
    }

    /// Another run begins.
    pub fn clear(&mut self) {
        self.raised.clear();
    }

    /// What nobody has acknowledged yet, in words.
    pub fn standing(&self) -> Option<String> {
        let standing = self.raised.iter().filter(|raised| !raised.acknowledged);
        let words: Vec<_> = standing
            .map(|raised| {
                let Raised {
                    what, limit, most, ..
                } = raised;
                format!("{most} {} (limit {limit})", what.words())
            })
            .collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_stands_until_acknowledged_and_may_rise_again() {
        let mut alarms = Alarms::new(Some(5), None, None);
        alarms.count(What::Threads, 5, 5);
        assert_eq!(alarms.standing(), None, "at the limit is not above it");
        alarms.count(What::Threads, 5, 9);
        alarms.count(What::Threads, 5, 3);
        assert_eq!(
            alarms.standing().as_deref(),
            Some("9 threads live (limit 5)")
        );
        alarms.acknowledge();
        assert_eq!(alarms.standing(), None);
        alarms.count(What::Threads, 5, 9);
        assert_eq!(alarms.standing(), None, "still the one that was seen");
        alarms.count(What::Threads, 5, 3);
        alarms.count(What::Threads, 5, 6);
        assert_eq!(
            alarms.standing().as_deref(),
            Some("6 threads live (limit 5)")
        );
    }
}
