//! The thread that writes: packs blocks, begins and drops segments, and copes with full disks.

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
    Options, Shared, WhenFull,
    disk::{Place, Segment},
    lock, merge,
    open_block::ClosedBlock,
};
use crate::{
    duration::as_ns,
    event::{BootTime, Event, Gap, What},
    pipeline::Pipeline,
    trace::{
        block::{self, Digest, HEADER, Header, Kind, Packing, SegmentHeader},
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
    Keyframe(Box<Pipeline>, Digest),
    Loss(Gap),
    Note(String, BootTime),
    Save(String, BootTime),
    End(BootTime, Option<End>),
}

/// All is on the disk this long after it was written,
const SYNC: Duration = Duration::from_secs(1);
/// or after so many bytes.
const SYNC_BYTES: u64 = 8 << 20;
/// How often a full disk is looked at again.
const RETRY: Duration = Duration::from_secs(1);
/// zstd's fastest level of its own numbering.
const LEVEL: i32 = 1;
/// Segments of a flight recorder's time: what it keeps is at most this part of it longer.
const FLIGHT_SEGMENTS: u32 = 8;

pub(super) struct Writer {
    place: Box<dyn Place>,
    segment: Option<Box<dyn Segment>>,
    options: Options,
    meta: Meta,
    shared: Arc<Mutex<Shared>>,
    header: SegmentHeader,
    /// Number, end and bytes of the segments on the disk, oldest first; the last is being written.
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
        let header = SegmentHeader {
            version: block::VERSION,
            number: 0,
            recording,
            marker,
            first_block: 0,
        };
        let mut writer = Self {
            place,
            segment: None,
            options,
            shared,
            header,
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
        writer.begin(0, began)?;
        Ok(writer)
    }

    /// Writes until the end, or until nothing more can be written.
    pub(super) fn run(mut self, pieces: &Receiver<Piece>) {
        loop {
            let goes = match pieces.recv_timeout(SYNC) {
                Ok(piece) => self.piece(piece),
                Err(RecvTimeoutError::Timeout) => Ok(Goes::On),
                Err(RecvTimeoutError::Disconnected) => return self.over(None),
            };
            let goes = goes.and_then(|goes| self.sync_in_time().map(|()| goes));
            self.tell();
            match goes {
                Ok(Goes::On) => {}
                Ok(Goes::Over) => return self.over(None),
                Err(error) => return self.over(Some(error.to_string())),
            }
        }
    }

    fn over(mut self, why: Option<String>) {
        if let Some(segment) = &mut self.segment {
            segment.finish();
        }
        self.tell();
        let mut shared = lock(&self.shared);
        shared.is_over = true;
        if why.is_some() {
            shared.progress.halted = why;
        }
    }

    fn tell(&self) {
        let mut shared = lock(&self.shared);
        shared.progress.events = self.events;
        shared.progress.kept_bytes = self.segments.iter().map(|one| one.bytes).sum();
        shared.progress.segments = self.segments.len();
    }

    fn piece(&mut self, piece: Piece) -> io::Result<Goes> {
        if let Some((gap, again)) = self.unwritten.take() {
            match self.paused(gap, again, &piece)? {
                None => {}
                Some(goes) => return Ok(goes),
            }
        }
        let written = match &piece {
            Piece::Events(block) => self.content(Kind::Events, &block.rows, block.digest),
            Piece::Keyframe(pipeline, digest) => self.keyframe(pipeline, *digest),
            Piece::Loss(gap) => self.loss(gap),
            Piece::Note(text, at) => self.content(Kind::Note, text.as_bytes(), moment(*at)),
            Piece::Save(why, at) => self.save(why, *at),
            Piece::End(at, command) => {
                self.meta.command_end.clone_from(command);
                return self.end(*at).map(|()| Goes::Over);
            }
        };
        match written {
            Ok(()) => self.hold_bounds(&piece),
            Err(error) if is_full(&error) => self.full(piece, &error.to_string()),
            Err(error) => Err(error),
        }
    }

    /// Begins a segment: its header and META.
    fn begin(&mut self, number: u32, at_ns: u64) -> io::Result<()> {
        let mut segment = self.place.begin(number)?;
        self.header = SegmentHeader {
            number,
            first_block: self.block,
            ..self.header
        };
        segment.append([&self.header.bytes(), &[]], false)?;
        if let Some(mut before) = self.segment.replace(segment) {
            before.sync()?;
            before.finish();
        }
        self.segments.push_back(Written {
            number,
            began_ns: at_ns,
            ended_ns: at_ns,
            bytes: block::SEGMENT_HEADER as u64,
        });
        self.last_keyframe = None;
        self.meta.began_ns = at_ns;
        let meta = serde_json::to_vec(&self.meta).expect("it has only strings for keys");
        self.content(Kind::Meta, &meta, moment(BootTime(at_ns)))
    }

    fn content(&mut self, kind: Kind, raw: &[u8], digest: Digest) -> io::Result<()> {
        self.append(kind, raw, digest, false)
    }

    fn append(&mut self, kind: Kind, raw: &[u8], digest: Digest, last: bool) -> io::Result<()> {
        let too_long = || io::Error::other("a block is longer than the format allows");
        let raw_len = u32::try_from(raw.len()).map_err(|_| too_long())?;
        if raw_len > block::MOST_CONTENT {
            return Err(too_long());
        }
        self.packed.clear();
        self.packed
            .reserve(zstd::zstd_safe::compress_bound(raw.len()));
        self.packer.compress_to_buffer(raw, &mut self.packed)?;
        let (packing, stored) = if self.packed.len() < raw.len() {
            (Packing::Zstd, &self.packed[..])
        } else {
            (Packing::Plain, raw)
        };
        let back = self.last_keyframe.map_or(0, |last| self.block - last);
        let header = Header {
            number: self.block,
            kind,
            packing,
            raw_len,
            stored_len: stored.len() as u32,
            content_crc: crc32fast::hash(stored),
            first_event: self.events,
            lost: self.lost,
            keyframe_back: match kind {
                Kind::Keyframe => 0,
                _ => u32::try_from(back).unwrap_or(0),
            },
            digest,
        };
        let segment = self.segment.as_mut().expect("it begins with one");
        segment.append([&header.bytes(self.header.marker), stored], last)?;
        let bytes = (HEADER + stored.len()) as u64;
        if kind == Kind::Keyframe {
            self.last_keyframe = Some(self.block);
        }
        self.block += 1;
        self.events += u64::from(digest.events);
        self.unsynced += bytes;
        let written = self.segments.back_mut().expect("it begins with one");
        written.bytes += bytes;
        written.ended_ns = written.ended_ns.max(digest.max_ns);
        lock(&self.shared).progress.bytes += bytes;
        Ok(())
    }

    fn keyframe(&mut self, pipeline: &Pipeline, digest: Digest) -> io::Result<()> {
        let raw = keyframe::bytes(pipeline);
        lock(&self.shared).keyframe_bytes = raw.len() as u64;
        if self.is_segment_full() {
            let number = self.header.number + 1;
            self.begin(number, digest.max_ns)?;
        }
        self.content(Kind::Keyframe, &raw, digest)
    }

    fn is_segment_full(&self) -> bool {
        let Some(last) = self.segments.back() else {
            return false;
        };
        last.bytes >= self.options.segment_bytes
            || last.ended_ns.saturating_sub(last.began_ns) >= as_ns(self.options.segment_time)
    }

    fn loss(&mut self, gap: &Gap) -> io::Result<()> {
        let mut raw = Vec::new();
        let event = Event {
            at: gap.until,
            what: What::Gap(Box::new(gap.clone())),
        };
        row::put(&event, &mut Context::default(), &mut raw);
        self.lost += gap.total();
        let digest = Digest {
            lost: u32::try_from(gap.total()).unwrap_or(u32::MAX),
            min_ns: gap.from.0,
            max_ns: gap.until.0,
            ..Digest::default()
        };
        // Its event is none of those that were counted before.
        self.append(Kind::Loss, &raw, digest, true)
    }

    fn end(&mut self, at: BootTime) -> io::Result<()> {
        self.meta.totals = Some(Totals {
            ended_ns: at.0,
            events: self.events,
            lost: self.lost,
            blocks: self.block,
        });
        let meta = serde_json::to_vec(&self.meta).expect("it has only strings for keys");
        self.append(Kind::End, &meta, moment(at), true)?;
        self.meta.totals = None;
        self.segment
            .as_mut()
            .map_or(Ok(()), |segment| segment.sync())
    }

    /// Keeps a flight recorder's segments, and begins a new recording.
    fn save(&mut self, why: &str, at: BootTime) -> io::Result<()> {
        self.content(Kind::Note, format!("saved: {why}").as_bytes(), moment(at))?;
        self.end(at)?;
        if let Some(segment) = &mut self.segment {
            segment.finish();
        }
        self.saves += 1;
        let numbers: Vec<_> = self.segments.iter().map(|one| one.number).collect();
        let kept = self.place.keep(&numbers, self.saves)?;
        lock(&self.shared).progress.saved.push(kept);
        self.segments.clear();
        let number = self.header.number + 1;
        self.begin(number, at.0)
    }

    /// Asks for the next segment where this one is full, and drops what is beyond the bounds.
    fn hold_bounds(&mut self, piece: &Piece) -> io::Result<Goes> {
        if self.is_segment_full() {
            lock(&self.shared).wants_keyframe = true;
        }
        if let Some(flight) = self.options.flight {
            let now = self.segments.back().map_or(0, |last| last.ended_ns);
            let oldest_kept = now.saturating_sub(as_ns(flight));
            while self.segments.len() > 1 && self.segments[0].ended_ns < oldest_kept {
                self.drop_oldest()?;
            }
        }
        let Some(most) = self.options.most_bytes else {
            return Ok(Goes::On);
        };
        loop {
            let bytes: u64 = self.segments.iter().map(|one| one.bytes).sum();
            if bytes <= most {
                return Ok(Goes::On);
            }
            let is_ring = self.options.when_full == WhenFull::Ring || self.options.flight.is_some();
            if !is_ring || self.segments.len() < 2 {
                if is_ring {
                    // The next segment may take its place.
                    self.options.segment_bytes = self.options.segment_bytes.min(most / 4);
                    lock(&self.shared).wants_keyframe = true;
                    return Ok(Goes::On);
                }
                let at = piece.at();
                self.end(at)?;
                lock(&self.shared).progress.halted =
                    Some("the recording is as large as it may be (--max-size)".to_owned());
                return Ok(Goes::Over);
            }
            self.drop_oldest()?;
        }
    }

    fn drop_oldest(&mut self) -> io::Result<()> {
        if let Some(oldest) = self.segments.pop_front() {
            self.place.drop_oldest(oldest.number)?;
        }
        Ok(())
    }

    /// The disk is full.
    fn full(&mut self, piece: Piece, why: &str) -> io::Result<Goes> {
        if self.options.when_full == WhenFull::Ring && self.segments.len() > 1 {
            self.drop_oldest()?;
            return self.piece(piece);
        }
        let gap = piece.as_lost();
        if self.options.when_full == WhenFull::Pause {
            self.leave_out(gap);
            lock(&self.shared).progress.halted = Some(format!("paused: {why}"));
            return Ok(Goes::On);
        }
        // What follows is lost as well; that the recording ends here says so.
        let at = piece.at();
        if let Some(gap) = gap {
            lock(&self.shared).progress.lost += gap.total();
            self.loss(&gap)?;
        }
        self.end(at)?;
        Err(io::Error::new(io::ErrorKind::StorageFull, why))
    }

    fn leave_out(&mut self, gap: Option<Gap>) {
        let Some(gap) = gap else { return };
        lock(&self.shared).progress.lost += gap.total();
        let again = Instant::now() + RETRY;
        match &mut self.unwritten {
            Some((earlier, _)) => merge(earlier, &gap),
            None => self.unwritten = Some((gap, again)),
        }
    }

    /// While nothing is written. `None` = there is room again, and what was lost is told.
    fn paused(&mut self, gap: Gap, again: Instant, piece: &Piece) -> io::Result<Option<Goes>> {
        let is_end = matches!(piece, Piece::End(..));
        if Instant::now() >= again || is_end {
            // The reserve is there for this: whether there is more, the next block shows.
            self.loss(&gap)?;
            let mut shared = lock(&self.shared);
            shared.wants_keyframe = true;
            shared.progress.halted = None;
            return Ok(None);
        }
        self.unwritten = Some((gap, again));
        self.leave_out(piece.as_lost());
        Ok(Some(Goes::On))
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
    fn at(&self) -> BootTime {
        match self {
            Self::Events(block) => BootTime(block.digest.max_ns),
            Self::Keyframe(_, digest) => BootTime(digest.max_ns),
            Self::Loss(gap) => gap.until,
            Self::Note(_, at) | Self::Save(_, at) | Self::End(at, _) => *at,
        }
    }

    /// What is lost with it.
    fn as_lost(&self) -> Option<Gap> {
        match self {
            Self::Events(block) => Some(block.as_lost()),
            Self::Loss(gap) => Some(gap.clone()),
            _ => None,
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

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
