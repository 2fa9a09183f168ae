//! A recording that is made beside the screen: begun and ended by a key, or by the command line.

use crate::{check::CommandEnd, event::Batch, pipeline::Pipeline, verdict::Judgement};

/// Whoever writes down what the screen takes in.
pub trait Tape {
    /// The key was pressed: begins a recording, ends it, or has a flight recorder save what it
    /// holds. Says what was done, or why not.
    ///
    /// # Errors
    /// In words: why it was not done.
    fn press(&mut self, pipeline: &Pipeline) -> Result<String, String>;

    /// Whether it wants what happens, be it written down or not.
    fn listens(&self) -> bool;

    /// Takes a batch that the pipeline has taken in just before.
    fn take(&mut self, batch: Batch, pipeline: &Pipeline, fallen: &[Judgement]);

    /// The command has ended so, just now.
    fn command_ended(&mut self, end: CommandEnd, pipeline: &Pipeline);

    /// How it fares; `None` = nothing is recorded.
    fn state(&self) -> Option<TapeState>;

    /// The screen is closed, and all that comes has been taken in.
    fn finish(&mut self, pipeline: &Pipeline);
}

/// How a recording fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeState {
    /// How much there is: `12.1 MB`.
    pub words: String,
    /// Whether something is lost, or nothing is written any more.
    pub is_bad: bool,
}
