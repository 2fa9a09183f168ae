//! The screen's recordings: files of the invoking user's, in the current folder unless they are named.
//!
//! The screen shows what is secret, and a recording begins with all that is known: where secrets are to
//! be kept out of it, all of it comes from [`Hidden`], from the first event on.

use std::path::PathBuf;

use crate::{
    check::CommandEnd,
    cli::record::{RecordingArgs, TapeArgs},
    command::{
        recording::{Hidden, Recording, bytes},
        tell,
    },
    event::Batch,
    ledger::LedgerRules,
    pipeline::Pipeline,
    source::{SourceKind, clock::wall_ns},
    trace::{meta::Watched, write::Progress},
    tui::tape::{Tape, TapeState},
    verdict::Judgement,
};

/// A recording, or how one is to be made.
pub(super) struct ScreenTape {
    recording: Option<(Recording, PathBuf)>,
    /// How.
    how: RecordingArgs,
    /// Where the next one goes.
    path: Option<PathBuf>,
    watched: Watched,
    source: SourceKind,
    hidden: Option<Box<Hidden>>,
}

impl ScreenTape {
    /// Nothing is recorded yet, nor known.
    pub(super) fn new(
        how: RecordingArgs,
        watched: Watched,
        source: SourceKind,
        rules: LedgerRules,
    ) -> Self {
        Self {
            hidden: Hidden::new(&how.redact, rules),
            recording: None,
            how,
            path: None,
            watched,
            source,
        }
    }

    /// The same, where the command line may ask for a recording from the start.
    ///
    /// # Errors
    /// Where it can't be made.
    pub(super) fn begun(
        args: &TapeArgs,
        watched: Watched,
        source: SourceKind,
        rules: LedgerRules,
    ) -> anyhow::Result<Self> {
        let mut tape = Self::new(args.recording.clone(), watched, source, rules);
        if args.record.is_some() || args.recording.flight.is_some() {
            tape.path.clone_from(&args.record);
            tape.begin(false, &Pipeline::new(rules))?;
        }
        Ok(tape)
    }

    fn begin(&mut self, is_late: bool, pipeline: &Pipeline) -> anyhow::Result<PathBuf> {
        let path = self.path.take().unwrap_or_else(|| {
            let ms = wall_ns() / 1_000_000;
            PathBuf::from(format!("inspector-{ms}.rec"))
        });
        let (mut watched, source) = (self.watched.clone(), &self.source);
        watched.is_late = is_late;
        let hidden = self.hidden.as_deref();
        let redaction = hidden.map(Hidden::redaction);
        let known = Hidden::or(hidden, pipeline);
        let recording = Recording::start(&path, &self.how, redaction, watched, source, known)?;
        self.recording = Some((recording, path.clone()));
        Ok(path)
    }
}

impl Tape for ScreenTape {
    fn press(&mut self, pipeline: &Pipeline) -> Result<String, String> {
        let known = Hidden::or(self.hidden.as_deref(), pipeline);
        match self.recording.take() {
            None => {
                let begun = self.begin(true, pipeline);
                let path = begun.map_err(|error| format!("{error:#}"))?;
                Ok(format!("records into {}", path.display()))
            }
            Some((mut recording, path)) if recording.is_flight() => {
                let is_saved = recording.save("asked for on the screen", known);
                self.recording = Some((recording, path));
                if is_saved {
                    Ok("what the flight recorder holds is being saved".to_owned())
                } else {
                    Err("the disk is too slow to save the recording now".to_owned())
                }
            }
            Some((recording, path)) => {
                let progress = recording.end(known);
                let said = format!("recorded {}: {}", path.display(), size(&progress));
                match progress.halted {
                    Some(why) => Err(format!("{said}; it ended early: {why}")),
                    None => Ok(said),
                }
            }
        }
    }

    fn listens(&self) -> bool {
        self.recording.is_some() || self.hidden.is_some()
    }

    fn take(&mut self, mut batch: Batch, pipeline: &Pipeline, fallen: &[Judgement]) {
        let recording = self.recording.as_mut().map(|(recording, _)| recording);
        let Some(hidden) = &mut self.hidden else {
            if let Some(recording) = recording {
                recording.take(&batch, pipeline, fallen);
            }
            return;
        };
        let fallen = hidden.take(&mut batch);
        if let Some(recording) = recording {
            recording.take(&batch, Hidden::or(Some(hidden), pipeline), &fallen);
        }
    }

    fn command_ended(&mut self, end: CommandEnd, pipeline: &Pipeline) {
        if let Some((recording, _)) = &mut self.recording {
            let known = Hidden::or(self.hidden.as_deref(), pipeline);
            recording.command_ended(end, known);
        }
    }

    fn state(&self) -> Option<TapeState> {
        let (recording, _) = self.recording.as_ref()?;
        let progress = recording.progress();
        Some(TapeState {
            words: size(&progress),
            is_bad: progress.lost > 0 || progress.halted.is_some(),
        })
    }

    fn finish(&mut self, pipeline: &Pipeline) {
        let Some((recording, path)) = self.recording.take() else {
            return;
        };
        match recording.finish(Hidden::or(self.hidden.as_deref(), pipeline)) {
            Ok(()) => tell(&format!("the recording stands in {}", path.display())),
            Err(error) => tell(&format!("{}: {error:#}", path.display())),
        }
    }
}

fn size(progress: &Progress) -> String {
    let mut words = bytes(progress.kept_bytes);
    if progress.lost > 0 {
        words.push_str(&format!(", lost {}", progress.lost));
    }
    if progress.halted.is_some() {
        words.push_str(", halted");
    }
    words
}
