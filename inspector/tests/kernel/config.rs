//! Whose configuration is read when sudo made inspector root: the invoking user's, with no more
//! rights than theirs.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Output},
};

use crate::binary::{program, text};

/// The program as root, whom nobody made so by sudo, with root's home in `home`.
fn root(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    for variable in ["INSPECTOR_CONFIG", "NO_COLOR", "SUDO_UID", "SUDO_GID"] {
        command.env_remove(variable);
    }
    command.env("HOME", home).env("XDG_CONFIG_HOME", home);
    command.arg("config").args(arguments);
    command
}

/// As if user 65534 had called sudo.
fn through_sudo(home: &Path, arguments: &[&str]) -> Output {
    let mut command = root(home, arguments);
    command.env("SUDO_UID", "65534").env("SUDO_GID", "65534");
    command.output().unwrap()
}

#[test]
fn roots_home_says_nothing_of_who_called_sudo() {
    let home = tempfile::tempdir().unwrap();
    let within = home.path().to_str().unwrap();
    let output = root(home.path(), &["--path"]).output().unwrap();
    assert!(text(&output.stdout).starts_with(within), "{output:?}");
    let output = through_sudo(home.path(), &["--path"]);
    assert!(output.status.success(), "{output:?}");
    assert!(!text(&output.stdout).starts_with(within), "{output:?}");
}

#[test]
fn what_the_user_may_not_read_is_not_shown() {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let file = home.path().join("file");
    let link = home.path().join("link.toml");
    symlink(&file, &link).unwrap();
    fs::write(&file, "secret = 1\n").unwrap();
    let arguments = ["--print", "--config", link.to_str().unwrap()];
    let told = |output: &Output| text(&output.stderr).to_owned();

    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let output = through_sudo(home.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("Permission denied"), "{output:?}");
    assert!(!told(&output).contains("secret"), "{output:?}");

    // Root itself may see it, and so may the user what the user may read.
    let output = root(home.path(), &arguments).output().unwrap();
    assert!(told(&output).contains("`secret`"), "{output:?}");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let output = through_sudo(home.path(), &arguments);
    assert!(told(&output).contains("`secret`"), "{output:?}");
}
