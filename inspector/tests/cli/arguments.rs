//! Arguments: what is printed on request, and what is refused with one clear message.

use std::process::Command;

use crate::{program, run, text};

#[test]
fn the_catalogue_is_printed() {
    let output = run(&Command::new(program()), &["lab", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    let listed = text(&output.stdout);
    for name in [
        "bare-delete",
        "owner-map",
        "sharded",
        "connection",
        "delete-and-stop",
    ] {
        assert!(listed.contains(name), "{name} is not in\n{listed}");
    }
    assert_eq!(text(&output.stderr), "");
    let output = run(&Command::new(program()), &["lab", "--list", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["scenarios"][0]["name"], "bare-delete");
}

#[test]
fn mistakes_are_one_clear_message() {
    for (wrong, first_line) in [
        (
            &["lab", "--scenario", "nope"][..],
            "inspector: there is no scenario \"nope\"; there are bare-delete, unclosed-value, signal-no-wait, owner-map, accept-then-store (`inspector lab --list` says what they do)",
        ),
        (
            &["lab", "--scenario", "owner-map", "--variant", "leaky"],
            "inspector: owner-map has no leaky variant (`inspector lab --list` says which there are)",
        ),
        (
            &["lab", "--keys", "0"],
            "error: invalid value '0' for '--keys <N>': 0 is not in 1..=10000",
        ),
        (
            &["lab", "--keys", "10001"],
            "error: invalid value '10001' for '--keys <N>': 10001 is not in 1..=10000",
        ),
        (
            &["lab", "--grace", "0"],
            "error: invalid value '0' for '--grace <MS>': 0 is not in 1..=600000",
        ),
        (
            &["lab", "--map", "tree"],
            "error: invalid value 'tree' for '--map <KIND>'",
        ),
        (
            &["lab", "--policy", "hope"],
            "error: invalid value 'hope' for '--policy <POLICY>'",
        ),
        (
            &["lab", "--ring-bytes", "5000"],
            "error: invalid value '5000' for '--ring-bytes <N>': it must be a power of two and at least 4096",
        ),
        (
            &["lab", "--ring-bytes", "2048"],
            "error: invalid value '2048' for '--ring-bytes <N>': it must be a power of two and at least 4096",
        ),
        (
            &["lab", "--without-probe", "exit_cal"],
            "error: invalid value 'exit_cal' for '--without-probe <PROGRAM>': there are enter_close, ",
        ),
        (
            &["lab", "--policy", "bare", "--scenario", "bare-delete"],
            "error: the argument '--policy <POLICY>' cannot be used with '--scenario <NAME>'",
        ),
        (
            &["lab", "--burst", "5", "--rate", "5"],
            "error: the argument '--burst <N>' cannot be used with '--rate <R>'",
        ),
        (&["nonsense"], "error: unrecognized subcommand 'nonsense'"),
    ] {
        let output = run(&Command::new(program()), wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert_eq!(text(&output.stdout), "", "{wrong:?}");
        let said = text(&output.stderr).lines().next().unwrap_or_default();
        assert!(said.starts_with(first_line), "{wrong:?}: {said}");
    }
}

#[test]
fn help_names_the_verbs_but_not_the_childs() {
    let output = run(&Command::new(program()), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    assert!(help.contains("lab") && help.contains("doctor"));
    assert!(!help.contains("lab-child"));
}
