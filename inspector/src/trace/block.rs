//! The headers of segments and blocks, byte by byte. All numbers are little-endian.

/// What a segment begins with.
pub const MAGIC: [u8; 8] = *b"INSPREC\n";
/// The version of the format that is written.
pub const VERSION: u16 = 1;
/// Bytes of a segment's header.
pub const SEGMENT_HEADER: usize = 64;
/// Bytes of a block's header.
pub const HEADER: usize = 96;
/// Most bytes of a block's content, packed or not, whatever its header says.
pub const MOST_CONTENT: u32 = 1 << 30;
/// Most events or blocks that a header may count: more than years of a busy target, and sums of
/// them hold.
const MOST_COUNT: u64 = 1 << 44;

/// A segment's first 64 bytes.
///
/// | at | bytes | content |
/// |---|---|---|
/// | 0 | 8 | [`MAGIC`] |
/// | 8 | 2 | [`VERSION`] |
/// | 10 | 2 | [`SEGMENT_HEADER`] |
/// | 12 | 4 | the segment's number, from 0 |
/// | 16 | 16 | the recording's random id |
/// | 32 | 8 | the marker of its blocks |
/// | 40 | 8 | the number of its first block |
/// | 48 | 8 | events in the segments before it |
/// | 56 | 4 | 0 |
/// | 60 | 4 | CRC-32 of the bytes before it |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The version it was written in.
    pub version: u16,
    /// The segment's number, from 0.
    pub number: u32,
    /// The recording's random id, alike in all its segments.
    pub recording: [u8; 16],
    /// What each of its blocks begins with: random.
    pub marker: [u8; 8],
    /// The number of its first block.
    pub first_block: u64,
    /// Events in the segments before it.
    pub first_event: u64,
}

impl SegmentHeader {
    /// Its bytes.
    pub fn bytes(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&self.version.to_le_bytes());
        bytes[10..12].copy_from_slice(&(SEGMENT_HEADER as u16).to_le_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.recording);
        bytes[32..40].copy_from_slice(&self.marker);
        bytes[40..48].copy_from_slice(&self.first_block.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first_event.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// From its bytes; `None` = they are damaged, or of something else.
    pub fn parse(bytes: &[u8; SEGMENT_HEADER]) -> Option<Self> {
        let whole = !is_checked() || crc32fast::hash(&bytes[..60]).to_le_bytes() == bytes[60..];
        let header = (whole && bytes[..8] == MAGIC).then(|| Self {
            version: u16::from_le_bytes(part(bytes, 8)),
            number: u32::from_le_bytes(part(bytes, 12)),
            recording: part(bytes, 16),
            marker: part(bytes, 32),
            first_block: u64::from_le_bytes(part(bytes, 40)),
            first_event: u64::from_le_bytes(part(bytes, 48)),
        });
        header.filter(|header| header.first_block.max(header.first_event) <= MOST_COUNT)
    }
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// About the recording.
    Meta,
    /// Rows, one an event.
    Events,
    /// Everything that is known.
    Keyframe,
    /// What the recorder could not keep.
    Loss,
    /// The user's own remark.
    Note,
    /// The clean end.
    End,
    /// Of a later version: passed over.
    Other(u8),
}

impl Kind {
    const NUMBERS: [(Self, u8); 6] = [
        (Self::Meta, 1),
        (Self::Events, 2),
        (Self::Keyframe, 3),
        (Self::Loss, 4),
        (Self::Note, 5),
        (Self::End, 6),
    ];

    fn number(self) -> u8 {
        match self {
            Self::Other(number) => number,
            _ => Self::NUMBERS
                .iter()
                .find(|(kind, _)| *kind == self)
                .map_or(0, |(_, number)| *number),
        }
    }

    fn of(number: u8) -> Self {
        Self::NUMBERS
            .iter()
            .find(|(_, known)| *known == number)
            .map_or(Self::Other(number), |(kind, _)| *kind)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Events => "events",
            Self::Keyframe => "keyframe",
            Self::Loss => "loss",
            Self::Note => "note",
            Self::End => "end",
            Self::Other(_) => "other",
        }
    }
}

/// How a block's content is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// It is as it is.
    Plain,
    /// By zstd.
    Zstd,
}

/// A block's first 96 bytes.
///
/// | at | bytes | content |
/// |---|---|---|
/// | 0 | 8 | the recording's marker |
/// | 8 | 4 | CRC-32 of the bytes from 12 to 96 |
/// | 12 | 4 | CRC-32 of the content as it is stored |
/// | 16 | 8 | the block's number, from 0 through all segments |
/// | 24 | 1 | its kind |
/// | 25 | 1 | its packing: 0 = none, 1 = zstd |
/// | 26 | 2 | 0 |
/// | 28 | 4 | its events |
/// | 32 | 4 | bytes of its content, unpacked |
/// | 36 | 4 | and as it is stored |
/// | 40 | 8 | events in the blocks before it |
/// | 48, 56 | 8, 8 | the earliest and the latest time of its events |
/// | 64 | 8 | events that the recorder could not keep, so far |
/// | 72, 76 | 4, 4 | live threads and open handles at its end |
/// | 80 | 4 | deletes that ended in it |
/// | 84 | 4 | verdicts that fell in it and are no good ones: late or retained |
/// | 88 | 4 | events whose loss was told in it |
/// | 92 | 4 | blocks back to the last keyframe; 0 = there is none, or this is one |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The block's number, through all segments.
    pub number: u64,
    /// What it holds.
    pub kind: Kind,
    /// How that is packed.
    pub packing: Packing,
    /// Bytes of its content, unpacked.
    pub raw_len: u32,
    /// And as it is stored.
    pub stored_len: u32,
    /// CRC-32 of what is stored.
    pub content_crc: u32,
    /// Events in the blocks before it.
    pub first_event: u64,
    /// Events that the recorder could not keep, so far.
    pub lost: u64,
    /// Blocks back to the last keyframe.
    pub keyframe_back: u32,
    /// What its events come to.
    pub digest: Digest,
}

/// What the events of a block come to: what a timeline shows without reading them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many.
    pub events: u32,
    /// Their earliest time.
    pub min_ns: u64,
    /// Their latest.
    pub max_ns: u64,
    /// Live threads at its end.
    pub threads: u32,
    /// Open handles at its end.
    pub handles: u32,
    /// Deletes that ended.
    pub deletes: u32,
    /// Verdicts that fell and are no good ones: late or retained.
    pub bad_verdicts: u32,
    /// Events whose loss was told.
    pub lost: u32,
}

impl Header {
    /// Its bytes.
    pub fn bytes(&self, marker: [u8; 8]) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let digest = &self.digest;
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(0, &marker);
        put(12, &self.content_crc.to_le_bytes());
        put(16, &self.number.to_le_bytes());
        put(
            24,
            &[self.kind.number(), u8::from(self.packing == Packing::Zstd)],
        );
        put(28, &digest.events.to_le_bytes());
        put(32, &self.raw_len.to_le_bytes());
        put(36, &self.stored_len.to_le_bytes());
        put(40, &self.first_event.to_le_bytes());
        put(48, &digest.min_ns.to_le_bytes());
        put(56, &digest.max_ns.to_le_bytes());
        put(64, &self.lost.to_le_bytes());
        put(72, &digest.threads.to_le_bytes());
        put(76, &digest.handles.to_le_bytes());
        put(80, &digest.deletes.to_le_bytes());
        put(84, &digest.bad_verdicts.to_le_bytes());
        put(88, &digest.lost.to_le_bytes());
        put(92, &self.keyframe_back.to_le_bytes());
        let crc = crc32fast::hash(&bytes[12..]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// From its bytes; `None` = they are no header, or a damaged one. The marker is the caller's
    /// to compare.
    pub fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        if is_checked() && crc32fast::hash(&bytes[12..]).to_le_bytes() != bytes[8..12] {
            return None;
        }
        let header = Self {
            number: u64::from_le_bytes(part(bytes, 16)),
            kind: Kind::of(bytes[24]),
            packing: match bytes[25] {
                0 => Packing::Plain,
                1 => Packing::Zstd,
                _ => return None,
            },
            raw_len: u32::from_le_bytes(part(bytes, 32)),
            stored_len: u32::from_le_bytes(part(bytes, 36)),
            content_crc: u32::from_le_bytes(part(bytes, 12)),
            first_event: u64::from_le_bytes(part(bytes, 40)),
            lost: u64::from_le_bytes(part(bytes, 64)),
            keyframe_back: u32::from_le_bytes(part(bytes, 92)),
            digest: Digest {
                events: u32::from_le_bytes(part(bytes, 28)),
                min_ns: u64::from_le_bytes(part(bytes, 48)),
                max_ns: u64::from_le_bytes(part(bytes, 56)),
                threads: u32::from_le_bytes(part(bytes, 72)),
                handles: u32::from_le_bytes(part(bytes, 76)),
                deletes: u32::from_le_bytes(part(bytes, 80)),
                bad_verdicts: u32::from_le_bytes(part(bytes, 84)),
                lost: u32::from_le_bytes(part(bytes, 88)),
            },
        };
        let counts = [header.number, header.first_event, header.lost];
        let is_bounded = header.raw_len.max(header.stored_len) <= MOST_CONTENT
            && counts.iter().all(|&count| count <= MOST_COUNT);
        is_bounded.then_some(header)
    }
}

/// Whether checksums count. A fuzzer would never get past them.
pub(super) const fn is_checked() -> bool {
    !cfg!(fuzzing)
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            number: 7,
            kind: Kind::Events,
            packing: Packing::Zstd,
            raw_len: 1000,
            stored_len: 300,
            content_crc: 0xdead_beef,
            first_event: 123,
            lost: 4,
            keyframe_back: 2,
            digest: Digest {
                events: 50,
                min_ns: 1,
                max_ns: 2,
                threads: 3,
                handles: 4,
                deletes: 5,
                bad_verdicts: 6,
                lost: 7,
            },
        }
    }

    #[test]
    fn headers_come_back_and_no_flipped_bit_does() {
        let bytes = header().bytes(*b"marker!!");
        assert_eq!(Header::parse(&bytes), Some(header()));
        for bit in 64..HEADER * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::parse(&damaged), None, "bit {bit}");
        }
        let segment = SegmentHeader {
            version: VERSION,
            number: 3,
            recording: [9; 16],
            marker: *b"marker!!",
            first_block: 12,
            first_event: 34,
        };
        let bytes = segment.bytes();
        assert_eq!(SegmentHeader::parse(&bytes), Some(segment));
        for bit in 0..SEGMENT_HEADER * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::parse(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn lengths_and_counts_beyond_their_bounds_are_no_header() {
        let long = Header {
            raw_len: MOST_CONTENT + 1,
            ..header()
        };
        assert_eq!(Header::parse(&long.bytes([0; 8])), None);
        let at_most = Header {
            first_event: MOST_COUNT,
            ..header()
        };
        assert_eq!(Header::parse(&at_most.bytes([0; 8])), Some(at_most));
        let many = Header {
            first_event: MOST_COUNT + 1,
            ..header()
        };
        assert_eq!(Header::parse(&many.bytes([0; 8])), None);
    }
}
