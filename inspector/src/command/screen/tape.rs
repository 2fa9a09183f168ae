//! The screen's recordings: files of the invoking user's, in the current folder unless they are named.

use std::path::PathBuf;

use crate::{
    check::CommandEnd,
    cli::record::{RecordingArgs, TapeArgs},
    command::{
        recording::{Recording, bytes},
        tell,
    },
    event::Batch,
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
}

impl ScreenTape {
    /// Nothing is recorded yet.
    pub(super) fn new(how: RecordingArgs, watched: Watched, source: SourceKind) -> Self {
        Self {
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
        pipeline: &Pipeline,
    ) -> anyhow::Result<Self> {
        let mut tape = Self::new(args.recording.clone(), watched, source);
        if args.record.is_some() || args.recording.flight.is_some() {
            tape.path.clone_from(&args.record);
            tape.begin(false, pipeline)?;
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
        let recording = Recording::start(&path, &self.how, &[], watched, source, pipeline)?;
        self.recording = Some((recording, path.clone()));
        Ok(path)
    }
}

impl Tape for ScreenTape {
    fn press(&mut self, pipeline: &Pipeline) -> Result<String, String> {
        match self.recording.take() {
            None => {
                let begun = self.begin(true, pipeline);
                let path = begun.map_err(|error| format!("{error:#}"))?;
                Ok(format!("records into {}", path.display()))
            }
            Some((mut recording, path)) if recording.is_flight() => {
                let is_saved = recording.save("asked for on the screen", pipeline);
                self.recording = Some((recording, path));
                if is_saved {
                    Ok("what the flight recorder holds is being saved".to_owned())
                } else {
                    Err("the disk is too slow to save the recording now".to_owned())
                }
            }
            Some((recording, path)) => {
                let progress = recording.end(pipeline);
                let said = format!("recorded {}: {}", path.display(), size(&progress));
                match progress.halted {
                    Some(why) => Err(format!("{said}; it ended early: {why}")),
                    None => Ok(said),
                }
            }
        }
    }

    fn take(&mut self, batch: &Batch, pipeline: &Pipeline, fallen: &[Judgement]) {
        if let Some((recording, _)) = &mut self.recording {
            recording.take(batch, pipeline, fallen);
        }
    }

    fn command_ended(&mut self, end: CommandEnd, pipeline: &Pipeline) {
        if let Some((recording, _)) = &mut self.recording {
            recording.command_ended(end, pipeline);
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
        match recording.finish(pipeline) {
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
