//! A recording beside what is watched: begins it, tells how it fares, and saves what a flight recorder
//! holds when that is asked for.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::tell;
use crate::{
    check::CommandEnd,
    cli::record::{RecordingArgs, SaveOn},
    event::{Batch, What, thread::ThreadEvent},
    lab::account::{Account, Invoker, through_sudo},
    ledger::{LedgerRules, retain::Retain},
    pipeline::Pipeline,
    source::{
        SourceKind,
        clock::{boot_time, wall_ns},
    },
    trace::{
        meta::{End, Meta, Watched},
        redact::{Redaction, Secret},
        write::{Files, Progress, Recorder},
    },
    verdict::Judgement,
};

/// A recording that is being made.
#[derive(Debug)]
pub(super) struct Recording {
    recorder: Recorder,
    redaction: Option<Redaction>,
    triggers: Vec<SaveOn>,
    /// Triggers by numbers that have pulled, and wait until theirs are lower again.
    pulled: Vec<SaveOn>,
    /// How much of the present belongs to what is saved: it is saved when this is over.
    due: Option<(Instant, String)>,
    is_quiet: bool,
    told: Instant,
    told_halt: Option<String>,
}

/// What is known without the secrets, where somebody else needs them: a pipeline that has never heard
/// of them. A recording is made of that, for its keyframes hold all that is known.
#[derive(Debug)]
pub(super) struct Hidden {
    redaction: Redaction,
    pipeline: Pipeline,
}

impl Hidden {
    /// Of these secrets, if there are any. It knows nothing yet.
    pub(super) fn new(secrets: &[Secret], rules: LedgerRules) -> Option<Box<Self>> {
        let redaction = Redaction::new(secrets)?;
        let pipeline = Pipeline::new(LedgerRules {
            retain: Retain::RECORDED,
            ..rules
        });
        Some(Box::new(Self {
            redaction,
            pipeline,
        }))
    }

    /// What makes them unreadable.
    pub(super) fn redaction(&self) -> Redaction {
        self.redaction.clone()
    }

    /// Makes a batch unreadable and takes it in: what fell.
    pub(super) fn take(&mut self, batch: &mut Batch) -> Vec<Judgement> {
        self.redaction.apply(batch);
        self.pipeline.take(batch)
    }

    /// What a recording is made of: this where it is, else what is shown.
    pub(super) fn or<'a>(hidden: Option<&'a Self>, shown: &'a Pipeline) -> &'a Pipeline {
        hidden.map_or(shown, |hidden| &hidden.pipeline)
    }
}

/// What happened just after it was asked for is saved as well.
const AFTERMATH: Duration = Duration::from_secs(2);
/// How often progress is told where stderr is a log.
const TELL: Duration = Duration::from_secs(10);

impl Recording {
    /// Begins it. Its files are those of the user who called. With a redaction, what `pipeline` knows
    /// and all that is taken in has gone through it before.
    ///
    /// # Errors
    /// Where the first file can't be made.
    pub(super) fn start(
        path: &Path,
        args: &RecordingArgs,
        redaction: Option<Redaction>,
        watched: Watched,
        source: &SourceKind,
        pipeline: &Pipeline,
    ) -> anyhow::Result<Self> {
        let owner = through_sudo(&Invoker::of_this_process(None))?;
        let now = boot_time();
        let mut meta = Meta {
            watched,
            grace_ns: pipeline.ledger().rules().grace_ns,
            ..Meta::new(now.0, wall_ns().checked_sub(now.0), source)
        };
        if let Some(redaction) = &redaction {
            redaction.command(&mut meta.watched.words);
            meta.redacted = redaction.words();
        }
        let recorder = begin(path, args, meta, pipeline, owner)
            .with_context(|| format!("no recording can be made at {}", path.display()))?;
        Ok(Self {
            recorder,
            redaction,
            triggers: args.triggers(),
            pulled: Vec::new(),
            due: None,
            is_quiet: false,
            told: Instant::now(),
            told_halt: None,
        })
    }

    /// Makes unreadable what is to be, before anybody takes it in.
    pub(super) fn redact(&self, batch: &mut Batch) {
        if let Some(redaction) = &self.redaction {
            redaction.apply(batch);
        }
    }

    /// Writes down a batch that the pipeline has taken in just before.
    pub(super) fn take(&mut self, batch: &Batch, pipeline: &Pipeline, fallen: &[Judgement]) {
        self.recorder.take(batch, pipeline, fallen);
        if !self.triggers.is_empty()
            && let Some(why) = self.pulls(batch, pipeline, fallen)
            && self.due.is_none()
        {
            self.due = Some((Instant::now() + AFTERMATH, why));
        }
        if self
            .due
            .as_ref()
            .is_some_and(|(at, _)| Instant::now() >= *at)
            && let Some((_, why)) = self.due.take()
        {
            self.save_or_later(why, pipeline);
        }
    }

    fn save_or_later(&mut self, why: String, pipeline: &Pipeline) {
        if !self.save(&why, pipeline) {
            self.due = Some((Instant::now() + AFTERMATH, why));
        }
    }

    /// Whether a trigger pulls, and why.
    fn pulls(
        &mut self,
        batch: &Batch,
        pipeline: &Pipeline,
        fallen: &[Judgement],
    ) -> Option<String> {
        let mut why = None;
        for &trigger in &self.triggers {
            let reason = match trigger {
                SaveOn::Verdict => fallen
                    .iter()
                    .find(|one| one.verdict.is_bad())
                    .map(|one| format!("{} of {}: {}", one.resource, one.entry, one.verdict)),
                SaveOn::Exit => ended(batch).map(|tgid| format!("process {tgid} ended")),
                // The command's own end is told by whoever waits for it.
                SaveOn::Crash => None,
                SaveOn::Threads(most) => beyond(pipeline.ledger().live().0, most, "threads"),
                SaveOn::Handles(most) => beyond(pipeline.ledger().live().1, most, "handles"),
            };
            let is_level = matches!(trigger, SaveOn::Threads(_) | SaveOn::Handles(_));
            match reason {
                Some(_) if is_level && self.pulled.contains(&trigger) => {}
                Some(reason) => {
                    if is_level {
                        self.pulled.push(trigger);
                    }
                    why.get_or_insert(reason);
                }
                None => self.pulled.retain(|pulled| *pulled != trigger),
            }
        }
        why
    }

    /// The command has ended so, just now.
    pub(super) fn command_ended(&mut self, end: CommandEnd, pipeline: &Pipeline) {
        let (how, status, words) = match end {
            CommandEnd::Exited(0) => ("exited", 0, None),
            CommandEnd::Exited(code) => {
                let words = format!("the command exited with {code}");
                ("exited", code, Some(words))
            }
            CommandEnd::Killed(signal) => {
                let words = format!("the command was killed by signal {signal}");
                ("killed", signal, Some(words))
            }
            CommandEnd::NotExecutable | CommandEnd::NotFound => return,
        };
        self.recorder.command_ended(End {
            how: how.to_owned(),
            status,
            ended_ns: boot_time().0,
        });
        if let Some(words) = words
            && self.triggers.contains(&SaveOn::Crash)
        {
            self.save_or_later(words, pipeline);
        }
    }

    /// Whether it is a flight recorder, which saves when it is asked to.
    pub(super) fn is_flight(&self) -> bool {
        !self.triggers.is_empty()
    }

    /// Saves what a flight recorder holds; `false` = the disk is too slow for that now.
    pub(super) fn save(&mut self, why: &str, pipeline: &Pipeline) -> bool {
        self.due = None;
        self.recorder.save(why, pipeline)
    }

    /// Only errors are told.
    #[must_use]
    pub(super) fn quietly(self, is_quiet: bool) -> Self {
        Self { is_quiet, ..self }
    }

    /// How it fares.
    pub(super) fn progress(&self) -> Progress {
        self.recorder.progress()
    }

    /// Ends it, and says nothing. What is to be saved and waited for its aftermath is saved without.
    pub(super) fn end(mut self, pipeline: &Pipeline) -> Progress {
        if let Some((_, why)) = self.due.take() {
            // Where the disk is too slow for that, it stays in what the recorder keeps last.
            let _may_be_too_slow = self.recorder.save(&why, pipeline);
        }
        self.recorder.finish(pipeline)
    }

    /// Tells how it fares, when it is time.
    pub(super) fn tell(&mut self) {
        let progress = self.recorder.progress();
        if progress.halted != self.told_halt {
            if let Some(why) = &progress.halted {
                tell(&format!("the recording: {why}"));
            }
            self.told_halt.clone_from(&progress.halted);
        }
        let is_terminal = io::stderr().is_terminal();
        if self.is_quiet || (!is_terminal && self.told.elapsed() < TELL) {
            return;
        }
        self.told = Instant::now();
        if is_terminal {
            // In place of the last one.
            let line = words(&progress);
            let _nobody_may_see = write!(io::stderr(), "\rinspector: recording: {line}\x1b[K");
        } else {
            tell(&format!("recording: {}", words(&progress)));
        }
    }

    /// Ends it, and tells what came of it. `Err` = it could not be written to its end.
    pub(super) fn finish(self, pipeline: &Pipeline) -> anyhow::Result<()> {
        let is_terminal = io::stderr().is_terminal();
        let (is_flight, had_halted) = (self.is_flight(), self.told_halt.clone());
        let is_quiet = self.is_quiet;
        let progress = self.end(pipeline);
        if !is_quiet {
            if is_terminal {
                let _nobody_may_see = write!(io::stderr(), "\r\x1b[K");
            }
            tell(&format!("recorded: {}", words(&progress)));
        }
        for saved in &progress.saved {
            tell(&format!("saved {}", saved.display()));
        }
        if is_flight && progress.saved.is_empty() && !is_quiet {
            tell("nothing asked for the recording to be saved; its last part is kept");
        }
        match progress.halted {
            Some(why) if had_halted.as_ref() != Some(&why) => {
                anyhow::bail!("the recording ended early: {why}")
            }
            Some(_) => anyhow::bail!("the recording ended early, as told above"),
            None => Ok(()),
        }
    }
}

fn begin(
    path: &Path,
    args: &RecordingArgs,
    meta: Meta,
    pipeline: &Pipeline,
    owner: Option<Account>,
) -> io::Result<Recorder> {
    Recorder::start(
        Files::new(path),
        args.options(),
        meta,
        pipeline,
        move || {
            match owner {
                // Of the recorder's thread alone.
                Some(owner) => owner.become_it(),
                None => Ok(()),
            }
        },
    )
}

fn ended(batch: &Batch) -> Option<u32> {
    batch.events.iter().find_map(|event| match event.what {
        What::Thread(ThreadEvent::Gone { tid, tgid, .. }) if tid.0 == tgid.0 => Some(tgid.0),
        _ => None,
    })
}

fn beyond(count: u32, most: u32, what: &str) -> Option<String> {
    (count > most).then(|| format!("{count} {what}, more than {most}"))
}

fn words(progress: &Progress) -> String {
    let mut words = format!("{} events, {}", progress.events, bytes(progress.bytes));
    if progress.segments > 1 {
        words.push_str(&format!(" in {} files", progress.segments));
    }
    words.push_str(&format!(", lost {}", progress.lost));
    words
}

/// So many bytes, in the unit that fits: `11 kB`, `12.1 MB`.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000_000 => format!("{} kB", count.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}
