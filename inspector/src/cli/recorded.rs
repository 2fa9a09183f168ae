//! The command line of what reads recordings.

use std::path::PathBuf;

use clap::Args;

use super::record::size;
use crate::{
    export::Format,
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

impl ReadArgs {
    /// As the reader takes them.
    pub fn limits(&self) -> Limits {
        Limits {
            block_bytes: u32::try_from(self.most_block_bytes).unwrap_or(u32::MAX),
            blocks: self.most_blocks,
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
