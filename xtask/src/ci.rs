//! `ci`: everything that must pass, step by step with the time each took. CI runs nothing else.

use std::process::{Command, ExitCode};

use crate::{
    lint, setup,
    step::{self, Steps},
    sudo::Root,
    test, tidy, workspace,
};

/// Leaves the tests out, for a caller who has just run them.
const WITHOUT_TESTS: &str = "--without-tests";

/// `cargo xtask ci [--without-tests]`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let with_tests = match arguments {
        [] => true,
        [only] if only == WITHOUT_TESTS => false,
        _ => anyhow::bail!("ci takes nothing but {WITHOUT_TESTS}"),
    };
    // The password comes first here too, though the tests that need it come last.
    let root = with_tests.then(Root::get).transpose()?;
    let lints = lint::checks();
    let builds = builds();
    let total = 1 + lints.len() + 1 + builds.len() + usize::from(with_tests);
    let mut steps = Steps::new(total).timed();

    steps.next("set up");
    setup::bring()?;
    steps.next("tidy");
    if !tidy::is_clean()? {
        return Ok(ExitCode::FAILURE);
    }
    for (name, mut command) in lints.into_iter().chain(builds) {
        steps.next(name);
        step::run(&mut command)?;
    }
    let Some(root) = root else {
        steps.end();
        return Ok(ExitCode::SUCCESS);
    };
    // Last, so that the tests' closing lines are the last to be read.
    steps.next("tests");
    let ended = test::verb_with(&root, &[]);
    steps.end();
    ended
}

/// The documents and the two builds, the benches that nobody would otherwise compile, and the
/// formats that only a build with their features has.
fn builds() -> [(&'static str, Command); 5] {
    let mut documents = workspace::cargo();
    documents.args(["doc", "--workspace", "--no-deps"]);
    documents.arg("--document-private-items");
    documents.env("RUSTDOCFLAGS", "-D warnings");

    let mut debug = workspace::cargo();
    debug.args(["build", "--workspace"]);

    let mut release = workspace::cargo();
    release.args(["build", "--workspace", "--release"]);

    let mut benches = workspace::cargo();
    benches.args(["bench", "--workspace", "--no-run"]);

    let mut exports = workspace::cargo();
    exports.args(["test", "--package", "inspector", "--lib"]);
    exports.args(["--features", "sqlite,parquet", "export::"]);

    [
        ("documents", documents),
        ("debug build", debug),
        ("release build", release),
        ("benches compile", benches),
        ("exports as SQLite and Parquet", exports),
    ]
}
