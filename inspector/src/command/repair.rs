//! `inspector repair`: checks every block of a recording, and writes down beside it what is good.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;

use super::{MET, NOT_MET, output, tell};
use crate::{
    cli::recorded::RepairArgs,
    event::text::Text,
    trace::{
        index::Index,
        read::{Recording, index_path},
    },
};

/// Runs the verb.
///
/// # Errors
/// Where the recording can't be read, or its index not be written.
pub(super) fn run(args: &RepairArgs) -> anyhow::Result<ExitCode> {
    let recording = Recording::open_anew(&args.file, args.read.limits())?;
    let index = Index::of(&recording)
        .with_context(|| format!("a block of {} was not read", args.file.display()))?;
    let path = index_path(&args.file);
    let json = format!("{}\n", serde_json::to_string(&index)?);
    if index.recording.is_empty() {
        tell("no index is written: without one whole file header it could not be told whose it is");
    } else {
        output::replace(&path, json.as_bytes())?;
    }
    let told = if args.json {
        json
    } else {
        text(&recording, &index)
    };
    io::stdout().write_all(told.as_bytes())?;
    if !args.json && !index.recording.is_empty() {
        let path = Text::from(path.as_os_str().as_encoded_bytes());
        writeln!(io::stdout(), "written: {path}")?;
    }
    let is_whole = index.is_whole() && recording.is_clean();
    Ok(ExitCode::from(if is_whole { MET } else { NOT_MET }))
}

fn text(recording: &Recording, index: &Index) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        let _memory_takes_it = writeln!(text, "{words}");
    };
    for segment in &index.segments {
        let name = &segment.name;
        line(format!(
            "{name}: {} blocks in {} bytes, {} of them damaged",
            segment.blocks.len(),
            segment.bytes,
            segment.bad.len()
        ));
        for offset in &segment.bad {
            line(format!(
                "{name}: the content of the block at {offset} is damaged"
            ));
        }
        for place in &segment.damage {
            line(format!(
                "{name}: {} bytes at {} are no block",
                place.bytes, place.offset
            ));
        }
    }
    if !recording.is_clean() {
        line("it has no end: its recorder was killed, or still writes".to_owned());
    }
    let lost = index.lost;
    if index.is_whole() {
        line("every block is whole".to_owned());
    } else {
        line(format!(
            "lost: {} bytes, {} blocks, {} events; all else is read",
            lost.bytes, lost.blocks, lost.events
        ));
    }
    text
}
