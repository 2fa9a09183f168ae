//! Exports of stories, held against the ledger of the same story and read by other people's tools.

mod chrome;
mod ctf;
mod genuine;
mod jsonl;
mod lost;
mod perfetto;
mod schema;
mod size;
mod sketch;
#[cfg(any(feature = "sqlite", feature = "parquet"))]
mod tables;
mod timeline;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{Format, Out, Subject, Target, Totals, write};
use crate::{
    event::{Batch, Event, Gap, What, id::BootTime, loss::Layer},
    ledger::{Ledger, LedgerRules, retain::Retain},
    pipeline::{
        Pipeline,
        story::{Cast, keeping},
    },
    trace::{keyframe, read::Read},
};

/// A window of a story: what happened before it, and in it.
#[derive(Clone, Copy, Default)]
struct Told<'a> {
    before: &'a str,
    story: &'a str,
    since_ms: u64,
    until_ms: u64,
    lost: Option<Lost<'a>>,
}

/// What the recorder left out behind a story, and what came then. Whoever is dead is known no more in
/// the keyframe between the two.
#[derive(Clone, Copy)]
struct Lost<'a> {
    missed: &'a str,
    after: &'a str,
}

impl Lost<'_> {
    /// A gap from the first of what was missed to the last, what is known then, and what came.
    fn reads(self, cast: &mut Cast, before: &[Batch]) -> Vec<Read> {
        let mut live = Pipeline::new(keeping(0));
        for batch in before {
            live.take(batch);
        }
        let missed: Vec<_> = cast.batches(self.missed).collect();
        for batch in &missed {
            live.take(batch);
        }
        let events = || missed.iter().flat_map(|batch| &batch.events);
        let gap = Gap {
            layer: Layer::Recorder,
            cpu: None,
            lost: vec![("event", events().count() as u64)],
            from: events().map(|event| event.at).min().unwrap(),
            until: events().map(|event| event.at).max().unwrap(),
        };
        let told = Batch {
            events: vec![Event {
                at: gap.until,
                what: What::Gap(Box::new(gap)),
            }],
        };
        let known = keyframe::parse(&keyframe::bytes(&keyframe::of(live.clone()))).unwrap();
        let mut reads = vec![Read::Batch(told), Read::State(Box::new(known))];
        reads.extend(cast.batches(self.after).map(Read::Batch));
        reads
    }
}

impl Told<'_> {
    fn with<T>(&self, use_it: impl FnOnce(Subject<'_>) -> T) -> T {
        let mut cast = Cast::default();
        let mut pipeline = keeping_everything();
        let mut so_far: Vec<_> = cast.batches(self.before).collect();
        for batch in &so_far {
            pipeline.take(batch);
        }
        let story: Vec<_> = cast.batches(self.story).collect();
        so_far.extend(story.iter().cloned());
        let lost = self.lost.map(|lost| lost.reads(&mut cast, &so_far));
        let mut reads = story
            .into_iter()
            .map(Read::Batch)
            .chain(lost.unwrap_or_default());
        use_it(subject(pipeline, &mut reads, self))
    }

    fn written(&self, format: Format) -> (Vec<u8>, Totals) {
        let mut bytes = Vec::new();
        let totals =
            self.with(|subject| write(format, subject, Out::Stream(&mut bytes), &mut |_| ()));
        (bytes, totals.unwrap())
    }

    /// The same in a folder; where it is there.
    fn written_in(&self, format: Format, folder: &Path) -> (PathBuf, Totals) {
        let totals = self
            .with(|subject| write_in(format, subject, folder))
            .unwrap();
        (place(format, folder), totals)
    }

    /// The same up to the window's end.
    #[cfg(any(feature = "sqlite", feature = "parquet"))]
    fn pipeline_until(&self, until: BootTime) -> Pipeline {
        let mut cast = Cast::default();
        let mut pipeline = keeping_everything();
        for story in [self.before, self.story] {
            for mut batch in cast.batches(story) {
                batch.events.retain(|event| event.at <= until);
                pipeline.take(&batch);
            }
        }
        pipeline
    }

    /// The same events as the ledger alone sees them.
    fn pipeline(&self) -> Pipeline {
        let mut cast = Cast::default();
        let mut pipeline = keeping_everything();
        for story in [self.before, self.story] {
            for batch in cast.batches(story) {
                pipeline.take(&batch);
            }
        }
        pipeline
    }
}

/// A file in this folder, or the folder itself.
fn place(format: Format, folder: &Path) -> PathBuf {
    match format.target() {
        Target::Folder => folder.to_owned(),
        Target::File | Target::Stream => folder.join("export"),
    }
}

fn write_in(format: Format, subject: Subject<'_>, folder: &Path) -> io::Result<Totals> {
    let place = place(format, folder);
    let said = &mut |_| ();
    match format.target() {
        Target::Folder => {
            let mut open = |name: &str| File::create_new(folder.join(name));
            write(format, subject, Out::Folder(&mut open), said)
        }
        Target::File => {
            File::create_new(&place)?;
            write(format, subject, Out::File(&place), said)
        }
        Target::Stream => {
            let mut file = File::create_new(place)?;
            write(format, subject, Out::Stream(&mut file), said)
        }
    }
}

fn keeping_everything() -> Pipeline {
    Pipeline::new(LedgerRules {
        retain: Retain { dead: usize::MAX },
        ..LedgerRules::default()
    })
}

fn subject<'a>(
    pipeline: Pipeline,
    reads: &'a mut dyn Iterator<Item = Read>,
    told: &Told<'_>,
) -> Subject<'a> {
    Subject {
        pipeline,
        reads,
        since: ms(told.since_ms),
        until: ms(told.until_ms),
        most_bytes: u64::MAX,
        boot_wall_ns: Some(1_700_000_000_000_000_000),
        host: "host\u{1b}[2J".to_owned(),
        command: Some("lab --policy leak".to_owned()),
    }
}

fn ms(ms: u64) -> BootTime {
    BootTime(ms * 1_000_000)
}

/// Keys, deletes, what outlived them and what did not, a fork, an exec, a tid used again, a gap.
const LAB: Told<'_> = Told {
    before: "
        1 100 rename lab
        2 100 open 3 socket
        3 100 thread 150
        4 150 exiting
        5 150 gone",
    story: "
        20 100 store-begin tick
        21 100 thread 101
        22 100 open 4
        23 100 open 5 socket
        24 100 store-end tick
        30 101 waited in=202 since=25 on=4096 by=100:1
        40 101 waited in=230 since=31
        41 100 store-begin warm
        42 100 thread 102
        43 100 store-end warm
        50 100 delete-begin tick stop
        51 100 close 4 refs=1
        52 100 delete-end tick
        60 100 close 5 refs=1
        61 100 store-begin tick
        62 100 thread 103
        63 100 store-end tick
        65 103 exiting
        66 103 gone
        69 100 delete-begin warm leak
        70 100 delete-end warm
        80 100 fork 200
        81 200 read-fork by=100 3
        90 200 exec
        91 200 read-exec 3
        95 100 thread 103
        1300 101 waited in=202 since=60
        1400 102 sample in=202 since=75 on=8192
        1400 100 tick
        1500 101 exiting
        1501 101 gone
        1600 100 lost call from=1550 until=1590
        1700 100 lost wait from=1610 until=1620
        2000 100 tick
        2500 100 open 9",
    since_ms: 10,
    until_ms: 2000,
    lost: None,
};

/// The same without anything that outlives a delete.
const CLEAN: Told<'_> = Told {
    before: "",
    story: "
        20 100 store-begin tick
        21 100 thread 101
        22 100 open 4
        24 100 store-end tick
        50 100 delete-begin tick stop
        51 100 close 4 refs=1
        52 101 exiting
        53 101 gone
        55 100 delete-end tick
        2000 100 tick",
    since_ms: 10,
    until_ms: 2000,
    lost: None,
};

/// How many threads and descriptors the ledger saw live within a window.
fn lived(ledger: &Ledger, told: &Told<'_>) -> (usize, usize) {
    let (since, until) = (ms(told.since_ms), ms(told.until_ms));
    let threads = ledger.threads().filter(|(_, thread)| {
        thread.born.latest <= until && thread.gone.is_none_or(|gone| gone.latest >= since)
    });
    let handles = ledger.handles().filter(|(_, handle)| {
        handle.born.latest <= until && handle.closed().is_none_or(|closed| closed.latest >= since)
    });
    (threads.count(), handles.count())
}
