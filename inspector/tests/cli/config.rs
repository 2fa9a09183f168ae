//! `inspector config`: what is in force, where it comes from, and what is said of mistakes.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::{ordinary, program, run, text};

/// A home that everyone may enter, with this configuration in it.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let folder = home.path().join(".config/inspector");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("inspector.toml"), config).unwrap();
    home
}

/// `env` with only these variables, and behind it the program.
fn around(command: &Command, variables: &[(&str, &Path)], arguments: &[&str]) -> Output {
    let mut env = Command::new("env");
    env.args(["-i", &format!("PATH={}", std::env::var("PATH").unwrap())]);
    for (name, value) in variables {
        env.arg(format!("{name}={}", value.display()));
    }
    env.arg(command.get_program()).args(command.get_args());
    run(&env, &[&["config"], arguments].concat())
}

#[test]
fn what_is_in_force_is_printed_with_where_it_comes_from() {
    let home = home("theme = \"light\"\n[keys]\ndelete = \"x\"\n");
    let variables = [("HOME", home.path())];
    let path = around(&ordinary(), &variables, &["--path"]);
    assert_eq!(path.status.code(), Some(0));
    let path = text(&path.stdout).trim_end();
    let expected = home.path().join(".config/inspector/inspector.toml");
    assert_eq!(Path::new(path), expected);
    let output = around(&ordinary(), &variables, &["--print"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    let printed = text(&output.stdout);
    let head = format!("theme = \"light\"  # {path}:1\nascii = false    # default\n");
    assert!(printed.starts_with(&head), "{printed}");
    let mut lines = printed.lines();
    let deletes = lines.find(|line| line.starts_with("delete = [\"x\"]  "));
    assert!(deletes.unwrap().ends_with(&format!("  # {path}:3")));
}

#[test]
fn what_is_printed_is_a_configuration() {
    let home = home("");
    let variables = [("HOME", home.path())];
    let printed = around(&ordinary(), &variables, &["--print"]);
    let file = home.path().join("printed.toml");
    fs::write(&file, &printed.stdout).unwrap();
    let asked = ["--print", "--config", file.to_str().unwrap()];
    let again = around(&ordinary(), &variables, &asked);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let place = format!("# {}:1\n", file.display());
    assert!(text(&again.stdout).contains(&place));
}

#[test]
fn a_file_can_be_asked_for_and_colours_can_be_refused() {
    let home = home("theme = \"light\"\n");
    let other = home.path().join("other.toml");
    fs::write(&other, "ascii = true\n").unwrap();
    let variables = [
        ("HOME", home.path()),
        ("INSPECTOR_CONFIG", &other),
        ("NO_COLOR", Path::new("1")),
    ];
    let output = around(&ordinary(), &variables, &["--print"]);
    let printed = text(&output.stdout);
    assert!(
        printed.starts_with("theme = \"mono\"  # NO_COLOR\n"),
        "{printed}"
    );
    assert!(printed.contains(&format!("ascii = true    # {}:1\n", other.display())));
    let missing = around(
        &ordinary(),
        &variables,
        &["--print", "--config", "/missing"],
    );
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(
        text(&missing.stderr),
        "inspector: the configuration /missing can't be read: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_mistake_is_one_message_with_its_place() {
    let home = home("ascii = true\ntheme = \"blue\"\n");
    let output = around(&ordinary(), &[("HOME", home.path())], &["--print"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(
        text(&output.stderr),
        format!(
            "inspector: {}/.config/inspector/inspector.toml:2:9: unknown variant `blue`, expected one of `dark`, `light`, `mono`\n",
            home.path().display()
        )
    );
}

#[test]
fn one_thing_is_printed() {
    for arguments in [&["config"][..], &["config", "--print", "--path"]] {
        let output = run(&Command::new(program()), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_home_that_is_closed_is_told() {
    let home = home("");
    fs::set_permissions(home.path(), Permissions::from_mode(0o000)).unwrap();
    let output = around(&ordinary(), &[("HOME", home.path())], &["--print"]);
    fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stderr);
    assert!(told.contains("can't be told"), "{told}");
    assert!(told.ends_with("the defaults hold\n"), "{told}");
    assert!(text(&output.stdout).starts_with("theme = \"dark\""));
}
