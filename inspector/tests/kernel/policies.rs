//! The delete policies under the real probes: every verdict right, and fewer of them once a probe
//! that they need is left out. `cargo xtask soak` runs the first of these many times over.

use serde_json::Value;

use crate::{
    binary::{inspector, is_refused, record, records},
    watch::alone,
};

const POLICIES: [&str; 5] = [
    "bare",
    "signal",
    "stop-wait-delete",
    "delete-and-stop",
    "drop",
];

/// Where other tests take the CPUs, a thread's last switch may come 400 ms after its exit began.
const GRACE_MS: &str = "800";

/// The score of one policy run, and the exit code.
fn score(policy: &str, keys: u32, more: &[&str]) -> (Value, Option<i32>) {
    let keys = keys.to_string();
    let mut arguments = vec!["lab", "--headless", "--json", "--grace", GRACE_MS];
    arguments.extend(["--policy", policy, "--keys", &keys]);
    arguments.extend(more);
    let output = inspector(&arguments);
    let records = records(&output.stdout);
    let source = record(&records, "source");
    assert_eq!(source["lost"], serde_json::json!({}), "{arguments:?}");
    let score = record(&records, "score").clone();
    println!("{policy} {more:?}: {score}");
    (score, output.status.code())
}

/// Every verdict is there and right: `keys` keys, each with a thread and so many handles.
fn assert_perfect(policy: &str, keys: u32, handles: u32, more: &[&str]) {
    let (score, code) = score(policy, keys, more);
    assert_eq!(code, Some(0), "{policy} {more:?}: {score}");
    let n = u64::from(keys) * u64::from(1 + handles);
    let (retained, gone) = match policy {
        "bare" => (n, 0),
        _ => (0, n),
    };
    for (name, expected) in [
        ("tp", retained),
        ("tn", gone),
        ("n", n),
        ("keys", keys.into()),
        ("keys_stated", keys.into()),
        ("fp", 0),
        ("fn", 0),
        ("unknown", 0),
        ("undecided", 0),
    ] {
        assert_eq!(
            score[name], expected,
            "{name} of {policy} {more:?}: {score}"
        );
    }
    assert_eq!(
        (&score["precision"], &score["recall"]),
        (&1.0.into(), &1.0.into())
    );
}

#[test]
fn two_hundred_keys_of_each_policy_are_judged_right() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    for policy in POLICIES {
        assert_perfect(policy, 200, 1, &[]);
    }
}

/// Both probe sets, both maps and all entry kinds, at fewer keys.
#[test]
fn every_entry_kind_map_and_probe_set_is_judged_right() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let mut seed = 1;
    for (entry, handles) in [
        ("ticker", 1),
        ("watcher", 1),
        ("connection", 2),
        ("writer", 1),
    ] {
        for (policy, map, set) in [
            ("bare", "sharded", "deaths"),
            ("delete-and-stop", "mutex", "waits"),
        ] {
            seed += 1;
            let seed = seed.to_string();
            let more = [
                "--entry",
                entry,
                "--map",
                map,
                "--probe-set",
                set,
                "--seed",
                &seed,
            ];
            assert_perfect(policy, 20, handles, &more);
        }
    }
}

/// The negative controls: what nothing watches must cost verdicts, and may not make wrong ones.
#[test]
fn without_a_probe_that_verdicts_need_the_score_is_lower() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let no_descriptors = &["--without-probe", "exit_call"][..];
    let no_thread_ends = &[
        "--without-probe",
        "task_switched",
        "--without-probe",
        "task_exiting",
    ];
    let nor_in_the_other_set = &[
        "--probe-set",
        "deaths",
        "--without-probe",
        "task_gone",
        "--without-probe",
        "task_exiting",
    ];
    for without in [no_descriptors, no_thread_ends, nor_in_the_other_set] {
        for policy in ["bare", "stop-wait-delete"] {
            let (score, code) = score(policy, 20, without);
            assert!(
                score["recall"].as_f64() < Some(1.0),
                "{policy} {without:?}: {score}"
            );
            assert_eq!(
                (&score["fp"], &score["fn"]),
                (&0.into(), &0.into()),
                "{score}"
            );
            assert_eq!((code, &score["unknown"]), (Some(1), &20.into()), "{score}");
        }
    }
    // Without this one only the time of an exit is less well known.
    assert_perfect(
        "stop-wait-delete",
        20,
        1,
        &["--without-probe", "task_exiting"],
    );
}
