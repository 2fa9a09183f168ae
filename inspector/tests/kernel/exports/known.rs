//! What a recording's ledger knows, counted as a timeline shows it, and the queries that ask a timeline.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use inspector::{
    event::{Batch, BootTime, Event, ThreadEvent, What},
    ledger::{LedgerRules, handle::State, retain::Retain},
    pipeline::Pipeline,
    report::json,
    trace::read::{Limits, Read, Recording},
};
use serde_json::{Value, json};

/// What is asked of a timeline; [`Known::agrees`] has the answers.
pub(super) const QUERIES: [&str; 5] = [
    "select category, count(*), sum(dur) from slice
     where category in ('thread', 'handle', 'entry', 'delete') group by 1 order by 1",
    "select name, count(*) from slice where category = 'verdict' group by 1 order by 1",
    "select count(*), count(distinct slice_in) from flow",
    "select replace(name, ' value', ''), max(value) from counter join track on track.id = track_id
     where name like 'all live %' group by 1 order by 1",
    "select count(*) from slice where category in ('thread', 'handle') and dur < 0",
];

/// How many losses there are, and of how many events.
pub(super) const LOST: &str =
    "select count(*), sum(extract_arg(arg_set_id, 'debug.lost')) from slice
    where category = 'lost'";

/// It.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) events: u64,
    /// Events of some kinds, by their names in JSON Lines.
    pub(super) kinds: BTreeMap<&'static str, u64>,
    /// How many, and how long they are together.
    pub(super) threads: (u64, u64),
    pub(super) handles: (u64, u64),
    pub(super) entries: u64,
    /// Deletes.
    pub(super) deletes: u64,
    /// By verdict and kind of resource.
    pub(super) verdicts: BTreeMap<String, u64>,
    /// Deaths that a delete led to, and what it led to that is still there.
    pub(super) led: u64,
    /// The most at once: of handles, of threads.
    pub(super) most: (u64, u64),
    pub(super) gaps: u64,
    pub(super) lost: u64,
    /// Threads that outlived their key's delete: key, tid, and how long at least.
    pub(super) outlived: Vec<(String, u64, u64)>,
}

pub(super) fn is_death(event: &Event) -> bool {
    matches!(event.what, What::Thread(ThreadEvent::Gone { .. }))
}

impl Known {
    /// Of a file, as if these events were not in it.
    pub(super) fn of(path: &Path, mut drop_it: impl FnMut(&Event) -> bool) -> Self {
        let recording = Arc::new(Recording::open(path, Limits::default()).unwrap());
        let rules = LedgerRules {
            grace_ns: recording.meta().grace_ns,
            retain: Retain { dead: usize::MAX },
        };
        let mut known = Self::default();
        let mut pipeline = Pipeline::new(rules);
        for read in recording.reads() {
            match read {
                Read::Batch(mut batch) => {
                    batch.events.retain(|event| !drop_it(event));
                    known.count(&batch);
                    pipeline.take(&batch);
                }
                Read::State(state) => pipeline = state.with_rules(rules),
                Read::Note { .. } => {}
            }
        }
        known.look_at(&pipeline, recording.span());
        known
    }

    fn count(&mut self, batch: &Batch) {
        for event in &batch.events {
            self.events += 1;
            let kind = match &event.what {
                What::Thread(ThreadEvent::Born { .. }) => "thread_born",
                What::Thread(ThreadEvent::Gone { .. }) => "thread_gone",
                What::Tick => "tick",
                What::Scan(_) => "scan",
                What::Named(_) => "handle_named",
                What::Gap(gap) => {
                    self.gaps += 1;
                    self.lost += gap.total();
                    "gap"
                }
                _ => continue,
            };
            *self.kinds.entry(kind).or_default() += 1;
        }
    }

    fn look_at(&mut self, pipeline: &Pipeline, (since, until): (BootTime, BootTime)) {
        let ledger = pipeline.ledger();
        let lives = |lives: &[(BootTime, Option<BootTime>)]| {
            let in_window = lives
                .iter()
                .filter(|(born, died)| *born <= until && died.is_none_or(|died| died >= since));
            let parts: Vec<_> = in_window
                .map(|&(born, died)| {
                    let from = born.max(since);
                    (
                        from,
                        died.map_or(until, |died| died.clamp(from, until)),
                        died.is_none_or(|died| died > until),
                    )
                })
                .collect();
            let sum = parts
                .iter()
                .map(|(from, until, _)| until.since_ns(*from))
                .sum::<u64>();
            let mut steps = BTreeMap::<BootTime, i64>::new();
            for &(from, until, lives_on) in &parts {
                *steps.entry(from).or_default() += 1;
                *steps.entry(until).or_default() -= i64::from(!lives_on);
            }
            let (mut now, mut most) = (0, 0);
            for step in steps.values() {
                now += step;
                most = most.max(now);
            }
            ((parts.len() as u64, sum), u64::try_from(most).unwrap())
        };
        let threads = ledger
            .threads()
            .map(|(_, thread)| (thread.born.latest, thread.gone.map(|gone| gone.latest)));
        let handles = ledger.handles().map(|(_, handle)| {
            let closed = match handle.state {
                State::Closing { replaced } => Some(replaced),
                _ => handle.closed().map(|closed| closed.latest),
            };
            (handle.born.latest, closed)
        });
        (self.threads, self.most.1) = lives(&threads.collect::<Vec<_>>());
        (self.handles, self.most.0) = lives(&handles.collect::<Vec<_>>());
        for (_, entry) in ledger.entries() {
            self.entries += 1;
            let delete = entry.delete.as_ref();
            self.deletes += u64::from(delete.is_some_and(|one| one.begin.or(one.end).is_some()));
        }
        for judgement in pipeline.judgements() {
            self.judge(&json::value(&judgement), until);
        }
    }

    fn judge(&mut self, verdict: &Value, until: BootTime) {
        let word = verdict["verdict"].as_str().unwrap();
        if word == "pending" {
            return;
        }
        let kind = verdict["resource"]["kind"].as_str().unwrap();
        *self.verdicts.entry(format!("{word} {kind}")).or_default() += 1;
        let led = matches!(word, "late" | "retained")
            || verdict["when"] == "after"
            || verdict["when"] == "during_delete";
        self.led += u64::from(led);
        let end = verdict["evidence"]["delete"]["end_ns"].as_u64();
        let least = match (&verdict["after_ns"]["least"], word) {
            (Value::Number(least), _) => least.as_u64(),
            (_, "retained") => end.map(|end| until.0 - end),
            _ => None,
        };
        if let (Some(least), Some(tid)) = (least, verdict["resource"]["tid"].as_u64()) {
            let key = verdict["entry"]["key"].as_str().unwrap().to_owned();
            self.outlived.push((key, tid, least));
        }
    }

    /// Whether a timeline's answers are these.
    pub(super) fn agrees(&self, answers: &[Value]) -> Result<(), String> {
        let rows = |place: usize| answers[place].as_array().unwrap();
        let of = |category: &str| {
            let row = rows(0).iter().find(|row| row[0] == category);
            let number = |row: &Value, place: usize| match &row[place] {
                Value::String(large) => large.parse().unwrap(),
                number => number.as_u64().unwrap(),
            };
            row.map_or((0, 0), |row| (number(row, 1), number(row, 2)))
        };
        let verdicts: Vec<_> = self.verdicts.iter().map(|one| json!(one)).collect();
        let most: Vec<_> = [
            ("all live handles", self.most.0),
            ("all live threads", self.most.1),
        ]
        .into_iter()
        .filter(|(_, most)| *most > 0)
        .map(|(name, most)| json!([name, most]))
        .collect();
        for (what, is, expected) in [
            ("threads", json!(of("thread")), json!(self.threads)),
            ("handles", json!(of("handle")), json!(self.handles)),
            ("entries", json!(of("entry").0), json!(self.entries)),
            ("deletes", json!(of("delete").0), json!(self.deletes)),
            ("verdicts", answers[1].clone(), json!(verdicts)),
            ("flows", answers[2].clone(), json!([[self.led, self.led]])),
            ("the most", answers[3].clone(), json!(most)),
            ("ends before begins", answers[4].clone(), json!([[0]])),
        ] {
            if is != expected {
                return Err(format!("{what}: {is}, and not {expected}"));
            }
        }
        Ok(())
    }
}
