//! Where a key has a meaning.

/// What is watched, as far as keys have a meaning by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The lab.
    Lab,
    /// Processes that were there before.
    Processes,
    /// A command that was started for this.
    Command,
    /// A recording: nothing that is watched now. Its own keys come before those that have a meaning
    /// everywhere.
    Replay,
}
