//! What a fuzzer feeds: each takes any bytes and must neither panic nor take long.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use super::{
    field::Context,
    keyframe as state,
    read::{Limits, Read, Recording},
    row,
};
use crate::{
    event::{Batch, BootTime, Event, HandleEvent, ThreadEvent, What, id},
    ledger::{LedgerRules, retain::Retain},
    pipeline::Pipeline,
    report::document::{Document, Of, Run},
    source::SourceKind,
    verdict::growth::Growth,
};

/// Opens them as a recording, reads all of it, and reports.
pub fn reader(bytes: &[u8]) {
    let folder = PathBuf::from(format!("/dev/shm/inspector-fuzz-{}", std::process::id()));
    let path = folder.join("a.rec");
    fs::create_dir_all(&folder).expect("there is room for a folder");
    fs::write(&path, bytes).expect("there is room for a file");
    let limits = Limits {
        block_bytes: 1 << 20,
        blocks: 1 << 12,
    };
    let Ok(recording) = Recording::open(&path, limits) else {
        return;
    };
    let recording = Arc::new(recording);
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for read in recording.reads() {
        match read {
            Read::Batch(batch) => drop(pipeline.take(&batch)),
            Read::State(state) => pipeline = *state,
            Read::Note { .. } => {}
        }
    }
    report(&pipeline);
    for block in recording.blocks() {
        let _may_be_damaged = recording.content(block);
    }
}

/// Reads them as rows; what they are comes back when it is written again.
pub fn rows(mut bytes: &[u8]) {
    let mut context = Context::default();
    while !bytes.is_empty() {
        let before = context;
        let Ok(read) = row::get(&mut bytes, &mut context) else {
            return;
        };
        let Some(event) = read else { continue };
        let mut again = Vec::new();
        row::put(&event, &mut before.clone(), &mut again);
        let back = row::get(&mut &again[..], &mut before.clone());
        assert_eq!(back, Ok(Some(event)));
    }
}

/// Reads them as a keyframe; any events may follow it. The last ones are those behind it.
pub fn keyframe(bytes: &[u8]) {
    let (bytes, mut behind) = bytes.split_at(bytes.len() - bytes.len() / 4);
    let mut whole = state::VERSION.to_le_bytes().to_vec();
    whole.extend(bytes);
    let Ok(pipeline) = state::parse(&whole) else {
        return;
    };
    report(&pipeline);
    let mut pipeline = pipeline.with_rules(LedgerRules {
        retain: Retain { dead: 1 },
        ..LedgerRules::default()
    });
    let mut context = Context::default();
    while let Ok(read) = row::get(&mut behind, &mut context) {
        let events = Vec::from_iter(read);
        pipeline.take(&Batch { events });
    }
    let at = pipeline.ledger().now().plus_ns(2_000_000_000);
    let names: Vec<_> = pipeline
        .ledger()
        .threads()
        .map(|(_, one)| one.name)
        .collect();
    for name in names {
        let (tid, tgid, start) = (name.tid, name.tgid, name.start.unwrap_or_default());
        let closes = HandleEvent {
            tid,
            tgid,
            call: id::CallNumber(436),
            change: crate::event::handle::HandleChange::RangeClosed {
                first: id::Fd(0),
                last: id::Fd(u32::MAX),
                entry_seen: true,
                returned: at,
            },
        };
        let what = [
            What::Handle(closes),
            What::Thread(ThreadEvent::Gone { tid, tgid, start }),
            What::Tick,
        ];
        let events = what.map(|what| Event { at, what }).into();
        pipeline.take(&Batch { events });
    }
    report(&pipeline);
}

fn report(pipeline: &Pipeline) {
    let source = SourceKind::Polling {
        every: Duration::from_secs(1),
        why: String::new(),
    };
    let run = Run {
        of: Of::Processes(Vec::new()),
        started: BootTime(0),
        ended: BootTime(1),
        boot_wall_ns: None,
    };
    let mut growth = Growth::new();
    growth.sample(pipeline.ledger());
    let document = Document {
        run: &run,
        source: &source,
        pipeline,
        growth: &growth,
    };
    serde_json::to_writer(std::io::sink(), &document).expect("a sink takes all");
}
