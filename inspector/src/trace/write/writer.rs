//! The thread that writes: packs blocks, and begins and ends segments.

mod append;
mod full;

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::{
    Options, Shared,
    disk::{Place, Segment},
    lock,
    open_block::ClosedBlock,
};
use crate::{
    duration::as_ns,
    event::{BootTime, Event, Gap, What},
    pipeline::Pipeline,
    trace::{
        block::{self, Digest, Kind, SegmentHeader},
        field::Context,
        keyframe,
        meta::{End, Meta, Totals},
        row,
    },
};

/// What is to be written.
#[derive(Debug)]
pub(super) enum Piece {
    Events(ClosedBlock),
    Keyframe {
        pipeline: Box<Pipeline>,
        digest: Digest,
        /// The recording begins with it: all that is known belongs to it.
        is_first: bool,
    },
    Loss(Gap),
    Note(String, BootTime),
    Save(String, BootTime),
    End(BootTime, Option<End>),
}

/// All is on the disk this long after it was written,
const SYNC: Duration = Duration::from_secs(1);
/// or after so many bytes.
const SYNC_BYTES: u64 = 8 << 20;
/// zstd's fastest level of its own numbering.
const LEVEL: i32 = 1;
/// Segments of a flight recorder's time: what it keeps is at most this part of it longer.
const FLIGHT_SEGMENTS: u32 = 8;
/// Segments of a ring at least: so much of it is lost when one makes room.
const RING_SEGMENTS: u64 = 4;

pub(super) struct Writer {
    place: Box<dyn Place>,
    /// `None` = the next one could not be begun yet.
    segment: Option<Box<dyn Segment>>,
    options: Options,
    /// Whether there can be more than one segment.
    can_roll: bool,
    meta: Meta,
    shared: Arc<Mutex<Shared>>,
    header: SegmentHeader,
    /// The segments on the disk, oldest first; the last is being written.
    segments: VecDeque<Written>,
    packer: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
    /// The next block's number.
    block: u64,
    events: u64,
    lost: u64,
    last_keyframe: Option<u64>,
    unsynced: u64,
    synced: Instant,
    /// What found no room, and when to try again.
    unwritten: Option<(Gap, Instant)>,
    saves: u32,
}

struct Written {
    number: u32,
    /// Bytes of its largest keyframe.
    keyframe_bytes: u64,
    began_ns: u64,
    ended_ns: u64,
    bytes: u64,
}

/// Whether the recording goes on.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    Over,
}

impl Writer {
    pub(super) fn start(
        place: Box<dyn Place>,
        mut options: Options,
        meta: Meta,
        shared: Arc<Mutex<Shared>>,
    ) -> io::Result<Self> {
        let mut random = [0; 24];
        rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())?;
        let (mut recording, mut marker) = ([0; 16], [0; 8]);
        recording.copy_from_slice(&random[..16]);
        marker.copy_from_slice(&random[16..]);
        if let Some(flight) = options.flight {
            options.segment_time = flight / FLIGHT_SEGMENTS;
        }
        if let Some(most) = options.most_bytes
            && options.is_ring()
        {
            options.segment_bytes = options.segment_bytes.min(most / RING_SEGMENTS);
        }
        let mut writer = Self {
            can_roll: place.can_roll(),
            place,
            segment: None,
            options,
            shared,
            header: SegmentHeader {
                version: block::VERSION,
                number: 0,
                recording,
                marker,
                first_block: 0,
                first_event: 0,
            },
            segments: VecDeque::new(),
            packer: zstd::bulk::Compressor::new(LEVEL)?,
            packed: Vec::new(),
            block: 0,
            events: 0,
            lost: 0,
            last_keyframe: None,
            unsynced: 0,
            synced: Instant::now(),
            unwritten: None,
            saves: 0,
            meta,
        };
        let began = writer.meta.began_ns;
        writer.begin(0, began, false)?;
        Ok(writer)
    }

    /// Writes until the end, or until nothing more can be written.
    pub(super) fn run(mut self, pieces: &Receiver<Piece>) {
        loop {
            let goes = match pieces.recv_timeout(SYNC) {
                Ok(piece) => self.piece(piece),
                Err(RecvTimeoutError::Timeout) => Ok(Goes::On),
                Err(RecvTimeoutError::Disconnected) => Ok(Goes::Over),
            };
            let goes = goes.and_then(|goes| self.sync_in_time().map(|()| goes));
            self.tell();
            match goes {
                Ok(Goes::On) => {}
                Ok(Goes::Over) => return self.over(None, pieces),
                Err(error) => return self.over(Some(error.to_string()), pieces),
            }
        }
    }

    fn over(mut self, why: Option<String>, pieces: &Receiver<Piece>) {
        if let Some(segment) = &mut self.segment {
            segment.finish();
        }
        self.tell();
        {
            let mut shared = lock(&self.shared);
            shared.is_over = true;
            if why.is_some() {
                shared.progress.halted = why;
            }
        }
        // What was still to be written.
        for piece in pieces.try_iter() {
            self.count_lost(&piece);
        }
    }

    fn tell(&self) {
        let mut shared = lock(&self.shared);
        shared.progress.events = self.events;
        shared.progress.kept_bytes = self.segments.iter().map(|one| one.bytes).sum();
        shared.progress.segments = self.segments.len();
    }

    fn piece(&mut self, piece: Piece) -> io::Result<Goes> {
        let piece = piece.trimmed();
        if self.is_paused(&piece)? {
            return Ok(Goes::On);
        }
        let written = self.write(&piece);
        if matches!(piece, Piece::End(..)) {
            return written.map(|()| Goes::Over);
        }
        match written {
            Ok(()) => self.hold_bounds(&piece),
            Err(error) if full::is_full(&error) => self.full(piece, &error.to_string()),
            Err(error) => {
                self.count_lost(&piece);
                Err(error)
            }
        }
    }

    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        if self.segment.is_none() {
            self.begin_next(piece.at())?;
        }
        match piece {
            Piece::Events(block) => self.append(Kind::Events, &block.rows, block.digest, false),
            Piece::Keyframe {
                pipeline, digest, ..
            } => self.keyframe(pipeline, *digest),
            Piece::Loss(gap) => self.loss(gap),
            // It is small, and somebody wants it: it may use what is left for the end.
            Piece::Note(text, at) => self.append(Kind::Note, text.as_bytes(), moment(*at), true),
            Piece::Save(why, at) => self.save(why, *at),
            Piece::End(at, command) => {
                self.meta.command_end.clone_from(command);
                self.end(*at)
            }
        }
    }

    fn keyframe(&mut self, pipeline: &Pipeline, digest: Digest) -> io::Result<()> {
        let raw = keyframe::bytes(pipeline);
        lock(&self.shared).keyframe_bytes = raw.len() as u64;
        if self.is_segment_full() {
            self.begin_next(BootTime(digest.max_ns))?;
        }
        self.append(Kind::Keyframe, &raw, digest, false)
    }

    fn is_segment_full(&self) -> bool {
        self.can_roll
            && self.segments.back().is_some_and(|last| {
                // One that holds little but its keyframe is not worth another.
                let least = last.keyframe_bytes.saturating_mul(2);
                last.bytes >= self.options.segment_bytes.max(least)
                    || last.ended_ns.saturating_sub(last.began_ns)
                        >= as_ns(self.options.segment_time)
            })
    }

    fn loss(&mut self, gap: &Gap) -> io::Result<()> {
        let mut raw = Vec::new();
        let event = Event {
            at: gap.until,
            what: What::Gap(Box::new(gap.clone())),
        };
        row::put(&event, &mut Context::default(), &mut raw);
        let digest = Digest {
            lost: u32::try_from(gap.total()).unwrap_or(u32::MAX),
            min_ns: gap.from.0,
            max_ns: gap.until.0,
            ..Digest::default()
        };
        let before = self.lost;
        self.lost += gap.total();
        // Its event is none of those that were counted before.
        let written = self.append(Kind::Loss, &raw, digest, true);
        if written.is_err() {
            self.lost = before;
        }
        written
    }

    fn end(&mut self, at: BootTime) -> io::Result<()> {
        let meta = Meta {
            totals: Some(Totals {
                ended_ns: at.0,
                events: self.events,
                lost: self.lost,
                blocks: self.block,
            }),
            ..self.meta.clone()
        };
        let meta = serde_json::to_vec(&meta).expect("it has only strings for keys");
        self.append(Kind::End, &meta, moment(at), true)?;
        self.segment
            .as_mut()
            .map_or(Ok(()), |segment| segment.sync())
    }

    /// Keeps a flight recorder's segments, and begins a new recording.
    fn save(&mut self, why: &str, at: BootTime) -> io::Result<()> {
        let note = format!("saved: {why}");
        self.append(Kind::Note, note.as_bytes(), moment(at), true)?;
        self.end(at)?;
        if let Some(mut segment) = self.segment.take() {
            segment.finish();
        }
        self.saves += 1;
        let numbers: Vec<_> = self.segments.iter().map(|one| one.number).collect();
        self.segments.clear();
        let kept = self.place.keep(&numbers, self.saves)?;
        lock(&self.shared).progress.saved.push(kept);
        // It begins with what is written next.
        lock(&self.shared).wants_keyframe = true;
        Ok(())
    }

    fn sync_in_time(&mut self) -> io::Result<()> {
        if self.unsynced == 0 || (self.unsynced < SYNC_BYTES && self.synced.elapsed() < SYNC) {
            return Ok(());
        }
        self.unsynced = 0;
        self.synced = Instant::now();
        self.segment
            .as_mut()
            .map_or(Ok(()), |segment| segment.sync())
    }
}

impl Piece {
    /// What is too old for a keyframe is left out here, and not where events are taken in.
    fn trimmed(self) -> Self {
        match self {
            Self::Keyframe {
                pipeline,
                digest,
                is_first: false,
            } => Self::Keyframe {
                pipeline: Box::new(keyframe::of(*pipeline)),
                digest,
                is_first: false,
            },
            other => other,
        }
    }

    fn at(&self) -> BootTime {
        match self {
            Self::Events(block) => BootTime(block.digest.max_ns),
            Self::Keyframe { digest, .. } => BootTime(digest.max_ns),
            Self::Loss(gap) => gap.until,
            Self::Note(_, at) | Self::Save(_, at) | Self::End(at, _) => *at,
        }
    }
}

fn moment(at: BootTime) -> Digest {
    Digest {
        min_ns: at.0,
        max_ns: at.0,
        ..Digest::default()
    }
}
