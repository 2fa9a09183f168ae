//! A recording of several blocks and segments, and what is to be found in it when it is damaged.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    event::{Event, What, loss::Layer},
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    trace::{
        block::{HEADER, Kind},
        keyframe,
        read::{Block, Content, Damaged, Limits, Read, Recording},
        write::{Files, Options, Recorder},
    },
};

/// Threads, handles and keys that come and go, four events a block.
pub(super) fn long_story(steps: u32) -> String {
    let mut story = String::new();
    for step in 0..steps {
        let (at, tid, fd) = (step * 300 + 1, 200 + step, 5 + step % 7);
        story.push_str(&format!("{at} 100 store-begin k{step}\n"));
        story.push_str(&format!("{at} 100 thread {tid}\n"));
        story.push_str(&format!(
            "{at} 100 open {fd} socket file={}\n",
            64 * (step + 1)
        ));
        story.push_str(&format!("{at} 100 store-end k{step}\n"));
        let at = at + 100;
        story.push_str(&format!("{at} 100 delete-begin k{step} bare\n"));
        if step % 3 == 0 {
            story.push_str(&format!("{at} {tid} gone\n"));
        }
        story.push_str(&format!("{at} 100 close {fd} refs=1\n"));
        story.push_str(&format!("{at} 100 delete-end k{step}\n"));
        if step % 5 == 4 {
            story.push_str(&format!("{at} 100 lost call from={at} until={}\n", at + 5));
        }
        story.push_str(&format!("{} 100 tick\n", at + 160));
    }
    story
}

/// A recording, whole, and what it holds block by block.
pub(super) struct Whole {
    pub(super) folder: tempfile::TempDir,
    pub(super) files: Vec<(PathBuf, Vec<u8>)>,
    pub(super) recording: Arc<Recording>,
    /// What is known before each block, by the block's number.
    states: BTreeMap<u64, Vec<String>>,
}

impl Whole {
    pub(super) fn path(&self) -> &Path {
        &self.files[0].0
    }

    /// Writes the files anew with this change; what was read comes back.
    pub(super) fn damaged(&self, changed: &[(usize, Vec<u8>)]) -> Arc<Recording> {
        for (place, (path, bytes)) in self.files.iter().enumerate() {
            let other = changed.iter().find(|(other, _)| *other == place);
            fs::write(path, other.map_or(bytes, |(_, bytes)| bytes)).unwrap();
        }
        Arc::new(Recording::open(self.path(), Limits::default()).unwrap())
    }

    /// The blocks that a change of a file hits, by what is another byte or missing.
    pub(super) fn hit(&self, place: usize, bytes: &[u8]) -> Vec<Block> {
        let before = &self.files[place].1;
        let is_other = |at: usize| bytes.get(at) != before.get(at);
        let blocks = self.recording.blocks().iter();
        let of_file = blocks.filter(|block| block.segment == place);
        let is_hit = |block: &&Block| {
            let end = block.offset as usize + HEADER + block.header.stored_len as usize;
            (block.offset as usize..end).any(is_other)
        };
        of_file.filter(is_hit).copied().collect()
    }

    /// The events of all blocks but those hit.
    fn events_without(&self, hit: &[Block]) -> Vec<Event> {
        let mut events = Vec::new();
        for block in self.recording.blocks() {
            if let Ok(Content::Events { events: more, .. }) = self.recording.content(block)
                && !hit.contains(block)
            {
                events.extend(more);
            }
        }
        events
    }

    /// Exactly the blocks hit are lost, counted and told, and no event is wrong; where a keyframe
    /// follows, all that is known is right again.
    #[track_caller]
    pub(super) fn check(&self, damaged: &Arc<Recording>, hit: &[Block], what: &str) {
        let mut reads = damaged.reads();
        let (mut events, mut told) = (Vec::new(), 0);
        let mut pipeline = Pipeline::new(LedgerRules::default());
        let mut is_exact = false;
        while let Some(read) = reads.next() {
            match read {
                Read::Batch(batch) => {
                    pipeline.take(&batch);
                    for event in batch.events {
                        match &event.what {
                            What::Gap(gap) if gap.layer == Layer::File => {
                                assert!(gap.total() > 0, "{what}: a gap of nothing");
                                told += gap
                                    .lost
                                    .iter()
                                    .filter(|one| one.0 == "event")
                                    .map(|one| one.1)
                                    .sum::<u64>();
                                is_exact = false;
                            }
                            _ => events.push(event),
                        }
                    }
                }
                Read::State(state) => {
                    let number = damaged.blocks()[reads.place() - 1].header.number;
                    assert_eq!(lines(&state), self.states[&number], "{what}: another state");
                    pipeline = *state;
                    is_exact = true;
                }
                Read::Note { .. } => {}
            }
        }
        assert_eq!(events, self.events_without(hit), "{what}: other events");
        let count =
            |of: fn(&Block) -> u32| hit.iter().map(|block| u64::from(of(block))).sum::<u64>();
        let expected = Damaged {
            blocks: hit.len() as u64,
            events: count(|block| block.header.digest.events),
            ..Damaged::default()
        };
        assert_eq!(
            reads.damaged(),
            expected,
            "{what}: damage counted otherwise"
        );
        let lost = count(|block| match block.header.kind {
            Kind::Loss => block.header.digest.lost,
            _ => block.header.digest.events,
        });
        // What was lost at the very end is not followed by anything that could tell.
        let is_end = damaged.damage().iter().any(|damage| damage.is_tail);
        assert!(
            told == lost || (is_end && told < lost),
            "{what}: {told} told, {lost} lost"
        );
        if is_exact && !is_end {
            let end = self.states.last_key_value().unwrap().1;
            assert_eq!(&lines(&pipeline), end, "{what}: another end");
        }
    }
}

/// All that a pipeline holds, in no particular order: maps that were read anew are in another.
pub(super) fn lines(pipeline: &Pipeline) -> Vec<String> {
    let text = format!("{:#?}", keyframe::of(pipeline.clone()));
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Records a long story, so that the files are the same each time: the disk keeps up.
pub(super) fn whole(steps: u32, segment_bytes: u64) -> Whole {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    let options = Options {
        segment_bytes,
        ..Options::default()
    };
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let mut recorder =
        Recorder::start(Files::new(&path), options, super::meta(), &pipeline, || {
            Ok(())
        })
        .unwrap();
    let mut taken = 0;
    for (number, batch) in Cast::default().batches(&long_story(steps)).enumerate() {
        let fallen = pipeline.take(&batch);
        recorder.take(&batch, &pipeline, &fallen);
        taken += batch.events.len() as u64;
        if number % 40 == 39 {
            assert!(recorder.note("a remark", &pipeline));
            wait_for(&recorder, taken);
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    let progress = recorder.finish(&pipeline);
    assert_eq!((progress.halted, progress.lost), (None, 0));
    let recording = Arc::new(Recording::open(&path, Limits::default()).unwrap());
    assert!(recording.is_clean() && recording.damage().is_empty());
    let files = recording
        .segments()
        .map(|segment| (segment.path.to_owned(), fs::read(segment.path).unwrap()))
        .collect();
    let mut states = BTreeMap::new();
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for block in recording.blocks() {
        states.insert(block.header.number, lines(&pipeline));
        if let Ok(Content::Events { events, .. }) = recording.content(block) {
            pipeline.take(&crate::event::Batch { events });
        }
    }
    states.insert(u64::MAX, lines(&pipeline));
    Whole {
        folder,
        files,
        recording,
        states,
    }
}

fn wait_for(recorder: &Recorder, events: u64) {
    let began = Instant::now();
    while recorder.progress().events < events && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(1));
    }
}
