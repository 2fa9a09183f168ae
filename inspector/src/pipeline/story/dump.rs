//! The live threads, the open handles and the futex words, as lines.

use std::fmt::Write as _;

use crate::{
    event::wait::Waking,
    ledger::{Ledger, handle::State},
};

pub(super) fn dump(ledger: &Ledger, printed: &mut String) {
    let mut threads: Vec<_> = ledger
        .threads()
        .filter(|(_, thread)| thread.gone.is_none())
        .map(|(_, thread)| {
            let origin = thread.origin.word();
            format!(
                " {} epoch {} ({origin})",
                thread.name.tid, thread.name.epoch
            )
        })
        .collect();
    threads.sort();
    writeln!(printed, "threads:{}", threads.join(",")).unwrap();
    let mut tables: Vec<_> = ledger
        .tables()
        .filter(|(_, table)| table.dead.is_none())
        .collect();
    tables.sort_by_key(|(_, table)| table.number);
    for (key, table) in tables {
        let handles: Vec<_> = ledger
            .open_handles(key)
            .into_iter()
            .map(|(fd, key)| {
                let handle = ledger.handle(key).unwrap();
                let description = ledger.description(handle.description).unwrap();
                let doubt = match handle.state {
                    State::Ambiguous { .. } => "?",
                    _ => "",
                };
                let shared = if description.live > 1 {
                    format!(" x{}", description.live)
                } else {
                    String::new()
                };
                let mut words = format!(" {fd}{doubt} {}{shared}", description.kind.word());
                if let Some(read) = &description.detail {
                    write!(words, " {}, at {}", read.detail, read.at.0 / 1_000_000).unwrap();
                }
                words
            })
            .collect();
        let unsettled = match table.unsettled {
            Some((why, _)) => format!(" [{why}]"),
            None => String::new(),
        };
        let users = table.user_count();
        writeln!(
            printed,
            "table of {} ({users} users):{}{unsettled}",
            table.tgid,
            handles.join(",")
        )
        .unwrap();
    }
    let mut words: Vec<_> = ledger.futexes().collect();
    words.sort_by_key(|&(tgid, address, _)| (tgid, address));
    for (tgid, address, word) in words {
        let wakers: Vec<_> = word
            .wakers
            .iter()
            .map(|(waking, count)| match waking {
                Waking::Thread(tid) => format!(", woken by {tid} x{count}"),
                Waking::Interrupt => format!(", woken by interrupts x{count}"),
            })
            .collect();
        let waits = word.sums.count;
        writeln!(
            printed,
            "word {address} of {tgid}: {waits} waits{}",
            wakers.concat()
        )
        .unwrap();
    }
}
