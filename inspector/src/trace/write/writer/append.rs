//! Begins segments, and appends blocks to them.

use std::io;

use super::{Writer, Written, moment};
use crate::{
    event::BootTime,
    trace::{
        block::{self, Digest, HEADER, Header, Kind, Packing, SegmentHeader},
        meta::Meta,
        write::lock,
    },
};

impl Writer {
    /// Begins the next segment.
    pub(super) fn begin_next(&mut self, at: BootTime) -> io::Result<()> {
        self.begin(self.header.number + 1, at.0, false)
    }

    /// Begins a segment: its header and META, or nothing.
    pub(super) fn begin(&mut self, number: u32, at_ns: u64, last: bool) -> io::Result<()> {
        let header = SegmentHeader {
            number,
            first_block: self.block,
            first_event: self.events,
            ..self.header
        };
        let meta = Meta {
            began_ns: at_ns,
            ..self.meta.clone()
        };
        let raw = serde_json::to_vec(&meta).expect("it has only strings for keys");
        self.last_keyframe = None;
        let about = self.header_of(Kind::Meta, &raw, moment(BootTime(at_ns)))?;
        let block = [&about.bytes(header.marker), self.stored(&raw, &about)].concat();
        let mut segment = self.place.begin(number)?;
        if let Err(error) = segment.append([&header.bytes(), &block], last) {
            drop(segment);
            let _an_empty_one_stays = self.place.drop_segment(number);
            return Err(error);
        }
        let bytes = block.len() as u64;
        self.segments.push_back(Written {
            number,
            keyframe_bytes: 0,
            began_ns: at_ns,
            ended_ns: at_ns,
            bytes: block::SEGMENT_HEADER as u64,
        });
        self.header = header;
        self.meta = meta;
        self.count_written(&about, bytes);
        if let Some(mut before) = self.segment.replace(segment) {
            before.sync()?;
            before.finish();
        }
        Ok(())
    }

    /// Packs what a block is to hold. Its header.
    fn header_of(&mut self, kind: Kind, raw: &[u8], digest: Digest) -> io::Result<Header> {
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
        Ok(Header {
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
        })
    }

    /// What of a block's content goes to the disk.
    fn stored<'a>(&'a self, raw: &'a [u8], header: &Header) -> &'a [u8] {
        match header.packing {
            Packing::Zstd => &self.packed,
            Packing::Plain => raw,
        }
    }

    pub(super) fn append(
        &mut self,
        kind: Kind,
        raw: &[u8],
        digest: Digest,
        last: bool,
    ) -> io::Result<()> {
        let header = self.header_of(kind, raw, digest)?;
        let stored = match header.packing {
            Packing::Zstd => &self.packed,
            Packing::Plain => raw,
        };
        let Some(segment) = &mut self.segment else {
            return Err(io::ErrorKind::StorageFull.into());
        };
        segment.append([&header.bytes(self.header.marker), stored], last)?;
        let bytes = (HEADER + stored.len()) as u64;
        self.count_written(&header, bytes);
        Ok(())
    }

    fn count_written(&mut self, header: &Header, bytes: u64) {
        if header.kind == Kind::Keyframe {
            self.last_keyframe = Some(self.block);
        }
        self.block += 1;
        self.events += u64::from(header.digest.events);
        self.unsynced += bytes;
        if let Some(written) = self.segments.back_mut() {
            written.bytes += bytes;
            if header.kind == Kind::Keyframe {
                written.keyframe_bytes = written.keyframe_bytes.max(bytes);
            }
            written.ended_ns = written.ended_ns.max(header.digest.max_ns);
        }
        lock(&self.shared).progress.bytes += bytes;
    }
}
