//! The verdicts of a page: the worst first, each with what it rests on.

use std::{
    fmt,
    io::{self, Write},
};

use super::{
    escape::{Cut, Html},
    table,
    time::Lasted,
};
use crate::{
    ledger::{entry::Removal, identity::ResourceName},
    pipeline::Pipeline,
    report::{summary::counted_as, text::glyph},
    verdict::{How, Judgement, Verdict},
};

/// Most rows.
const MOST: u64 = 2_000;
/// The words that verdicts are counted under, with their signs, the worst first.
pub(super) const WORDS: [(char, &str); 6] = [
    ('✗', "retained"),
    ('~', "late"),
    ('?', "unknown"),
    ('…', "pending"),
    ('✓', "gone"),
    ('→', "reassigned"),
];

/// How many there are under each of [`WORDS`].
pub(super) fn counts(pipeline: &Pipeline) -> [u64; WORDS.len()] {
    let mut counts = [0; WORDS.len()];
    for judgement in pipeline.judgements() {
        counts[usize::from(counted_as(&judgement).0)] += 1;
    }
    counts
}

/// The section.
pub(super) fn write(
    out: &mut dyn Write,
    pipeline: &Pipeline,
    counts: &[u64; WORDS.len()],
) -> io::Result<()> {
    let all = counts.iter().sum();
    table::section(out, "verdicts", "Verdicts", all)?;
    if all == 0 {
        return out.write_all(
            "<p class=none>No deletes of anything that owned a thread or a handle were declared. \
             What lives is counted and ranked below; it can’t be judged.</p></section>\n"
                .as_bytes(),
        );
    }
    let columns = [
        ("Verdict", false),
        ("Key", false),
        ("Policy", false),
        ("Resource", false),
        ("After the delete", true),
        ("What it does, and why", false),
    ];
    table::begin(out, "verdicts", "Verdicts", &columns)?;
    let mut shown = 0;
    // Once through for each word: they need not be held and sorted.
    for (place, &count) in counts.iter().enumerate() {
        let is_counted = |one: &Judgement| usize::from(counted_as(one).0) == place;
        if count == 0 || shown == MOST {
            continue;
        }
        for judgement in pipeline.judgements().filter(is_counted) {
            if shown == MOST {
                break;
            }
            row(out, &judgement)?;
            shown += 1;
        }
    }
    table::end(out, shown, all, "verdicts, none worse than these")?;
    out.write_all(b"</section>\n")
}

fn row(out: &mut dyn Write, judgement: &Judgement) -> io::Result<()> {
    let Judgement {
        entry,
        resource,
        verdict,
        evidence,
        at: _,
    } = judgement;
    let (place, word) = counted_as(judgement);
    write!(
        out,
        "<tr><td data-v={place}><b class=v-{word}>{} {word}</b></td><td>{}",
        glyph(verdict),
        Cut(&entry.key.text)
    )?;
    if !entry.key.is_whole() {
        out.write_all("…".as_bytes())?;
    }
    if entry.generation > 1 {
        write!(out, "#{}", entry.generation)?;
    }
    out.write_all(b"</td><td>")?;
    match evidence.delete.as_ref().map(|delete| &delete.how) {
        Some(Removal::Deleted {
            policy: Some(policy),
        }) => write!(out, "{}", Cut(policy))?,
        Some(Removal::Overwritten) => out.write_all(b"<i>overwritten</i>")?,
        _ => out.write_all("–".as_bytes())?,
    }
    match resource {
        ResourceName::Thread(thread) => write!(out, "</td><td>thread {} ", thread.tid)?,
        ResourceName::Handle(handle) => write!(out, "</td><td>fd {} ", handle.fd)?,
    }
    write!(out, "{}</td>", Cut(&evidence.what))?;
    after(out, judgement)?;
    let last = fmt::from_fn(|f| evidence.write_last(f)).to_string();
    let now = match verdict {
        // When it went stands in the column before.
        Verdict::Gone(_) | Verdict::Late { .. } => last.trim_start_matches("; ").to_owned(),
        _ => format!("{}{last}", verdict.how()),
    };
    write!(out, "<td><details><summary>{}</summary><ul>", Cut(now))?;
    for ground in evidence.to_string().split("; ") {
        write!(out, "<li>{}</li>", Html(ground))?;
    }
    writeln!(out, "</ul></details></td></tr>")
}

/// How long after the delete it went, or has stayed.
fn after(out: &mut dyn Write, judgement: &Judgement) -> io::Result<()> {
    let end = judgement.evidence.delete.as_ref();
    let end = end.and_then(|delete| delete.end);
    match &judgement.verdict {
        Verdict::Gone(How::BeforeDelete) => write!(out, "<td class=n data-v=-3>before</td>"),
        Verdict::Gone(How::DuringDelete) => write!(out, "<td class=n data-v=-2>during</td>"),
        Verdict::Gone(How::BeforeEnd) => write!(out, "<td class=n data-v=-2>before its end</td>"),
        Verdict::Gone(How::After(after)) | Verdict::Late { after } => {
            write!(out, "<td class=n data-v={}>{after}</td>", after.most_ns)
        }
        Verdict::Retained(_) | Verdict::Pending if end.is_some() => {
            let lasts = judgement.at.since_ns(end.unwrap_or(judgement.at));
            write!(out, "<td class=n data-v={lasts}>≥ {}</td>", Lasted(lasts))
        }
        _ => write!(out, "<td class=n data-v=-1>–</td>"),
    }
}
