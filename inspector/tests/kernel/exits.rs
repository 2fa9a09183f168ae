//! Exit codes of `report` and `check` where there is no command to pass one on: 125, 126 and 127, as
//! shells and env have them.

use std::fs;

use crate::{
    binary::inspector,
    verbs::{Ends, document, said},
    watch::alone,
};

/// What comes before the command, or instead of it, has the codes that shells and env have.
#[test]
fn what_cannot_be_executed_is_told_in_one_line() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = file("plain", "true\n", 0o644);
    let missing = file("missing", "#!/nonexistent/interpreter\n", 0o755);
    let here = folder.path().to_str().unwrap();
    for (command, code, words) in [
        (
            "no-such-command",
            127,
            "no-such-command: command not found; ",
        ),
        ("", 127, ": command not found; "),
        (here, 126, "can't be executed: Permission denied"),
        (&plain, 126, "can't be executed: Permission denied"),
        (
            &missing,
            126,
            "can't be executed: No such file or directory",
        ),
        (
            "/nonexistent/command",
            127,
            "/nonexistent/command: command not found; ",
        ),
    ] {
        for verb in ["report", "check"] {
            let output = inspector(&[verb, "--", command]);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(code), "{verb} {command}: {said}");
            assert!(
                said.starts_with("inspector: ") && said.contains(words),
                "{said}"
            );
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    // A script without #! is the shell's, as it is with env.
    let script = file("script", "exit 5\n", 0o755);
    let (output, _) = document("report", &["--", &script]);
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn where_inspector_itself_fails_it_says_so() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("inspector.toml");
    fs::write(&config, "[check]\ngrace = 5\nbudgets = 1\n").unwrap();
    let config = config.to_str().unwrap();
    for (arguments, words) in [
        (
            &["report", "-o", "/nonexistent/file"][..],
            "inspector: /nonexistent/file can't be written: No such file",
        ),
        (
            &["report", "--snapshot", "/nonexistent/file"],
            "inspector: /nonexistent/file can't be written: No such file",
        ),
        (
            &["report", "--config", config],
            ":3:1: unknown field `budgets`",
        ),
        (
            &["check", "--config", config],
            ":3:1: unknown field `budgets`",
        ),
        (
            &["check", "--junit", "/nonexistent/file"],
            "inspector: /nonexistent/file can't be written: No such file",
        ),
    ] {
        let output = inspector(&[arguments, &["--", "true"]].concat());
        assert_eq!(output.status.code(), Some(125), "{arguments:?}");
        assert!(
            said(&output).contains(words),
            "{arguments:?}: {}",
            said(&output)
        );
    }
    // Of processes it is the ordinary error.
    let target = Ends::sleeper();
    let pid = target.pid().to_string();
    let output = inspector(&[
        "report",
        "-p",
        &pid,
        "--for",
        "0s",
        "-o",
        "/nonexistent/file",
    ]);
    assert_eq!(output.status.code(), Some(2));
}
