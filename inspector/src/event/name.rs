//! Names that this program gave: of record kinds, maps and programs; from text too, where a recording
//! holds them.

use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashSet;

/// A name that this program gave.
pub type Name = &'static str;

/// Longest name, in bytes.
const LONGEST: usize = 64;
/// Most names that are read from text, whatever the text says.
const MOST: usize = 1024;

/// What stands for a name that can't be one of this program's.
const ODD: &str = "odd name";

/// The same name, to stay. Text that is no name of this program's (letters, digits, `_`, `-`, `.`
/// and blanks), or one more than `MOST`, is `ODD`.
pub fn known(name: &str) -> &'static str {
    static NAMES: Mutex<Option<FxHashSet<&'static str>>> = Mutex::new(None);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte);
    if name.len() > LONGEST || !name.bytes().all(is_name) {
        return ODD;
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name) {
        return known;
    }
    if names.len() >= MOST {
        return ODD;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}

/// A name, for serde.
pub(crate) mod one {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        name: &&'static str,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static str, D::Error> {
        Ok(super::known(<&str>::deserialize(deserializer)?))
    }
}

/// Names with something counted of each, for serde.
pub(crate) mod counts {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer, T: Serialize>(
        counts: &[(&'static str, T)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(counts)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<Vec<(&'static str, T)>, D::Error> {
        let counts = Vec::<(&str, T)>::deserialize(deserializer)?;
        let known = |(name, count)| (super::known(name), count);
        Ok(counts.into_iter().map(known).collect())
    }
}

/// Counts by cpu and name, for serde.
pub(crate) mod counts_by_cpu {
    use serde::{Deserialize as _, Deserializer, Serializer};

    type Count<'a> = (Option<u16>, &'a str, u64);

    pub(crate) fn serialize<S: Serializer>(
        counts: &[Count<'static>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(counts)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Count<'static>>, D::Error> {
        let counts = Vec::<Count<'_>>::deserialize(deserializer)?;
        let known = |(cpu, name, count)| (cpu, super::known(name), count);
        Ok(counts.into_iter().map(known).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_hostile_ones_do_not() {
        assert_eq!(known("call"), "call");
        assert!(std::ptr::eq(
            known("not there before"),
            known("not there before")
        ));
        assert_eq!(known("\u{1b}[2J"), ODD);
        assert_eq!(known(&"x".repeat(LONGEST + 1)), ODD);
    }
}
