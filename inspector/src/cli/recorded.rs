//! The command line of what reads recordings.

use std::path::PathBuf;

use clap::Args;

use super::{ScreenArgs, record::size};
use crate::{
    export::Format,
    ledger::retain::Retain,
    trace::{at::At, read::Limits},
};

/// What reading a recording may take.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reading a recording")]
pub struct ReadArgs {
    /// Most bytes that one block may have, unpacked: a file can't take more memory than some times
    /// this
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256M")]
    pub most_block_bytes: u64,
    /// Most blocks that a recording may have
    #[arg(long, value_name = "N", default_value_t = Limits::default().blocks)]
    pub most_blocks: usize,
}

/// What is known at the end of a recording may take.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Reading a recording")]
pub struct MemoryArgs {
    /// How much memory what is known may take, about: of what is dead, the oldest is forgotten beyond
    /// it, and that is told; an export, which has to have all of its window, ends with an error
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "4G")]
    pub memory: u64,
}

/// Bytes that one dead resource takes, with an entry of its own and what is noted of both.
const DEAD_BYTES: u64 = 700;

impl ReadArgs {
    /// As the reader takes them.
    pub fn limits(&self) -> Limits {
        Limits {
            block_bytes: u32::try_from(self.most_block_bytes).unwrap_or(u32::MAX),
            blocks: self.most_blocks,
        }
    }
}

impl MemoryArgs {
    /// How much of what is dead is kept.
    pub(crate) fn retain(&self) -> Retain {
        Retain {
            dead: usize::try_from(self.memory / DEAD_BYTES).unwrap_or(usize::MAX),
        }
    }
}

/// Of `inspector export`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: 0 exported, 2 error.\n\nThe formats sqlite and parquet are those of a \
                  build with --features sqlite,parquet.\ndocs/export.md says what is in each format."
)]
pub struct ExportArgs {
    /// The recording, by the name of any of its files
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// In which format
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub format: Format,
    /// Write it to this file, or into this new folder where the format is several files [default:
    /// standard output]
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Begin here: a time of the day in UTC (14:03:07), from the beginning (+90s), or from the end
    /// (-3m)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<At>,
    /// End here
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<At>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Reading.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Memory.
    #[command(flatten)]
    pub memory: MemoryArgs,
}

/// Of `inspector replay`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit codes: 0 shown, 2 error.\n\ndocs/replay.md names the keys.")]
pub struct ReplayArgs {
    /// The recording, by the name of any of its files
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Begin here and stand still: a time of the day in UTC (14:03:07), from the beginning (+90s),
    /// or from the end (-3m)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<At>,
    /// The interactive screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// Reading.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Of `inspector info`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit codes: 0 whole, 1 damaged or without an end, 2 error.")]
pub struct InfoArgs {
    /// The recording, by the name of any of its files
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// As one JSON object (docs/recording.md)
    #[arg(long)]
    pub json: bool,
    /// Check the content of every block too, not only its header
    #[arg(long)]
    pub verify: bool,
    /// Reading.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Of `inspector diff`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: 0 no site got worse, 1 some site got worse (more survive, or more are \
                  retained), 2 error.\n\nA site is what made a resource: its kind, its target's \
                  pattern, the call that opened it. docs/recording.md says more."
)]
pub struct DiffArgs {
    /// The recording before, by the name of any of its files
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// The recording after
    #[arg(value_name = "B")]
    pub after: PathBuf,
    /// As one JSON object (docs/recording.md)
    #[arg(long)]
    pub json: bool,
    /// Name every site that differs, not only those that got worse or better
    #[arg(long, conflicts_with = "json")]
    pub all: bool,
    /// Reading.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Memory.
    #[command(flatten)]
    pub memory: MemoryArgs,
}

/// Of `inspector repair`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: 0 whole, 1 damaged or without an end, 2 error.\n\nThe recording itself \
                  is never changed: what was found is written to FILE.index, by which reading it \
                  passes over the damage."
)]
pub struct RepairArgs {
    /// The recording, by the name of any of its files
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print what is written, one JSON object (docs/recording.md), in place of text
    #[arg(long)]
    pub json: bool,
    /// Reading.
    #[command(flatten)]
    pub read: ReadArgs,
}
