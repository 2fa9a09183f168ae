//! A run's ledger as text for people: verdicts first, then what lives and what remains.
//!
//! ```text
//! 2 retained, 1 suspect: process 4711, watched for 30s
//! process    4711  server           12 threads
//! kind       thread               12 now       20 born        8 gone
//! kind       socket               14 now      140 born      126 gone
//! remains    14 × socket tcp *:443 by accept4, of 4711: +12, 24.0 a minute, oldest 29 s
//! threads    8 × worker-* of 4711: 6 blocked in futex, 2 running
//! ```

mod lines;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use self::lines::{Alike, Named, Watched};
use super::{document::Run, not_told::not_told, source, text as judgement};
use crate::{
    duration,
    event::text::Text,
    ledger::Ledger,
    pattern::pattern,
    pipeline::Pipeline,
    source::SourceKind,
    verdict::{
        Judgement, Verdict,
        growth::{Group, Growth, What},
        wording::quantity::Duration,
    },
};

/// How many of a sort are named one by one.
const MOST: usize = 20;

/// The text. Every string of the watched processes is escaped.
pub fn text(run: &Run, source: &SourceKind, pipeline: &Pipeline, growth: &Growth) -> String {
    let ledger = pipeline.ledger();
    let mut text = String::new();
    verdicts(&mut text, run, pipeline, growth);
    processes(&mut text, ledger);
    kinds(&mut text, growth);
    remains(&mut text, ledger, growth);
    threads(&mut text, ledger);
    match source {
        SourceKind::Ebpf(probes) => text += &source::text(probes, ledger),
        SourceKind::Polling { every, why } => {
            let every = duration::written(duration::as_ns(*every));
            let why = Text::from(why.as_bytes());
            put(
                &mut text,
                format_args!("source     /proc, read every {every}: {why}"),
            );
        }
    }
    let not_told = not_told(source, ledger, growth);
    if !not_told.is_empty() {
        put(
            &mut text,
            format_args!("not told   {}", not_told.join("; ")),
        );
    }
    text
}

/// A line. Writing to a string can't fail.
fn put(text: &mut String, line: fmt::Arguments<'_>) {
    let _ = text.write_fmt(line);
    text.push('\n');
}

fn put_more(text: &mut String, all: usize) {
    if all > MOST {
        put(text, format_args!("           … and {} more", all - MOST));
    }
}

/// The word a judgement is counted under, the worst first.
pub(super) fn counted_as(judgement: &Judgement) -> (u8, &'static str) {
    let word = judgement.verdict.word();
    match judgement.verdict {
        Verdict::Retained(_) => (0, word),
        Verdict::Late { .. } => (1, word),
        Verdict::Unknown(_) => (2, word),
        Verdict::Pending => (3, word),
        Verdict::Gone(_) => (4, word),
        Verdict::Reassigned { .. } => (5, word),
    }
}

fn verdicts(text: &mut String, run: &Run, pipeline: &Pipeline, growth: &Growth) {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    let (mut bad, mut told) = (0, String::new());
    for one in pipeline.judgements() {
        let (place, word) = counted_as(&one);
        *counts.entry((place, word)).or_default() += 1;
        if place <= 1 {
            bad += 1;
            if bad <= MOST {
                put(&mut told, format_args!("{}", judgement::Line(&one)));
                put(&mut told, format_args!("    {}", judgement::Grounds(&one)));
            }
        }
    }
    put_more(&mut told, bad);
    let counts = counts
        .iter()
        .map(|((_, word), count)| format!("{count} {word}"));
    let mut parts: Vec<_> = counts.collect();
    if parts.is_empty() {
        parts.push("no deletes declared".to_owned());
    }
    let suspects = growth.suspects();
    match suspects.len() {
        0 => {}
        1 => parts.push("1 suspect".to_owned()),
        count => parts.push(format!("{count} suspects")),
    }
    match pipeline.ledger().counters().entries_forgotten {
        0 => {}
        1 => parts.push("1 earlier delete not kept".to_owned()),
        count => parts.push(format!("{count} earlier deletes not kept")),
    }
    put(text, format_args!("{}: {}", parts.join(", "), Watched(run)));
    *text += &told;
    for (group, suspect) in suspects.iter().take(MOST) {
        put(
            text,
            format_args!("~ SUSPECT    {}: {suspect}", Named(group)),
        );
    }
    put_more(text, suspects.len());
}

fn processes(text: &mut String, ledger: &Ledger) {
    let leaders = ledger.leaders();
    let mut live: Vec<_> = ledger
        .processes()
        .filter(|(_, process)| process.dead.is_none())
        .collect();
    live.sort_unstable_by_key(|(_, process)| process.tgid);
    for &(key, process) in live.iter().take(MOST) {
        let comm = leaders
            .get(&key)
            .map(|leader| leader.comm)
            .unwrap_or_default();
        put(
            text,
            format_args!(
                "process {:>7}  {:<16} {:>5} threads",
                process.tgid,
                comm.to_string(),
                process.live_threads()
            ),
        );
    }
    put_more(text, live.len());
}

fn kinds(text: &mut String, growth: &Growth) {
    let mut kinds: BTreeMap<What, [u64; 3]> = BTreeMap::new();
    for group in growth.groups() {
        let [now, born, gone] = kinds.entry(group.name.what).or_default();
        *now += group.alive();
        *born += group.births;
        *gone += group.deaths + group.ended_with_process;
    }
    for (what, [now, born, gone]) in kinds {
        let word = what.word();
        put(
            text,
            format_args!("kind       {word:<16} {now:>7} now {born:>8} born {gone:>8} gone"),
        );
    }
}

/// The groups of handles that are there, those that grew most first, then the largest.
fn remains(text: &mut String, ledger: &Ledger, growth: &Growth) {
    let is_there = |group: &&Group| group.alive() > 0 && group.name.what != What::Thread;
    let mut groups: Vec<_> = growth.groups().iter().filter(is_there).collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.net(), group.alive())));
    for group in groups.iter().take(MOST) {
        let rate = group.a_minute().filter(|rate| *rate != 0.0);
        let rate = rate.map_or_else(String::new, |rate| format!(", {rate:.1} a minute"));
        let oldest = group.oldest.map_or_else(String::new, |oldest| {
            format!(", oldest {}", Duration(ledger.now().since_ns(oldest)))
        });
        put(
            text,
            format_args!(
                "remains    {} × {}: {:+}{rate}{oldest}",
                group.alive(),
                Named(group),
                group.net()
            ),
        );
    }
    put_more(text, groups.len());
}

/// Live threads by process and pattern of their names, with what they do.
fn threads(text: &mut String, ledger: &Ledger) {
    let mut alike: BTreeMap<_, Alike> = BTreeMap::new();
    for (_, thread) in ledger.threads().filter(|(_, thread)| thread.gone.is_none()) {
        let name = (thread.name.tgid, pattern(thread.comm.bytes()));
        alike.entry(name).or_default().add(thread);
    }
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_by_key(|(_, threads)| std::cmp::Reverse(threads.count()));
    for ((tgid, name), threads) in alike.iter().take(MOST) {
        let count = threads.count();
        put(
            text,
            format_args!("threads    {count} × {name} of {tgid}: {threads}"),
        );
    }
    put_more(text, alike.len());
}
