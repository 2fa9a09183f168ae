//! Who may be depended on: each dependency's licence, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

use crate::{step, workspace};

/// Licences that an MIT OR Apache-2.0 program can ship with.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Licences that can also stand under GPL-2.0, which the kernel wants of the programs: of the above
/// not Apache-2.0.
const ALLOWED_IN_PROGRAMS: &[&str] = &[
    "0BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "ISC",
    "MIT",
    "MIT-0",
    "Unlicense",
    "Zlib",
];

/// The package whose dependencies end up in the kernel.
const PROGRAMS: &str = "inspector-ebpf";

/// Every dependency with a licence that doesn't fit.
///
/// # Errors
/// When cargo can't tell the dependencies, which includes a `Cargo.lock` that is missing or stale.
pub(super) fn check() -> anyhow::Result<Vec<String>> {
    let mut metadata = workspace::cargo();
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    let output = metadata
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{}`", step::shown(&metadata)))?;
    anyhow::ensure!(
        output.status.success(),
        "`{}` failed (its words are above): is Cargo.lock there and up to date?",
        step::shown(&metadata)
    );
    unfit(&serde_json::from_slice(&output.stdout).context("cargo metadata is no JSON")?)
}

/// The same of metadata that cargo gave.
fn unfit(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let mut packages = BTreeMap::new();
    for package in list(metadata, "packages")? {
        packages.insert(text(package, "id")?, package);
    }
    let programs = in_programs(metadata, &packages)?;
    let mut found = Vec::new();
    for (id, package) in &packages {
        let name = format!("{} {}", text(package, "name")?, text(package, "version")?);
        let Some(licence) = package["license"].as_str() else {
            found.push(format!("{name}: no licence is stated"));
            continue;
        };
        let ours = package["source"].is_null();
        // Our own programs are under GPL-2.0 too, at the user's choice.
        if !ours && !fits(licence, ALLOWED)? {
            found.push(format!("{name}: {licence} is not in the list"));
        }
        if programs.contains(id) && !fits(licence, ALLOWED_IN_PROGRAMS)? {
            found.push(format!(
                "{name}: {licence} can't stand under GPL-2.0, and it ends up in the BPF programs"
            ));
        }
    }
    Ok(found)
}

/// The ids of what is linked into the programs: normal dependencies, macros left out, for they only
/// write code and are not part of it.
fn in_programs<'a>(
    metadata: &'a Value,
    packages: &BTreeMap<&'a str, &'a Value>,
) -> anyhow::Result<BTreeSet<&'a str>> {
    let mut edges = BTreeMap::new();
    for node in list(&metadata["resolve"], "nodes")? {
        edges.insert(text(node, "id")?, list(node, "deps")?);
    }
    let mut open: Vec<&str> = packages
        .iter()
        .filter(|(_, package)| package["name"] == PROGRAMS)
        .map(|(id, _)| *id)
        .collect();
    anyhow::ensure!(open.len() == 1, "there is no one package {PROGRAMS}");
    let mut linked = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !linked.insert(id) {
            continue;
        }
        for edge in edges.get(id).copied().unwrap_or_default() {
            let dependency = text(edge, "pkg")?;
            let normal = list(edge, "dep_kinds")?
                .iter()
                .any(|kind| kind["kind"].is_null());
            let writes_code = list(packages[dependency], "targets")?
                .iter()
                .any(|target| target["kind"][0] == "proc-macro");
            if normal && !writes_code {
                open.push(dependency);
            }
        }
    }
    Ok(linked)
}

fn list<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a [Value]> {
    let list = value[key].as_array();
    Ok(list.with_context(|| format!("cargo metadata without `{key}`"))?)
}

fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    let text = value[key].as_str();
    text.with_context(|| format!("cargo metadata without `{key}`"))
}

/// Whether one can choose from the SPDX `expression` only licences of the list. `/` is the old way
/// of writing OR.
fn fits(expression: &str, allowed: &[&str]) -> anyhow::Result<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words: &[&str] = &spaced.split_whitespace().collect::<Vec<_>>();
    let fits = either(&mut words, allowed).filter(|_| words.is_empty());
    fits.with_context(|| format!("`{expression}` is no licence expression"))
}

fn either(words: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    let mut fits = both(words, allowed)?;
    while take(words, "OR") {
        fits |= both(words, allowed)?;
    }
    Some(fits)
}

fn both(words: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    let mut fits = one(words, allowed)?;
    while take(words, "AND") {
        fits &= one(words, allowed)?;
    }
    Some(fits)
}

fn one(words: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    if take(words, "(") {
        let fits = either(words, allowed)?;
        return take(words, ")").then_some(fits);
    }
    let name = next(words).filter(|name| !matches!(*name, ")" | "OR" | "AND" | "WITH"))?;
    if !take(words, "WITH") {
        return Some(allowed.contains(&name));
    }
    let exception = next(words)?;
    Some(allowed.contains(&format!("{name} WITH {exception}").as_str()))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let there = words.first() == Some(&word);
    if there {
        *words = &words[1..];
    }
    there
}

fn next<'a>(words: &mut &[&'a str]) -> Option<&'a str> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_are_read() {
        let fit = |expression| fits(expression, ALLOWED).unwrap();
        assert!(fit("MIT"));
        assert!(fit("MIT/Apache-2.0"));
        assert!(fit("GPL-3.0-only OR MIT"));
        assert!(fit("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(fit("MIT OR Apache-2.0 AND GPL-3.0-only"));
        assert!(fit("Apache-2.0 WITH LLVM-exception"));
        assert!(!fit("GPL-3.0-only"));
        assert!(!fit("MIT AND GPL-3.0-only"));
        assert!(!fit("(MIT OR Apache-2.0) AND GPL-3.0-only"));
        assert!(!fit("MIT WITH Classpath-exception-2.0"));
        for nonsense in [
            "",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "AND",
            "MIT WITH",
        ] {
            assert!(fits(nonsense, ALLOWED).is_err(), "{nonsense}");
        }
    }

    fn package(id: &str, licence: Option<&str>, kind: &str) -> Value {
        json!({
            "id": id, "name": id, "version": "1.0.0", "license": licence,
            "source": if id == PROGRAMS { Value::Null } else { json!("registry") },
            "targets": [{ "kind": [kind] }],
        })
    }

    /// The programs depend on `linked` and the macro `written`; nobody's `build` is a build tool.
    fn found(linked: &str, written: Option<&str>, build: &str) -> Vec<String> {
        let metadata = json!({
            "packages": [
                package(PROGRAMS, Some("MIT OR GPL-2.0-only"), "lib"),
                package("linked", Some(linked), "lib"),
                package("written", written, "proc-macro"),
                package("build", Some(build), "lib"),
            ],
            "resolve": { "nodes": [
                { "id": PROGRAMS, "deps": [
                    { "pkg": "linked", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "written", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "build", "dep_kinds": [{ "kind": "build" }] },
                ] },
            ] },
        });
        unfit(&metadata).unwrap()
    }

    #[test]
    fn each_dependency_is_judged_by_where_it_ends_up() {
        let clean = found("MIT", Some("Apache-2.0"), "Apache-2.0");
        assert_eq!(clean, [""; 0]);

        let in_kernel = found("Apache-2.0", Some("MIT"), "MIT");
        assert_eq!(in_kernel.len(), 1, "{in_kernel:?}");
        assert!(in_kernel[0].contains("linked 1.0.0") && in_kernel[0].contains("GPL-2.0"));

        let copyleft = found("MIT", Some("MIT"), "GPL-3.0-only");
        assert_eq!(copyleft.len(), 1, "{copyleft:?}");
        assert!(copyleft[0].contains("build 1.0.0") && copyleft[0].contains("not in the list"));

        let silent = found("MIT", None, "MIT");
        assert_eq!(silent.len(), 1, "{silent:?}");
        assert!(silent[0].contains("no licence"));
    }
}
