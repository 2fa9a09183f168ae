//! The lab, where it is what is watched.

use crate::lab::{MapKind, entry::EntryKind, policy::Policy};

/// The lab as far as the screen knows it.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Its child, once it is there.
    pub pid: Option<u32>,
    /// Its user.
    pub uid: u32,
    /// Its map.
    pub map: MapKind,
    /// What the next store stores.
    pub entry: EntryKind,
    /// How the next delete deletes.
    pub policy: Policy,
    /// What it is busy with.
    pub busy: Option<Busy>,
    /// Whether a key was ever deleted here: then nobody needs to be told how.
    pub has_deleted: bool,
    /// It died.
    pub died: Option<String>,
    /// Who is asked to be selected once it is there.
    pub select: Option<String>,
}

/// What the lab is busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Busy {
    /// A store or delete of many keys.
    Many {
        /// Which.
        what: &'static str,
        /// So far.
        done: u32,
        /// Of so many.
        total: u32,
    },
    /// A scenario.
    Playing {
        /// Its name.
        scenario: &'static str,
        /// Its variant's.
        variant: &'static str,
    },
}
