//! How records are written down: each with the number of vacant cells before it.

use std::{cmp::Reverse, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
    ser::SerializeSeq,
};

use super::{Arena, Key};

/// Most bytes of vacant cells that are read: they cost a file nothing, and a hostile one could ask
/// for all of memory.
const MOST_VACANT: usize = 512 << 20;

impl<T: Serialize> Serialize for Arena<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The last one stands for the vacant cells at the end.
        let mut written = serializer.serialize_seq(Some(self.len() + 1))?;
        let mut vacant = 0_u32;
        for cell in &self.cells {
            if cell.is_some() {
                written.serialize_element(&(vacant, cell))?;
                vacant = 0;
            } else {
                vacant += 1;
            }
        }
        written.serialize_element(&(vacant, None::<T>))?;
        written.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Arena<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Records(PhantomData))
    }
}

struct Records<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Records<T> {
    type Value = Arena<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records, and not too many vacant cells")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<Arena<T>, A::Error> {
        // Whatever length it says: it grows with what is there.
        let mut cells: Vec<Option<T>> = Vec::new();
        let mut vacant = Vec::new();
        while let Some((before, record)) = records.next_element::<(u32, Option<T>)>()? {
            let is_last = record.is_none();
            let before = before as usize;
            if vacant.len() + before > MOST_VACANT / size_of::<Option<T>>() {
                return Err(A::Error::custom("too many vacant cells"));
            }
            for _ in 0..before {
                let key = Key::of_cell(cells.len());
                vacant.extend(key.map(Reverse));
                cells.push(None);
            }
            if is_last {
                break;
            }
            cells.push(record);
        }
        if records.next_element::<(u32, Option<T>)>()?.is_some() {
            return Err(A::Error::custom("records behind the last one"));
        }
        Ok(Arena {
            cells,
            vacant: vacant.into(),
        })
    }
}
