//! Plays one run on one child: store, delete, wait out the grace, compare.

use std::{
    collections::HashMap,
    io,
    path::Path,
    time::{Duration, Instant},
};

use thiserror::Error;

use super::{
    detection::{Claim, Detection, Fallen, Named, Said},
    expect::{Outcome, Resource, unmet},
    oracle::{Depth, Oracle, ThingId, What},
    plan::{Pace, Plan, Run},
    process::{LabChild, LabError},
    protocol::{Order, Reply, ToldMark},
    score::{Known, Owner, Score, score},
    told::boot_ns,
};

/// How long after the grace the last reading waits, so that what goes right at its end is gone.
const MARGIN: Duration = Duration::from_millis(20);
/// How often verdicts are asked for while nothing else is to do.
const POLL: Duration = Duration::from_millis(10);
/// Up to so many open descriptors each reading looks at every one.
const READ_ALL: usize = 512;

/// What ends a run early.
#[derive(Debug, Error)]
pub enum HarnessError {
    /// The child.
    #[error(transparent)]
    Child(#[from] LabError),
    /// The child may not open enough descriptors.
    #[error(
        "{keys} keys need {needed} descriptors, and the limit is {limit}: use fewer keys, or raise the hard limit (`ulimit -Hn`, or LimitNOFILE=)"
    )]
    TooFewDescriptors {
        /// Keys.
        keys: u32,
        /// What they need.
        needed: u64,
        /// The child's limit.
        limit: u64,
    },
    /// The truth could not be read.
    #[error("the lab's child could not be read in /proc, so nothing can be scored")]
    Oracle(#[source] io::Error),
    /// Detection.
    #[error("detection ended early")]
    Detection(#[source] anyhow::Error),
    /// The verdicts could not be shown.
    #[error("the output could not be written")]
    Output(#[source] io::Error),
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Played {
    /// The numbers.
    pub score: Score,
    /// What was not as expected, in words; empty = all was.
    pub unmet: Vec<String>,
    /// How long each delete took, ascending.
    pub deletes: Vec<Duration>,
}

/// Plays a run. `show` is given each judgement as it falls.
///
/// # Errors
///
/// See [`HarnessError`]; what fell until then has been shown.
pub fn play(
    run: &Run,
    child: &mut LabChild,
    detection: &mut dyn Detection,
    show: &mut dyn FnMut(&Fallen) -> io::Result<()>,
) -> Result<Played, HarnessError> {
    let mut stage = Stage::new(&run.plan, child, detection, show)?;
    match stage.act() {
        Ok(()) => Ok(stage.compare(run)),
        Err(error) => {
            // The first failure is the one to tell; these can only add verdicts to it.
            let _ = stage.detection.quiet();
            let _ = stage.show_fallen();
            match error {
                // Not being able to look at a dead child is its death's consequence.
                HarnessError::Oracle(_) | HarnessError::Detection(_) => {
                    Err(stage.child.ended().map_or(error, HarnessError::Child))
                }
                error => Err(error),
            }
        }
    }
}

/// A key of the run.
struct Entry {
    key: String,
    owns: Vec<ThingId>,
    /// When its delete's reply came, in nanoseconds since boot.
    deleted_ns: Option<u64>,
    delete_took: Duration,
}

struct Stage<'a> {
    plan: &'a Plan,
    child: &'a mut LabChild,
    detection: &'a mut dyn Detection,
    show: &'a mut dyn FnMut(&Fallen) -> io::Result<()>,
    oracle: Oracle,
    entries: Vec<Entry>,
    /// What a burst gave to its keys, all together.
    shared: Vec<ThingId>,
    claims: Vec<Claim>,
    next: Instant,
}

impl<'a> Stage<'a> {
    fn new(
        plan: &'a Plan,
        child: &'a mut LabChild,
        detection: &'a mut dyn Detection,
        show: &'a mut dyn FnMut(&Fallen) -> io::Result<()>,
    ) -> Result<Self, HarnessError> {
        if plan.handles() > child.nofile {
            return Err(HarnessError::TooFewDescriptors {
                keys: plan.keys,
                needed: plan.handles(),
                limit: child.nofile,
            });
        }
        child.order(Order::Start {
            map: plan.map,
            repeat_marks: detection.wants_marks(),
        })?;
        // What the child has by now was there before the first key.
        detection.quiet().map_err(HarnessError::Detection)?;
        let oracle = Oracle::new(Path::new("/proc"), child.pid()).map_err(HarnessError::Oracle)?;
        Ok(Self {
            plan,
            child,
            detection,
            show,
            oracle,
            entries: Vec::new(),
            shared: Vec::new(),
            claims: Vec::new(),
            next: Instant::now(),
        })
    }

    fn act(&mut self) -> Result<(), HarnessError> {
        for index in 0..self.plan.keys {
            self.store(index)?;
        }
        if self.plan.pace == Pace::Burst {
            self.shared = self.observe(Depth::All)?;
        }
        for index in self.plan.delete_order() {
            self.delete(index)?;
        }
        if self.plan.pace == Pace::Burst {
            self.look_again()?;
        }
        self.wait_out_the_grace()?;
        self.observe(Depth::All)?;
        self.hear_the_last_word()
    }

    fn store(&mut self, index: u32) -> Result<(), HarnessError> {
        self.keep_pace();
        let key = Plan::key(index);
        let reply = self.child.order(Order::Store {
            key: key.clone(),
            entry: self.plan.entry,
            hold: self.plan.hold,
            born: self.plan.born,
            tick_ns: self.plan.tick_ns(index),
        })?;
        if let Reply::Stored { marks, .. } = reply {
            self.tell(&marks)?;
        }
        let owns = match self.plan.pace {
            Pace::Burst => Vec::new(),
            Pace::Checked { .. } => self.observe(self.depth())?,
        };
        self.entries.push(Entry {
            key,
            owns,
            deleted_ns: None,
            delete_took: Duration::ZERO,
        });
        self.show_fallen()
    }

    fn delete(&mut self, index: u32) -> Result<(), HarnessError> {
        self.keep_pace();
        let entry = &mut self.entries[index as usize];
        let reply = self.child.order(Order::Delete {
            key: entry.key.clone(),
            policy: self.plan.policy,
            hold: None,
        })?;
        entry.deleted_ns = Some(boot_ns());
        if let Reply::Deleted { took_ns, marks } = reply {
            entry.delete_took = Duration::from_nanos(took_ns);
            self.tell(&marks)?;
        }
        if self.plan.pace != Pace::Burst {
            self.look_again()?;
        }
        self.show_fallen()
    }

    fn wait_out_the_grace(&mut self) -> Result<(), HarnessError> {
        let until = Instant::now() + self.plan.grace + MARGIN;
        while Instant::now() < until {
            std::thread::sleep(POLL);
            self.show_fallen()?;
            // Who was told to stop may take its time; when it went is part of the truth.
            if self.oracle.has_changed().map_err(HarnessError::Oracle)? {
                self.look_again()?;
            }
        }
        Ok(())
    }

    /// Until every resource has a verdict, or detection has had its time.
    fn hear_the_last_word(&mut self) -> Result<(), HarnessError> {
        let until = Instant::now() + self.plan.last_word;
        loop {
            self.detection.quiet().map_err(HarnessError::Detection)?;
            self.show_fallen()?;
            let said = last_said(&self.claims);
            let open = self.known().iter().any(|known| {
                let said = said.get(&known.resource);
                matches!(said, None | Some(Said::Pending))
            });
            if !open || Instant::now() >= until {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
    }

    fn keep_pace(&mut self) {
        let Pace::Checked { rate: Some(rate) } = self.plan.pace else {
            return;
        };
        if let Some(early) = self.next.checked_duration_since(Instant::now()) {
            std::thread::sleep(early);
        }
        self.next += Duration::from_secs(1) / rate;
    }

    /// Reads what a delete changed, once it has. Only numbers are read: a closer look would hold
    /// each descriptor for a moment, and a close just then would not be its last.
    fn look_again(&mut self) -> Result<(), HarnessError> {
        self.oracle.settle().map_err(HarnessError::Oracle)?;
        self.observe(Depth::Changes)?;
        Ok(())
    }

    /// How closely a store is looked at: nothing closes then.
    fn depth(&self) -> Depth {
        if self.oracle.open_handles() <= READ_ALL {
            Depth::All
        } else {
            Depth::Changes
        }
    }

    fn observe(&mut self, depth: Depth) -> Result<Vec<ThingId>, HarnessError> {
        let changes = self.oracle.observe(depth).map_err(HarnessError::Oracle)?;
        Ok(changes.born)
    }

    fn tell(&mut self, marks: &[ToldMark]) -> Result<(), HarnessError> {
        if marks.is_empty() {
            return Ok(());
        }
        self.detection.told(marks).map_err(HarnessError::Detection)
    }

    fn show_fallen(&mut self) -> Result<(), HarnessError> {
        for fallen in self.detection.fallen().map_err(HarnessError::Detection)? {
            (self.show)(&fallen).map_err(HarnessError::Output)?;
            self.claims.push(fallen.claim);
        }
        Ok(())
    }

    /// The truth about everything the keys owned.
    fn known(&self) -> Vec<Known> {
        let grace_ns = crate::duration::as_ns(self.plan.grace);
        let mut known = Vec::new();
        let mut add = |owner: Owner, owns: &[ThingId], deleted_ns: u64| {
            let deadline_ns = deleted_ns.saturating_add(grace_ns);
            known.extend(owns.iter().map(|&id| Known {
                owner: owner.clone(),
                resource: named(&self.oracle.thing(id).what),
                truth: self.oracle.truth(id, deadline_ns),
            }));
        };
        for entry in &self.entries {
            if let Some(deleted_ns) = entry.deleted_ns {
                let owner = Some((entry.key.clone().into_bytes(), 1));
                add(owner, &entry.owns, deleted_ns);
            }
        }
        let last = self
            .entries
            .iter()
            .filter_map(|entry| entry.deleted_ns)
            .max();
        if let Some(deleted_ns) = last {
            add(None, &self.shared, deleted_ns);
        }
        known
    }

    fn compare(&self, run: &Run) -> Played {
        let deleted = self
            .entries
            .iter()
            .filter(|entry| entry.deleted_ns.is_some())
            .count() as u64;
        let score = score(
            &self.known(),
            &self.claims,
            deleted,
            u64::from(self.plan.keys),
        );
        let mut unmet = match run.scenario {
            Some(_) => unmet(run.expected(), &self.keys(), &self.outcomes()),
            None => Vec::new(),
        };
        let mut deletes: Vec<_> = self.entries.iter().map(|entry| entry.delete_took).collect();
        deletes.sort_unstable();
        if let (Some(most), Some(&longest)) = (run.delete_at_most(), deletes.last())
            && longest > most
        {
            unmet.push(format!(
                "a delete took {longest:.1?}; {most:.1?} is the most it may"
            ));
        }
        if !score.is_perfect() {
            unmet.push("the score is not perfect".to_owned());
        }
        Played {
            score,
            unmet,
            deletes,
        }
    }

    fn keys(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.key.clone()).collect()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let mut said = HashMap::new();
        for claim in &self.claims {
            said.insert((claim.key.as_slice(), claim.resource), claim.said);
        }
        let mut outcomes = Vec::new();
        for entry in &self.entries {
            for &id in &entry.owns {
                let what = &self.oracle.thing(id).what;
                outcomes.push(Outcome {
                    key: entry.key.clone(),
                    resource: match what {
                        What::Thread { .. } => Resource::Thread,
                        What::Handle { identity, .. } => Resource::Handle(identity.sort()),
                    },
                    said: said.get(&(entry.key.as_bytes(), named(what))).copied(),
                });
            }
        }
        outcomes
    }
}

fn named(what: &What) -> Named {
    match *what {
        What::Thread { tid, .. } => Named::Thread { tid },
        What::Handle { fd, .. } => Named::Handle { fd },
    }
}

fn last_said(claims: &[Claim]) -> HashMap<Named, Said> {
    claims
        .iter()
        .map(|claim| (claim.resource, claim.said))
        .collect()
}
