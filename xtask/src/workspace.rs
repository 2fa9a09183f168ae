//! Where things lie: the workspace's root, its target folder, its one toolchain, a program in PATH.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// The toolchain of `rust-toolchain.toml`; one test below keeps the three places that name it equal.
pub(crate) const TOOLCHAIN: &str = "1.95.0";

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace's root")
}

/// The target folder, absolute: `CARGO_TARGET_DIR` (which cargo reads relative to the folder it was
/// started in) or `target` in the root.
pub(crate) fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::path::absolute(&dir).unwrap_or_else(|_| root().join(dir)),
        None => root().join("target"),
    }
}

/// `program`, started in the workspace's root, with the target folder made absolute so that every
/// build script below sees the same one.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    if env::var_os("CARGO_TARGET_DIR").is_some() {
        command.env("CARGO_TARGET_DIR", target_dir());
    }
    command
}

/// The cargo that started this, or the one in `PATH`.
pub(crate) fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Whether `PATH` holds `program`.
pub(crate) fn in_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_toolchain_everywhere() {
        let pin = include_str!("../../rust-toolchain.toml");
        assert!(pin.contains(&format!("channel = \"{TOOLCHAIN}\"")));
        let build = include_str!("../../inspector/build.rs");
        assert!(build.contains(&format!("TOOLCHAIN: &str = \"{TOOLCHAIN}\"")));
        let manifest = include_str!("../../Cargo.toml");
        let minor = TOOLCHAIN.trim_end_matches(".0");
        assert!(manifest.contains(&format!("rust-version = \"{minor}\"")));
    }

    #[test]
    fn a_program_is_found_in_path_or_not() {
        assert!(in_path("sh"));
        assert!(!in_path("no-such-program-anywhere"));
    }
}
