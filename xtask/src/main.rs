//! The project's chores, one file a verb: `cargo xtask VERB [ARGS]`.

use std::{env, process::ExitCode};

mod ci;
mod kernel;
mod lint;
mod overhead;
mod run;
mod screens;
mod setup;
mod soak;
mod step;
mod sudo;
mod test;
mod tidy;
mod workspace;

/// A verb: its name, what the list of verbs says of it, and the function that does it.
///
/// The function gives the exit status: 0 nothing found, 1 something found (a failed test, an
/// untidy file); an error ends in 2.
struct Verb {
    name: &'static str,
    does: &'static str,
    run: fn(&[String]) -> anyhow::Result<ExitCode>,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "setup",
        does: "bring what is missing to build: rust-src, bpf-linker",
        run: setup::verb,
    },
    Verb {
        name: "run",
        does: "set up, build in release and run `inspector ARGS`, through sudo when not root",
        run: run::verb,
    },
    Verb {
        name: "test",
        does: "set up and run all tests [FILTER], the privileged ones through sudo",
        run: test::verb,
    },
    Verb {
        name: "lint",
        does: "formatting and clippy, host and BPF side",
        run: lint::verb,
    },
    Verb {
        name: "tidy",
        does: "the house rules no other tool checks, and the dependencies' licences",
        run: tidy::verb,
    },
    Verb {
        name: "overhead",
        does: "what watching costs, beside strace -f, through sudo when not root (minutes)",
        run: overhead::verb,
    },
    Verb {
        name: "soak",
        does: "every delete policy many times in a row [--runs N] [--seed S] (minutes)",
        run: soak::verb,
    },
    Verb {
        name: "screens",
        does: "play the lab and keep its screens as pictures in docs/screens",
        run: screens::verb,
    },
    Verb {
        name: "ci",
        does: "everything that must pass: lint, tidy, docs, builds, benches, all tests",
        run: ci::verb,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(status) => status,
        Err(error) => {
            step::say(&format!("xtask: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn dispatch(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let Some((name, rest)) = arguments.split_first() else {
        anyhow::bail!("which verb?\n\n{}", list());
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        step::say(&list());
        return Ok(ExitCode::SUCCESS);
    }
    if name == kernel::PROBE_VERB {
        return kernel::probe_verb();
    }
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        anyhow::bail!("no verb `{name}`\n\n{}", list());
    };
    sudo::refuse_cargo_under_sudo(name)?;
    (verb.run)(rest)
}

fn list() -> String {
    let mut text = String::from("cargo xtask VERB [ARGS]\n");
    for Verb { name, does, .. } in VERBS {
        text.push_str(&format!("\n  {name:<8} {does}"));
    }
    text
}
