//! What a headless lab prints: headings, verdicts, scores; text for a person or JSON lines.
//!
//! With `--json` each line is one object, told apart by `record`. Each
//! names its `source`, `eBPF` or `polling`: what its run rests on.
//!
//! - `polling`: /proc is polled instead of asking the kernel; `why`.
//! - `probes`: which programs watch; see [`crate::report::source::probes_value`].
//! - `run`: a run begins. `scenario` and `variant` (null in a policy run), `policy`, `map`,
//!   `entry`, `keys`, `pace` (`checked` or `burst`), `seed`, `grace_ms`, `source`.
//! - `verdict`: one judgement as it falls, in `judgement`, with the run's `scenario` and
//!   `variant`. A later one about the same resource replaces an earlier one.
//! - `score`: a run ended. `tp`, `fp`, `fn`, `tn`, `unknown`, `n`, `keys`, `keys_stated`,
//!   `undecided`; `precision`, `recall`; `delete_ns` with `p50`, `p99`, `max`; `met`, and in
//!   `unmet` what was not as expected; in `lost` the records lost during the run, by kind.
//! - `error`: the run ended early; `what`. The exit code is 2.
//! - `source`: how the kernel's programs fared; see [`crate::report::source::value`].
//! - `total`: the last line, unless the run ended early. `runs`, `met`.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    detection::Fallen,
    harness::Played,
    plan::{Pace, Run},
};
use crate::report::source::{lost as words, lost_value};

mod catalogue;

/// Where and how it is printed. Each piece is flushed: verdicts are read as they fall.
pub struct Printer<W> {
    out: W,
    json: bool,
    grounds: bool,
    /// What the verdicts rest on: `eBPF` or `polling`.
    source: &'static str,
}

impl<W: Write> Printer<W> {
    /// Text, with each verdict's grounds on a line of their own if wanted, or JSON lines, which
    /// always have them.
    pub fn new(out: W, json: bool, grounds: bool) -> Self {
        Self {
            out,
            json,
            grounds,
            source: "eBPF",
        }
    }

    /// Which programs watch: `text` where one of them doesn't.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn probes(&mut self, text: Option<&str>, value: Value) -> io::Result<()> {
        match text {
            _ if self.json => self.record("probes", value),
            Some(text) => self.text(&format!("⚠ not every probe watches\n{text}\n")),
            None => Ok(()),
        }
    }

    /// How the kernel's programs fared.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn source(&mut self, text: &str, value: Value) -> io::Result<()> {
        if self.json {
            self.record("source", value)
        } else {
            self.text(text)
        }
    }

    /// The run ended early. As text, that is for stderr.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn error(&mut self, what: &str) -> io::Result<()> {
        if self.json {
            return self.record("error", json!({ "what": what }));
        }
        Ok(())
    }

    /// Every run polls /proc, and why.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn polling(&mut self, why: &str) -> io::Result<()> {
        self.source = "polling";
        if self.json {
            return self.record("polling", json!({ "why": why }));
        }
        writeln!(
            self.out,
            "⚠ polling /proc, because {why}\n  births and deaths between two readings are not seen, and times are intervals; `inspector doctor` says what to do\n"
        )?;
        self.out.flush()
    }

    /// A run begins.
    ///
    /// # Errors
    ///
    /// Those of the output, here and below.
    pub fn begin(&mut self, run: &Run) -> io::Result<()> {
        let (plan, source) = (&run.plan, self.source);
        if self.json {
            let (scenario, variant) = names(run);
            return self.line(&json!({
                "record": "run", "scenario": scenario, "variant": variant,
                "policy": plan.policy.name(), "map": plan.map.name(), "entry": plan.entry.name(),
                "keys": plan.keys, "pace": pace(plan.pace), "seed": plan.seed,
                "grace_ms": u64::try_from(plan.grace.as_millis()).unwrap_or(u64::MAX),
                "source": source,
            }));
        }
        writeln!(
            self.out,
            "{}   {} {}, each a {} in a {} map, deleted by {}   [{source}]",
            run.name(),
            plan.keys,
            if plan.keys == 1 { "key" } else { "keys" },
            plan.entry.name(),
            plan.map.name(),
            plan.policy.name(),
        )?;
        if let Some((scenario, _)) = run.scenario {
            writeln!(self.out, "  {}", scenario.point)?;
        }
        self.out.flush()
    }

    /// A judgement fell.
    pub fn fallen(&mut self, run: &Run, fallen: &Fallen) -> io::Result<()> {
        if self.json {
            let (scenario, variant) = names(run);
            return self.line(&json!({
                "record": "verdict", "scenario": scenario, "variant": variant,
                "source": self.source, "judgement": fallen.json,
            }));
        }
        writeln!(self.out, "  {}", fallen.text)?;
        if self.grounds {
            writeln!(self.out, "      {}", fallen.grounds)?;
        }
        self.out.flush()
    }

    /// A run ended, in which so many records of each kind were lost.
    pub fn end(
        &mut self,
        run: &Run,
        played: &Played,
        lost: &[(&'static str, u64)],
    ) -> io::Result<()> {
        let score = &played.score;
        if self.json {
            let (scenario, variant) = names(run);
            let mut line = json!({
                "record": "score", "scenario": scenario, "variant": variant,
                "policy": run.plan.policy.name(), "source": self.source,
                "lost": lost_value(lost),
                "precision": score.precision(), "recall": score.recall(),
                "delete_ns": {
                    "p50": nanoseconds(&played.deletes, 50),
                    "p99": nanoseconds(&played.deletes, 99),
                    "max": nanoseconds(&played.deletes, 100),
                },
                "met": played.unmet.is_empty(), "unmet": played.unmet,
            });
            if let (Value::Object(line), Ok(Value::Object(counts))) =
                (&mut line, serde_json::to_value(score))
            {
                line.extend(counts);
            }
            return self.line(&line);
        }
        writeln!(
            self.out,
            "  score    precision {:.3}  recall {:.3}   tp {}  fp {}  fn {}  tn {}  unknown {}  n {}   {} of {} keys",
            score.precision(),
            score.recall(),
            score.tp,
            score.fp,
            score.fn_,
            score.tn,
            score.unknown,
            score.n,
            score.keys,
            score.keys_stated,
        )?;
        if score.undecided > 0 {
            writeln!(
                self.out,
                "           the oracle could not decide {} of them itself",
                score.undecided
            )?;
        }
        if run.plan.pace == Pace::Burst {
            writeln!(
                self.out,
                "           in a burst the oracle checks what became of each resource, not whose it is"
            )?;
        }
        if !lost.is_empty() {
            writeln!(
                self.out,
                "  lost     {} records during the run",
                words(lost)
            )?;
        }
        writeln!(
            self.out,
            "  deletes  p50 {}  p99 {}  max {}",
            milliseconds(&played.deletes, 50),
            milliseconds(&played.deletes, 99),
            milliseconds(&played.deletes, 100),
        )?;
        if played.unmet.is_empty() {
            writeln!(self.out, "  ✓ as expected\n")?;
        } else {
            writeln!(self.out, "  ✗ not as expected")?;
            for unmet in &played.unmet {
                writeln!(self.out, "      {unmet}")?;
            }
            writeln!(self.out)?;
        }
        self.out.flush()
    }

    /// All runs ended.
    pub fn total(&mut self, runs: usize, met: usize) -> io::Result<()> {
        if self.json {
            return self.record("total", json!({ "runs": runs, "met": met }));
        }
        self.text(&format!(
            "{met} of {runs} runs as expected   [{}]\n",
            self.source
        ))
    }

    /// A JSON line with its name and its source.
    fn record(&mut self, name: &str, mut value: Value) -> io::Result<()> {
        if let Value::Object(members) = &mut value {
            members.insert("record".to_owned(), name.into());
            members.insert("source".to_owned(), self.source.into());
        }
        self.line(&value)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        write!(self.out, "{text}")?;
        self.out.flush()
    }

    fn line(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{value}")?;
        self.out.flush()
    }
}

fn names(run: &Run) -> (Option<&'static str>, Option<&'static str>) {
    run.scenario.map_or((None, None), |(scenario, variant)| {
        (Some(scenario.name), Some(variant.which.name()))
    })
}

fn pace(pace: Pace) -> &'static str {
    match pace {
        Pace::Checked { .. } => "checked",
        Pace::Burst => "burst",
    }
}

/// The duration that `percent` of them do not exceed (nearest rank); they are ascending.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

fn nanoseconds(sorted: &[Duration], percent: usize) -> Option<u64> {
    percentile(sorted, percent).map(crate::duration::as_ns)
}

fn milliseconds(sorted: &[Duration], percent: usize) -> String {
    percentile(sorted, percent).map_or_else(
        || "none".to_owned(),
        |took| format!("{:.3} ms", took.as_secs_f64() * 1e3),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(milliseconds(&sorted, 50), "100.000 ms");
        assert_eq!(milliseconds(&sorted, 99), "198.000 ms");
        assert_eq!(milliseconds(&sorted, 100), "200.000 ms");
        assert_eq!(nanoseconds(&sorted[..1], 50), Some(1_000_000));
        assert_eq!(nanoseconds(&[], 50), None);
    }
}
