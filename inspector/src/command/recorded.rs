//! A recording, read for a verb: opened, played to its end, and what is lacking in it told.

use std::{path::Path, sync::Arc};

use anyhow::bail;

use super::tell;
use crate::{
    check::CommandEnd,
    cli::recorded::{MemoryArgs, ReadArgs},
    event::{BootTime, id::Tgid, text::Text},
    ledger::{Ledger, LedgerRules},
    pipeline::Pipeline,
    report::{
        document::{Of, Run},
        history::Moments,
    },
    source::SourceKind,
    trace::read::{Damaged, IndexUse, Read, Recording, index_path},
    verdict::growth::Growth,
};

/// A recording, and what is known at its end.
pub(super) struct Played {
    pub(super) recording: Arc<Recording>,
    pub(super) pipeline: Pipeline,
    pub(super) growth: Growth,
    pub(super) moments: Moments,
    /// Remarks of the user's own.
    pub(super) notes: Vec<(BootTime, String)>,
    pub(super) damaged: Damaged,
    /// Dead threads and handles for which there was no memory.
    forgotten: u64,
}

/// How often growth is looked at, at most: each look goes through everything that is remembered.
const LOOK_NS: u64 = 1_000_000_000;
/// Looks in as long as it went on before: twice in each of growth's windows at least.
const LOOKS: u64 = 32;

/// The last look at what grows.
#[derive(Default)]
struct Looked {
    at: BootTime,
    /// How many resources had been met.
    met: u64,
}

impl Looked {
    /// Whether it is time for the next, in what began then.
    fn is_over(&self, began: BootTime, ledger: &Ledger) -> bool {
        let step = LOOK_NS.max(self.at.since_ns(began) / LOOKS);
        // What is forgotten before it was looked at is in no group.
        let most = (ledger.rules().retain.dead / 2) as u64;
        ledger.now().since_ns(self.at) >= step || met(ledger).abs_diff(self.met) >= most
    }

    fn at(ledger: &Ledger) -> Self {
        Self {
            at: ledger.now(),
            met: met(ledger),
        }
    }
}

fn met(ledger: &Ledger) -> u64 {
    ledger.counters().threads + ledger.counters().handles
}

/// Opens a recording.
///
/// # Errors
/// Where it can't be read, or is none.
pub(super) fn open(path: &Path, args: &ReadArgs) -> anyhow::Result<Arc<Recording>> {
    let recording = Recording::open(path, args.limits())?;
    if let IndexUse::Ignored(why) = recording.index() {
        let index = index_path(path);
        let index = Text::from(index.as_os_str().as_encoded_bytes());
        tell(&format!("{index} is ignored: {why}"));
    }
    Ok(Arc::new(recording))
}

/// The rules that its verdicts rested on when it was made.
pub(super) fn recorded_rules(recording: &Recording) -> LedgerRules {
    let default = LedgerRules::default();
    let grace_ns = match recording.meta().grace_ns {
        0 => default.grace_ns,
        grace_ns => grace_ns,
    };
    LedgerRules {
        grace_ns,
        ..default
    }
}

/// Plays it to its end, judged by these rules: a report of a recording is of all of it, as far as memory
/// may hold it.
///
/// # Errors
/// Where more lives in it at once than that.
pub(super) fn play(
    recording: &Arc<Recording>,
    rules: LedgerRules,
    args: MemoryArgs,
) -> anyhow::Result<Played> {
    let rules = LedgerRules {
        retain: args.retain(),
        ..rules
    };
    let mut pipeline = Pipeline::new(rules);
    let mut growth = Growth::new();
    let mut moments = Moments::default();
    let mut notes = Vec::new();
    let began = recording.span().0;
    let mut looked = Looked::default();
    let (mut forgotten, mut forgotten_before) = (0, 0);
    let mut reads = recording.reads();
    for read in &mut reads {
        match read {
            Read::Batch(batch) => {
                // What falls stands in the ledger until it is asked for.
                let _fallen = pipeline.take(&batch);
                moments.take(&batch, pipeline.ledger());
            }
            Read::State(state) => {
                forgotten += forgotten_by(&pipeline) - forgotten_before;
                pipeline = state.with_rules(rules);
                forgotten_before = forgotten_by(&pipeline);
            }
            Read::Note { at, text } => notes.push((at, text)),
        }
        // What is dead takes less, the vacant rest of vectors included.
        if pipeline.ledger().bytes() as u64 > args.memory.saturating_mul(2) {
            let kept = pipeline.ledger().kept();
            bail!(
                "{} threads and {} handles live at once in the recording, which is more than --memory \
                 allows",
                kept.threads_live,
                kept.handles_open
            );
        }
        if looked.is_over(began, pipeline.ledger()) {
            growth.sample(pipeline.ledger());
            looked = Looked::at(pipeline.ledger());
        }
    }
    growth.sample(pipeline.ledger());
    forgotten += forgotten_by(&pipeline) - forgotten_before;
    let damaged = reads.damaged();
    Ok(Played {
        recording: Arc::clone(recording),
        pipeline,
        growth,
        moments,
        notes,
        forgotten,
        damaged,
    })
}

/// How many dead threads and handles a ledger has forgotten.
fn forgotten_by(pipeline: &Pipeline) -> u64 {
    let counters = pipeline.ledger().counters();
    counters.threads_forgotten + counters.handles_forgotten
}

impl Played {
    /// What it is of, as reports tell it.
    pub(super) fn run(&self) -> Run {
        let meta = self.recording.meta();
        let (started, ended) = self.recording.span();
        let pids = || meta.watched.pids.iter().map(|&pid| Tgid(pid));
        let of = match (meta.watched.of.as_str(), pids().next()) {
            ("command", Some(tgid)) => Of::Command {
                words: words(&self.recording),
                tgid,
                end: command_end(&self.recording).map(|(end, _)| end),
            },
            _ => Of::Processes(pids().collect()),
        };
        Run {
            of,
            started,
            ended,
            boot_wall_ns: meta.boot_wall_ns,
        }
    }

    /// What it rests on.
    pub(super) fn source(&self) -> SourceKind {
        self.recording.meta().source.kind()
    }

    /// What is lacking, in words.
    pub(super) fn lacks(&self) -> Vec<String> {
        let mut lacks = lacks(&self.recording, self.damaged);
        if self.forgotten > 0 {
            lacks.push(format!(
                "the oldest {} of the dead threads and handles were forgotten: --memory allows no more",
                self.forgotten
            ));
        }
        lacks
    }

    /// Says it on stderr.
    pub(super) fn tell_lacks(&self) {
        for lack in self.lacks() {
            tell(&lack);
        }
    }
}

/// The command's words.
pub(super) fn words(recording: &Recording) -> Vec<Text> {
    let words = recording.meta().watched.words.iter();
    words.map(|word| Text::from(word.as_bytes())).collect()
}

/// How the command ended, and when; `None` = it is not known.
pub(super) fn command_end(recording: &Recording) -> Option<(CommandEnd, BootTime)> {
    let end = recording.meta().command_end.as_ref()?;
    let how = match end.how.as_str() {
        "exited" => CommandEnd::Exited(end.status),
        "killed" => CommandEnd::Killed(end.status),
        _ => return None,
    };
    Some((how, BootTime(end.ended_ns)))
}

/// Whether it begins when its command ran already: by a key on the screen, or because a flight
/// recorder kept only the last of it.
pub(super) fn is_late(recording: &Recording) -> bool {
    let meta = recording.meta();
    let first = recording.blocks().first();
    let is_cut = first.is_some_and(|block| block.header.number > 0);
    meta.watched.of == "command" && (meta.watched.is_late || is_cut)
}

/// What is lacking in a recording, in words.
pub(super) fn lacks(recording: &Recording, damaged: Damaged) -> Vec<String> {
    let mut lacks = Vec::new();
    if !recording.is_clean() {
        lacks.push(
            "the recording has no end: its recorder was killed, or still writes; all up to its last \
             whole block is here"
                .to_owned(),
        );
    }
    let places = recording.damage().iter().filter(|damage| !damage.is_tail);
    let bytes: u64 = places.clone().map(|damage| damage.bytes).sum();
    let count = places.count();
    if count > 0 || damaged.blocks > 0 {
        lacks.push(format!(
            "the recording is damaged in {count} places ({bytes} bytes) and {} blocks: {} events \
             are lost, and told as a gap",
            damaged.blocks, damaged.events
        ));
    }
    if damaged.other_keyframes > 0 {
        lacks.push(format!(
            "{} keyframes are another version's; what they would tell was read from the events",
            damaged.other_keyframes
        ));
    }
    if damaged.unknown_events > 0 {
        lacks.push(format!(
            "{} events are of kinds that this version does not know",
            damaged.unknown_events
        ));
    }
    let lost = recording
        .blocks()
        .last()
        .map_or(0, |block| block.header.lost);
    if lost > 0 {
        lacks.push(format!("the recorder could not keep {lost} events"));
    }
    lacks
}
