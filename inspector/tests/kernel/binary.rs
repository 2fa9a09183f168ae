//! The program itself, started by root: run to its end, its output taken apart.

use std::{
    path::Path,
    process::{Command, Output},
    sync::LazyLock,
};

use serde_json::Value;

/// The program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_inspector"))
}

/// Runs `command` (the last of whose words may be inspector's own) to its end, which comes within
/// two minutes or is no exit code of ours.
pub(crate) fn run(command: &[&str], arguments: &[&str]) -> Output {
    Command::new("timeout")
        .args(["--kill-after=5", "120"])
        .args(command)
        .args(arguments)
        // Whoever calls the tests through sudo is not asked for here.
        .env_remove("SUDO_UID")
        .env_remove("SUDO_GID")
        .output()
        .unwrap()
}

/// The same with nothing before the program.
pub(crate) fn inspector(arguments: &[&str]) -> Output {
    run(&[program().to_str().unwrap()], arguments)
}

/// Whether this machine refuses root's programs: told on stdout, once a test.
pub(crate) fn is_refused() -> bool {
    static REFUSED: LazyLock<Option<String>> = LazyLock::new(|| {
        let output = inspector(&["doctor", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["refused"].as_str().map(str::to_owned)
    });
    if let Some(why) = &*REFUSED {
        println!("SKIPPED: {why}");
    }
    REFUSED.is_some()
}

/// As text.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// As JSON lines.
pub(crate) fn records(output: &[u8]) -> Vec<Value> {
    let lines = text(output).lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The only record of a name.
pub(crate) fn record<'a>(records: &'a [Value], name: &str) -> &'a Value {
    let mut named = records.iter().filter(|record| record["record"] == name);
    let one = named
        .next()
        .unwrap_or_else(|| panic!("no {name} in {records:#?}"));
    assert!(named.next().is_none(), "more than one {name}");
    one
}
