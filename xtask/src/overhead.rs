//! `overhead`: what watching costs, beside `strace -f` on the same loops in one run.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;

use crate::{
    setup,
    step::{self, Steps},
    sudo::{self, Root},
    test::build_executable,
    workspace,
};

/// `cargo xtask overhead [ARGS]`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        workspace::in_path("strace"),
        "no `strace` in PATH, which the comparison is with: `apt-get install strace` (Debian, Ubuntu) \
         or `dnf install strace` (Fedora), as root"
    );
    if sudo::needed() {
        step::say("sudo is asked first, for the probes; the build comes after");
    }
    let root = Root::get()?;
    let mut steps = Steps::new(3);
    steps.next("set up");
    setup::bring()?;
    steps.next("build the benchmark in release");
    let mut command = root.command(build()?);
    command.args(arguments);
    steps.next(&format!("run {} (minutes)", step::shown(&command)));
    drop(root);
    let error = command.exec();
    Err(error).with_context(|| format!("could not start `{}`", step::shown(&command)))
}

fn build() -> anyhow::Result<PathBuf> {
    build_executable("overhead", &["bench", "--workspace", "--bench", "overhead"])
}
