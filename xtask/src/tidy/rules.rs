//! The rules of one file's text, and the named exceptions from them, each with its reason.

use std::path::{Path, PathBuf};

use super::blank;

/// Past this many lines, look for the second question a file answers.
const MOST_LINES: usize = 400;

/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[(
    "inspector-ebpf/src/abi/call/table.rs",
    "one table of system calls, a line or two each; cutting it would hide a missing number",
)];

/// The doors: files and folders (ending in `/`) that may hold `unsafe`, and why.
const DOORS: &[(&str, &str)] = &[
    ("inspector-ebpf/src/", "programs read kernel memory"),
    (
        "inspector/build.rs",
        "sets its own environment before it has threads",
    ),
    ("inspector/src/source/ebpf/", "bpf(2) and the ring"),
    ("inspector/src/source/procfs/kcmp.rs", "kcmp(2)"),
    (
        "inspector/src/lab/oracle/kcmp.rs",
        "kcmp(2), asked without the code it judges",
    ),
    (
        "inspector/src/launch/door.rs",
        "a descriptor taken over by its number",
    ),
    ("inspector/src/doctor/trial.rs", "bpf(2), tried"),
    ("xtask/src/kernel.rs", "bpf(2), asked without inspector"),
];

/// Words that promise work instead of doing it. In halves, for this file is checked too.
const PROMISES: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Macros that compile in place of code.
const HOLES: [&str; 2] = ["unimplemented!", "todo!"];

/// Whether the rules say anything of `path`.
pub(super) fn is_checked(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rs" | "toml" | "md" | "sh")) || path.starts_with(".ci")
}

/// What breaks a rule in the file at `path` (relative to the root), one `path:line: what` each.
pub(super) fn check(path: &Path, text: &str) -> Vec<String> {
    let mut found = Findings {
        path,
        list: Vec::new(),
    };
    for (index, line) in text.lines().enumerate() {
        // Two spaces at a line's end mean a line break in Markdown; nobody sees them.
        if line.ends_with([' ', '\t', '\r']) {
            found.at(index, "whitespace at the line's end");
        }
        for word in PROMISES {
            if words(line).any(|each| each == word) {
                found.at(index, &format!("{word}: do it now, or file an issue"));
            }
        }
    }
    if path.extension().is_some_and(|extension| extension == "rs") {
        check_rust(path, text, &mut found);
    }
    found.list
}

fn check_rust(path: &Path, text: &str, found: &mut Findings<'_>) {
    let first = text.lines().next().unwrap_or_default();
    if !first.starts_with("//! ") {
        found.at(0, "the first line is no `//! ` with the file's answer");
    }
    let lines = text.lines().count();
    if lines > MOST_LINES && !named(LONGER, path) {
        let what = format!("{lines} lines; past {MOST_LINES} look for the second question");
        found.at(lines - 1, &what);
    }
    let code = blank::comments_and_strings(text);
    let door = named(DOORS, path);
    for (index, line) in code.lines().enumerate() {
        if !door && words(line).any(|word| word == "unsafe") {
            found.at(index, "unsafe outside the named doors");
        }
        for hole in HOLES {
            if line.contains(hole) {
                found.at(index, &format!("{hole} in place of code"));
            }
        }
    }
    for (index, attribute) in attributes(&code) {
        let exempts = words(attribute).any(|word| matches!(word, "allow" | "expect"));
        if exempts && !words(attribute).any(|word| word == "reason") {
            found.at(index, "a lint exception without a reason");
        }
    }
}

/// Exceptions for files that are gone. Folders may come later than their exception.
pub(super) fn stale_exceptions(files: &[PathBuf]) -> Vec<String> {
    LONGER
        .iter()
        .filter(|(name, _)| !files.iter().any(|path| path == Path::new(name)))
        .map(|(name, _)| format!("xtask/src/tidy/rules.rs: {name} is exempt and isn't there"))
        .collect()
}

fn named(list: &[(&str, &str)], path: &Path) -> bool {
    list.iter().any(|(name, _)| match name.strip_suffix('/') {
        Some(folder) => path.starts_with(folder),
        None => path == Path::new(name),
    })
}

/// The words of a line: runs of letters, digits and underscores.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

/// Each attribute of `code` (strings and comments blanked) with the index of its first line.
fn attributes(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = code.match_indices('#').filter_map(|(start, _)| {
        let rest = code[start + 1..]
            .strip_prefix('!')
            .unwrap_or(&code[start + 1..]);
        rest.starts_with('[').then_some((start, rest))
    });
    starts.map(|(start, rest)| {
        let mut depth = 0_usize;
        let end = rest.find(|letter| {
            match letter {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let line = code[..start].matches('\n').count();
        (line, &rest[..end.unwrap_or(rest.len())])
    })
}

struct Findings<'a> {
    path: &'a Path,
    list: Vec<String>,
}

impl Findings<'_> {
    fn at(&mut self, index: usize, what: &str) {
        let line = index + 1;
        self.list
            .push(format!("{}:{line}: {what}", self.path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "inspector/src/ledger.rs";

    fn found(path: &str, text: &str) -> Vec<String> {
        check(Path::new(path), text)
    }

    /// The planted `text` breaks exactly one rule, which says `what` at `line`.
    #[track_caller]
    fn breaks(path: &str, text: &str, line: usize, what: &str) {
        let found = found(path, text);
        let [one] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(one.starts_with(&format!("{path}:{line}: ")), "{one}");
        assert!(one.contains(what), "{one}");
    }

    #[track_caller]
    fn passes(path: &str, text: &str) {
        assert_eq!(found(path, text), [""; 0]);
    }

    #[test]
    fn a_file_begins_with_its_answer() {
        breaks(PLAIN, "use std::io;\n", 1, "first line");
        breaks(PLAIN, "// Not a doc comment.\n", 1, "first line");
        breaks(PLAIN, "", 1, "first line");
        passes(PLAIN, "//! What happened.\n");
    }

    #[test]
    fn four_hundred_lines_and_no_more() {
        let text = |lines: usize| format!("//! Long.\n{}", "//\n".repeat(lines - 1));
        passes(PLAIN, &text(400));
        breaks(PLAIN, &text(401), 401, "401 lines");
        passes("inspector-ebpf/src/abi/call/table.rs", &text(401));
        passes("README.md", &text(401));
    }

    #[test]
    fn unsafe_stays_behind_its_doors() {
        let text = "//! Door?\nfn f() { unsafe { g() } }\n";
        breaks(PLAIN, text, 2, "doors");
        breaks("inspector/src/label/x.rs", text, 2, "doors");
        breaks("inspector/src/source/procfs/x.rs", text, 2, "doors");
        passes("inspector/src/source/ebpf/ring.rs", text);
        passes("inspector/src/source/procfs/kcmp.rs", text);
        passes(
            PLAIN,
            "//! unsafe in words.\n// unsafe\n#![forbid(unsafe_code)]\n",
        );
        passes(PLAIN, "//! In a string.\nconst A: &str = \"unsafe\";\n");
    }

    #[test]
    fn an_exception_has_a_reason() {
        breaks(
            PLAIN,
            "//! A.\n#[allow(dead_code)]\nfn f() {}\n",
            2,
            "reason",
        );
        breaks(
            PLAIN,
            "//! A.\n#![expect(\n    dead_code\n)]\n",
            2,
            "reason",
        );
        breaks(
            PLAIN,
            "//! A.\n#[cfg_attr(test, allow(dead_code))]\n",
            2,
            "reason",
        );
        breaks(
            PLAIN,
            "//! A.\n#[allow(dead_code)] // reason\n",
            2,
            "reason",
        );
        passes(
            PLAIN,
            "//! A.\n#[expect(\n  dead_code,\n  reason = \"b\"\n)]\n",
        );
        passes(PLAIN, "//! A.\n#[derive(Debug)]\nstruct B;\n");
        passes(PLAIN, "//! A.\nfn f() { g().expect(\"it is there\"); }\n");
    }

    #[test]
    fn promises_are_found_everywhere() {
        for word in PROMISES {
            breaks(PLAIN, &format!("//! A.\n// {word}: later\n"), 2, word);
            breaks("README.md", &format!("{word}\n"), 1, word);
        }
        passes(PLAIN, "//! A.\nconst TODOS: u8 = 0;\n");
    }

    #[test]
    fn holes_are_found_in_code() {
        for hole in HOLES {
            breaks(PLAIN, &format!("//! A.\nfn f() {{ {hole}() }}\n"), 2, hole);
            passes(PLAIN, &format!("//! A.\n// {hole} is not code here\n"));
        }
    }

    #[test]
    fn lines_end_where_they_end() {
        breaks(PLAIN, "//! A.\nfn f() {} \n", 2, "whitespace");
        breaks("Cargo.toml", "[a]\t\n", 1, "whitespace");
        passes("Cargo.toml", "[a]\n\nb = 1\n");
    }

    #[test]
    fn an_exception_outlives_no_file() {
        assert_eq!(stale_exceptions(&[]).len(), LONGER.len());
    }
}
