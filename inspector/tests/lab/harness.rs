//! Whole runs under a detection of the simplest kind: it reads /proc at each repeated mark.
//!
//! It stands in for nothing; it is a real, if crude, detection, so that harness, oracle and score
//! can be seen to tell a good one from one with a blind spot.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use inspector::lab::{
    MapKind,
    detection::{Claim, Detection, Fallen, Named, Said, When},
    entry::{Born, EntryKind},
    harness::{HarnessError, Played, play},
    plan::{Pace, Plan, Run},
    policy::Policy,
    process::LabChild,
    protocol::{ToldMark, ToldWhat},
    scenario,
};

use crate::{account, handles, program, threads};

const GRACE: Duration = Duration::from_millis(300);

/// What it cannot see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blind {
    Nothing,
    /// Which handles belong to a key.
    Births,
    /// That a handle was closed.
    Closes,
    /// That a thread ended.
    Exits,
    /// Everything after the verdict `pending`.
    Verdicts,
}

struct Differ {
    pid: u32,
    blind: Blind,
    seen: Vec<Named>,
    owned: BTreeMap<String, Vec<Named>>,
    deleted: Vec<(String, Instant)>,
}

impl Differ {
    fn new(pid: u32, blind: Blind) -> Self {
        let mut differ = Self {
            pid,
            blind,
            seen: Vec::new(),
            owned: BTreeMap::new(),
            deleted: Vec::new(),
        };
        differ.seen = differ.there();
        differ
    }

    fn there(&self) -> Vec<Named> {
        let threads = threads(self.pid).into_keys();
        let handles = handles(self.pid).into_keys();
        threads
            .map(|tid| Named::Thread { tid })
            .chain(handles.map(|fd| Named::Handle { fd }))
            .collect()
    }

    fn is_blind_to_the_end_of(&self, resource: Named) -> bool {
        match resource {
            Named::Thread { .. } => self.blind == Blind::Exits,
            Named::Handle { .. } => self.blind == Blind::Closes,
        }
    }
}

impl Detection for Differ {
    fn label(&self) -> &str {
        "test"
    }

    fn wants_marks(&self) -> bool {
        true
    }

    fn told(&mut self, marks: &[ToldMark]) -> anyhow::Result<()> {
        for mark in marks {
            match mark.what {
                ToldWhat::StoreEnd => {
                    let there = self.there();
                    let mut fresh = there.clone();
                    fresh.retain(|resource| {
                        let hidden =
                            self.blind == Blind::Births && matches!(resource, Named::Handle { .. });
                        !self.seen.contains(resource) && !hidden
                    });
                    self.owned.insert(mark.key.clone(), fresh);
                    self.seen = there;
                }
                ToldWhat::DeleteEnd => self.deleted.push((mark.key.clone(), Instant::now())),
                _ => {}
            }
        }
        Ok(())
    }

    fn quiet(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    fn fallen(&mut self) -> anyhow::Result<Vec<Fallen>> {
        let (due, waiting) = std::mem::take(&mut self.deleted)
            .into_iter()
            .partition(|(_, at)| at.elapsed() >= GRACE);
        self.deleted = waiting;
        let mut fallen = Vec::new();
        let there = self.there();
        let due: Vec<(String, Instant)> = due;
        for (key, _) in due {
            for resource in self.owned.remove(&key).unwrap_or_default() {
                let alive = there.contains(&resource) || self.is_blind_to_the_end_of(resource);
                let said = if self.blind == Blind::Verdicts {
                    Said::Pending
                } else if alive {
                    Said::Retained { life: None }
                } else {
                    // When exactly it cannot know: somewhere between the two readings.
                    Said::Gone {
                        earliest: When::Before,
                        latest: When::After { ns: 300_000_000 },
                    }
                };
                fallen.push(Fallen {
                    claim: Claim {
                        key: key.clone().into_bytes(),
                        generation: 1,
                        resource,
                        said,
                    },
                    text: format!("{key} {resource:?} {said:?}"),
                    grounds: String::new(),
                    json: serde_json::json!({ "key": key }),
                });
            }
        }
        Ok(fallen)
    }
}

fn plan(policy: Policy, entry: EntryKind, keys: u32) -> Run {
    Run {
        plan: Plan {
            map: MapKind::Mutex,
            entry,
            hold: policy.hold(),
            born: Born::Inside,
            policy,
            keys,
            pace: Pace::Checked { rate: None },
            seed: 1,
            grace: GRACE,
            last_word: Duration::from_millis(100),
        },
        scenario: None,
    }
}

fn played(run: &Run, blind: Blind) -> Result<(Played, usize), HarnessError> {
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    let mut differ = Differ::new(child.pid(), blind);
    let mut shown = 0;
    let played = play(run, &mut child, &mut differ, &mut |_| {
        shown += 1;
        Ok(())
    })?;
    child.quit();
    Ok((played, shown))
}

#[test]
fn every_policy_is_scored_perfectly_by_who_sees_everything() {
    for policy in Policy::ALL {
        for entry in EntryKind::ALL {
            let (played, shown) = played(&plan(policy, entry, 10), Blind::Nothing).unwrap();
            let name = format!("{} {}: {:?}", policy.name(), entry.name(), played);
            let n = 10 * (1 + entry.handles());
            assert!(played.unmet.is_empty(), "{name}");
            assert_eq!((played.score.n, shown as u64), (n, n), "{name}");
            let positives = if policy == Policy::Bare { n } else { 0 };
            assert_eq!(played.score.tp, positives, "{name}");
            assert_eq!(played.deletes.len(), 10);
        }
    }
}

#[test]
fn a_blind_spot_scores_lower() {
    for (policy, blind) in [
        (Policy::Bare, Blind::Births),
        (Policy::Bare, Blind::Verdicts),
        (Policy::StopWaitDelete, Blind::Births),
        (Policy::StopWaitDelete, Blind::Closes),
        (Policy::StopWaitDelete, Blind::Exits),
        (Policy::StopWaitDelete, Blind::Verdicts),
    ] {
        let (played, _) = played(&plan(policy, EntryKind::Ticker, 5), blind).unwrap();
        let score = played.score;
        assert!(
            score.precision() < 1.0 || score.recall() < 1.0,
            "{}: {score:?}",
            policy.name()
        );
        assert_eq!(played.unmet, ["the score is not perfect"]);
    }
}

#[test]
fn scenarios_meet_their_expectations_and_are_missed_by_the_blind() {
    for scenario in scenario::ALL {
        for variant in scenario.variants {
            let mut run = plan(variant.policy, variant.entry, 3);
            run.plan.hold = variant.hold;
            // The test's detection follows spans, not `own` marks.
            run.plan.born = Born::Inside;
            run.scenario = Some((scenario, variant));
            let (seen, _) = played(&run, Blind::Nothing).unwrap();
            assert!(seen.unmet.is_empty(), "{}: {seen:?}", run.name());
            let (missed, _) = played(&run, Blind::Births).unwrap();
            assert!(missed.unmet.len() > 3, "{}: {missed:?}", run.name());
        }
    }
}

#[test]
fn a_burst_is_scored_by_resource() {
    let mut run = plan(Policy::Bare, EntryKind::Watcher, 300);
    run.plan.pace = Pace::Burst;
    let (played, _) = played(&run, Blind::Nothing).unwrap();
    assert!(played.unmet.is_empty(), "{:?}", played.score);
    assert_eq!((played.score.n, played.score.tp), (600, 600));
}

#[test]
fn a_rate_is_kept() {
    let mut run = plan(Policy::Drop, EntryKind::Watcher, 10);
    run.plan.pace = Pace::Checked { rate: Some(100) };
    let began = Instant::now();
    played(&run, Blind::Nothing).unwrap();
    // Twenty operations, the first at once.
    assert!(began.elapsed() >= Duration::from_millis(190) + GRACE);
}

#[test]
fn too_many_keys_for_the_limit_are_refused_before_the_first() {
    let mut run = plan(Policy::Drop, EntryKind::Connection, 10_000);
    run.plan.keys = 3_000_000;
    let error = played(&run, Blind::Nothing).unwrap_err().to_string();
    assert!(error.starts_with("3000000 keys need 6000016 descriptors, and the limit is "));
    assert!(error.contains("ulimit -Hn"));
}

#[test]
fn what_fell_before_the_childs_death_is_shown() {
    let mut run = plan(Policy::Bare, EntryKind::Watcher, 40);
    // Slow enough that the first verdicts fall while the last keys are still deleted.
    run.plan.pace = Pace::Checked { rate: Some(80) };
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    let pid = rustix::process::Pid::from_raw(child.pid().cast_signed()).unwrap();
    let mut differ = Differ::new(child.pid(), Blind::Nothing);
    let mut shown = 0;
    let error = play(&run, &mut child, &mut differ, &mut |_| {
        shown += 1;
        if shown == 4 {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        Ok(())
    })
    .unwrap_err()
    .to_string();
    assert!(shown >= 4);
    assert!(error.contains("died (by signal 9)"), "{error}");
}

#[test]
fn an_output_that_fails_ends_the_run() {
    let run = plan(Policy::Bare, EntryKind::Watcher, 1);
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    let mut differ = Differ::new(child.pid(), Blind::Nothing);
    let error = play(&run, &mut child, &mut differ, &mut |_| {
        Err(std::io::ErrorKind::BrokenPipe.into())
    })
    .unwrap_err();
    assert!(matches!(error, HarnessError::Output(_)));
    assert!(inspector::command::is_broken_pipe(&error.into()));
}

/// Says nothing, and costs nothing.
struct Silent;

impl Detection for Silent {
    fn label(&self) -> &str {
        "silent"
    }

    fn wants_marks(&self) -> bool {
        false
    }

    fn told(&mut self, _: &[ToldMark]) -> anyhow::Result<()> {
        Ok(())
    }

    fn quiet(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    fn fallen(&mut self) -> anyhow::Result<Vec<Fallen>> {
        Ok(Vec::new())
    }
}

/// As many live keys as the command line allows, or as the machine's limit does.
#[test]
fn ten_thousand_keys_live_at_once() {
    let mut child = LabChild::start(program(), account().as_ref()).unwrap();
    let keys = u32::try_from((child.nofile - 16).min(10_000)).unwrap();
    let mut run = plan(Policy::Bare, EntryKind::Ticker, keys);
    run.plan.pace = Pace::Burst;
    let began = Instant::now();
    let played = play(&run, &mut child, &mut Silent, &mut |_| Ok(())).unwrap();
    assert_eq!(threads(child.pid()).len(), keys as usize + 1);
    assert_eq!(played.score.keys, u64::from(keys));
    assert_eq!(
        played.score.unknown,
        2 * u64::from(keys),
        "nothing was said"
    );
    println!("{keys} keys in {:?}", began.elapsed());
    child.quit();
}
