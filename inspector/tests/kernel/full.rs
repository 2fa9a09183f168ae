//! A disk that is really full: a tmpfs of a few megabytes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use inspector::{
    event::{
        Batch, BootTime, Event, Named, What,
        id::{CallNumber, Fd, Tgid, Tid},
        loss::Layer,
    },
    ledger::LedgerRules,
    pipeline::Pipeline,
    trace::{
        meta::Meta,
        read::{Limits, Read, Recording},
        write::{Files, Options, Progress, Recorder, WhenFull},
    },
};

/// A small disk, until it is dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("none", folder.path(), "tmpfs", flags, c"size=4m").unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("a.rec")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let flags = rustix::mount::UnmountFlags::DETACH;
        rustix::mount::unmount(self.0.path(), flags).unwrap();
    }
}

/// Names that can't be packed, as many as asked for.
struct Source {
    number: u64,
    random: u64,
}

impl Source {
    fn batch(&mut self, events: u64) -> Batch {
        let events = (0..events).map(|_| {
            self.number += 1;
            let name: Vec<u8> = (0..200)
                .map(|_| {
                    self.random = self.random.wrapping_mul(6_364_136_223_846_793_005) + 1;
                    self.random.to_be_bytes()[0]
                })
                .collect();
            Event {
                at: BootTime(self.number * 1_000_000),
                what: What::Named(Box::new(Named {
                    tid: Tid(1),
                    tgid: Tgid(1),
                    call: CallNumber(2),
                    fd: Fd(3),
                    name: name.into(),
                    is_cut: false,
                })),
            }
        });
        Batch {
            events: events.collect(),
        }
    }
}

struct Run {
    recorder: Recorder,
    pipeline: Pipeline,
    source: Source,
}

impl Run {
    fn start(path: &Path, when_full: WhenFull) -> Self {
        let options = Options {
            when_full,
            ..Options::default()
        };
        let pipeline = Pipeline::new(LedgerRules::default());
        let files = Files::new(path);
        let recorder = Recorder::start(files, options, Meta::default(), &pipeline, || Ok(()));
        Self {
            recorder: recorder.unwrap(),
            pipeline,
            source: Source {
                number: 0,
                random: 1,
            },
        }
    }

    /// Takes in so many megabytes, slower than a disk.
    fn take(&mut self, megabytes: u64) {
        for _ in 0..megabytes * 20 {
            let batch = self.source.batch(250);
            let fallen = self.pipeline.take(&batch);
            self.recorder.take(&batch, &self.pipeline, &fallen);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn finish(self) -> (Progress, u64) {
        (self.recorder.finish(&self.pipeline), self.source.number)
    }
}

/// Events that are in it, and losses that it tells of.
fn read(path: &Path) -> (u64, u64) {
    let recording = Arc::new(Recording::open(path, Limits::default()).unwrap());
    assert!(recording.is_clean(), "no room for its end");
    assert!(recording.damage().is_empty());
    let (mut events, mut lost) = (0, 0);
    let mut reads = recording.reads();
    for read in &mut reads {
        let Read::Batch(batch) = read else { continue };
        for event in batch.events {
            match event.what {
                What::Gap(gap) => {
                    assert_eq!(gap.layer, Layer::Recorder);
                    lost += gap.total();
                }
                _ => events += 1,
            }
        }
    }
    assert_eq!(reads.damaged().blocks, 0);
    (events, lost)
}

#[test]
fn a_recording_that_finds_no_room_ends_with_an_end() {
    let disk = Disk::mount();
    let mut run = Run::start(&disk.path(), WhenFull::Stop);
    run.take(8);
    let (progress, taken) = run.finish();
    assert!(
        progress.halted.is_some() && progress.lost > 0,
        "{progress:?}"
    );
    let (events, told) = read(&disk.path());
    assert!(events > 5_000, "{events}");
    assert!(told > 0);
    assert_eq!(events + progress.lost, taken, "{progress:?}");
}

#[test]
fn a_recording_that_finds_no_room_pauses() {
    let disk = Disk::mount();
    let other = disk.0.path().join("other");
    fs::write(&other, vec![1; 2 << 20]).unwrap();
    let mut run = Run::start(&disk.path(), WhenFull::Pause);
    run.take(3);
    let paused = run.recorder.progress();
    assert!(paused.halted.is_some() && paused.lost > 0, "{paused:?}");
    fs::remove_file(&other).unwrap();
    std::thread::sleep(Duration::from_millis(1_100));
    run.take(1);
    let (progress, taken) = run.finish();
    assert_eq!(progress.halted, None);
    let (events, told) = read(&disk.path());
    assert_eq!(
        (events + told, told),
        (taken, progress.lost),
        "{progress:?}"
    );
}

#[test]
fn a_ring_that_finds_no_room_drops_its_oldest() {
    let disk = Disk::mount();
    let mut run = Run::start(&disk.path(), WhenFull::Ring);
    run.take(12);
    let (progress, taken) = run.finish();
    assert_eq!(
        (progress.halted.clone(), progress.lost),
        (None, 0),
        "{progress:?}"
    );
    assert!(
        progress.kept_bytes < 4 << 20 && progress.bytes > 10 << 20,
        "{progress:?}"
    );
    let (events, told) = read(&disk.path());
    assert!(events > 1_000 && events < taken && told == 0, "{events}");
    assert_eq!(progress.events, taken);
}
