//! Rows of orders: a store or a delete of several keys, and a scenario, which is one of each.

use std::time::{Duration, Instant};

use super::{
    News,
    stage::{Cut, Stage, nonsense},
};
use crate::lab::{
    entry::{Born, EntryKind, Hold},
    policy::Policy,
    protocol::{Order, Reply},
    scenario::{Scenario, Variant},
};

/// The least time between two [`News::Progress`], and between keys that are named.
const NEWS_EVERY: Duration = Duration::from_millis(50);
/// The least time between two drains in a row of orders. Each is a reading of all of /proc/PID,
/// which takes long where thousands of threads are.
const MARKS_EVERY: Duration = Duration::from_millis(100);
/// Between two orders of a scenario.
const STEP: Duration = Duration::from_millis(150);
/// All [`STEP`]s between a scenario's stores, or its deletes, together.
const STEPS: Duration = Duration::from_secs(3);
/// Between a scenario's stores and its deletes.
const REST: Duration = Duration::from_millis(600);

impl Stage {
    pub(super) fn play(
        &mut self,
        scenario: &'static Scenario,
        variant: &'static Variant,
        keys: u32,
    ) -> Result<(), Cut> {
        let (scenario, which) = (scenario.name, variant.which.name());
        self.say(News::Playing {
            scenario,
            variant: which,
        })?;
        let ended = self.act(variant, keys);
        if !matches!(ended, Err(Cut::Lost(_) | Cut::Unheard)) {
            self.say(News::Played {
                scenario,
                variant: which,
            })?;
        }
        ended
    }

    fn act(&mut self, variant: &Variant, keys: u32) -> Result<(), Cut> {
        let step = STEP.min(STEPS / keys.max(1));
        let mold = Mold {
            entry: variant.entry,
            hold: variant.hold,
            born: variant.born,
        };
        let stored = self.store(keys, &mold, step)?;
        if stored.is_empty() {
            return Ok(());
        }
        self.pause(REST)?;
        self.delete(stored, variant.policy, None, step)
    }

    /// Stores new keys and gives those that were.
    pub(super) fn store(
        &mut self,
        count: u32,
        mold: &Mold,
        step: Duration,
    ) -> Result<Vec<String>, Cut> {
        let lab = self.lab();
        let nofile = lab.child.nofile;
        if let Some(why) = lab.stock.refusal(count, mold.entry, nofile) {
            self.refuse(&why)?;
            return Ok(Vec::new());
        }
        let mut tally = Tally::new("store", count, step);
        let mut keys = Vec::new();
        let ended = self.store_each(mold, &mut tally, &mut keys);
        self.end(&tally, ended)?;
        Ok(keys)
    }

    fn store_each(
        &mut self,
        mold: &Mold,
        tally: &mut Tally,
        keys: &mut Vec<String>,
    ) -> Result<(), Cut> {
        let live = self.lab().stock.running() + tally.total;
        while tally.done < tally.total {
            self.pause(tally.pause())?;
            let (key, tick_ns) = self.lab().stock.number(live);
            let reply = self.order(Order::Store {
                key: key.clone(),
                entry: mold.entry,
                hold: mold.hold,
                born: mold.born,
                tick_ns,
            })?;
            match reply {
                Ok(Reply::Stored { marks, .. }) => {
                    let lab = self.lab();
                    lab.marks.extend(marks);
                    lab.stock.stored(key.clone(), mold.entry, mold.hold);
                    keys.push(key.clone());
                    self.advance(tally, Some(News::Stored { key }))?;
                }
                Ok(other) => return Err(nonsense(&other)),
                // What the machine refuses once it refuses the next time.
                Err(why) => return self.refuse(&why),
            }
        }
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        keys: Vec<String>,
        policy: Policy,
        hold: Option<Hold>,
        step: Duration,
    ) -> Result<(), Cut> {
        let Ok(total @ 1..) = u32::try_from(keys.len()) else {
            return self.refuse("no keys were chosen to be deleted");
        };
        let mut tally = Tally::new("delete", total, step);
        let mut refusals = Vec::new();
        let ended = self.delete_each(keys, policy, hold, &mut tally, &mut refusals);
        let ended = self.end(&tally, ended);
        if let Some(first) = refusals.first() {
            let more = match refusals.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more were refused)"),
            };
            self.refuse(&format!("{first}{more}"))?;
        }
        ended
    }

    fn delete_each(
        &mut self,
        keys: Vec<String>,
        policy: Policy,
        hold: Option<Hold>,
        tally: &mut Tally,
        refusals: &mut Vec<String>,
    ) -> Result<(), Cut> {
        for key in keys {
            self.pause(tally.pause())?;
            let reply = self.order(Order::Delete {
                key: key.clone(),
                policy,
                hold,
            })?;
            let news = match reply {
                Ok(Reply::Deleted { took_ns, marks }) => {
                    let lab = self.lab();
                    lab.marks.extend(marks);
                    lab.stock.deleted(&key, policy, hold);
                    let took = Duration::from_nanos(took_ns);
                    Some(News::Deleted { key, took })
                }
                Ok(other) => return Err(nonsense(&other)),
                // The others may be there.
                Err(why) => {
                    refusals.push(why);
                    None
                }
            };
            self.advance(tally, news)?;
        }
        Ok(())
    }

    /// One more is done, or tried.
    fn advance(&mut self, tally: &mut Tally, news: Option<News>) -> Result<(), Cut> {
        tally.done += 1;
        if tally.names() || self.lab().passed.elapsed() >= MARKS_EVERY {
            self.pass_marks()?;
        }
        if tally.names() {
            return news.map_or(Ok(()), |news| self.say(news));
        }
        if tally.done < tally.total && tally.said.elapsed() >= NEWS_EVERY {
            self.say(tally.progress())?;
            tally.said = Instant::now();
        }
        Ok(())
    }

    /// Ends a row of orders that ended so.
    fn end(&mut self, tally: &Tally, ended: Result<(), Cut>) -> Result<(), Cut> {
        let passed = self.pass_marks();
        if matches!(ended, Err(Cut::Lost(_) | Cut::Unheard)) {
            return ended;
        }
        passed?;
        if !tally.names() {
            self.say(tally.progress())?;
            if tally.done < tally.total {
                self.say(News::Stopped {
                    what: tally.what,
                    done: tally.done,
                    total: tally.total,
                })?;
            }
        }
        ended
    }
}

/// What new keys are made of.
pub(super) struct Mold {
    pub(super) entry: EntryKind,
    pub(super) hold: Hold,
    pub(super) born: Born,
}

/// How far a row of orders is.
struct Tally {
    what: &'static str,
    done: u32,
    total: u32,
    step: Duration,
    said: Instant,
}

impl Tally {
    fn new(what: &'static str, total: u32, step: Duration) -> Self {
        Self {
            what,
            done: 0,
            total,
            step,
            said: Instant::now(),
        }
    }

    /// Whether each key is told by its name.
    fn names(&self) -> bool {
        self.total == 1 || self.step >= NEWS_EVERY
    }

    /// Before the next order.
    fn pause(&self) -> Duration {
        if self.done == 0 {
            Duration::ZERO
        } else {
            self.step
        }
    }

    fn progress(&self) -> News {
        News::Progress {
            what: self.what,
            done: self.done,
            total: self.total,
        }
    }
}
