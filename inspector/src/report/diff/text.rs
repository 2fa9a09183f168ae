//! Two runs compared, for people: the worst first, in words as well as in numbers.

use std::fmt::{self, Display, Formatter};

use super::{
    Deletes, Diff, Pair,
    latency::Summary,
    rate::{self, Unit},
    sites::Site,
};
use crate::{
    report::html::time::{Count, Lasted},
    verdict::wording::quantity::Duration,
};

/// The whole text. Sites that got neither worse nor better are counted only, unless `all` of them
/// are asked for.
pub struct Comparison<'a> {
    /// What is compared.
    pub diff: &'a Diff,
    /// Whether every site is told that is not alike.
    pub all: bool,
}

/// The verdicts that are told.
const VERDICTS: [&str; 6] = [
    "retained",
    "late",
    "unknown",
    "pending",
    "reassigned",
    "gone",
];

impl Display for Comparison<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let diff = self.diff;
        let lengths = diff.lengths_ns.map(|length| Lasted(*length).to_string());
        let events = diff.events.map(|events| Count(*events).to_string());
        let wide = |pair: &Pair<String>| pair.a.chars().count().max(pair.b.chars().count());
        for (letter, is_b) in [("A", false), ("B", true)] {
            writeln!(
                f,
                "{letter}  {:>2$}  {:>3$} events  {4}",
                lengths.of(is_b),
                events.of(is_b),
                wide(&lengths),
                wide(&events),
                diff.names.of(is_b),
            )?;
        }
        for what in &diff.not_comparable {
            writeln!(f, "?  {what}")?;
        }
        writeln!(f)?;
        headline(f, "worse", diff.worse())?;
        headline(f, "better", diff.better())?;
        if diff.worse().chain(diff.better()).next().is_none() {
            writeln!(f, "no site got worse or better")?;
        }
        self.sites(f)?;
        deletes(f, "deletes", &diff.deletes)?;
        for (policy, pair) in &diff.policies {
            // One that is all there is was told just before.
            if diff.policies.len() > 1 {
                match policy {
                    Some(policy) => deletes(f, &format!("deletes by {policy}"), pair)?,
                    None => deletes(f, "deletes without a policy", pair)?,
                }
            }
        }
        Ok(())
    }
}

fn headline<'a>(
    f: &mut Formatter<'_>,
    word: &str,
    mut sites: impl Iterator<Item = &'a Site>,
) -> fmt::Result {
    let Some(site) = sites.next() else {
        return Ok(());
    };
    let survivors = site.pair(|tally| tally.survivors);
    let retained = site.pair(|tally| tally.count("retained"));
    if survivors.more() == 0 {
        write!(f, "{word}: {retained} retained of {}", site.name)?;
    } else {
        write!(f, "{word}: {survivors} survivors of {}", site.name)?;
    }
    match sites.count() {
        0 => writeln!(f),
        1 => writeln!(f, ", and 1 more site"),
        more => writeln!(f, ", and {more} more sites"),
    }
}

impl Comparison<'_> {
    fn sites(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sites = self.diff.sites.iter();
        let told = sites
            .filter(|site| site.is_worse() || site.is_better() || (self.all && !site.is_alike()));
        // Counts of runs that are equally long are rates already.
        let unit = self.diff.longer().map(|_| rate::unit(self.diff));
        let rows: Vec<Vec<String>> = told.map(|site| self.row(site, unit)).collect();
        if !rows.is_empty() {
            let mut head = vec!["site (A → B)".to_owned()];
            for what in ["births", "deaths", "survivors"] {
                head.push(what.to_owned());
                if let Some((word, _)) = unit
                    && what != "deaths"
                {
                    head.push(format!("{what}/{word}"));
                }
            }
            head.push("change".to_owned());
            writeln!(f)?;
            table(f, &head, &rows)?;
        }
        let different = self.diff.sites.iter().filter(|site| !site.is_alike());
        match different.count().saturating_sub(rows.len()) {
            0 => Ok(()),
            rest => writeln!(
                f,
                "\n{rest} sites differ only in births, deaths or other verdicts (--all names them)"
            ),
        }
    }
}

impl Comparison<'_> {
    /// The cells of a site, with rates where there is a unit for them.
    fn row(&self, site: &Site, unit: Option<Unit>) -> Vec<String> {
        let births = site.pair(|tally| tally.births);
        let survivors = site.pair(|tally| tally.survivors);
        let rate = |counts| unit.map(|unit| rate::words(counts, &self.diff.lengths_ns, unit));
        let mut cells = vec![site.name.to_string(), births.to_string()];
        cells.extend(rate(&births));
        cells.push(site.pair(|tally| tally.deaths).to_string());
        cells.push(survivors.to_string());
        cells.extend(rate(&survivors));
        cells.push(change(site));
        cells
    }
}

/// What became of a site, in words.
fn change(site: &Site) -> String {
    let mut words = Vec::new();
    match (&site.of.a, &site.of.b) {
        (None, Some(_)) => words.push("only in B".to_owned()),
        (Some(_), None) => words.push("only in A".to_owned()),
        _ => {}
    }
    for (more, what) in [
        (site.more_survivors(), "survive"),
        (site.more_verdicts("retained"), "retained"),
        (site.more_verdicts("late"), "late"),
    ] {
        match more {
            0 => {}
            1.. => words.push(format!("{more} more {what}")),
            _ => words.push(format!("{} fewer {what}", more.unsigned_abs())),
        }
    }
    words.join(", ")
}

/// Columns as wide as their widest cell: the first to the left, numbers to the right, words behind.
fn table(f: &mut Formatter<'_>, head: &[String], rows: &[Vec<String>]) -> fmt::Result {
    let width = |column: usize| {
        let cells = rows.iter().map(Vec::as_slice).chain([head]);
        cells.map(|row| row[column].chars().count()).max()
    };
    let widths: Vec<_> = (0..head.len()).filter_map(width).collect();
    for row in [head].into_iter().chain(rows.iter().map(Vec::as_slice)) {
        write!(f, "{:<1$}", row[0], widths[0])?;
        for column in 1..head.len() - 1 {
            write!(f, "  {:>1$}", row[column], widths[column])?;
        }
        writeln!(f, "  {}", row[head.len() - 1])?;
    }
    Ok(())
}

fn deletes(f: &mut Formatter<'_>, title: &str, pair: &Pair<Deletes>) -> fmt::Result {
    let counts: Vec<_> = VERDICTS
        .into_iter()
        .map(|word| (word, pair.map(|deletes| deletes.count(word))))
        .filter(|(_, count)| *count != Pair::default())
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}: {}", counts.join(", "))?;
    let latencies = pair.map(|deletes| deletes.latencies.summary());
    if latencies == Pair::default() {
        return Ok(());
    }
    let told = |of: fn(&Summary) -> u64| {
        let told = latencies.map(|summary| match summary {
            Some(summary) => Duration(of(summary)).to_string(),
            None => "none".to_owned(),
        });
        format!("{} → {}", told.a, told.b)
    };
    let counts = latencies.map(|summary| summary.map_or(0, |summary| summary.count as u64));
    writeln!(
        f,
        "  latency of those that went ({counts}), from the delete's end: p50 {}, p99 {}, longest {}",
        told(|summary| summary.p50_ns),
        told(|summary| summary.p99_ns),
        told(|summary| summary.max_ns),
    )
}

impl Display for Pair<u64> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.a, self.b)
    }
}
