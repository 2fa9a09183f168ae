//! `lint`: formatting, and clippy on both sides of the project, every warning an error.

use std::process::{Command, ExitCode};

use crate::{
    setup,
    step::{self, Steps},
    workspace,
};

/// `cargo xtask lint`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(arguments.is_empty(), "lint takes no arguments");
    setup::bring()?;
    let all = checks();
    let mut steps = Steps::new(all.len());
    for (name, mut command) in all {
        steps.next(name);
        step::run(&mut command)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is checked, in the order of the time it takes to find something.
pub(crate) fn checks() -> [(&'static str, Command); 4] {
    let mut format = workspace::cargo();
    format.args(["fmt", "--all", "--check"]);

    let mut host = workspace::cargo();
    host.args(["clippy", "--workspace", "--all-targets", "--all-features"]);
    host.args(["--", "-D", "warnings"]);

    // A test target with `test = false` is no part of `--all-targets`. Without features, so that
    // the library is looked at that way too.
    let mut kernel = workspace::cargo();
    kernel.args(["clippy", "--workspace", "--test", "kernel"]);
    kernel.args(["--", "-D", "warnings"]);

    let mut programs = workspace::cargo();
    programs.args(["clippy", "--package", "inspector-ebpf", "--lib", "--bins"]);
    programs.args(["--target", "bpfel-unknown-none", "-Z", "build-std=core"]);
    programs.args(["--", "-D", "warnings"]);
    programs.env("RUSTC_BOOTSTRAP", "1");
    programs.env("RUSTFLAGS", "--cfg=bpf_target_arch=\"x86_64\"");
    // RUSTC_BOOTSTRAP changes what some build scripts do; in the common target folder every change
    // between the two sides would build half of the dependencies again.
    programs.env("CARGO_TARGET_DIR", workspace::target_dir().join("bpf"));

    [
        ("formatting", format),
        ("clippy", host),
        ("clippy, the privileged tests", kernel),
        ("clippy, the BPF programs", programs),
    ]
}
