//! Events as a Common Trace Format trace, version 1.8: a folder with `metadata` and one stream.
//!
//! Its time must not go back, and inspector's events are in the order in which they were taken in.
//! They are sorted from tick to tick, since a tick says that all before it was delivered; what
//! comes after its tick all the same has the time of the event before, and its own in `at_ns`.
//!
//! A packet says how many events were discarded up to its end. A gap begins a packet, so that
//! they are counted between it and the one before.

mod kinds;
mod metadata;

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
};

use self::metadata::Facts;
use super::{Subject, Totals, jsonl, past};
use crate::event::{Event, What, id::BootTime, text::Text};

/// What a packet begins with.
const MAGIC: u32 = 0xc1fc_1fc1;

/// The bytes of a packet's header and context.
const HEAD_BYTES: usize = 8 + 5 * 8;

/// How large a packet's events grow.
const PACKET_BYTES: usize = 1 << 18;

/// How many events wait for their tick at most.
const MOST_WAITING: usize = 1 << 17;

/// Writes the files that `open` makes by their names.
pub(super) fn write(
    open: &mut dyn FnMut(&str) -> io::Result<File>,
    subject: Subject<'_>,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let escaped = |text: String| Text::from(text.into_bytes()).to_string();
    let metadata = metadata::text(&Facts {
        host: &escaped(subject.host),
        command: subject.command.map(escaped).as_deref(),
        boot_wall_ns: subject.boot_wall_ns,
    });
    open("metadata")?.write_all(metadata.as_bytes())?;
    let mut stream = Stream::new(open("stream")?, subject.since)?;
    let mut totals = Totals::default();
    for batch in subject.reads.filter_map(past::batch) {
        if let Some(last) = batch.events.last() {
            progress(last.at);
        }
        for event in batch.events {
            if event.at <= subject.until {
                totals.events += 1;
                stream.take(&event)?;
            }
        }
    }
    stream.close()?;
    totals.lost = stream.discarded;
    totals.packets = stream.packets;
    totals.bytes = stream.bytes + metadata.len() as u64;
    Ok(totals)
}

/// An event that waits for its tick.
struct Waiting {
    at: BootTime,
    /// Its number, and its fields.
    kind: u16,
    fields: Vec<u8>,
    /// How many events it says were lost.
    lost: u64,
}

struct Stream {
    out: BufWriter<File>,
    waiting: Vec<Waiting>,
    /// The open packet's events.
    events: Vec<u8>,
    /// When the open packet begins, and the time of the last event.
    begin: BootTime,
    now: BootTime,
    discarded: u64,
    packets: u64,
    bytes: u64,
}

impl Stream {
    /// The first packet is empty: what is lost thereafter is counted from it.
    fn new(file: File, since: BootTime) -> io::Result<Self> {
        let mut stream = Self {
            out: BufWriter::new(file),
            waiting: Vec::new(),
            events: Vec::new(),
            begin: since,
            now: since,
            discarded: 0,
            packets: 0,
            bytes: 0,
        };
        stream.end_packet()?;
        Ok(stream)
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        let (kind, fields) = encoded(event)?;
        let lost = match &event.what {
            What::Gap(gap) => gap.total(),
            _ => 0,
        };
        let at = event.at;
        self.waiting.push(Waiting {
            at,
            kind,
            fields,
            lost,
        });
        if matches!(event.what, What::Tick) {
            self.release(at)?;
        } else if self.waiting.len() >= MOST_WAITING {
            self.release(BootTime(u64::MAX))?;
        }
        Ok(())
    }

    /// Everything before this was delivered.
    fn release(&mut self, before: BootTime) -> io::Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by_key(|waiting| waiting.at);
        let later = waiting.partition_point(|waiting| waiting.at < before);
        self.waiting = waiting.split_off(later);
        waiting.iter().try_for_each(|event| self.put(event))
    }

    fn put(&mut self, event: &Waiting) -> io::Result<()> {
        if event.lost > 0 && !self.events.is_empty() || self.events.len() >= PACKET_BYTES {
            self.end_packet()?;
        }
        self.discarded = self.discarded.saturating_add(event.lost);
        self.now = self.now.max(event.at);
        self.events.extend(event.kind.to_le_bytes());
        self.events.extend(self.now.0.to_le_bytes());
        self.events.extend(event.at.0.to_le_bytes());
        self.events.extend(&event.fields);
        Ok(())
    }

    fn end_packet(&mut self) -> io::Result<()> {
        let bytes = HEAD_BYTES + self.events.len();
        let bits = bytes as u64 * 8;
        self.out.write_all(&MAGIC.to_le_bytes())?;
        self.out.write_all(&0_u32.to_le_bytes())?;
        for number in [self.begin.0, self.now.0, bits, bits, self.discarded] {
            self.out.write_all(&number.to_le_bytes())?;
        }
        self.out.write_all(&self.events)?;
        self.events.clear();
        self.begin = self.now;
        self.packets += 1;
        self.bytes += bytes as u64;
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.release(BootTime(u64::MAX))?;
        // What waits for the end of time itself has no later.
        for event in std::mem::take(&mut self.waiting) {
            self.put(&event)?;
        }
        if !self.events.is_empty() {
            self.end_packet()?;
        }
        self.out.flush()
    }
}

/// An event's kind and fields, as its line of JSON Lines tells them.
fn encoded(event: &Event) -> io::Result<(u16, Vec<u8>)> {
    let json = jsonl::value(event);
    let encode = || {
        let (kind, fields) = kinds::kind_of(&json)?;
        let mut bytes = Vec::new();
        for field in fields {
            field.encode(&json, &mut bytes)?;
        }
        Some((kind, bytes))
    };
    encode()
        .ok_or_else(|| io::Error::other(format!("an event of a kind that has no shape: {json}")))
}
