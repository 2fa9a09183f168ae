//! Where the ledger's records live: cells that are reused, named by typed keys of four bytes.
//!
//! A key is a place inside the ledger, not an identity: identities (tids with start times,
//! numbers with generations) are in the records.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    num::NonZeroU32,
    ops::{Index, IndexMut},
};

/// The place of a `T`. Its cell is used again after the record was forgotten.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound = "")]
pub struct Key<T> {
    cell: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

/// Records of one kind.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Arena<T> {
    #[serde(
        bound(deserialize = "T: serde::Deserialize<'de>"),
        deserialize_with = "bounded"
    )]
    cells: Vec<Option<T>>,
    free: Vec<Key<T>>,
}

/// Most bytes of vacant cells that are read: they cost a file next to nothing, and a hostile one
/// could ask for all of memory.
const MOST_VACANT: usize = 512 << 20;

/// Reads cells, of which not too many are vacant.
fn bounded<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Option<T>>, D::Error> {
    struct Cells<T>(PhantomData<T>);

    impl<'de, T: serde::Deserialize<'de>> serde::de::Visitor<'de> for Cells<T> {
        type Value = Vec<Option<T>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("records, and not too many vacant cells")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut records: A,
        ) -> Result<Self::Value, A::Error> {
            // Whatever length it says: it grows with what is there.
            let mut cells = Vec::new();
            let mut vacant = 0;
            while let Some(cell) = records.next_element::<Option<T>>()? {
                vacant += usize::from(cell.is_none());
                if vacant > MOST_VACANT / size_of::<Option<T>>() {
                    return Err(serde::de::Error::custom("too many vacant cells"));
                }
                cells.push(cell);
            }
            Ok(cells)
        }
    }

    deserializer.deserialize_seq(Cells(PhantomData))
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            cells: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Arena<T> {
    /// Stores a record.
    pub(super) fn insert(&mut self, record: T) -> Key<T> {
        if let Some(key) = self.free.pop() {
            self.cells[key.index()] = Some(record);
            return key;
        }
        self.cells.push(Some(record));
        let cell = u32::try_from(self.cells.len())
            .ok()
            .and_then(NonZeroU32::new)
            .expect("memory ends long before 2^32 records");
        Key {
            cell,
            of: PhantomData,
        }
    }

    /// Forgets a record.
    pub(super) fn remove(&mut self, key: Key<T>) -> Option<T> {
        let record = self.cells.get_mut(key.index())?.take()?;
        self.free.push(key);
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
        (1u32..).zip(&self.cells).filter_map(|(number, record)| {
            let cell = NonZeroU32::new(number)?;
            let key = Key {
                cell,
                of: PhantomData,
            };
            Some((key, record.as_ref()?))
        })
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len() - self.free.len()
    }

    /// How many cells there are, vacant ones included.
    pub(super) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Whether the vacant cells are exactly those that are used next: records that were read from
    /// a file may say otherwise.
    pub(super) fn is_sound(&self) -> bool {
        let mut vacant: Vec<bool> = self.cells.iter().map(Option::is_none).collect();
        let is_vacant = |key: &Key<T>| {
            let cell = vacant.get_mut(key.index());
            cell.is_some_and(std::mem::take)
        };
        self.free.iter().all(is_vacant) && !vacant.contains(&true)
    }

    /// Bytes of the cells.
    pub(super) fn bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Option<T>>() + self.free.capacity() * size_of::<Key<T>>()
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
