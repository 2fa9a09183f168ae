//! `tidy`: the house rules that no compiler and no clippy lint checks, and who may be depended on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

use crate::{step, workspace};

mod blank;
mod licence;
mod rules;

/// `cargo xtask tidy`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(arguments.is_empty(), "tidy takes no arguments");
    let clean = is_clean()?;
    Ok(if clean {
        step::say("tidy: clean");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Checks everything, says each thing found, and gives whether there was none.
///
/// # Errors
/// When a file can't be read or cargo can't tell the dependencies.
pub(crate) fn is_clean() -> anyhow::Result<bool> {
    let mut found = check_tree(workspace::root())?;
    found.extend(licence::check()?);
    for one in &found {
        step::say(&format!("tidy: {one}"));
    }
    if !found.is_empty() {
        step::say(&format!("tidy: {} found", found.len()));
    }
    Ok(found.is_empty())
}

/// Every rule over every file below `root`.
fn check_tree(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    files.sort();
    for path in &files {
        let text = fs::read_to_string(root.join(path))
            .with_context(|| format!("could not read {}", path.display()))?;
        found.extend(rules::check(path, &text));
    }
    found.extend(rules::stale_exceptions(&files));
    Ok(found)
}

/// The checked files below `folder`, relative to `root`. Not asked of git, so that a new file counts
/// before it is added, and a copy without a history can be checked too.
fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            let built = folder == root && name == "target" || path.join("CACHEDIR.TAG").exists();
            if name != ".git" && !built {
                walk(root, &path, files)?;
            }
        } else if entry.file_type()?.is_file() {
            let path = path.strip_prefix(root).expect("the walk began at the root");
            if rules::is_checked(path) {
                files.push(path.to_owned());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_tree_is_tidy() {
        assert_eq!(check_tree(workspace::root()).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_planted_in_a_tree_is_found_with_its_place() {
        let tree = tempfile::tempdir().unwrap();
        let plant = |path: &str, text: &str| {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        plant("inspector/src/deep/file.rs", "fn f() {}\n");
        plant("inspector/src/good.rs", "//! Good.\n");
        plant("target/debug/built.rs", "fn f() {}\n");
        plant("fuzz/target/CACHEDIR.TAG", "");
        plant("fuzz/target/built.rs", "fn f() {}\n");
        plant(".git/hook.rs", "fn f() {}\n");
        let found = check_tree(tree.path()).unwrap();
        let (stale, planted): (Vec<_>, Vec<_>) =
            found.iter().partition(|one| one.contains("is exempt"));
        assert!(!stale.is_empty(), "the exempt file isn't in this tree");
        let [one] = &planted[..] else {
            panic!("{planted:?}")
        };
        assert!(one.starts_with("inspector/src/deep/file.rs:1: "), "{one}");
    }

    #[test]
    fn the_walk_sees_sources_and_not_what_is_built() {
        let mut files = Vec::new();
        walk(workspace::root(), workspace::root(), &mut files).unwrap();
        let has = |name: &str| files.contains(&PathBuf::from(name));
        assert!(has("xtask/src/tidy.rs"));
        assert!(has("inspector-ebpf/src/main.rs"));
        assert!(has("Cargo.toml"));
        assert!(has(".ci/run"));
        assert!(has("README.md"));
        assert!(!files.iter().any(|path| path.starts_with("target")));
    }
}
