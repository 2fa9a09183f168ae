//! `inspector check`: each planted leak fails the run and is named, its fixed twin passes, and what
//! is said for programs holds.

use std::{fs, path::Path, process::Command};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    binary::{inspector, is_refused, program, text},
    program::compiled,
    verbs::{document, each, said, words},
    watch::alone,
};

/// The command line of a leaky program, or of its twin.
fn leaves(what: &str, variant: &str) -> Vec<String> {
    let file = compiled("leaves", &[]).to_str().unwrap().to_owned();
    vec![file, what.to_owned(), variant.to_owned()]
}

/// Checks one of these, with these options before it.
#[track_caller]
fn check(options: &[&str], command: &[String]) -> (i32, Value) {
    let mut arguments = options.to_vec();
    arguments.push("--");
    arguments.extend(command.iter().map(String::as_str));
    let (output, document) = document("check", &arguments);
    let code = output.status.code().unwrap();
    assert_eq!(document["exit"], code, "{document:#}");
    assert_eq!(document["schema"], "inspector-check/1");
    (code, document)
}

#[test]
fn a_planted_leak_fails_and_its_twin_passes() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    for (what, options, class, kind, members) in [
        (
            "open",
            &["--grace", "200ms"][..],
            "open_at_exit",
            "eventfd",
            3,
        ),
        (
            "open",
            &["--grace", "200ms", "--budget", "eventfd=2"],
            "budget",
            "eventfd",
            3,
        ),
        ("delete", &["--grace", "200ms"], "delete", "eventfd", 1),
        ("close", &["--grace", "200ms"], "close", "eventfd", 1),
    ] {
        let (code, found) = check(options, &leaves(what, "leaky"));
        assert_eq!(code, 1, "{what}: {found:#}");
        assert_eq!(found["clean"], false);
        assert_eq!(each(&found["findings"], "class"), [class], "{found:#}");
        let finding = &found["findings"][0];
        assert_eq!(
            (&finding["kind"], &finding["count"]),
            (&json!(kind), &json!(members))
        );
        assert_eq!(finding["program"], "leaves");
        assert_eq!(found["unknown"], json!([]));
        let (code, found) = check(options, &leaves(what, "fixed"));
        assert_eq!(
            (code, &found["clean"]),
            (0, &json!(true)),
            "{what}: {found:#}"
        );
        assert_eq!(
            (&found["findings"], &found["unknown"]),
            (&json!([]), &json!([]))
        );
        assert!(found["judged"]["handles"].as_u64() > Some(0), "{found:#}");
    }
    // A budget that is kept.
    let options = ["--grace", "200ms", "--budget", "eventfd=3"];
    assert_eq!(check(&options, &leaves("open", "leaky")).0, 0);
}

#[test]
fn growth_over_its_limit_fails() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("inspector.toml");
    for (most, code) in [(2, 1), (3, 0)] {
        let rules = format!(
            "[check]\ngrace = \"200ms\"\nopen_at_exit = false\n[[check.growth]]\nkind = \"eventfd\"\nmost = {most}\n"
        );
        fs::write(&config, rules).unwrap();
        let options = ["--config", config.to_str().unwrap()];
        let (ended, found) = check(&options, &leaves("open", "leaky"));
        assert_eq!(ended, code, "{found:#}");
        let classes = each(&found["findings"], "class");
        assert_eq!(classes, vec!["growth"; usize::from(code == 1)]);
    }
}

#[test]
fn a_child_that_outlives_the_command_fails_it() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let shell = |line: &str| ["sh", "-c", line].map(str::to_owned).to_vec();
    let lives_on = "sleep 60 > /dev/null 2>&1 & exit 0";
    let (code, found) = check(&["--grace", "200ms"], &shell(lives_on));
    let pids = each(&found["findings"], "pids");
    let pid = pids.first().and_then(|pids| pids[0].as_i64()).unwrap();
    kill_process(
        Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(),
        Signal::KILL,
    )
    .unwrap();
    assert_eq!(
        (code, each(&found["findings"], "class")),
        (1, vec![&json!("outlives")])
    );
    assert_eq!(found["findings"][0]["program"], "sleep");
    // One that ends within the grace, one that is waited for, and one that is none of ours.
    for (options, line) in [
        (
            &["--grace", "2s"][..],
            "sleep 0.3 > /dev/null 2>&1 & exit 0",
        ),
        (&["--grace", "200ms"], "sleep 0.1 & wait"),
        (
            &["--grace", "200ms", "--no-follow"],
            "sleep 1 > /dev/null 2>&1 & exit 0",
        ),
    ] {
        let (code, found) = check(options, &shell(line));
        assert_eq!(code, 0, "{line}: {found:#}");
    }
}

#[test]
fn a_command_that_fails_never_becomes_a_success() {
    let _alone = alone();
    let (code, found) = check(
        &["--grace", "100ms"],
        &["sh", "-c", "exec 3< /dev/zero; exit 4"].map(str::to_owned),
    );
    assert_eq!(code, 4);
    assert_eq!(
        found["command"]["end"],
        json!({"how": "exited", "status": 4})
    );
    if !is_refused() {
        assert_eq!(each(&found["findings"], "class"), ["open_at_exit"]);
    }
    let (code, _) = check(
        &["--grace", "100ms"],
        &["sh", "-c", "kill -7 $$"].map(str::to_owned),
    );
    assert_eq!(code, 135);
}

#[test]
fn a_command_that_does_not_begin_is_told_to_build_servers_too() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "no program").unwrap();
    let missing = folder.path().join("missing");
    let junit = folder.path().join("junit.xml");
    for (command, code, how) in [(plain, 126, "not_executable"), (missing, 127, "not_found")] {
        let options = ["--junit", junit.to_str().unwrap()];
        let command = command.to_str().unwrap().to_owned();
        let (ended, told) = check(&options, &[command]);
        assert_eq!((ended, &told["clean"]), (code, &json!(false)));
        assert_eq!(told["command"]["end"], json!({"how": how, "status": null}));
        let counts = junit_counts(&junit);
        assert_eq!(
            (&counts["tests"], &counts["errors"]),
            (&json!("1"), &json!(["inspector.command"]))
        );
    }
}

/// However it ends then.
#[test]
fn a_command_whose_time_is_over_has_failed() {
    let _alone = alone();
    for (line, code) in [
        ("exec sleep 60", 143),
        ("trap 'exit 0' TERM; while :; do sleep 0.05; done", 1),
    ] {
        let options = ["--for", "300ms", "--grace", "300ms"];
        let (ended, found) = check(&options, &["sh", "-c", line].map(str::to_owned));
        assert_eq!(ended, code, "{found:#}");
        let words = found["findings"][0]["words"].as_str().unwrap();
        assert_eq!(
            words,
            "the command had not ended after 300ms, and was told to"
        );
        assert_eq!(found["clean"], false);
    }
}

#[test]
fn what_is_ignored_passes_and_is_told_and_expired_ignores_do_not_hold() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let leaky = leaves("open", "leaky");
    let (code, found) = check(
        &["--grace", "100ms", "--ignore", "eventfd=kept on purpose"],
        &leaky,
    );
    assert_eq!(code, 0, "{found:#}");
    let ignored = &found["ignored"][0];
    assert_eq!(ignored["from"], "command line");
    assert_eq!(
        (&ignored["count"], &ignored["reason"]),
        (&json!(3), &json!("kept on purpose"))
    );
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("inspector.toml");
    for (expires, code) in [("2020-01-31", 1), ("2999-01-31", 0)] {
        let rules = format!(
            "[check]\ngrace = \"100ms\"\n[[check.ignore]]\nkind = \"eventfd\"\nreason = \"not yet\"\nexpires = \"{expires}\"\n"
        );
        fs::write(&config, rules).unwrap();
        let (ended, found) = check(&["--config", config.to_str().unwrap()], &leaky);
        assert_eq!(ended, code, "{found:#}");
        let told = if code == 1 {
            json!(expires)
        } else {
            Value::Null
        };
        assert_eq!(found["ignored"][0]["expired"], told);
        assert_eq!(found["ignored"][0]["count"], 3);
    }
    // For people the same, on stderr: the command's own output is on stdout.
    let mut arguments = words("check --grace 100ms --ignore eventfd=kept --");
    arguments.extend(leaky.iter().map(String::as_str));
    let output = inspector(&arguments);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
    assert!(said(&output).starts_with("clean: "), "{}", said(&output));
    assert!(said(&output).contains("\n- ignored 3, by command line: kept\n"));
}

/// Counts what a file of JUnit's holds, by an XML parser that is not ours.
fn junit_counts(file: &Path) -> Value {
    let count = "import sys, json, xml.etree.ElementTree as tree\n\
                 root = tree.parse(sys.argv[1]).getroot()\n\
                 suite = root.find('testsuite')\n\
                 print(json.dumps({'root': root.tag, 'tests': suite.get('tests'),\n\
                  'cases': len(suite.findall('testcase')),\n\
                  'failures': [case.get('classname') for case in suite if case.find('failure') is not None],\n\
                  'errors': [case.get('classname') for case in suite if case.find('error') is not None]}))";
    let output = Command::new("python3")
        .args(["-c", count])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn build_servers_are_told_in_their_own_words() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("junit.xml");
    for (variant, failures) in [("leaky", 1), ("fixed", 0)] {
        let mut arguments = words("check --grace 100ms --github --junit");
        arguments.extend([junit.to_str().unwrap(), "--"]);
        let command = leaves("open", variant);
        arguments.extend(command.iter().map(String::as_str));
        let output = inspector(&arguments);
        assert_eq!(output.status.code(), Some(failures));
        let counts = junit_counts(&junit);
        assert_eq!(counts["root"], "testsuites");
        assert_eq!(counts["tests"], counts["cases"].to_string());
        assert_eq!(
            counts["failures"].as_array().unwrap().len(),
            failures as usize,
            "{counts}"
        );
        let errors = said(&output)
            .matches("::error title=inspector%3A open at exit::")
            .count();
        assert_eq!(errors, failures as usize, "{}", said(&output));
    }
    // Where GitHub runs it nobody has to ask.
    let command = leaves("open", "leaky");
    for (set, count) in [("true", 1), ("false", 0)] {
        let output = Command::new(program())
            .args(["check", "--grace", "100ms", "--"])
            .args(&command)
            .env("GITHUB_ACTIONS", set)
            .env_remove("SUDO_UID")
            .env_remove("SUDO_GID")
            .output()
            .unwrap();
        assert_eq!(said(&output).matches("::error ").count(), count);
    }
}
