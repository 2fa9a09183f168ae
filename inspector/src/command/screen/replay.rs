//! `replay`: a recording on the screen, for anybody and on any machine.

use std::{collections::BTreeMap, os::unix::ffi::OsStrExt as _, process::ExitCode, sync::Arc};

use anyhow::bail;
use tokio::sync::mpsc;

use super::{configured, hindrance, left, manners, setting, show, writer};
use crate::{
    cli::recorded::ReplayArgs,
    command::recorded::{open, recorded_rules},
    event::{BootTime, id::Tgid, text::Text},
    source::{SourceKind, gauges::Gauges},
    trace::{meta::Meta, read::Recording},
    tui::{
        app::Connections,
        model::{Setting, Source},
        replay::Replay,
        watched::{Verb, Watched},
        words,
    },
};

/// Shows a recording until the user leaves.
///
/// # Errors
/// Where it can't be read or is none, and what kept the screen from working.
pub(in crate::command) fn replay(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let recording = open(&args.file, &args.read)?;
    let begin = begin(args, &recording)?;
    let why = args.screen.plain.then_some("--plain asks for no screen");
    if let Some(why) = why.or_else(hindrance) {
        let file = Text::from(args.file.as_os_str().as_bytes());
        bail!("{why}: `inspector report {file}` tells what is in it without one");
    }
    let config = configured(&args.screen, None)?;
    let name = args.file.file_name().unwrap_or(args.file.as_os_str());
    let mut replay = Replay::new(&recording, Text::from(name.as_bytes()));
    match begin {
        Some(at) => replay.begin_at(at),
        None => replay.is_playing = true,
    }
    let meta = recording.meta();
    let setting = Setting {
        rules: recorded_rules(&recording),
        replay: Some(Box::new(replay)),
        ..setting(&config, source(meta), None, watched(meta))?
    };
    let closed = show(setting, nothing(writer()?), manners(&config, &args.screen))?;
    Ok(left(closed))
}

/// Where it is to begin, where that was said.
fn begin(args: &ReplayArgs, recording: &Recording) -> anyhow::Result<Option<BootTime>> {
    let Some(at) = args.at else {
        return Ok(None);
    };
    let (first, last) = recording.span();
    let wall = recording.meta().boot_wall_ns;
    let begin = at.within((first, last), wall)?;
    if begin > last {
        let told = |at| words::wall(at, wall.unwrap_or(0), 0);
        let (from, until) = (told(first), told(last));
        bail!("--at {at} is not in the recording: it goes from {from} to {until} (UTC)");
    }
    Ok(Some(begin))
}

/// What it rests on.
fn source(meta: &Meta) -> Source {
    let (probes, polls) = match meta.source.kind() {
        SourceKind::Ebpf(probes) => (Some(probes), None),
        SourceKind::Polling { why, .. } => (None, Some(why)),
    };
    Source {
        probes,
        polls,
        ended: None,
    }
}

/// What was watched; `None` = the lab, or nobody knows.
fn watched(meta: &Meta) -> Option<Watched> {
    let of = &meta.watched;
    let is_command = of.of == "command";
    if !is_command && of.of != "processes" {
        return None;
    }
    Some(Watched {
        verb: if is_command { Verb::Run } else { Verb::Attach },
        processes: of.pids.iter().copied().map(Tgid).collect(),
        names: BTreeMap::new(),
        command: is_command.then(|| Text::from(of.words.join(" ").as_bytes())),
        marks: 0,
        toll: None,
        output: None,
        ended: None,
    })
}

/// A recording is connected to nothing.
fn nothing(write: crate::tui::app::Write) -> Connections {
    Connections {
        early: Vec::new(),
        batches: mpsc::channel(1).1,
        gauges: Arc::new(Gauges::default()),
        sources: mpsc::unbounded_channel().1,
        news: mpsc::unbounded_channel().1,
        says: mpsc::unbounded_channel().1,
        output: None,
        lab: Box::new(|_| {}),
        request: Box::new(|_| {}),
        tape: None,
        write,
    }
}
