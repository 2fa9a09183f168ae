//! The command line of the verbs that watch any process.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{
    ConfigFile, KernelArgs, ScreenArgs,
    record::TapeArgs,
    recorded::{MemoryArgs, ReadArgs},
};
use crate::{
    launch::Stdin,
    rules::{Budget, Ignore, Whose},
    source::{AuditMode, ebpf::load::LoadOptions},
    target::Wanted,
};

/// Who is watched.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Who is watched")]
pub struct TargetArgs {
    /// These processes
    #[arg(short, long = "pid", value_name = "PID", value_delimiter = ',')]
    pub pid: Vec<u32>,
    /// Every process of this name, as `ps -o comm` shows it (repeatable)
    #[arg(long, value_name = "NAME")]
    pub comm: Vec<String>,
    /// Every process of this control group and of those below it (repeatable): a path below
    /// /sys/fs/cgroup, or as /proc/PID/cgroup tells it
    #[arg(long, value_name = "PATH")]
    pub cgroup: Vec<PathBuf>,
    /// Every process of this container (its id, or the first characters of it: Docker, containerd,
    /// Podman, CRI-O) or systemd unit (`nginx.service`); repeatable
    #[arg(long, value_name = "ID")]
    pub container: Vec<String>,
}

impl TargetArgs {
    /// As targets are found by.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            pids: self.pid.clone(),
            comms: self.comm.clone(),
            cgroups: self.cgroup.clone(),
            containers: self.container.clone(),
        }
    }
}

/// How they are watched.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "How it is watched")]
pub struct WatchArgs {
    /// Only the processes themselves, not the children they start from now on
    #[arg(long)]
    pub no_follow: bool,
    /// Attach the marks of this program or library too (repeatable): those of what the processes
    /// execute when they are attached to are found without it, those of what their children execute
    /// are not
    #[arg(long, value_name = "FILE")]
    pub marks: Vec<PathBuf>,
    /// How long after a delete a resource may live before it is retained [default: 1s, or as
    /// configured]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub grace: Option<Duration>,
    /// Poll /proc instead of using eBPF, privileged or not
    #[arg(long)]
    pub poll: bool,
    /// What an audit does with a difference between what is known and /proc: mend it, or only
    /// count it
    #[arg(long, value_enum, value_name = "MODE", default_value_t = AuditArg::Heal)]
    pub audit: AuditArg,
}

impl WatchArgs {
    /// As the loader takes them.
    pub fn load_options(&self, kernel: &KernelArgs) -> LoadOptions {
        let mut options = kernel.load_options(!self.no_follow);
        options.audits.mode = match self.audit {
            AuditArg::Heal => AuditMode::Heal,
            AuditArg::Observe => AuditMode::Observe,
        };
        options
    }
}

/// What an audit does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuditArg {
    /// Count it, and go on with what /proc says
    Heal,
    /// Count it, and go on with what events said
    Observe,
}

/// A command to be started.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The command")]
pub struct CommandArgs {
    /// The user it runs as [default: who called sudo, else who runs this]
    #[arg(long = "as", value_name = "USER")]
    pub as_user: Option<String>,
    /// Where it reads from: null (nowhere), inherit, or a file
    #[arg(long, value_name = "FROM")]
    pub stdin: Option<Stdin>,
    /// Start the command as yourself, with your own environment, limits and groups, and only then
    /// make inspector root with sudo: for those who call inspector without it
    #[arg(long, conflicts_with_all = ["as_user", "taken"])]
    pub sudo: bool,
    /// Take over the command that waits under this name
    #[arg(long, hide = true, value_name = "NAME")]
    pub taken: Option<String>,
    /// Set this in its environment (repeatable): what sudo has taken away is not known here but for
    /// HOME, USER, LOGNAME, SHELL and PATH, which are rebuilt
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub env: Vec<(OsString, OsString)>,
}

/// Of `inspector attach`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit codes: 0 left, 2 error, 128+N left by signal N.")]
pub struct AttachArgs {
    /// Who.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How.
    #[command(flatten)]
    pub watch: WatchArgs,
    /// The screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// The recording.
    #[command(flatten)]
    pub tape: TapeArgs,
    /// The kernel side.
    #[command(flatten)]
    pub kernel: KernelArgs,
}

/// Of `inspector run`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: the command's own; 125 inspector failed, 126 the command can't be \
                  executed, 127 there is no such command, 128+N it was killed by signal N."
)]
pub struct RunArgs {
    /// Put what the command prints into this file [default: a file in the temporary folder, which
    /// the key `t` shows the end of]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The command.
    #[command(flatten)]
    pub command: CommandArgs,
    /// How.
    #[command(flatten)]
    pub watch: WatchArgs,
    /// The screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// The recording.
    #[command(flatten)]
    pub tape: TapeArgs,
    /// The kernel side.
    #[command(flatten)]
    pub kernel: KernelArgs,
    /// The command line: what stands behind `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    pub line: Vec<OsString>,
}

/// Of `inspector report`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: 0 reported, 2 error; with a command its own, and 125, 126 and 127 as \
                  `inspector run` has them."
)]
pub struct ReportArgs {
    /// A recording, in place of processes and commands: all of it is judged anew
    #[arg(value_name = "RECORDING", conflicts_with_all = ["time", "snapshot", "line"])]
    pub recording: Option<PathBuf>,
    /// Who.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Report after this long [default: when the last process has ended, or on SIGINT or SIGTERM].
    /// A command that still runs is then told to end (SIGTERM)
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// As one JSON object that holds everything known (docs/report.md)
    #[arg(long)]
    pub json: bool,
    /// Write the report to this file [default: standard output; with a command standard error]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the report to this file too, as one page of HTML that needs nothing but itself
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// On SIGUSR1, append everything known at that moment to this file: a line of JSON
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
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
    /// Of a recording.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Memory.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// A command line in place of processes: what stands behind `--`
    #[arg(last = true, value_name = "CMD")]
    pub line: Vec<OsString>,
}

/// Of `inspector check`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: 0 the command succeeded and left nothing behind, 1 it succeeded and \
                  there are findings, else the command's own; 125 inspector failed, 126 the \
                  command can't be executed, 127 there is no such command, 128+N it was killed \
                  by signal N.\n\nThe rules stand in the table [check] of inspector.toml; \
                  docs/check.md explains them."
)]
pub struct CheckArgs {
    /// A recording of a command, in place of one: it is judged by the rules of now
    #[arg(value_name = "RECORDING", conflicts_with_all = ["time", "line"])]
    pub recording: Option<PathBuf>,
    /// Ignore what is of this kind, and whose target or name fits this pattern, for this reason:
    /// KIND=REASON or KIND:PATTERN=REASON (repeatable)
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<Ignore>,
    /// At most so many of a kind may remain (repeatable): socket=3
    #[arg(long, value_name = "KIND=N")]
    pub budget: Vec<Budget>,
    /// Whose descriptors and threads are judged [default: main, or as configured]
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub processes: Option<WhoseArg>,
    /// What can't be told is no reason to fail
    #[arg(long)]
    pub allow_unknown: bool,
    /// Tell the command to end after this long, which is a failure
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// As one JSON object (docs/check.md)
    #[arg(long)]
    pub json: bool,
    /// Write the result to this file [default: standard error]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the findings to this file too, as JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print the findings as GitHub's workflow commands too [default: where GITHUB_ACTIONS is true]
    #[arg(long)]
    pub github: bool,
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
    /// Of a recording.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Memory.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// The command line: what stands behind `--`
    #[arg(last = true, required_unless_present = "recording", value_name = "CMD")]
    pub line: Vec<OsString>,
}

/// Whose descriptors and threads are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhoseArg {
    /// The command's own process
    Main,
    /// Every process that runs within the command's run
    All,
}

impl From<WhoseArg> for Whose {
    fn from(whose: WhoseArg) -> Self {
        match whose {
            WhoseArg::Main => Self::Main,
            WhoseArg::All => Self::All,
        }
    }
}

/// Of the hidden `inspector launch`.
#[derive(Args, Clone, Debug)]
pub struct LaunchArgs {
    /// The pipe to wait on
    #[arg(long)]
    pub go: i32,
    /// The pipe for what fails
    #[arg(long)]
    pub failed: i32,
    /// Become this user
    #[arg(long, requires = "gid")]
    pub uid: Option<u32>,
    /// Its main group
    #[arg(long)]
    pub gid: Option<u32>,
    /// All its groups
    #[arg(long, value_delimiter = ',')]
    pub groups: Vec<u32>,
    /// Begin a session
    #[arg(long)]
    pub own_session: bool,
    /// The command line
    #[arg(last = true, required = true)]
    pub line: Vec<OsString>,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let ns = crate::duration::parse_ns(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_nanos(ns))
}

fn variable(text: &str) -> Result<(OsString, OsString), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("it must be NAME=VALUE".to_owned()),
    }
}
