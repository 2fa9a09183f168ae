//! `inspector info`: what a recording is of, what it rests on, and whether it is whole.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

use serde_json::{Value, json};

use super::{MET, NOT_MET, recorded, recording::bytes as size};
use crate::{
    check::CommandEnd,
    cli::recorded::InfoArgs,
    duration,
    event::text::Text,
    report::html::time::{At, Lasted},
    source::SourceKind,
    trace::{
        block::Kind,
        read::{Content, Damaged, IndexUse, Recording},
    },
};

/// What the blocks come to.
#[derive(Default)]
struct Sums {
    /// Blocks and their stored bytes, by kind.
    kinds: BTreeMap<&'static str, (u64, u64)>,
    deletes: u64,
    bad_verdicts: u64,
    lost: u64,
    notes: Vec<(u64, String)>,
    damaged: Damaged,
}

/// Runs the verb.
///
/// # Errors
/// Where the recording can't be read.
pub(super) fn run(args: &InfoArgs) -> anyhow::Result<ExitCode> {
    let recording = recorded::open(&args.file, &args.read)?;
    let sums = sums(&recording, args.verify);
    let is_whole =
        recording.is_clean() && recording.damage().is_empty() && sums.damaged.blocks == 0;
    let text = if args.json {
        format!("{}\n", value(&recording, &sums, args.verify))
    } else {
        text(&recording, &sums, args.verify)
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::from(if is_whole { MET } else { NOT_MET }))
}

fn sums(recording: &Recording, verifies: bool) -> Sums {
    let mut sums = Sums::default();
    for block in recording.blocks() {
        let header = &block.header;
        let (count, bytes) = sums.kinds.entry(header.kind.word()).or_default();
        *count += 1;
        *bytes += u64::from(header.stored_len);
        sums.deletes += u64::from(header.digest.deletes);
        sums.bad_verdicts += u64::from(header.digest.bad_verdicts);
        sums.lost += u64::from(header.digest.lost);
        if header.kind != Kind::Note && !verifies {
            continue;
        }
        match recording.content(block) {
            Ok(Content::Note(text)) => sums.notes.push((header.digest.max_ns, text)),
            Ok(_) => {}
            Err(_) => {
                sums.damaged.blocks += 1;
                sums.damaged.events += u64::from(header.digest.events);
            }
        }
    }
    sums
}

fn text(recording: &Recording, sums: &Sums, verified: bool) -> String {
    let meta = recording.meta();
    let escaped = |text: &str| Text::from(text.as_bytes()).to_string();
    let mut text = String::new();
    let mut line = |name: &str, what: String| {
        let _memory_takes_it = writeln!(text, "{name:<10} {what}");
    };
    line("of", escaped(&of(recording)));
    if let Some(how) = ended(recording) {
        line("ended", how);
    }
    let (first, last) = recording.span();
    let began = At {
        at: first,
        boot_wall_ns: meta.boot_wall_ns,
    };
    let long = Lasted(last.since_ns(first));
    line("when", format!("{began}, {long} long"));
    line(
        "where",
        escaped(&format!(
            "{}, Linux {}, {}",
            meta.host, meta.kernel, meta.tool
        )),
    );
    line(
        "rests on",
        match meta.source.kind() {
            SourceKind::Ebpf(probes) => {
                let (working, wanted) = probes.working();
                format!("{working} of {wanted} probes, {}", probes.kind.words())
            }
            SourceKind::Polling { every, why } => format!(
                "/proc, read every {}: {}",
                duration::written(duration::as_ns(every)),
                escaped(&why)
            ),
        },
    );
    if !meta.redacted.is_empty() {
        line("redacted", escaped(&meta.redacted.join(", ")));
    }
    let bytes: u64 = recording.segments().map(|segment| segment.bytes).sum();
    let events = recording.events();
    let each = match events {
        0 => String::new(),
        events => format!(", {:.1} bytes each", bytes as f64 / events as f64),
    };
    line("events", format!("{events} in {}{each}", size(bytes)));
    line(
        "deletes",
        format!(
            "{}; {} verdicts were late or retained",
            sums.deletes, sums.bad_verdicts
        ),
    );
    for (kind, (count, bytes)) in &sums.kinds {
        line("blocks", format!("{count} × {kind}, {bytes} bytes"));
    }
    for segment in recording.segments() {
        line(
            "file",
            format!(
                "{}: number {}, {} bytes",
                Text::from(segment.path.as_os_str().as_encoded_bytes()),
                segment.number,
                segment.bytes
            ),
        );
    }
    for (at, note) in &sums.notes {
        let after = Lasted(at.saturating_sub(first.0));
        line("note", format!("after {after}: {}", escaped(note)));
    }
    line("lost", format!("{} events, as told in it", sums.lost));
    let lacks = recorded::lacks(recording, sums.damaged);
    for damage in recording.damage() {
        line(
            "damage",
            format!(
                "{} bytes at {} of file {}{}",
                damage.bytes,
                damage.offset,
                damage.segment,
                if damage.is_tail {
                    ": perhaps a block that was never finished"
                } else {
                    ""
                }
            ),
        );
    }
    match recording.index() {
        IndexUse::None => {}
        IndexUse::Used => line("index", "it told where the blocks are".to_owned()),
        IndexUse::Ignored(why) => line("index", format!("ignored: {}", escaped(why))),
    }
    let is_whole = lacks.is_empty();
    for lack in lacks {
        line("lacks", lack);
    }
    if is_whole {
        let how = if verified {
            "every block was read"
        } else {
            "every header was read (--verify reads the rest)"
        };
        line("whole", how.to_owned());
    }
    text
}

/// What it is of, in words.
fn of(recording: &Recording) -> String {
    let watched = &recording.meta().watched;
    let pids: Vec<_> = watched.pids.iter().map(u32::to_string).collect();
    match watched.of.as_str() {
        "command" => format!(
            "the command {} ({}){}",
            watched.words.join(" "),
            pids.join(", "),
            if recorded::is_late(recording) {
                ", which ran already"
            } else {
                ""
            }
        ),
        "lab" => "the lab".to_owned(),
        "processes" => format!("processes {}", pids.join(", ")),
        _ => "not known: that block is damaged".to_owned(),
    }
}

/// How its command ended; `None` = it is of none.
fn ended(recording: &Recording) -> Option<String> {
    if recording.meta().watched.of != "command" {
        return None;
    }
    let Some((end, at)) = recorded::command_end(recording) else {
        return Some("not told: the recording ended before its command".to_owned());
    };
    let how = match end {
        CommandEnd::Exited(status) => format!("exited with {status}"),
        CommandEnd::Killed(signal) => format!("was killed by signal {signal}"),
        CommandEnd::NotExecutable | CommandEnd::NotFound => return None,
    };
    let after = Lasted(at.since_ns(recording.span().0));
    Some(format!("it {how}, {after} after the beginning"))
}

fn value(recording: &Recording, sums: &Sums, verified: bool) -> Value {
    let (first, last) = recording.span();
    let segments = recording.segments().map(|segment| {
        json!({
            "path": Text::from(segment.path.as_os_str().as_encoded_bytes()).to_string(),
            "number": segment.number,
            "bytes": segment.bytes,
        })
    });
    let kinds = sums.kinds.iter().map(|(kind, (count, bytes))| {
        (
            (*kind).to_owned(),
            json!({ "blocks": count, "stored_bytes": bytes }),
        )
    });
    let damage = recording.damage().iter().map(|damage| {
        json!({
            "file": damage.segment,
            "offset": damage.offset,
            "bytes": damage.bytes,
            "is_tail": damage.is_tail,
        })
    });
    let notes = sums.notes.iter();
    let index = match recording.index() {
        IndexUse::None => json!({ "used": false, "why": null }),
        IndexUse::Used => json!({ "used": true, "why": null }),
        IndexUse::Ignored(why) => json!({ "used": false, "why": why }),
    };
    json!({
        "schema": "inspector-info/1",
        "meta": recording.meta(),
        "first_ns": first.0,
        "last_ns": last.0,
        "events": recording.events(),
        "files": segments.collect::<Vec<_>>(),
        "blocks": kinds.collect::<serde_json::Map<_, _>>(),
        "deletes": sums.deletes,
        "bad_verdicts": sums.bad_verdicts,
        "lost": sums.lost,
        "notes": notes.map(|(at, text)| json!({
            "at_ns": at,
            "text": Text::from(text.as_bytes()).to_string(),
        })).collect::<Vec<_>>(),
        "has_end": recording.is_clean(),
        "verified": verified,
        "index": index,
        "damage": damage.collect::<Vec<_>>(),
        "damaged_blocks": sums.damaged.blocks,
        "damaged_events": sums.damaged.events,
    })
}
