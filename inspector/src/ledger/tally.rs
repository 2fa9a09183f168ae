//! How many descriptors were ever born and closed, by call and by cause: what another witness of
//! the same run counts too. Nothing of it is forgotten.

use std::collections::BTreeMap;

use super::{handle::ClosedHow, sound::MOST_COUNTED};
use crate::event::id::CallNumber;

/// The sums. Births are those that were seen; what was inherited, or open before the attach, was
/// not born here.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    born: BTreeMap<u16, u64>,
    closed: [u64; ClosedHow::ALL.len()],
}

impl Tally {
    pub(super) fn born(&mut self, call: CallNumber) {
        *self.born.entry(call.0).or_default() += 1;
    }

    pub(super) fn closed(&mut self, how: ClosedHow) {
        self.closed[how as usize] += 1;
    }

    /// Whether the sums leave room for more: records that were read from a file may not.
    pub(super) fn is_sound(&self) -> bool {
        let mut sums = self.born.values().chain(&self.closed);
        sums.all(|&sum| sum < MOST_COUNTED)
    }

    /// Births by call.
    pub fn births(&self) -> impl Iterator<Item = (CallNumber, u64)> {
        let of = |(&call, &count)| (CallNumber(call), count);
        self.born.iter().map(of)
    }

    /// Closes by cause.
    pub fn closes(&self) -> impl Iterator<Item = (ClosedHow, u64)> {
        ClosedHow::ALL.into_iter().zip(self.closed)
    }
}
