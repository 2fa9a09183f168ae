//! The command line: clap types only.

pub mod any;
pub mod record;
pub mod recorded;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::{
    any::{AttachArgs, CheckArgs, LaunchArgs, ReportArgs, RunArgs},
    record::RecordArgs,
    recorded::{DiffArgs, ExportArgs, InfoArgs, RepairArgs, ReplayArgs},
};
use crate::{
    lab::{MapKind, entry::EntryKind, policy::Policy},
    source::{
        Audits,
        ebpf::{hook::PROBES, load::LoadOptions},
        probe_set::ProbeSetKind,
    },
};

/// Shows, and proves by eBPF, whether threads and file handles disappear after deletes.
///
/// Without a verb: the interactive lab; where there is no terminal, four of its scenarios.
#[derive(Debug, Parser)]
#[command(
    name = "inspector",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// The screen, without a verb.
    #[command(flatten)]
    pub screen: ScreenArgs,
}

/// How the interactive screen is to be.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Screen")]
pub struct ScreenArgs {
    /// Lines of text in place of the screen: for screen readers, logs and pipes
    #[arg(long)]
    pub plain: bool,
    /// No signs beyond ASCII on the screen
    #[arg(long)]
    pub ascii: bool,
    /// Colours: dark, light or mono [default: dark, or as configured]
    #[arg(long, value_enum, value_name = "THEME")]
    pub theme: Option<crate::config::Theme>,
    /// The settings.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Fail after so many milliseconds, to see that the terminal survives it
    #[arg(long, hide = true, value_name = "MS")]
    pub panic_after: Option<u64>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Watch running processes on the screen
    Attach(Box<AttachArgs>),
    /// Start a command and watch it on the screen from its first instruction
    Run(Box<RunArgs>),
    /// Watch processes or a command without a screen, and report what remains
    Report(Box<ReportArgs>),
    /// Run a command and fail if it leaves threads or file handles behind: a gate for CI
    Check(Box<CheckArgs>),
    /// Watch processes, a command or the lab without a screen, and write down all that happens
    Record(Box<RecordArgs>),
    /// Show a recording on the screen, from any of its moments to any other
    Replay(Box<ReplayArgs>),
    /// Tell what a recording is of, and whether it is whole
    Info(Box<InfoArgs>),
    /// Check every block of a recording, and note beside it what is good and what damaged
    Repair(Box<RepairArgs>),
    /// Compare two recordings, before and after a change: which sites got worse, which better
    Diff(Box<DiffArgs>),
    /// Write a recording in the format of another tool: Perfetto, Chrome, JSON Lines, CTF, SQL tables
    Export(Box<ExportArgs>),
    /// Run the reference workload and judge its deletes
    Lab(Box<LabArgs>),
    /// Print what works here and the command that mends each lack
    Doctor(DoctorArgs),
    /// Print the settings in force, or which file they are read from
    Config(ConfigArgs),
    /// The lab's own child process
    #[command(hide = true)]
    LabChild(LabChildArgs),
    /// What becomes a command once somebody watches it
    #[command(hide = true)]
    Launch(LaunchArgs),
}

/// Of `inspector lab`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit codes: 0 expectations met, 1 not met, 2 error.")]
pub struct LabArgs {
    /// Print scenarios as they happen, without a screen. So does every option that says what is to
    /// be played or printed
    #[arg(long)]
    pub headless: bool,
    /// The interactive screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// Print the catalogue of maps, entries, policies and scenarios
    #[arg(long)]
    pub list: bool,
    /// Play this scenario (repeatable; --list names them)
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,
    /// Which variant of the scenarios [default: every one they have]
    #[arg(long, value_enum, value_name = "VARIANT")]
    pub variant: Option<VariantArg>,
    /// One JSON object a line, each named by its `record`: verdicts, scores, losses
    #[arg(long)]
    pub json: bool,
    /// Also print what each verdict rests on (--json always does)
    #[arg(long)]
    pub grounds: bool,
    /// Map kind [default: mutex]
    #[arg(long, value_enum, value_name = "KIND")]
    pub map: Option<MapKind>,
    /// Entry kind of a policy run [default: ticker]
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "scenario")]
    pub entry: Option<EntryKind>,
    /// Score this delete policy over --keys keys, instead of playing scenarios
    #[arg(long, value_enum, value_name = "POLICY", conflicts_with_all = ["scenario", "variant"])]
    pub policy: Option<Policy>,
    /// Keys of each scenario or policy run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub keys: Option<u32>,
    /// Stores and deletes a second [default: as fast as each can be checked]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: Option<u32>,
    /// Store this many keys at once, as fast as they go, then delete them all
    #[arg(long, value_name = "N", conflicts_with_all = ["scenario", "keys", "rate"],
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub burst: Option<u32>,
    /// Makes a run repeatable: the order of the deletes follows from it
    #[arg(long, value_name = "SEED", default_value_t = SEED)]
    pub seed: u64,
    /// How long after a delete a resource may live before it is retained, in milliseconds
    /// [default: 1000, or as configured on the screen]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub grace: Option<u64>,
    /// The user the workload runs as [default: who called sudo, else nobody]
    #[arg(long = "as", value_name = "USER")]
    pub as_user: Option<String>,
    /// Poll /proc instead of using eBPF, privileged or not
    #[arg(long)]
    pub poll: bool,
    /// The kernel side.
    #[command(flatten)]
    pub kernel: KernelArgs,
}

/// What can be chosen about the kernel side. Why the defaults are what they are stands in
/// `inspector-ebpf/src/maps.rs`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Kernel side")]
pub struct KernelArgs {
    /// Which hooks: every process of the machine pays for them while they are attached
    #[arg(long, value_enum, value_name = "SET", default_value_t = ProbeSetArg::Waits)]
    pub probe_set: ProbeSetArg,
    /// Size of the ring buffer in bytes: a power of two
    #[arg(long, value_name = "N", default_value_t = 16 << 20, value_parser = ring_bytes)]
    pub ring_bytes: u32,
    /// Wake the reader when so many bytes wait in the ring; 0 = it only polls, every 10 ms
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub wakeup_bytes: u32,
    /// Waits that lasted longer are told one by one, shorter ones only summed, in microseconds
    #[arg(long, value_name = "US", default_value_t = 1000)]
    pub wait_threshold: u64,
    /// Most threads whose waits are kept
    #[arg(long, value_name = "N", default_value_t = 65_536,
          value_parser = clap::value_parser!(u32).range(1..=4_194_304))]
    pub max_threads: u32,
    /// Most futex words whose waits are summed
    #[arg(long, value_name = "N", default_value_t = 16_384,
          value_parser = clap::value_parser!(u32).range(1..=4_194_304))]
    pub max_futexes: u32,
    /// Leave a program out, to see what is lost without it (`inspector doctor` names them)
    #[arg(long, value_name = "PROGRAM", value_parser = program_name)]
    pub without_probe: Vec<String>,
    /// Do without the names by which files are opened: an open costs its thread some 100 ns less
    #[arg(long)]
    pub no_names: bool,
    /// Print what the programs themselves have to say, on stderr
    #[arg(long)]
    pub program_log: bool,
}

/// The probe sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProbeSetArg {
    /// Births and deaths of threads and handles
    Deaths,
    /// The same, and what threads wait in and who wakes them
    Waits,
}

/// The kernel takes rings of a power of two, and not less than a page.
fn ring_bytes(text: &str) -> Result<u32, String> {
    let bytes: u32 = text.parse().map_err(|error| format!("{error}"))?;
    if bytes.is_power_of_two() && bytes >= 4096 {
        Ok(bytes)
    } else {
        Err("it must be a power of two and at least 4096".to_owned())
    }
}

fn program_name(text: &str) -> Result<String, String> {
    let mut names = PROBES.iter().map(|probe| probe.program);
    if names.clone().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let names: Vec<_> = names.by_ref().collect();
    Err(format!("there are {}", names.join(", ")))
}

impl KernelArgs {
    /// A program left out is a negative control: no audit that nobody asked for makes up for it.
    fn audits(&self) -> Audits {
        let mut audits = Audits::default();
        if !self.without_probe.is_empty() {
            audits.every = None;
        }
        audits
    }

    /// As the loader takes them.
    pub fn load_options(&self, follow_forks: bool) -> LoadOptions {
        LoadOptions {
            set: match self.probe_set {
                ProbeSetArg::Deaths => ProbeSetKind::BirthsAndDeaths,
                ProbeSetArg::Waits => ProbeSetKind::WithWaits,
            },
            ring_bytes: self.ring_bytes,
            wakeup_bytes: self.wakeup_bytes,
            wait_threshold: Duration::from_micros(self.wait_threshold),
            follow_forks,
            max_threads: self.max_threads,
            max_futexes: self.max_futexes,
            without: self.without_probe.clone(),
            names: !self.no_names,
            log: self.program_log,
            audits: self.audits(),
        }
    }
}

/// `--seed`, unless given.
const SEED: u64 = 1;
/// `--grace`, unless given.
const GRACE_MS: u64 = 1000;

impl LabArgs {
    /// The grace of a run without a screen, in milliseconds.
    pub fn grace_ms(&self) -> u64 {
        self.grace.unwrap_or(GRACE_MS)
    }

    /// Whether nothing asks for lines in place of the screen.
    pub fn wants_screen(&self) -> bool {
        let asks_for_lines = self.headless
            || self.screen.plain
            || self.list
            || self.json
            || self.grounds
            || !self.scenario.is_empty()
            || self.variant.is_some()
            || self.entry.is_some()
            || self.policy.is_some()
            || self.keys.is_some()
            || self.rate.is_some()
            || self.burst.is_some()
            || self.kernel.program_log;
        !asks_for_lines
    }

    /// What `inspector` without a verb runs: the lab.
    pub fn unasked(screen: ScreenArgs) -> Self {
        match Cli::parse_from(["inspector", "lab"]).verb {
            Some(Verb::Lab(args)) => Self { screen, ..*args },
            _ => unreachable!("the line above names the verb"),
        }
    }
}

/// A scenario's variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VariantArg {
    /// As the article warns
    Leaky,
    /// As it should be
    Fixed,
}

/// Of `inspector doctor`.
#[derive(Args, Clone, Copy, Debug)]
pub struct DoctorArgs {
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `inspector config`.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    /// What to print.
    #[command(flatten)]
    pub what: ConfigWhat,
    /// Where from.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// What `inspector config` prints: one of these.
#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
pub struct ConfigWhat {
    /// Every setting in force, as a configuration file that says where each comes from
    #[arg(long)]
    pub print: bool,
    /// The file that would be read, whether it is there or not
    #[arg(long)]
    pub path: bool,
}

/// Of every verb that reads the configuration.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigFile {
    /// Read this configuration [default: $INSPECTOR_CONFIG, else inspector/inspector.toml in the
    /// user's configuration folder]
    #[arg(long = "config", id = "config", value_name = "FILE")]
    pub path: Option<PathBuf>,
}

/// Of the hidden `inspector lab-child`.
#[derive(Args, Clone, Debug)]
pub struct LabChildArgs {
    /// Become this user
    #[arg(long, requires = "gid")]
    pub uid: Option<u32>,
    /// Its main group
    #[arg(long)]
    pub gid: Option<u32>,
    /// All its groups
    #[arg(long, value_delimiter = ',')]
    pub groups: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
