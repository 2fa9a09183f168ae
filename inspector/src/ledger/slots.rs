//! Number → latest descriptor: dense where the kernel's own table is dense, sparse above.

use rustc_hash::FxHashMap;

use super::{arena::Key, handle::Descriptor};
use crate::event::id::Fd;

/// Numbers below this stand in an array that grows with the highest one, as the kernel's own
/// table does (which spends twice the bytes on it). A number above costs a map entry, so that a
/// number made up by a damaged record cannot ask for gigabytes.
const DENSE: u32 = 65_536;

/// The latest descriptor, open or closed, of each number.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Slots {
    dense: Vec<Option<Key<Descriptor>>>,
    sparse: FxHashMap<u32, Key<Descriptor>>,
}

impl Slots {
    pub(super) fn get(&self, fd: Fd) -> Option<Key<Descriptor>> {
        if fd.0 < DENSE {
            *self.dense.get(fd.0 as usize)?
        } else {
            self.sparse.get(&fd.0).copied()
        }
    }

    pub(super) fn set(&mut self, fd: Fd, descriptor: Key<Descriptor>) {
        if fd.0 < DENSE {
            let index = fd.0 as usize;
            if index >= self.dense.len() {
                self.dense.resize(index + 1, None);
            }
            self.dense[index] = Some(descriptor);
        } else {
            self.sparse.insert(fd.0, descriptor);
        }
    }

    /// Clears the number if this descriptor is still its latest.
    pub(super) fn clear(&mut self, fd: Fd, descriptor: Key<Descriptor>) {
        if self.get(fd) != Some(descriptor) {
            return;
        }
        if fd.0 < DENSE {
            self.dense[fd.0 as usize] = None;
        } else {
            self.sparse.remove(&fd.0);
        }
    }

    /// The latest descriptors of the numbers in `first..=last`, ascending.
    pub(super) fn within(&self, first: Fd, last: Fd) -> Vec<(Fd, Key<Descriptor>)> {
        let from = (first.0 as usize).min(self.dense.len());
        let to = (last.0 as usize).saturating_add(1).min(self.dense.len());
        let mut found: Vec<_> = (first.0.min(DENSE)..)
            .zip(self.dense.get(from..to).unwrap_or_default())
            .filter_map(|(number, slot)| Some((Fd(number), (*slot)?)))
            .collect();
        if last.0 >= DENSE {
            let dense = found.len();
            found.extend(
                self.sparse
                    .iter()
                    .filter(|&(&number, _)| (first.0..=last.0).contains(&number))
                    .map(|(&number, &descriptor)| (Fd(number), descriptor)),
            );
            found[dense..].sort_unstable_by_key(|&(fd, _)| fd);
        }
        found
    }

    /// Whether each number stands where it is looked for: records that were read from a file may
    /// say otherwise.
    pub(super) fn is_sound(&self) -> bool {
        self.dense.len() <= DENSE as usize && self.sparse.keys().all(|&number| number >= DENSE)
    }

    pub(super) fn bytes(&self) -> usize {
        self.dense.capacity() * size_of::<Option<Key<Descriptor>>>() + self.sparse.capacity() * 12
    }
}
