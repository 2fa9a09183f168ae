//! The command line of what makes recordings.

use std::{ffi::OsString, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Subcommand};

use super::{
    ConfigFile, KernelArgs, LabArgs,
    any::{CommandArgs, TargetArgs, WatchArgs, duration},
};
use crate::trace::{
    redact::Secret,
    write::{Options, WhenFull},
};

/// How a recording is made.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The recording")]
pub struct RecordingArgs {
    /// The next file of the recording begins at this size (512M, 2G)
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1G")]
    pub segment_size: u64,
    /// or after this long
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10m")]
    pub segment_time: Duration,
    /// All files together are at most this large; --when-full says what happens then
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_size: Option<u64>,
    /// When the disk, or --max-size, is full
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = WhenFull::Stop)]
    pub when_full: WhenFull,
    /// Keep only the last this long, and write them out when --save-on says so: a flight recorder
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub flight: Option<Duration>,
    /// With --flight, when to write out (repeatable): verdict (something is late or retained), exit
    /// (a process ends), crash (a signal ends one), threads>N, handles>N; SIGUSR1 always does
    /// [default: verdict and crash]
    #[arg(long, value_name = "WHEN", requires = "flight")]
    pub save_on: Vec<SaveOn>,
    /// Make these unreadable in the recording, by salted hashes: equal ones stay equal
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub redact: Vec<Secret>,
}

impl Default for RecordingArgs {
    fn default() -> Self {
        let Options {
            segment_bytes,
            segment_time,
            most_bytes,
            when_full,
            flight,
        } = Options::default();
        Self {
            segment_size: segment_bytes,
            segment_time,
            max_size: most_bytes,
            when_full,
            flight,
            save_on: Vec::new(),
            redact: Vec::new(),
        }
    }
}

/// A recording beside the screen.
#[derive(Args, Clone, Debug, Default)]
pub struct TapeArgs {
    /// Write down all that happens into this file from the start [default: when the key `R` is
    /// pressed, and into a new file in this folder]
    #[arg(long, value_name = "FILE", help_heading = "The recording")]
    pub record: Option<PathBuf>,
    /// How.
    #[command(flatten)]
    pub recording: RecordingArgs,
}

impl RecordingArgs {
    /// As the recorder takes them.
    pub fn options(&self) -> Options {
        Options {
            segment_bytes: self.segment_size,
            segment_time: self.segment_time,
            most_bytes: self.max_size,
            when_full: self.when_full,
            flight: self.flight,
        }
    }

    /// When a flight recorder writes out.
    pub fn triggers(&self) -> Vec<SaveOn> {
        match self.flight {
            None => Vec::new(),
            Some(_) if self.save_on.is_empty() => vec![SaveOn::Verdict, SaveOn::Crash],
            Some(_) => self.save_on.clone(),
        }
    }
}

/// What makes a flight recorder write out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveOn {
    /// A verdict that is no good one.
    Verdict,
    /// A process's end.
    Exit,
    /// The command's end by a signal, or with a failure.
    Crash,
    /// More live threads than this.
    Threads(u32),
    /// More open handles than this.
    Handles(u32),
}

impl FromStr for SaveOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let number = text.trim().replace('_', "");
            number
                .parse()
                .map_err(|error| format!("{text:?} is no number: {error}"))
        };
        match text {
            "verdict" => Ok(Self::Verdict),
            "exit" => Ok(Self::Exit),
            "crash" => Ok(Self::Crash),
            _ => match text.split_once('>') {
                Some(("threads", most)) => number(most).map(Self::Threads),
                Some(("handles", most)) => number(most).map(Self::Handles),
                _ => Err("there are verdict, exit, crash, threads>N and handles>N".to_owned()),
            },
        }
    }
}

/// Of `inspector record`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: 0 recorded, 2 error; with a command its own, and 125, 126 and 127 as \
                  `inspector run` has them.\n\nThe files are the invoking user's, and nobody else \
                  may read them. docs/recording.md says what is in them."
)]
pub struct RecordArgs {
    /// The file: FILE, and FILE.1, FILE.2 and so on where it is long. None is ever written over
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Who.
    #[command(flatten)]
    pub target: TargetArgs,
    /// End after this long [default: when the last process has ended, or on SIGINT or SIGTERM]. A
    /// command that still runs is then told to end (SIGTERM)
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// The recording.
    #[command(flatten)]
    pub recording: RecordingArgs,
    /// The command.
    #[command(flatten)]
    pub command: CommandArgs,
    /// How.
    #[command(flatten)]
    pub watch: WatchArgs,
    /// The settings.
    #[command(flatten)]
    pub config: ConfigFile,
    /// The kernel side.
    #[command(flatten)]
    pub kernel: KernelArgs,
    /// In place of processes.
    #[command(subcommand)]
    pub lab: Option<RecordLab>,
    /// A command line in place of processes: what stands behind `--`
    #[arg(last = true, value_name = "CMD")]
    pub line: Vec<OsString>,
}

/// What else can be recorded.
#[derive(Clone, Debug, Subcommand)]
pub enum RecordLab {
    /// Play the reference workload without a screen, as `inspector lab --headless` does
    Lab(Box<LabArgs>),
}

/// Bytes, with K, M or G for their multiples by 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text[..at], 1 << 30),
        _ => (text, 1_u64),
    };
    let count: u64 = digits
        .trim()
        .parse()
        .map_err(|_| "it must be a number of bytes, or one with K, M or G".to_owned())?;
    let bytes = count.checked_mul(unit).ok_or("that is too large")?;
    if bytes < SMALLEST {
        return Err("it must be 64K at least".to_owned());
    }
    Ok(bytes)
}

/// A file of a recording holds a keyframe at least.
const SMALLEST: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_triggers_are_read() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("65536"), Ok(65_536));
        assert!(size("1").is_err() && size("x").is_err() && size("99999999999G").is_err());
        assert_eq!("threads>500".parse(), Ok(SaveOn::Threads(500)));
        assert_eq!("handles>10_000".parse(), Ok(SaveOn::Handles(10_000)));
        assert!("threads".parse::<SaveOn>().is_err());
    }
}
