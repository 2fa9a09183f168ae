//! The live descriptor tables of a document, each with its open descriptors.

use serde::{Serialize, Serializer};

use super::{At, Owned, owned};
use crate::{
    event::id::Fd,
    ledger::{
        Ledger,
        arena::Key,
        handle::{Descriptor, State},
        table::Table,
    },
    verdict::wording::CallWord,
};

pub(super) struct Tables<'a>(pub(super) &'a Ledger);

/// A live table.
#[derive(Serialize)]
struct Row<'a> {
    table: u32,
    /// The process it was first seen with.
    pid: u32,
    /// Threads that use it, of whichever process.
    users: usize,
    /// Why its content is not known for certain; `null` = it is.
    unsettled: Option<String>,
    handles: Handles<'a>,
}

struct Handles<'a>(&'a Ledger, Key<Table>);

/// An open descriptor.
#[derive(Serialize)]
struct Handle {
    fd: u32,
    generation: u32,
    kind: &'static str,
    target: Option<String>,
    opened_as: Option<String>,
    cloexec: Option<bool>,
    born: Born,
    origin: &'static str,
    /// Open descriptors that share its open file description, itself included.
    shared: u32,
    /// Whether calls that overlapped leave open whether it is still there.
    ambiguous: bool,
    owner: Option<Owned>,
}

#[derive(Serialize)]
struct Born {
    at_ns: At,
    by_tid: Option<u32>,
    call: Option<String>,
}

impl Serialize for Tables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ledger = self.0;
        let live = ledger.tables().filter(|(_, table)| table.dead.is_none());
        let mut live: Vec<_> = live.collect();
        live.sort_unstable_by_key(|(_, table)| (table.tgid, table.number));
        serializer.collect_seq(live.into_iter().map(|(key, table)| Row {
            table: table.number,
            pid: table.tgid.0,
            users: table.user_count(),
            unsettled: table.unsettled.map(|(why, _)| why.to_string()),
            handles: Handles(ledger, key),
        }))
    }
}

impl Serialize for Handles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(ledger, table) = *self;
        let open = ledger.open_handles(table).into_iter();
        serializer.collect_seq(open.filter_map(|(fd, key)| {
            let handle = ledger.handle(key)?;
            Some(row(ledger, fd, handle))
        }))
    }
}

fn row(ledger: &Ledger, fd: Fd, handle: &Descriptor) -> Handle {
    let shared = ledger.description(handle.description);
    let target = shared.and_then(|shared| shared.target.as_deref());
    let name = shared.and_then(|shared| shared.name.as_deref());
    Handle {
        fd: fd.0,
        generation: handle.generation,
        kind: shared.map_or("unknown", |shared| shared.kind.word()),
        target: target.map(ToString::to_string),
        opened_as: name.map(ToString::to_string),
        cloexec: handle.cloexec,
        born: Born {
            at_ns: handle.born.into(),
            by_tid: handle.born_by.map(|tid| tid.0),
            call: handle.call.map(|call| CallWord(call).to_string()),
        },
        origin: handle.origin.word(),
        shared: shared.map_or(1, |shared| shared.live),
        ambiguous: matches!(handle.state, State::Ambiguous { .. }),
        owner: owned(ledger, handle.owner),
    }
}
