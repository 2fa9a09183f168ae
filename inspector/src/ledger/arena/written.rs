//! How records are written down: one behind the other, in the order of their cells, and each key as the
//! number of its record among them.
//!
//! Vacant cells are not written: a ledger that has forgotten much would take as much memory where it is
//! read as where it was made. A key of a record that was forgotten is written as one that never has any.

use std::{any::TypeId, cell::RefCell, marker::PhantomData, num::NonZeroU32};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};

use super::{Arena, Key};

thread_local! {
    /// serde hands nothing down to what it writes.
    static NUMBERS: RefCell<Option<Numbers>> = const { RefCell::new(None) };
}

/// By which numbers the records of some arenas, all of different kinds, are written.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Numbers {
    /// By kind and by cell.
    of: FxHashMap<TypeId, Vec<NonZeroU32>>,
}

/// The number of records that were forgotten.
const FORGOTTEN: NonZeroU32 = NonZeroU32::MAX;

impl Numbers {
    /// And those of this arena.
    pub(in crate::ledger) fn and<T: 'static>(mut self, arena: &Arena<T>) -> Self {
        let mut next = NonZeroU32::MIN;
        let numbers = arena.cells.iter().map(|cell| match cell {
            Some(_) => {
                let number = next;
                next = next.saturating_add(1);
                number
            }
            None => FORGOTTEN,
        });
        self.of.insert(TypeId::of::<T>(), numbers.collect());
        self
    }

    /// What is written meanwhile is written by them.
    pub(in crate::ledger) fn rule<R>(self, write: impl FnOnce() -> R) -> R {
        struct End;
        impl Drop for End {
            fn drop(&mut self) {
                NUMBERS.set(None);
            }
        }
        NUMBERS.set(Some(self));
        let _end = End;
        write()
    }

    fn number<T: 'static>(key: Key<T>) -> Option<NonZeroU32> {
        NUMBERS.with_borrow(|numbers| {
            let numbers = numbers.as_ref()?.of.get(&TypeId::of::<T>())?;
            Some(numbers.get(key.index()).copied().unwrap_or(FORGOTTEN))
        })
    }
}

impl<T: 'static> Serialize for Key<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = Numbers::number(*self);
        let number = number.expect("a ledger is written by the numbers of its records");
        number.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Key<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            cell: NonZeroU32::deserialize(deserializer)?,
            of: PhantomData,
        })
    }
}

impl<T: Serialize> Serialize for Arena<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = serializer.serialize_seq(Some(self.len()))?;
        for record in self.cells.iter().flatten() {
            written.serialize_element(record)?;
        }
        written.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Arena<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let records = Vec::<T>::deserialize(deserializer)?;
        Ok(Self {
            cells: records.into_iter().map(Some).collect(),
            ..Self::default()
        })
    }
}
