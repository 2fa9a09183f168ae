//! `test`: all tests; the privileged binary is built by the user and started through sudo.

use std::{
    env,
    ffi::OsString,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use anyhow::Context as _;

use crate::{
    kernel, setup,
    step::{self, Steps},
    sudo::{self, Root},
    workspace,
};

/// What the privileged binary prints before the kernel's reason when it runs nothing.
const SKIPPED: &str = "SKIPPED: ";
/// What a test says before the name of a program of other people's that it needs and does not find.
const LACKING: &str = "LACKING: ";

/// Where the tests look for other people's tools. sudo keeps none of it.
const TOOLS: [&str; 2] = ["TRACE_PROCESSOR", "PYTHONPATH"];

/// `cargo xtask test [FILTER]`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    if sudo::needed() {
        step::say("sudo is asked first, for the privileged tests; the builds come after");
    }
    let root = Root::get()?;
    verb_with(&root, arguments)
}

/// The same for a caller who has got root already.
pub(crate) fn verb_with(root: &Root, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::new(3);
    steps.next("set up");
    setup::bring()?;
    steps.next("build and run the tests that need no privileges");
    let mut plain = workspace::cargo();
    plain.args(["test", "--workspace", "--"]).args(arguments);
    if !step::status(&mut plain)?.success() {
        return Ok(ExitCode::FAILURE);
    }
    steps.next("build the privileged tests, and run them as root");
    let binary = build_privileged()?;
    run_privileged(root, &binary, arguments)
}

/// Builds the test binary `kernel` as this user and says where it lies.
fn build_privileged() -> anyhow::Result<PathBuf> {
    build_executable("kernel", &["test", "--workspace", "--test", "kernel"])
}

/// Has cargo build the test or benchmark `name` without running it, and says where it lies.
pub(crate) fn build_executable(name: &str, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let mut build = workspace::cargo();
    build.args(arguments);
    build.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let output = build
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{}`", step::shown(&build)))?;
    anyhow::ensure!(
        output.status.success(),
        "`{}` failed: {}",
        step::shown(&build),
        output.status
    );
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not UTF-8")?;
    executable_of(name, &messages).with_context(|| format!("cargo built no executable `{name}`"))
}

/// The executable of the test target `name` in cargo's JSON messages, one a line.
fn executable_of(name: &str, messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name && message["profile"]["test"] == true)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Runs the privileged binary and decides what its end means.
fn run_privileged(root: &Root, binary: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut command = root.command("env");
    for name in TOOLS {
        if let Some(value) = env::var_os(name) {
            let mut setting = OsString::from(format!("{name}="));
            setting.push(value);
            command.arg(setting);
        }
    }
    command.arg(binary);
    // Cargo starts a package's tests in the package's folder.
    command.current_dir(workspace::root().join("inspector"));
    // A passed test's words are kept too: the reason of a skip stands there.
    command.arg("--show-output").args(arguments);
    if io::IsTerminal::is_terminal(&io::stdout()) {
        command.args(["--color", "always"]);
    }
    let (status, said) = tee(&mut command, &mut io::stdout())?;
    let lacks = behind(LACKING, &said);
    for lack in &lacks {
        step::say(&format!("test: not everything was tested: {lack}"));
    }
    if !lacks.is_empty() && env::var_os("CI").is_some() {
        step::say("test: FAILED: in CI nothing may be lacking");
        return Ok(ExitCode::FAILURE);
    }
    let skips = behind(SKIPPED, &said);
    let probes = match skips.is_empty() {
        true => Ok(()),
        false => kernel::takes_probes(root)?,
    };
    match judge(status.success(), &skips, probes) {
        End::Passed => Ok(ExitCode::SUCCESS),
        End::Failed(None) => Ok(ExitCode::FAILURE),
        End::Failed(Some(why)) => {
            step::say(&format!("test: FAILED: {why}"));
            Ok(ExitCode::FAILURE)
        }
        End::Skipped(why) => {
            let bar = "!".repeat(80);
            step::say(&format!("{bar}\ntest: {why}\n{bar}"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What the run of the privileged tests amounts to.
#[derive(Debug, PartialEq)]
enum End {
    Passed,
    Failed(Option<String>),
    Skipped(String),
}

/// A skip counts only where the kernel itself refuses root's probes.
fn judge(success: bool, skips: &[&str], probes: Result<(), String>) -> End {
    if !success {
        return End::Failed(None);
    }
    let [first, ..] = skips else {
        return End::Passed;
    };
    match probes {
        Ok(()) => End::Failed(Some(format!(
            "privileged tests skipped themselves ({first}), but this kernel loads and attaches \
             probes for root"
        ))),
        Err(reason) => End::Skipped(format!(
            "THE PRIVILEGED TESTS DID NOT RUN ({first}): this machine refuses root's probes: \
             {reason}"
        )),
    }
}

/// What stands behind a word in what the binary said: the reasons of all skips, or what is lacking.
fn behind<'a>(word: &str, said: &'a str) -> Vec<&'a str> {
    said.lines()
        .filter_map(|line| line.split_once(word))
        .map(|(_, reason)| reason.trim())
        .collect()
}

/// Runs `command` with its stdout and stderr going to `out`, and also gives what it said.
fn tee(command: &mut Command, out: &mut dyn io::Write) -> anyhow::Result<(ExitStatus, String)> {
    let (mut reader, writer) = io::pipe().context("no pipe for the tests' output")?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("could not start `{}`", step::shown(command)))?;
    // The command holds the pipe's writing end; while it does, the reader never sees its end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut said = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        let length = reader.read(&mut chunk).context("the tests' output")?;
        if length == 0 {
            break;
        }
        said.extend_from_slice(&chunk[..length]);
        out.write_all(&chunk[..length])?;
        out.flush()?;
    }
    let status = child.wait().context("the tests' end")?;
    Ok((status, String::from_utf8_lossy(&said).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"inspector\"},",
            "\"profile\":{\"test\":true},\"executable\":\"/t/lib\"}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"kernel\"},",
            "\"profile\":{\"test\":false},\"executable\":\"/t/bin\"}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"kernel\"},",
            "\"profile\":{\"test\":true},\"executable\":\"/t/kernel\"}\n",
            "not json\n",
        );
        let path = executable_of("kernel", messages);
        assert_eq!(path, Some(PathBuf::from("/t/kernel")));
        assert_eq!(executable_of("other", messages), None);
    }

    #[test]
    fn a_skip_fails_where_probes_load() {
        let skips = ["EPERM"];
        assert!(matches!(judge(true, &skips, Ok(())), End::Failed(Some(_))));
        let refused = Err("bpf: EPERM".to_owned());
        assert!(matches!(judge(true, &skips, refused), End::Skipped(_)));
        assert_eq!(judge(true, &[], Ok(())), End::Passed);
        assert_eq!(judge(false, &[], Ok(())), End::Failed(None));
        let refused = Err("bpf: EPERM".to_owned());
        assert_eq!(judge(false, &skips, refused), End::Failed(None));
    }

    #[test]
    fn skips_are_found_within_a_line() {
        let said = "running 1 test\ntest a ... SKIPPED: bpf: EPERM\nok\ntest b ... ok\n";
        assert_eq!(behind(SKIPPED, said), ["bpf: EPERM"]);
        assert!(behind(SKIPPED, "test skipped_bytes ... ok\n").is_empty());
    }

    #[test]
    fn tee_keeps_both_streams_in_order_and_the_status() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo tee 1; echo tee 2 >&2; echo tee 3; exit 4"]);
        let mut out = Vec::new();
        let (status, said) = tee(&mut command, &mut out).unwrap();
        assert_eq!(out, said.as_bytes());
        assert_eq!(said, "tee 1\ntee 2\ntee 3\n");
        assert_eq!(status.code(), Some(4));
    }
}
