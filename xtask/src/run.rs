//! `run`: password, setup, release build, then inspector as root in this terminal.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;

use crate::{
    setup,
    step::{self, Steps},
    sudo::{self, Root},
    workspace,
};

/// `cargo xtask run [ARGS]`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::new(if sudo::needed() { 4 } else { 3 });
    if sudo::needed() {
        steps.next("ask sudo, which the probes need; the build comes after");
    }
    let root = Root::get()?;
    steps.next("set up");
    setup::bring()?;
    steps.next("build inspector in release (the first time takes minutes)");
    let inspector = build()?;
    // `cargo xtask run -- lab` and `cargo xtask run lab` are the same.
    let arguments = match arguments {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    let mut command = root.command(inspector);
    command.args(arguments);
    steps.next(&format!("run {}", step::shown(&command)));
    // The program takes this one's place, so that signals, terminal and exit status are its own.
    drop(root);
    let error = command.exec();
    Err(error).with_context(|| format!("could not start `{}`", step::shown(&command)))
}

/// Builds the program in release and says where it lies.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    // The whole workspace, so that features are resolved as in every other build of it: else the
    // programs would be compiled anew.
    step::run(workspace::cargo().args([
        "build",
        "--release",
        "--workspace",
        "--bin",
        "inspector",
    ]))?;
    Ok(workspace::target_dir().join("release/inspector"))
}
