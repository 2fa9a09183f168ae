//! The timeline of a page: live threads and handles as step lines, deletes as ticks, what was
//! retained as marks, and gaps as hatched bands, on one axis.
//!
//! Places along the axis are percentages, so that nothing is distorted at any width; only the
//! lines and ticks are stretched, with strokes that are not.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    Page,
    escape::{Cut, Html},
    time::{At, Count, Lasted},
};
use crate::{
    event::id::BootTime,
    report::history::{Sample, live},
    verdict::{Judgement, Verdict},
};

/// Units of the stretched pictures along the axis.
const WIDE: u64 = 10_000;
/// Height of a panel.
const HIGH: u64 = 76;
/// Marks of what was retained stand at most at so many places.
const MARKS: u64 = 48;
/// Ticks of deletes stand at most at so many places.
const TICKS: u64 = 1_000;

/// The section.
pub(super) fn write(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let axis = Axis::of(page);
    let samples = axis.samples(page);
    let boot_wall_ns = page.document.run.boot_wall_ns;
    let at = |at| At { at, boot_wall_ns };
    writeln!(
        out,
        "<section id=timeline><h2>Timeline</h2>\n<p class=note>{} to {}, {} in all.</p>",
        at(axis.from),
        at(axis.until),
        Lasted(axis.span_ns())
    )?;
    if samples.is_empty() {
        out.write_all(
            b"<p class=none>No samples: nobody counted live threads and handles, so there are no lines of them.</p>\n",
        )?;
    }
    out.write_all(
        b"<div class=axis tabindex=0 role=group aria-label=\"Timeline: arrow keys move through it\">\n\
          <svg class=timeline width=100% height=242 role=img aria-label=\"Live threads and handles over time, with deletes, verdicts and gaps\">\n\
          <defs><pattern id=hatch width=7 height=7 patternUnits=userSpaceOnUse patternTransform=rotate(45)><line x1=0 y1=0 x2=0 y2=7 /></pattern></defs>\n",
    )?;
    gaps(out, page, &axis)?;
    panel(out, &axis, &samples, 12, "threads", |sample| sample.threads)?;
    panel(out, &axis, &samples, 110, "handles", |sample| {
        sample.handles
    })?;
    deletes(out, page, &axis)?;
    marks(out, page, &axis)?;
    for quarter in 0..=4_u64 {
        let after = Lasted(axis.span_ns() / 4 * quarter);
        let anchor = ["start", "middle", "middle", "middle", "end"][quarter as usize];
        let class = if quarter % 2 == 1 { " class=odd" } else { "" };
        writeln!(
            out,
            "<text{class} x={}% y=238 text-anchor={anchor}>+{after}</text>",
            quarter * 25
        )?;
    }
    out.write_all(b"<line id=cursor y1=12 y2=224 hidden /></svg></div>\n")?;
    legend(out, page)?;
    data(out, page, &axis, &samples)?;
    out.write_all(b"</section>\n")
}

/// The stretch of time that is shown.
struct Axis {
    from: BootTime,
    until: BootTime,
}

impl Axis {
    fn of(page: &Page<'_>) -> Self {
        let run = page.document.run;
        let now = page.document.pipeline.ledger().now();
        let last = page.moments.samples().last().map_or(now, |last| last.at);
        let until = run.ended.max(now).max(last);
        // A run without a beginning is shown from its first sample on.
        let first = page.moments.samples().first().map(|first| first.at);
        let from = match run.started {
            BootTime(0) => first.unwrap_or(run.started),
            started => started,
        };
        Self {
            from,
            until: until.max(from.plus_ns(1_000_000)),
        }
    }

    fn span_ns(&self) -> u64 {
        self.until.since_ns(self.from)
    }

    /// Where a time stands, in so many parts of the axis.
    fn place(&self, at: BootTime, parts: u64) -> u64 {
        let part = u128::from(at.since_ns(self.from)) * u128::from(parts);
        let part = part / u128::from(self.span_ns());
        u64::try_from(part).unwrap_or(parts).min(parts)
    }

    /// The same as a percentage.
    fn percent(&self, at: BootTime) -> String {
        let place = self.place(at, 100_000);
        format!("{}.{:03}%", place / 1000, place % 1000)
    }

    /// The samples; the last counts what lives now. None = nobody took any.
    fn samples(&self, page: &Page<'_>) -> Vec<Sample> {
        let mut samples = page.moments.samples().to_vec();
        let ledger = page.document.pipeline.ledger();
        if let Some(last) = samples.last()
            && last.at < ledger.now()
        {
            let (threads, handles) = live(ledger);
            samples.push(Sample {
                at: ledger.now(),
                threads,
                handles,
            });
        }
        samples
    }
}

/// A step line with its highest and lowest count.
fn panel(
    out: &mut dyn Write,
    axis: &Axis,
    samples: &[Sample],
    top: u64,
    name: &str,
    count: fn(&Sample) -> u32,
) -> io::Result<()> {
    let most = samples.iter().map(count).max();
    let least = samples.iter().map(count).min();
    let (Some(most), Some(least)) = (most, least) else {
        return writeln!(
            out,
            "<text class=name x=0 y={}>{name}: not counted</text>",
            top + 14
        );
    };
    let now = samples.last().map_or(0, count);
    let words = match (least, most) {
        (least, most) if least == most => format!("{name} {} throughout", Count(now.into())),
        _ => format!(
            "{name} {} at the end, {} to {}",
            Count(now.into()),
            Count(least.into()),
            Count(most.into())
        ),
    };
    let high = |value: u32| match most - least {
        0 => HIGH / 2,
        range => HIGH - u64::from(value - least) * HIGH / u64::from(range),
    };
    // Where nothing changes there is nothing to draw: a step is a line across and one up or down.
    let (mut line, mut last) = (String::new(), None);
    for sample in samples {
        let (x, y) = (axis.place(sample.at, WIDE), high(count(sample)));
        // Writing to a string can't fail.
        let _ = match last {
            None => write!(line, "M{x} {y}"),
            Some(before) if before == y => Ok(()),
            Some(_) => write!(line, "H{x}V{y}"),
        };
        last = Some(y);
    }
    let first = samples
        .first()
        .map_or(0, |first| axis.place(first.at, WIDE));
    writeln!(
        out,
        "<text class=name x=0 y={top}>{words}</text>\n\
         <svg class={name} x=0 y={} width=100% height={HIGH} viewBox=\"0 -1 {WIDE} {}\" preserveAspectRatio=none>\
         <path class=area d=\"{line}H{WIDE}V{HIGH}H{first}Z\" /><path class=line d=\"{line}H{WIDE}\" /></svg>",
        top + 4,
        HIGH + 2
    )
}

/// The deletes' ticks.
fn deletes(out: &mut dyn Write, page: &Page<'_>, axis: &Axis) -> io::Result<()> {
    let mut places: BTreeMap<u64, u64> = BTreeMap::new();
    for one in page.moments.deletes() {
        *places.entry(axis.place(one.at, TICKS)).or_default() += one.count;
    }
    if places.is_empty() {
        return out.write_all(b"<text class=none x=0 y=209>no deletes declared</text>\n");
    }
    write!(
        out,
        "<svg class=deletes x=0 y=198 width=100% height=12 viewBox=\"0 0 {TICKS} 12\" preserveAspectRatio=none><path d=\""
    )?;
    for place in places.keys() {
        write!(out, "M{place} 0V12")?;
    }
    writeln!(out, "\" /></svg>")
}

/// The bands in which events were lost.
fn gaps(out: &mut dyn Write, page: &Page<'_>, axis: &Axis) -> io::Result<()> {
    for gap in page.moments.losses() {
        let (from, until) = (
            axis.place(gap.from, 100_000),
            axis.place(gap.until, 100_000),
        );
        // Wide enough to be seen.
        let width = until.saturating_sub(from).max(300);
        writeln!(
            out,
            "<rect class=gap x={} y=12 width={}.{:03}% height=212><title>events lost here: {}</title></rect>",
            axis.percent(gap.from),
            width / 1000,
            width % 1000,
            Count(gap.count)
        )?;
    }
    Ok(())
}

/// What was retained or late, at the time at which its grace ended.
fn marks(out: &mut dyn Write, page: &Page<'_>, axis: &Axis) -> io::Result<()> {
    let pipeline = page.document.pipeline;
    let grace_ns = pipeline.ledger().rules().grace_ns;
    // By place: how many, whether one is retained still, when, and which the first is.
    let mut places: BTreeMap<u64, (u64, bool, BootTime, String)> = BTreeMap::new();
    for judgement in pipeline.judgements() {
        let is_retained = matches!(judgement.verdict, Verdict::Retained(_));
        if !is_retained && !matches!(judgement.verdict, Verdict::Late { .. }) {
            continue;
        }
        let delete = judgement.evidence.delete.as_ref();
        let Some(end) = delete.and_then(|delete| delete.end) else {
            continue;
        };
        let at = end.plus_ns(grace_ns);
        let place = places
            .entry(axis.place(at, MARKS))
            .or_insert_with(|| (0, false, at, words(&judgement)));
        place.0 += 1;
        place.1 |= is_retained;
    }
    for (count, is_retained, at, first) in places.into_values() {
        let (sign, class) = if is_retained {
            ('✗', "retained")
        } else {
            ('~', "late")
        };
        let more = match count {
            1 => String::new(),
            _ => format!(" and {} more", Count(count - 1)),
        };
        let x = axis.percent(at);
        writeln!(
            out,
            "<g class=\"mark v-{class}\" tabindex=0 role=img aria-label=\"{0}{more}\"><title>{0}{more}</title>\
             <line x1={x} x2={x} y1=12 y2=212 /><text x={x} y=224 text-anchor=middle>{sign}</text></g>",
            Cut(first)
        )?;
    }
    Ok(())
}

fn words(judgement: &Judgement) -> String {
    format!(
        "{}: {} of {}",
        judgement.verdict.word(),
        judgement.resource,
        judgement.entry.key.text
    )
}

fn legend(out: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let deletes: u64 = page.moments.deletes().iter().map(|one| one.count).sum();
    let lost: u64 = page.moments.losses().iter().map(|one| one.count).sum();
    writeln!(
        out,
        "<p class=legend><span class=threads>▬ threads</span> <span class=handles>▬ handles</span> \
         <span>| deletes ended: {}</span> <span class=v-retained>✗ retained when the grace ended</span> \
         <span class=hatched>▨ events lost: {}</span></p><output id=readout></output>",
        Count(deletes),
        Count(lost)
    )
}

/// The numbers behind the lines, for the script: nothing but numbers, and the clock's zone.
fn data(out: &mut dyn Write, page: &Page<'_>, axis: &Axis, samples: &[Sample]) -> io::Result<()> {
    let wall = page.document.run.boot_wall_ns;
    let wall_ms = wall.map(|wall| wall.saturating_add(axis.from.0) / 1_000_000);
    let ms = |at: BootTime| at.since_ns(axis.from) / 1_000_000;
    let list = |items: Vec<[u64; 3]>| serde_json::to_string(&items).unwrap_or_default();
    let samples = samples
        .iter()
        .map(|one| [ms(one.at), one.threads.into(), one.handles.into()]);
    let deletes = page.moments.deletes().iter();
    let gaps = page.moments.losses().iter();
    writeln!(
        out,
        "<script type=\"application/json\" id=moments>{{\"wall_ms\":{},\"span_ms\":{},\"samples\":{},\"deletes\":{},\"gaps\":{}}}</script>",
        Html(wall_ms.map_or("null".to_owned(), |ms| ms.to_string())),
        axis.span_ns() / 1_000_000,
        list(samples.collect()),
        list(deletes.map(|one| [ms(one.at), one.count, 0]).collect()),
        list(
            gaps.map(|one| [ms(one.from), ms(one.until), one.count])
                .collect()
        ),
    )
}
