//! Where the ledger's records live: cells that are reused, named by typed keys of four bytes.
//!
//! A key is a place inside the ledger, not an identity: identities (tids with start times,
//! numbers with generations) are in the records.

mod written;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    num::NonZeroU32,
    ops::{Index, IndexMut},
};

pub(super) use self::written::Numbers;

/// The place of a `T`. Its cell is used again after the record was forgotten.
pub struct Key<T> {
    cell: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

/// Records of one kind.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    cells: Vec<Option<T>>,
    /// The cells without one; the last is used first.
    vacant: Vec<Key<T>>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            cells: Vec::new(),
            vacant: Vec::new(),
        }
    }
}

impl<T> Arena<T> {
    /// Stores a record.
    pub(super) fn insert(&mut self, record: T) -> Key<T> {
        if let Some(key) = self.vacant.pop() {
            self.cells[key.index()] = Some(record);
            return key;
        }
        self.cells.push(Some(record));
        Key::of_cell(self.cells.len() - 1).expect("memory ends long before 2^32 records")
    }

    /// Forgets a record.
    pub(super) fn remove(&mut self, key: Key<T>) -> Option<T> {
        let record = self.cells.get_mut(key.index())?.take()?;
        self.vacant.push(key);
        Some(record)
    }

    /// The record, unless it was forgotten.
    pub(super) fn get(&self, key: Key<T>) -> Option<&T> {
        self.cells.get(key.index())?.as_ref()
    }

    /// The record, unless it was forgotten.
    pub(super) fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        self.cells.get_mut(key.index())?.as_mut()
    }

    /// Every record, in the order of the cells.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        let cells = self.cells.iter().enumerate();
        cells.filter_map(|(index, record)| Some((Key::of_cell(index)?, record.as_ref()?)))
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len() - self.vacant.len()
    }

    /// How many cells there are, vacant ones included.
    pub(super) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Bytes of the cells.
    pub(super) fn bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Option<T>>()
            + self.vacant.capacity() * size_of::<Key<T>>()
    }
}

impl<T> Index<Key<T>> for Arena<T> {
    type Output = T;

    fn index(&self, key: Key<T>) -> &T {
        self.get(key)
            .expect("records refer only to records that outlive them")
    }
}

impl<T> IndexMut<Key<T>> for Arena<T> {
    fn index_mut(&mut self, key: Key<T>) -> &mut T {
        self.get_mut(key)
            .expect("records refer only to records that outlive them")
    }
}

impl<T> Key<T> {
    fn of_cell(index: usize) -> Option<Self> {
        let cell = u32::try_from(index + 1).ok().and_then(NonZeroU32::new)?;
        Some(Self {
            cell,
            of: PhantomData,
        })
    }

    /// Which cell it is, counted from 0: what watches every record keeps its notes by this.
    pub(crate) fn index(self) -> usize {
        self.cell.get() as usize - 1
    }
}

// Derived impls would ask the same of `T`, which a place does not need.
impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cell == other.cell
    }
}

impl<T> Eq for Key<T> {}

impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cell.cmp(&other.cell)
    }
}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.cell.hash(state);
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.cell)
    }
}
