//! Descriptor tables, put together from their pieces.

use std::collections::HashMap;

use inspector_ebpf::abi::table::{TABLE_WORDS, TableRecord, piece, why};

use crate::event::{
    TableRead,
    id::{Fd, Tgid, Tid},
    table::TableWhy,
};

/// Tables of which not every piece has come, by the thread in whose context they are read: it
/// sends one table at a time.
#[derive(Debug, Default)]
pub(super) struct Pieces(HashMap<u32, Started>);

/// A table of which pieces are still to come.
#[derive(Debug)]
struct Started {
    table: TableRead,
    /// Where the next piece begins, if none is lost.
    next_fd: u32,
}

impl Pieces {
    /// Adds a piece; returns the table when it is the last one. A piece that follows a lost one
    /// makes its table incomplete.
    pub(super) fn add(&mut self, record: &TableRecord) -> Option<TableRead> {
        let by = record.header.tid;
        let mut table = if record.first_fd == 0 {
            // A table whose last piece was lost is replaced: its owner's next one is whole.
            new_table(record)
        } else {
            let started = self.0.remove(&by).filter(|started| {
                started.table.owner.0 == record.owner_tid && started.next_fd == record.first_fd
            });
            match started {
                Some(started) => started.table,
                None => TableRead {
                    complete: false,
                    ..new_table(record)
                },
            }
        };
        let words = usize::try_from(record.words)
            .unwrap_or(usize::MAX)
            .min(TABLE_WORDS);
        if record.flags & (piece::TRUNCATED | piece::UNREADABLE) != 0 {
            table.complete = false;
        }
        if record.flags & piece::UNREADABLE == 0 {
            for (index, (&open, &cloexec)) in record.open[..words]
                .iter()
                .zip(&record.cloexec[..words])
                .enumerate()
            {
                let base = u64::from(record.first_fd) + 64 * index as u64;
                push_open(&mut table.open, base, open, cloexec);
            }
        }
        if record.flags & piece::LAST != 0 {
            return Some(table);
        }
        let next_fd = record
            .first_fd
            .saturating_add(record.words.saturating_mul(64));
        self.0.insert(by, Started { table, next_fd });
        None
    }
}

fn new_table(record: &TableRecord) -> TableRead {
    TableRead {
        owner: Tid(record.owner_tid),
        tgid: Tgid(record.owner_tgid),
        by: Tid(record.header.tid),
        files: super::files(record.files),
        why: match record.why {
            why::EXEC => TableWhy::Exec,
            why::UNSHARE => TableWhy::Unshare,
            _ => TableWhy::Fork,
        },
        open: Vec::new(),
        complete: true,
    }
}

fn push_open(to: &mut Vec<(Fd, bool)>, base: u64, open: u64, cloexec: u64) {
    let mut left = open;
    while left != 0 {
        let bit = left.trailing_zeros();
        left &= left - 1;
        if let Ok(number) = u32::try_from(base + u64::from(bit)) {
            to.push((Fd(number), cloexec >> bit & 1 != 0));
        }
    }
}
