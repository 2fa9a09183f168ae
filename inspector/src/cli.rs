//! The command line: clap types only.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::lab::{MapKind, entry::EntryKind, policy::Policy};

/// Shows, and proves by eBPF, whether threads and file handles disappear after deletes.
///
/// Without a verb: `inspector lab --headless`, the four scenarios one after the other.
#[derive(Debug, Parser)]
#[command(name = "inspector", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the reference workload and judge its deletes
    Lab(Box<LabArgs>),
    /// Print what works here and the command that mends each lack
    Doctor(DoctorArgs),
    /// The lab's own child process
    #[command(hide = true)]
    LabChild(LabChildArgs),
}

/// Of `inspector lab`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit codes: 0 expectations met, 1 not met, 2 error.")]
pub struct LabArgs {
    /// Print text instead of starting the interactive screens
    #[arg(long)]
    pub headless: bool,
    /// Print the catalogue of maps, entries, policies and scenarios
    #[arg(long)]
    pub list: bool,
    /// Play this scenario (repeatable; --list names them)
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,
    /// Which variant of the scenarios [default: every one they have]
    #[arg(long, value_enum, value_name = "VARIANT")]
    pub variant: Option<VariantArg>,
    /// One JSON object a line: verdicts, then the score
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
    #[arg(long, value_name = "MS", default_value_t = GRACE_MS,
          value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub grace: u64,
    /// The user the workload runs as [default: who called sudo, else nobody]
    #[arg(long = "as", value_name = "USER")]
    pub as_user: Option<String>,
    /// Poll /proc instead of using eBPF, privileged or not
    #[arg(long)]
    pub poll: bool,
}

/// `--seed`, unless given.
const SEED: u64 = 1;
/// `--grace`, unless given.
const GRACE_MS: u64 = 1000;

impl LabArgs {
    /// What `inspector` without a verb runs: the headless lab with its shown scenarios.
    pub fn unasked() -> Self {
        Self {
            headless: true,
            list: false,
            scenario: Vec::new(),
            variant: None,
            json: false,
            grounds: false,
            map: None,
            entry: None,
            policy: None,
            keys: None,
            rate: None,
            burst: None,
            seed: SEED,
            grace: GRACE_MS,
            as_user: None,
            poll: false,
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
