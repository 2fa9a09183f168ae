//! The lab's command line, end to end.

use assert_cmd::Command;

fn inspector(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::new(crate::program());
    command
        .args(arguments)
        .timeout(std::time::Duration::from_secs(60))
        .assert()
}

#[test]
fn the_catalogue_is_printed() {
    let output = inspector(&["lab", "--list"]).code(0).get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for name in [
        "bare-delete",
        "owner-map",
        "sharded",
        "connection",
        "delete-and-stop",
    ] {
        assert!(text.contains(name), "{name} is not in\n{text}");
    }
    assert!(output.stderr.is_empty());
    let output = inspector(&["lab", "--list", "--json"])
        .code(0)
        .get_output()
        .clone();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["scenarios"][0]["name"], "bare-delete");
}

#[test]
fn mistakes_are_one_clear_message() {
    inspector(&["lab", "--scenario", "nope"])
        .code(2)
        .stdout("")
        .stderr("inspector: there is no scenario \"nope\"; there are bare-delete, unclosed-value, signal-no-wait, owner-map, accept-then-store (`inspector lab --list` says what they do)\n");
    inspector(&["lab", "--as", "no-such-user-here"])
        .code(2)
        .stdout("");
    for wrong in [
        &["lab", "--keys", "0"][..],
        &["lab", "--keys", "10001"],
        &["lab", "--map", "tree"],
        &["lab", "--policy", "bare", "--scenario", "bare-delete"],
        &["lab", "--burst", "5", "--rate", "5"],
        &["nonsense"],
    ] {
        inspector(wrong).code(2).stdout("");
    }
}

#[test]
fn help_names_the_verbs_but_not_the_childs() {
    let output = inspector(&["--help"]).code(0).get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("lab") && text.contains("doctor"));
    assert!(!text.contains("lab-child"));
}

#[test]
fn nobody_reading_is_no_failure() {
    let mut child = std::process::Command::new(crate::program())
        .args(["lab", "--list"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
