//! `inspector lab`.

use std::process::ExitCode;

use crate::cli::LabArgs;

pub(super) fn run(args: &LabArgs) -> anyhow::Result<ExitCode> {
    let _ = args;
    anyhow::bail!("not yet")
}
