//! Tools of other people: each test that lacks one says so, and fails where CI is.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// Asks SQL of a trace in the genuine trace_processor; each query's rows. `None` = it is lacking.
pub(super) fn asked(trace: &[u8], queries: &[&str]) -> Option<Vec<Value>> {
    let engine = env::var_os("TRACE_PROCESSOR").map(PathBuf::from);
    let engine = engine.filter(|folder| folder.join("engine_bundle.js").is_file());
    let Some(engine) = engine else {
        lacking("trace_processor (TRACE_PROCESSOR names no folder of it)");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    fs::write(&file, trace).unwrap();
    let mut node = Command::new("node");
    node.arg(tool("trace-sql.mjs")).arg(engine).arg(file);
    let said = answered(node.args(queries), "node", &[])?;
    let rows: Vec<Value> = said
        .lines()
        .zip(queries)
        .map(|(line, query)| {
            let answer: Value = serde_json::from_str(line).unwrap();
            assert!(answer["error"].is_null(), "{query}: {answer}");
            answer["rows"].clone()
        })
        .collect();
    assert_eq!(rows.len(), queries.len());
    Some(rows)
}

/// Runs a script of `tests/tools` in a Python that has this module.
pub(super) fn python(module: &str, script: &str, argument: &Path, input: &[u8]) -> Option<String> {
    let mut has = Command::new("python3");
    has.args(["-c", &format!("import {module}")]);
    if !has.output().is_ok_and(|done| done.status.success()) {
        lacking(&format!("the Python module {module}"));
        return None;
    }
    let mut python = Command::new("python3");
    answered(python.arg(tool(script)).arg(argument), "python3", input)
}

/// What a program answers to its input.
pub(super) fn answered(command: &mut Command, name: &str, input: &[u8]) -> Option<String> {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = pipes.spawn() else {
        lacking(name);
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // Whoever ends early is told of by its status.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    assert!(
        output.status.success(),
        "{name}: {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Says so; fails where CI is.
pub(super) fn lacking(what: &str) {
    println!("LACKING: {what} is not installed");
    assert!(env::var_os("CI").is_none(), "in CI nothing may be lacking");
}

fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tools")
        .join(name)
}
