//! How the tool itself fares: what it takes, how fast events come, what was lost and where.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{popup::boxed, put, row, styled};
use crate::{
    tui::{model::Model, words, world::KINDS},
    verdict::wording::quantity::Duration,
};

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let lines = lines(model);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inside = boxed(
        model,
        "performance: Esc closes",
        (100, height),
        area,
        buffer,
    );
    for (index, line) in lines.iter().enumerate() {
        if let Some(area) = row(inside, index) {
            put(buffer, area, line, model.glyphs.cut);
        }
    }
}

fn lines(model: &Model) -> Vec<Line<'static>> {
    let (theme, own) = (&model.theme, &model.own);
    let mut lines = Vec::new();
    let mut say = |name: &str, text: String, is_bad: bool| {
        let style = if is_bad { theme.warning } else { theme.text };
        lines.push(Line::from(vec![
            styled(format!("{name:<12}"), theme.accent),
            styled(text, style),
        ]));
    };
    say(
        "tool",
        format!(
            "{}.{} % of a cpu, {} MB resident, of these the ledger's records {} kB",
            own.cpu_permille / 10,
            own.cpu_permille % 10,
            own.memory_bytes / 1_000_000,
            words::count(model.live.ledger().bytes() as u64 / 1000)
        ),
        false,
    );
    say(
        "screen",
        format!(
            "last frame {}, rows made in {} ({} of them), last batch taken in {}",
            Duration(own.frame_ns),
            Duration(own.rows_ns),
            words::count(model.rows.len() as u64),
            Duration(own.batch_ns)
        ),
        false,
    );
    let rates: Vec<_> = KINDS
        .iter()
        .zip(own.kinds_per_second)
        .filter(|(_, rate)| *rate > 0)
        .map(|(kind, rate)| format!("{kind} {}", words::short(rate)))
        .collect();
    let rates = if rates.is_empty() {
        "none".to_owned()
    } else {
        rates.join(", ")
    };
    say(
        "events/s",
        format!("{} ({rates})", words::short(own.events_per_second)),
        false,
    );
    if let Some(toll) = model.watched.as_ref().and_then(|watched| watched.toll) {
        say(
            "toll",
            format!(
                "a system call of anybody takes {} ns, before the attach {} ns",
                toll.after_ns, toll.before_ns
            ),
            false,
        );
    }
    let reading = &own.reading;
    match &reading.ring {
        Some(ring) => {
            let share = |bytes: u64| bytes.saturating_mul(100) / ring.size_bytes.max(1);
            say(
                "ring",
                format!(
                    "{} kB; the last drain took {} B, the most any took {} kB ({} %)",
                    words::count(ring.size_bytes / 1000),
                    words::count(ring.drained_bytes),
                    words::count(ring.most_drained_bytes / 1000),
                    share(ring.most_drained_bytes)
                ),
                share(ring.most_drained_bytes) >= 80,
            );
            let each = match ring.ns_per_record() {
                Some(ns) => format!("{} a record", Duration(ns)),
                None => "no record yet".to_owned(),
            };
            say(
                "decoding",
                format!(
                    "{} records, {each}; {} damaged",
                    words::count(ring.decoded),
                    ring.damaged
                ),
                ring.damaged > 0,
            );
        }
        None => say(
            "polls",
            format!(
                "{}, the last in {}",
                reading.polls.count,
                Duration(reading.polls.last_ns)
            ),
            false,
        ),
    }
    let audits = &reading.audits;
    let audits = if audits.count == 0 {
        "none yet".to_owned()
    } else {
        format!("{}, the last in {}", audits.count, Duration(audits.last_ns))
    };
    say("audits", audits, false);
    let mut records: Vec<_> = reading
        .records
        .iter()
        .filter(|(_, count)| count.produced > 0)
        .collect();
    records.sort_by_key(|(_, count)| std::cmp::Reverse(count.produced));
    if !records.is_empty() {
        let head = format!(
            "{:<10} {:>12} {:>12} {:>10}",
            "kind", "produced", "received", "lost"
        );
        say("records", head, false);
    }
    for (kind, count) in records {
        let words = format!(
            "{kind:<10} {:>12} {:>12} {:>10}",
            words::count(count.produced),
            words::count(count.received),
            words::count(count.lost)
        );
        say("", words, count.lost > 0);
    }
    let losses = model.live.ledger().losses();
    if losses.total() == 0 {
        say("lost", "nothing".to_owned(), false);
    }
    for (index, (cpu, kind, count)) in losses
        .by_cpu
        .iter()
        .filter(|(_, _, count)| *count > 0)
        .enumerate()
    {
        let cpu = cpu.map_or("no cpu known".to_owned(), |cpu| format!("cpu {cpu}"));
        let words = format!("{cpu:<12} {kind:<10} {}", words::count(*count));
        say(if index == 0 { "lost" } else { "" }, words, true);
    }
    if let Some(probes) = &model.source.probes {
        for probe in probes.silent() {
            let why = probe.state.why().unwrap_or("left out");
            let words = format!(
                "{} {}: {why}; without it {}",
                probe.name,
                probe.state.word(),
                probe.without
            );
            say("silent", words, true);
        }
    }
    lines
}
