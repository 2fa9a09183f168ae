//! `setup`: brings the pinned toolchain's components and bpf-linker; quick when nothing is missing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::Context as _;

use crate::{
    step,
    workspace::{self, TOOLCHAIN},
};

/// The last bpf-linker that takes LLVM from rustc itself; newer ones want a system LLVM.
const BPF_LINKER: &str = "0.10.3";

/// What must be in the toolchain, each with a file that is there when it is.
const COMPONENTS: [(&str, &str); 3] = [
    ("rust-src", "lib/rustlib/src/rust/library/core/Cargo.toml"),
    ("rustfmt", "bin/cargo-fmt"),
    ("clippy", "bin/cargo-clippy"),
];

/// `cargo xtask setup`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(arguments.is_empty(), "setup takes no arguments");
    let brought = bring()?;
    step::say(match brought {
        0 => "setup: everything is there",
        _ => "setup: done",
    });
    Ok(ExitCode::SUCCESS)
}

/// Brings what is missing, saying what; gives how many things that were.
///
/// # Errors
/// When something can't be had; the message names the command that mends it.
pub(crate) fn bring() -> anyhow::Result<usize> {
    anyhow::ensure!(
        workspace::in_path("cc"),
        "no `cc` in PATH, which links every Rust program: `apt-get install gcc libc6-dev` (Debian, \
         Ubuntu) or `dnf install gcc` (Fedora), as root"
    );
    anyhow::ensure!(
        workspace::in_path("rustup"),
        "no `rustup` in PATH, which the pinned toolchain {TOOLCHAIN} comes by: see https://rustup.rs, \
         then open a new shell"
    );
    Ok(bring_components()? + bring_bpf_linker()?)
}

fn bring_components() -> anyhow::Result<usize> {
    let sysroot = toolchain_dir()?;
    let missing = missing_components(&sysroot);
    if missing.is_empty() {
        return Ok(0);
    }
    let mut install = workspace::command("rustup");
    if sysroot.exists() {
        install.args(["component", "add", "--toolchain", TOOLCHAIN]);
        install.args(&missing);
    } else {
        // A toolchain file alone installs nothing where RUSTUP_AUTO_INSTALL=0 is set.
        install.args(["toolchain", "install", TOOLCHAIN, "--no-self-update"]);
        install.args(["--profile", "minimal", "--component"]);
        install.arg(missing.join(","));
    }
    let typed = step::shown(&install);
    step::say(&format!("setup: {typed}"));
    anyhow::ensure!(
        step::status(&mut install)?.success(),
        "toolchain {TOOLCHAIN} still lacks {}; rustup's own words are above.\nWith network to \
         https://static.rust-lang.org and the right to write {}, this mends it: `{typed}`",
        missing.join(", "),
        sysroot.display(),
    );
    let still = missing_components(&sysroot);
    anyhow::ensure!(
        still.is_empty(),
        "rustup is content, and yet {} is not in {}: is this x86-64 Linux with glibc?",
        still.join(", "),
        sysroot.display(),
    );
    Ok(missing.len())
}

fn missing_components(sysroot: &Path) -> Vec<&'static str> {
    COMPONENTS
        .iter()
        .filter(|(_, file)| !sysroot.join(file).exists())
        .map(|(name, _)| *name)
        .collect()
}

/// Where rustup keeps the pinned toolchain. Looking there is ten times quicker than asking rustup.
fn toolchain_dir() -> anyhow::Result<PathBuf> {
    let rustup = match env::var_os("RUSTUP_HOME") {
        Some(dir) => PathBuf::from(dir),
        None => env::home_dir()
            .context("neither RUSTUP_HOME nor HOME is set: where does rustup live?")?
            .join(".rustup"),
    };
    let host = concat!("x86_64", "-unknown-linux-gnu");
    Ok(rustup.join(format!("toolchains/{TOOLCHAIN}-{host}")))
}

fn bring_bpf_linker() -> anyhow::Result<usize> {
    let tools = workspace::target_dir().join("tools");
    let linker = tools.join("bin/bpf-linker");
    match linker_version(&linker).as_deref() {
        Some(BPF_LINKER) => return Ok(0),
        Some(other) => step::say(&format!(
            "setup: bpf-linker {other} gives way to {BPF_LINKER}"
        )),
        None => {}
    }
    let mut install = workspace::cargo();
    install.args(["install", "--locked", "--force", "--version", BPF_LINKER]);
    install.arg("--root").arg(&tools).arg("bpf-linker");
    step::say(&format!(
        "setup: {} (about a minute)",
        step::shown(&install)
    ));
    // A folder of its own: cargo would otherwise mix the linker's crates into the project's, and a
    // second try goes on where an interrupted one stopped.
    let build = tools.join("build");
    install.env("CARGO_TARGET_DIR", &build);
    // Or cargo advises to put the folder into PATH, which nobody needs: build.rs looks there.
    install.env("PATH", env::join_paths(path_with(tools.join("bin")))?);
    anyhow::ensure!(
        step::status(&mut install)?.success(),
        "bpf-linker {BPF_LINKER} could not be installed; cargo's own words are above.\nWith network \
         to https://crates.io, `cargo xtask setup` tries again; or put a bpf-linker {BPF_LINKER} \
         made elsewhere at {}",
        linker.display(),
    );
    fs::remove_dir_all(&build).with_context(|| format!("could not remove {}", build.display()))?;
    let version = linker_version(&linker);
    anyhow::ensure!(
        version.as_deref() == Some(BPF_LINKER),
        "{} was installed and says it is version {version:?}, not {BPF_LINKER}",
        linker.display(),
    );
    Ok(1)
}

fn path_with(folder: PathBuf) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    std::iter::once(folder).chain(folders)
}

/// What the linker says its version is; none if it isn't there or can't run.
fn linker_version(linker: &Path) -> Option<String> {
    let output = Command::new(linker)
        .arg("--version")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout)).map(str::to_owned)
}

fn parse_version(line: &str) -> Option<&str> {
    line.trim().strip_prefix("bpf-linker ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linkers_version_is_read() {
        assert_eq!(parse_version("bpf-linker 0.10.3\n"), Some("0.10.3"));
        assert_eq!(parse_version("something else 0.10.3\n"), None);
        assert_eq!(parse_version(""), None);
        assert_eq!(linker_version(Path::new("/no/such/bpf-linker")), None);
        assert_eq!(linker_version(Path::new("/bin/true")), None);
    }

    #[test]
    fn an_empty_toolchain_lacks_everything() {
        let missing = missing_components(Path::new("/no/such/toolchain"));
        assert_eq!(missing, ["rust-src", "rustfmt", "clippy"]);
    }

    #[test]
    fn the_toolchain_that_builds_this_lacks_nothing_it_was_pinned_with() {
        let pinned = include_str!("../../rust-toolchain.toml");
        for (name, _) in COMPONENTS {
            assert!(pinned.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
