//! Disks that are full, slow or broken: whoever takes in events never waits, and what is
//! lost is counted and told.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use super::story::{lines, long_story};
use crate::{
    event::{Batch, What, loss::Layer},
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    trace::{
        read::{Limits, Read, Recording},
        write::{Files, Options, Place, Progress, Recorder, Segment, WhenFull},
    },
};

/// Files on a disk that does as it is told.
struct Disk {
    files: Files,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    /// Nothing is written as long as it is.
    is_stuck: bool,
    /// So many bytes find room, of all files.
    room: Option<u64>,
    /// So many appends are left until one fails.
    until_failure: Option<u32>,
    used: Vec<(u32, u64)>,
}

struct OnDisk {
    segment: Box<dyn Segment>,
    number: u32,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Place for Disk {
    fn begin(&mut self, number: u32) -> io::Result<Box<dyn Segment>> {
        let segment = self.files.begin(number)?;
        self.state.0.lock().unwrap().used.push((number, 0));
        let state = Arc::clone(&self.state);
        Ok(Box::new(OnDisk {
            segment,
            number,
            state,
        }))
    }

    fn drop_segment(&mut self, number: u32) -> io::Result<()> {
        let mut state = self.state.0.lock().unwrap();
        state.used.retain(|one| one.0 != number);
        self.files.drop_segment(number)
    }

    fn keep(&mut self, numbers: &[u32], save: u32) -> io::Result<PathBuf> {
        self.files.keep(numbers, save)
    }
}

impl Segment for OnDisk {
    fn append(&mut self, parts: [&[u8]; 2], may_use_reserve: bool) -> io::Result<()> {
        let (state, changed) = &*self.state;
        let mut state = changed
            .wait_while(state.lock().unwrap(), |state| state.is_stuck)
            .unwrap();
        if let Some(left) = &mut state.until_failure {
            if *left == 0 {
                return Err(io::Error::from_raw_os_error(5));
            }
            *left -= 1;
        }
        let bytes = (parts[0].len() + parts[1].len()) as u64;
        let used: u64 = state.used.iter().map(|one| one.1).sum();
        let reserve = if may_use_reserve { 0 } else { 2_000 };
        if state.room.is_some_and(|room| used + bytes + reserve > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.segment.append(parts, may_use_reserve)?;
        let number = self.number;
        let of_this = state.used.iter_mut().find(|one| one.0 == number);
        of_this.unwrap().1 += bytes;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.segment.sync()
    }

    fn finish(&mut self) {
        self.segment.finish();
    }
}

/// A recording on such a disk.
struct Run {
    folder: tempfile::TempDir,
    state: Arc<(Mutex<State>, Condvar)>,
    recorder: Option<Recorder>,
    pipeline: Pipeline,
    batches: std::vec::IntoIter<Batch>,
    taken: u64,
    longest: Duration,
}

impl Run {
    fn start(steps: u32, options: Options, state: State) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = Arc::new((Mutex::new(state), Condvar::new()));
        let disk = Disk {
            files: Files::new(folder.path().join("a.rec")),
            state: Arc::clone(&state),
        };
        let pipeline = Pipeline::new(LedgerRules::default());
        let recorder = Recorder::start(disk, options, super::meta(), &pipeline, || Ok(()));
        let batches: Vec<_> = Cast::default().batches(&long_story(steps)).collect();
        Self {
            folder,
            state,
            recorder: Some(recorder.unwrap()),
            pipeline,
            batches: batches.into_iter(),
            taken: 0,
            longest: Duration::ZERO,
        }
    }

    /// Takes in so many batches, with a pause after each.
    fn take(&mut self, batches: usize, pause: Duration) {
        for batch in self.batches.by_ref().take(batches) {
            let fallen = self.pipeline.take(&batch);
            self.taken += batch.events.len() as u64;
            let began = Instant::now();
            self.recorder
                .as_mut()
                .unwrap()
                .take(&batch, &self.pipeline, &fallen);
            self.longest = self.longest.max(began.elapsed());
            std::thread::sleep(pause);
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.0.lock().unwrap());
        self.state.1.notify_all();
    }

    /// Ends it. What was told of losses is what was counted; what is known at the end is right if
    /// nothing was lost at the very end.
    fn finish(&mut self) -> (Progress, Arc<Recording>, u64) {
        let progress = self.recorder.take().unwrap().finish(&self.pipeline);
        let path = self.folder.path().join("a.rec");
        let recording = Arc::new(Recording::open(&path, Limits::default()).unwrap());
        let (mut read, mut told) = (0, 0);
        let mut reads = recording.reads();
        let mut pipeline = Pipeline::new(LedgerRules::default());
        let mut is_exact = false;
        for read_now in &mut reads {
            match read_now {
                Read::Batch(batch) => {
                    pipeline.take(&batch);
                    for event in batch.events {
                        match event.what {
                            What::Gap(gap) if gap.layer == Layer::Recorder => {
                                told += gap.total();
                                is_exact = false;
                            }
                            _ => read += 1,
                        }
                    }
                }
                Read::State(state) => {
                    pipeline = *state;
                    is_exact = true;
                }
                Read::Note { .. } => {}
            }
        }
        assert_eq!(reads.damaged().blocks, 0);
        if is_exact && progress.halted.is_none() {
            assert_eq!(lines(&pipeline), lines(&self.pipeline));
        }
        assert_eq!(
            progress.events,
            recording_events(&progress, read),
            "{progress:?}"
        );
        assert!(told <= progress.lost, "{told} told, {progress:?}");
        assert!(!recording.is_clean() || progress.halted.is_some() || told == progress.lost);
        (progress, recording, read)
    }
}

/// A ring has written more than it has kept.
fn recording_events(progress: &Progress, read: u64) -> u64 {
    if progress.kept_bytes < progress.bytes {
        progress.events
    } else {
        read
    }
}

const SHORT: Duration = Duration::from_micros(200);

#[test]
fn a_disk_that_is_stuck_makes_nobody_wait() {
    let mut run = Run::start(120, Options::default(), State::default());
    run.take(100, SHORT);
    run.change(|state| state.is_stuck = true);
    run.take(700, Duration::ZERO);
    assert!(
        run.longest < Duration::from_millis(500),
        "{:?}",
        run.longest
    );
    assert!(run.recorder.as_ref().unwrap().progress().lost > 100);
    run.change(|state| state.is_stuck = false);
    std::thread::sleep(Duration::from_millis(100));
    run.take(1_000, SHORT);
    let taken = run.taken;
    let (progress, recording, read) = run.finish();
    assert!(recording.is_clean());
    assert_eq!(read + progress.lost, taken, "{progress:?}");
}

#[test]
fn a_broken_disk_ends_it_with_its_reason() {
    for appends in [3, 4, 9, 20] {
        let mut run = Run::start(30, Options::default(), State::default());
        run.change(|state| state.until_failure = Some(appends));
        run.take(1_000, SHORT);
        let taken = run.taken;
        let (progress, recording, read) = run.finish();
        let halted = progress.halted.clone().unwrap_or_default();
        assert!(halted.contains("os error 5"), "{halted}");
        assert!(!recording.is_clean());
        assert_eq!(read + progress.lost, taken, "{progress:?}");
    }
}

#[test]
fn a_full_disk_ends_it_with_an_end() {
    let state = State {
        room: Some(12_000),
        ..State::default()
    };
    let mut run = Run::start(60, Options::default(), state);
    run.take(1_000, SHORT);
    let taken = run.taken;
    let (progress, recording, read) = run.finish();
    assert!(progress.halted.is_some());
    assert!(recording.is_clean(), "no room for the end");
    assert_eq!(read + progress.lost, taken, "{progress:?}");
}

#[test]
fn a_full_disk_pauses_it_until_there_is_room() {
    let options = Options {
        when_full: WhenFull::Pause,
        ..Options::default()
    };
    let state = State {
        room: Some(9_000),
        ..State::default()
    };
    let mut run = Run::start(120, options, state);
    run.take(300, SHORT);
    let paused = run.recorder.as_ref().unwrap().progress();
    assert!(paused.halted.is_some() && paused.lost > 0, "{paused:?}");
    run.change(|state| state.room = None);
    std::thread::sleep(Duration::from_millis(1_100));
    run.take(1_000, SHORT);
    let taken = run.taken;
    let (progress, recording, read) = run.finish();
    assert_eq!(progress.halted, None);
    assert!(recording.is_clean());
    assert_eq!(read + progress.lost, taken, "{progress:?}");
}

#[test]
fn a_full_disk_drops_the_oldest_of_a_ring() {
    // One segment, as long as the disk is not full.
    let options = Options {
        when_full: WhenFull::Ring,
        ..Options::default()
    };
    let state = State {
        room: Some(40_000),
        ..State::default()
    };
    let mut run = Run::start(200, options, state);
    run.take(2_000, SHORT);
    let (progress, recording, _) = run.finish();
    assert_eq!(progress.halted, None);
    assert!(recording.is_clean());
    assert!(
        progress.kept_bytes < 40_000 && progress.bytes > 40_000,
        "{progress:?}"
    );
    // Nothing else is left lying there.
    let there = fs::read_dir(run.folder.path()).unwrap().count();
    assert_eq!(there, progress.segments);
}

#[test]
fn a_ring_of_few_bytes_has_several_segments() {
    let options = Options {
        when_full: WhenFull::Ring,
        most_bytes: Some(100_000),
        ..Options::default()
    };
    let mut run = Run::start(120, options, State::default());
    run.take(2_000, SHORT);
    let (progress, ..) = run.finish();
    assert!(
        progress.segments > 1 && progress.kept_bytes < 150_000,
        "{progress:?}"
    );
}

#[test]
fn what_was_saved_before_is_not_written_over() {
    let options = Options {
        flight: Some(Duration::from_secs(60)),
        ..Options::default()
    };
    let mut run = Run::start(40, options, State::default());
    fs::write(run.folder.path().join("a-1.rec"), "of another day").unwrap();
    for _ in 0..2 {
        run.take(50, SHORT);
        assert!(run.recorder.as_mut().unwrap().save("a test", &run.pipeline));
    }
    run.take(50, SHORT);
    let progress = run.recorder.take().unwrap().finish(&run.pipeline);
    let names: Vec<_> = progress
        .saved
        .iter()
        .filter_map(|path| path.file_name())
        .collect();
    assert_eq!(names, ["a-2.rec", "a-3.rec"]);
    for saved in &progress.saved {
        let recording = Arc::new(Recording::open(saved, Limits::default()).unwrap());
        assert!(recording.is_clean() && recording.events() > 0, "{saved:?}");
        let mut reads = recording.reads();
        assert!(reads.by_ref().count() > 1);
        assert_eq!(reads.damaged().blocks, 0);
    }
    assert_eq!(
        fs::read(run.folder.path().join("a-1.rec")).unwrap(),
        b"of another day"
    );
}
