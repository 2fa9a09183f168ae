//! Words that a trace spells once and then calls by their numbers.

use rustc_hash::FxHashMap;

use super::message::Message;

/// The words of one sequence of packets, and which of them the next packet has to spell.
#[derive(Debug, Default)]
pub(super) struct Interned {
    known: [FxHashMap<Box<str>, u64>; 4],
    /// `InternedData` of the next packet.
    spelled: Message,
}

/// What a word is: each kind is numbered by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordOf {
    Category,
    Name,
    ArgName,
    ArgText,
}

/// Words known at once; then all are forgotten, by the reader too.
const MOST: usize = 1 << 16;

impl Interned {
    /// A word's number.
    pub(super) fn number(&mut self, of: WordOf, word: &str) -> u64 {
        let known = &mut self.known[of as usize];
        if let Some(&number) = known.get(word) {
            return number;
        }
        let number = known.len() as u64 + 1;
        known.insert(word.into(), number);
        self.spelled.message(of.field(), |entry| {
            entry.number(1, number);
            entry.bytes_field(2, word.as_bytes());
        });
        number
    }

    /// What the packet that uses the latest numbers has to spell.
    pub(super) fn spelled(&mut self) -> &mut Message {
        &mut self.spelled
    }

    /// Whether the words are so many that they had better be forgotten.
    pub(super) fn is_full(&self) -> bool {
        self.known.iter().map(FxHashMap::len).sum::<usize>() >= MOST
    }

    /// Forgets all; the next packet must say so.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl WordOf {
    /// The field of `InternedData`.
    fn field(self) -> u32 {
        match self {
            Self::Category => 1,
            Self::Name => 2,
            Self::ArgName => 3,
            Self::ArgText => 29,
        }
    }
}
