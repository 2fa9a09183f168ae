//! What the tool itself takes.

use crate::source::gauges::Reading;

/// What the tool itself takes, as the last look told.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Thousandths of one cpu.
    pub cpu_permille: u64,
    /// Resident bytes.
    pub memory_bytes: u64,
    /// Events a second, over the last look.
    pub events_per_second: u64,
    /// By kind of [`crate::tui::world::KINDS`].
    pub kinds_per_second: [u64; 7],
    /// How the source fares.
    pub reading: Reading,
    /// Nanoseconds: the last frame, the last making of rows, and the last batch.
    pub frame_ns: u64,
    /// The rows.
    pub rows_ns: u64,
    /// The batch.
    pub batch_ns: u64,
}
