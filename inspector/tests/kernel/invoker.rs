//! Started through sudo: the command and every file are the user's who called it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    process::{Command, Output},
};

use crate::{
    binary::{program, text},
    verbs::said,
    watch::alone,
};

/// The user that sudo's variables name: nobody, whom every system has.
pub(crate) const USER: u32 = 65534;

/// Runs a verb as sudo would start it, in a folder of the user's.
pub(crate) fn as_sudo(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    chown(folder.path(), Some(USER), Some(USER)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    Command::new("timeout")
        .args(["--kill-after=5", "60"])
        .arg(program())
        .args(arguments)
        .current_dir(folder.path())
        .env("SUDO_UID", USER.to_string())
        .env("SUDO_GID", USER.to_string())
        .env("SUDO_USER", "nobody")
        .env("HOME", "/root")
        .env("USER", "root")
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("KEPT", "as it was")
        .output()
        .unwrap()
}

const WHO: &str = "id -u; id -g; id -G; pwd; echo $HOME; echo $USER; echo $LOGNAME; echo $KEPT; echo $ADDED; echo sudo=$SUDO_UID; grep CapEff /proc/self/status; echo x > made";

#[test]
fn the_command_runs_as_the_user_with_their_environment() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let output = as_sudo(
        &folder,
        &[
            "report",
            "--env",
            "ADDED=by hand",
            "-o",
            "report",
            "--",
            "sh",
            "-c",
            WHO,
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told: Vec<_> = text(&output.stdout).lines().collect();
    let here = folder.path().canonicalize().unwrap();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let home = passwd
        .lines()
        .find(|line| line.starts_with("nobody:"))
        .unwrap();
    let home = home.split(':').nth(5).unwrap();
    let groups = told[2];
    assert!(groups.split(' ').all(|group| group != "0"), "{groups}");
    assert_eq!(told[..2], ["65534", "65534"]);
    assert_eq!(
        told[3..10],
        [
            here.to_str().unwrap(),
            home,
            "nobody",
            "nobody",
            "as it was",
            "by hand",
            "sudo="
        ]
    );
    assert_eq!(told[10], "CapEff:\t0000000000000000");
    let made = fs::metadata(folder.path().join("made")).unwrap();
    assert_eq!((made.uid(), made.gid()), (USER, USER));
}

#[test]
fn files_are_the_users_and_nobody_elses() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let output = as_sudo(
        &folder,
        &[
            "report",
            "--snapshot",
            "snapshots",
            "-o",
            "report",
            "--html",
            "page",
            "--",
            "true",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = as_sudo(
        &folder,
        &[
            "check", "--grace", "50ms", "--junit", "junit", "-o", "check", "--", "true",
        ],
    );
    assert!(output.status.code() < Some(2), "{output:?}");
    for name in ["report", "page", "snapshots", "check", "junit"] {
        let file = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(
            (file.uid(), file.gid(), file.mode() & 0o777),
            (USER, USER, 0o600),
            "{name}"
        );
    }
    // Root could write there; the user may not.
    let closed = tempfile::tempdir().unwrap();
    let place = closed.path().join("report");
    let output = as_sudo(
        &folder,
        &["report", "-o", place.to_str().unwrap(), "--", "true"],
    );
    assert_eq!(output.status.code(), Some(125));
    assert!(
        said(&output).contains("can't be written: Permission denied"),
        "{}",
        said(&output)
    );
}
