//! Writes a recording: rows are made where events are taken in, everything else on a thread of its own.
//!
//! Whoever takes in events never waits for the disk: where the thread can't keep up, whole blocks are
//! left out, counted, told in a LOSS block, and followed by a keyframe, from which all is exact
//! again.

mod disk;
mod open_block;
mod writer;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub(crate) use self::disk::segment_path;
pub use self::disk::{Files, Place, Segment};
use self::{
    open_block::{ClosedBlock, OpenBlock},
    writer::{Piece, Writer},
};
use super::{
    block::Digest,
    meta::{End, Meta},
};
use crate::{
    duration::as_ns,
    event::{Batch, BootTime, Gap},
    pipeline::Pipeline,
    verdict::Judgement,
};

/// Pieces that wait for the disk at most: some ten seconds of a busy target.
const QUEUE: usize = 32;
/// A block is closed at this many bytes of rows,
const BLOCK_BYTES: usize = 1 << 20;
/// or events,
const BLOCK_EVENTS: u32 = 32 << 10;
/// or nanoseconds after its first event: what a killed recorder loses at most.
const BLOCK_NS: u64 = 250_000_000;
/// Bytes of rows between keyframes, at least; a larger keyframe waits for as many as it has itself.
const KEYFRAME_BYTES: u64 = 2 << 20;
/// A copy for a keyframe that takes longer than this
const SHORT_COPY: Duration = Duration::from_millis(5);
/// is not made again before so many times as long has passed, in the time of the events: where much
/// is remembered and much happens, it would take too much of a core.
const COPY_SHARE: u64 = 50;

/// How a recording is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The next segment begins at so many bytes,
    pub segment_bytes: u64,
    /// or so long after this one.
    pub segment_time: Duration,
    /// Most bytes of all segments together.
    pub most_bytes: Option<u64>,
    /// What happens at that, and when the disk is full.
    pub when_full: WhenFull,
    /// Only so much of the past is kept, until it is asked for: a flight recorder.
    pub flight: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_time: Duration::from_secs(600),
            most_bytes: None,
            when_full: WhenFull::Stop,
            flight: None,
        }
    }
}

/// What happens when there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum WhenFull {
    /// The recording ends
    #[default]
    Stop,
    /// The oldest segment makes room
    Ring,
    /// Nothing is recorded until there is room again
    Pause,
}

/// How a recording fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events written.
    pub events: u64,
    /// Events that could not be kept.
    pub lost: u64,
    /// Bytes written, those of segments that made room among them.
    pub bytes: u64,
    /// Bytes on the disk now.
    pub kept_bytes: u64,
    /// Segments on the disk now.
    pub segments: usize,
    /// Where nothing is written at the moment, or any more: why.
    pub halted: Option<String>,
    /// What was saved by [`Recorder::save`], and where.
    pub saved: Vec<PathBuf>,
}

/// What both sides share.
#[derive(Debug, Default)]
struct Shared {
    progress: Progress,
    /// The writer can't go on without a keyframe: it begins a segment, or events were left out.
    wants_keyframe: bool,
    /// Bytes of the last keyframe, unpacked.
    keyframe_bytes: u64,
    /// Nothing will be written any more.
    is_over: bool,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // No one leaves it half-changed that a panic could show.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A recording that is being made.
#[derive(Debug)]
pub struct Recorder {
    open: OpenBlock,
    pieces: SyncSender<Piece>,
    thread: JoinHandle<()>,
    shared: Arc<Mutex<Shared>>,
    /// Bytes of rows since the last keyframe.
    rows_since: u64,
    /// Where the copy for the last keyframe took long: when the next one may be made.
    next_copy: BootTime,
    /// What was left out since the last block that was taken.
    left_out: Option<Gap>,
    command_end: Option<End>,
}

impl Recorder {
    /// Begins a recording with all that is known. `settle` is called on the thread that will write:
    /// it may become another user.
    ///
    /// # Errors
    /// Where the first segment can't be made.
    pub fn start(
        place: impl Place + 'static,
        options: Options,
        meta: Meta,
        pipeline: &Pipeline,
        settle: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (pieces, received) = sync_channel(QUEUE);
        let (told, begun) = sync_channel(1);
        let of_writer = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                let writer = settle()
                    .and_then(|()| Writer::start(Box::new(place), options, meta, of_writer));
                match writer {
                    Ok(writer) => {
                        // Whoever starts it waits for this.
                        let _waits = told.send(Ok(()));
                        writer.run(&received);
                    }
                    Err(error) => drop(told.send(Err(error))),
                }
            })?;
        begun
            .recv()
            .map_err(|_| io::Error::other("the recorder's thread failed"))??;
        let mut recorder = Self {
            open: OpenBlock::default(),
            pieces,
            thread,
            shared,
            rows_since: 0,
            next_copy: BootTime(0),
            left_out: None,
            command_end: None,
        };
        // It holds the recent past as well.
        recorder.send_keyframe(pipeline, true);
        Ok(recorder)
    }

    /// Writes down a batch. The pipeline has taken it in just before, and these judgements fell.
    pub fn take(&mut self, batch: &Batch, pipeline: &Pipeline, fallen: &[Judgement]) {
        self.open.take(batch, fallen);
        let now = pipeline.ledger().now();
        if self.open.bytes() >= BLOCK_BYTES
            || self.open.events() >= BLOCK_EVENTS
            || self.open.age_ns(now) >= BLOCK_NS
        {
            self.close(pipeline);
        }
    }

    /// A remark of the user's own, at this place. `false` = the disk is too slow to take it.
    pub fn note(&mut self, text: &str, pipeline: &Pipeline) -> bool {
        self.close(pipeline);
        let at = pipeline.ledger().now();
        let piece = Piece::Note(text.to_owned(), at);
        self.pieces.try_send(piece).is_ok()
    }

    /// Of a flight recorder: keeps what is there, as a recording of its own, and begins anew.
    /// `false` = the disk is too slow to take that now.
    pub fn save(&mut self, why: &str, pipeline: &Pipeline) -> bool {
        self.close(pipeline);
        let at = pipeline.ledger().now();
        let is_taken = self
            .pieces
            .try_send(Piece::Save(why.to_owned(), at))
            .is_ok();
        if is_taken {
            self.keyframe(pipeline);
        }
        is_taken
    }

    /// How it fares.
    pub fn progress(&self) -> Progress {
        lock(&self.shared).progress.clone()
    }

    /// Whether nothing will be written any more.
    pub fn is_over(&self) -> bool {
        lock(&self.shared).is_over
    }

    /// How the command that is recorded ended: its END will say it.
    pub fn command_ended(&mut self, end: End) {
        self.command_end = Some(end);
    }

    /// Ends the recording, and waits until it is on the disk.
    pub fn finish(mut self, pipeline: &Pipeline) -> Progress {
        self.close(pipeline);
        let at = pipeline.ledger().now();
        if let Some(gap) = self.left_out.take() {
            // It waits for the disk: nobody else does any more.
            let _may_be_over = self.pieces.send(Piece::Loss(gap));
        }
        let _may_be_over = self.pieces.send(Piece::End(at, self.command_end));
        drop(self.pieces);
        // A panic in it was told by its message already.
        let _ended = self.thread.join();
        lock(&self.shared).progress.clone()
    }

    /// Closes the open block, and adds a keyframe where one is due.
    fn close(&mut self, pipeline: &Pipeline) {
        if self.open.events() == 0 {
            return;
        }
        let now = pipeline.ledger().now();
        let (threads, handles) = pipeline.ledger().live();
        let block = self.open.close(threads, handles);
        if self.is_over() {
            self.leave_out(&block);
            return;
        }
        self.rows_since += block.rows.len() as u64;
        if self.left_out.is_some() {
            self.leave_out(&block);
            self.resume(pipeline);
            return;
        }
        if let Err(error) = self.pieces.try_send(Piece::Events(block)) {
            let (TrySendError::Full(piece) | TrySendError::Disconnected(piece)) = error;
            if let Piece::Events(block) = piece {
                self.leave_out(&block);
            }
            return;
        }
        let (is_wanted, size) = {
            let shared = lock(&self.shared);
            (shared.wants_keyframe, shared.keyframe_bytes)
        };
        let is_due = self.rows_since >= size.max(KEYFRAME_BYTES) && self.next_copy <= now;
        if is_wanted || is_due {
            self.keyframe(pipeline);
        }
    }

    /// After events were left out: tells it, and goes on from what is known now.
    fn resume(&mut self, pipeline: &Pipeline) {
        let Some(gap) = self.left_out.take() else {
            return;
        };
        match self.pieces.try_send(Piece::Loss(gap)) {
            Ok(()) => self.keyframe(pipeline),
            Err(TrySendError::Full(Piece::Loss(gap))) => self.left_out = Some(gap),
            // The writer is over, and has told so.
            Err(_) => {}
        }
    }

    fn leave_out(&mut self, block: &ClosedBlock) {
        let gap = block.as_lost();
        lock(&self.shared).progress.lost += gap.total();
        match &mut self.left_out {
            Some(earlier) => merge(earlier, &gap),
            None => self.left_out = Some(gap),
        }
    }

    fn keyframe(&mut self, pipeline: &Pipeline) {
        self.send_keyframe(pipeline, false);
    }

    fn send_keyframe(&mut self, pipeline: &Pipeline, is_first: bool) {
        let (threads, handles) = pipeline.ledger().live();
        let now = pipeline.ledger().now().0;
        let digest = Digest {
            min_ns: now,
            max_ns: now,
            threads,
            handles,
            ..Digest::default()
        };
        // A copy is quickly made; what is too old in it the writer leaves out.
        let began = Instant::now();
        let pipeline = Box::new(pipeline.clone());
        let took = began.elapsed();
        if took > SHORT_COPY {
            self.next_copy = BootTime(now).plus_ns(as_ns(took).saturating_mul(COPY_SHARE));
        }
        let piece = Piece::Keyframe {
            pipeline,
            digest,
            is_first,
        };
        // One that finds no room is due again with the next block.
        let is_taken = self.pieces.try_send(piece).is_ok();
        lock(&self.shared).wants_keyframe = !is_taken;
        if is_taken {
            self.rows_since = 0;
        }
    }
}

/// Two gaps of one recorder become one.
fn merge(earlier: &mut Gap, later: &Gap) {
    for &(kind, count) in &later.lost {
        match earlier.lost.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, sum)) => *sum += count,
            None => earlier.lost.push((kind, count)),
        }
    }
    earlier.from = earlier.from.min(later.from);
    earlier.until = earlier.until.max(later.until);
}
