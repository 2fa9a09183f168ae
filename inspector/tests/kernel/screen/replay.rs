//! A recording on the screen: by an ordinary user, with what live had, and the terminal is given back.

use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use super::terminal::{Start, Terminal};
use crate::{
    binary::{is_refused, program},
    program::starting,
    watch::alone,
};

/// A key that leaves its thread and its timer behind, recorded; `None` where the machine refuses
/// root's programs.
fn recorded() -> Option<(tempfile::TempDir, String)> {
    if is_refused() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(&folder, <_>::from_mode(0o755)).unwrap();
    let file = folder.path().join("lab.rec");
    let file = file.to_str().unwrap().to_owned();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60"]).arg(program());
    command.args(["record", "--quiet", "-o", &file, "lab"]);
    command.args(["--scenario", "bare-delete", "--variant", "leaky"]);
    command.args(["--keys", "2", "--grace", "200"]);
    // Whoever called sudo could not write into root's folder.
    for name in ["SUDO_UID", "SUDO_GID", "SUDO_USER"] {
        command.env_remove(name);
    }
    let _alone = alone();
    let starting = starting();
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    drop(starting);
    let output = child.unwrap().wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::set_permissions(&file, <_>::from_mode(0o644)).unwrap();
    Some((folder, file))
}

/// It, by nobody.
fn replayed(file: &str) -> Option<Terminal> {
    // By a descriptor, because the folder it lies in may be closed to others.
    let nobody = "exec 3<\"$0\"; exec setpriv --reuid=65534 --regid=65534 --clear-groups \
                  /proc/self/fd/3 \"$@\"";
    Start {
        within: &["sh", "-c", nobody],
        arguments: &["replay", file, "--at", "+0s"],
        folder_of: 65_534,
        ..Start::default()
    }
    .begin()
}

#[test]
fn an_ordinary_user_goes_to_and_fro_in_it() {
    let Some((_folder, file)) = recorded() else {
        return;
    };
    let Some(mut terminal) = replayed(&file) else {
        return;
    };
    terminal.until_shown("stands still");
    terminal.press("n");
    terminal.until("the first verdict, and its entry selected", |picture| {
        let line = picture.cursor().map(|(_, line)| line);
        line.is_some_and(|line| line.contains("RETAINED"))
    });
    terminal.press("N");
    terminal.until_shown("there is no late or retained verdict before this");
    terminal.press("[");
    terminal.until("the delete, which is not judged yet", |picture| {
        let line = picture.cursor().map(|(_, line)| line);
        line.is_some_and(|line| line.contains("pending"))
    });
    terminal.press("g");
    terminal.type_in("soon");
    terminal.until_shown("a time is such as 14:03:07");
    terminal.press("Esc");
    terminal.until_hidden("where?");
    terminal.press("$");
    terminal.until_shown("at its end");
    terminal.press("space");
    terminal.until_shown("▶ ×1");
    terminal.press("q");
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (0, None));
    terminal.assert_given_back();
}

#[test]
fn what_is_no_recording_says_so_and_leaves_the_terminal_alone() {
    let Some(mut terminal) = replayed("/etc/passwd") else {
        return;
    };
    terminal.until_shown("/etc/passwd is no recording of inspector's");
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (2, None));
    terminal.assert_given_back();
}
