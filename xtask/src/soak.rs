//! `soak`: every delete policy, 200 keys each, many times in a row; one wrong verdict fails it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    run, setup,
    step::{self, Steps},
    sudo::{self, Root},
    workspace,
};

const POLICIES: [&str; 5] = [
    "bare",
    "signal",
    "stop-wait-delete",
    "delete-and-stop",
    "drop",
];
/// Keys of each run: a thread and a handle each.
const KEYS: u64 = 200;
const RUNS: u64 = 20;
/// Where other work takes the CPUs, a thread's last switch was seen to come up to 440 ms after its
/// exit began and /proc had forgotten it: with less grace the two sides of the score then disagree.
const GRACE_MS: &str = "1000";

/// `cargo xtask soak [--runs N] [--seed S]`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let Asked { runs, seed } = asked(arguments)?;
    if sudo::needed() {
        step::say("sudo is asked first, for the probes; the build comes after");
    }
    let root = Root::get()?;
    let mut steps = Steps::new(3);
    steps.next("set up");
    setup::bring()?;
    steps.next("build inspector in release");
    let inspector = run::build()?;
    steps.next(&format!(
        "{runs} runs of {} policies, {KEYS} keys each, seed {seed}",
        POLICIES.len()
    ));
    let mut results = Vec::new();
    for number in 0..runs {
        for policy in POLICIES {
            // Another order of deletes each time, and the same one for the same seed.
            let result = play(&root, &inspector, policy, seed.wrapping_add(number));
            step::say(&format!(
                "{:>4}/{runs}  {}",
                number + 1,
                result.line(policy)
            ));
            results.push((policy, seed.wrapping_add(number), result));
        }
    }
    let imperfect = results
        .iter()
        .filter(|(.., result)| !result.perfect)
        .count();
    let path = write(seed, &results)?;
    step::say(&format!(
        "soak: {} of {} perfect, seed {seed}; {} has every score",
        results.len() - imperfect,
        results.len(),
        path.display()
    ));
    Ok(ExitCode::from(u8::from(imperfect > 0)))
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Asked {
    runs: u64,
    seed: u64,
}

fn asked(arguments: &[String]) -> anyhow::Result<Asked> {
    let mut runs = RUNS;
    let mut seed = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || -> anyhow::Result<u64> {
            let text = words
                .next()
                .with_context(|| format!("{word} takes a number"))?;
            text.parse()
                .with_context(|| format!("{word} takes a number, not {text:?}"))
        };
        match word.as_str() {
            "--runs" => runs = number()?,
            "--seed" => seed = Some(number()?),
            _ => anyhow::bail!("soak takes --runs N and --seed S, not {word:?}"),
        }
    }
    anyhow::ensure!(runs > 0, "--runs takes a number above 0");
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    };
    Ok(Asked {
        runs,
        seed: seed.unwrap_or_else(now),
    })
}

/// What one run of one policy came to.
struct Outcome {
    perfect: bool,
    /// Its score, or null where there was none.
    score: Value,
    /// Records lost by kind, likewise.
    lost: Value,
    /// What it had to complain of.
    stderr: String,
}

fn play(root: &Root, inspector: &Path, policy: &str, seed: u64) -> Outcome {
    let mut command = root.command(inspector);
    command.args(["lab", "--headless", "--json", "--grace", GRACE_MS]);
    command.args(["--policy", policy, "--keys", &KEYS.to_string()]);
    command.args(["--seed", &seed.to_string()]);
    match command.stdin(Stdio::null()).output() {
        Ok(output) => outcome(
            policy,
            output.status.success(),
            &String::from_utf8_lossy(&output.stdout),
            &String::from_utf8_lossy(&output.stderr),
        ),
        Err(error) => outcome(policy, false, "", &error.to_string()),
    }
}

/// Judges a run by its exit code and its records, not by its own word on being as expected.
fn outcome(policy: &str, success: bool, stdout: &str, stderr: &str) -> Outcome {
    let records: Vec<Value> = stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let record = |name: &str| {
        let named = records.iter().find(|record| record["record"] == name);
        named.cloned().unwrap_or_default()
    };
    let score = record("score");
    let lost = record("source")["lost"].clone();
    let (retained, gone) = if policy == "bare" {
        (2 * KEYS, 0)
    } else {
        (0, 2 * KEYS)
    };
    let expected = [
        ("tp", retained),
        ("tn", gone),
        ("fp", 0),
        ("fn", 0),
        ("unknown", 0),
        ("undecided", 0),
        ("n", 2 * KEYS),
        ("keys", KEYS),
    ];
    let as_expected = expected.iter().all(|(name, value)| score[*name] == *value);
    let perfect = success
        && as_expected
        && score["precision"] == 1.0
        && score["recall"] == 1.0
        && score["source"] == "eBPF";
    Outcome {
        perfect,
        score,
        lost,
        stderr: stderr.trim().to_owned(),
    }
}

impl Outcome {
    fn line(&self, policy: &str) -> String {
        let score = &self.score;
        let mark = if self.perfect { '✓' } else { '✗' };
        if score.is_null() {
            return format!("{mark} {policy:<17} no score: {}", self.stderr);
        }
        let max_ms = score["delete_ns"]["max"].as_f64().unwrap_or_default() / 1e6;
        format!(
            "{mark} {policy:<17} precision {} recall {}  tp {} fp {} fn {} tn {} unknown {} n {}  {} of {} keys  slowest delete {max_ms:.1} ms  lost {}",
            score["precision"],
            score["recall"],
            score["tp"],
            score["fp"],
            score["fn"],
            score["tn"],
            score["unknown"],
            score["n"],
            score["keys"],
            score["keys_stated"],
            self.lost,
        )
    }
}

/// Keeps every score in the target folder.
fn write(seed: u64, results: &[(&str, u64, Outcome)]) -> anyhow::Result<PathBuf> {
    let folder = workspace::target_dir().join("soak");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let path = folder.join(format!("{seed}.json"));
    let runs: Vec<_> = results
        .iter()
        .map(|(policy, seed, outcome)| {
            json!({
                "policy": policy, "seed": seed, "perfect": outcome.perfect,
                "score": outcome.score, "lost": outcome.lost, "stderr": outcome.stderr,
            })
        })
        .collect();
    let kernel = rustix::system::uname();
    let imperfect = results
        .iter()
        .filter(|(.., outcome)| !outcome.perfect)
        .count();
    let result = json!({
        "seed": seed, "kernel": kernel.release().to_string_lossy(), "keys": KEYS,
        "runs": runs, "imperfect": imperfect,
    });
    fs::write(&path, format!("{result:#}\n"))
        .with_context(|| format!("could not write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn runs_and_seed_are_taken_and_nothing_else() {
        let both = asked(&words("--seed 7 --runs 3")).unwrap();
        assert_eq!(both, Asked { runs: 3, seed: 7 });
        assert_eq!(asked(&[]).unwrap().runs, 20);
        for wrong in ["--runs", "--runs 0", "--runs x", "--keys 3", "bare"] {
            assert!(asked(&words(wrong)).is_err(), "{wrong}");
        }
    }

    const PERFECT: &str = r#"{"record":"score","source":"eBPF","precision":1.0,"recall":1.0,"tp":0,"tn":400,"fp":0,"fn":0,"unknown":0,"undecided":0,"n":400,"keys":200,"keys_stated":200}
{"record":"source","source":"eBPF","lost":{}}
"#;

    #[test]
    fn only_a_whole_and_right_score_is_perfect() {
        assert!(outcome("drop", true, PERFECT, "").perfect);
        assert!(!outcome("bare", true, PERFECT, "").perfect, "bare leaks");
        assert!(!outcome("drop", false, PERFECT, "").perfect);
        assert!(!outcome("drop", true, "", "killed").perfect);
        for (right, wrong) in [
            ("\"recall\":1.0", "\"recall\":0.99"),
            ("\"unknown\":0", "\"unknown\":1"),
            ("\"n\":400", "\"n\":398"),
            ("\"keys\":200", "\"keys\":199"),
            ("eBPF", "polling"),
        ] {
            let worse = PERFECT.replace(right, wrong);
            assert!(!outcome("drop", true, &worse, "").perfect, "{wrong}");
        }
    }
}
