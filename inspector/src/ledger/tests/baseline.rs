//! A baseline tells every table of a process, however many it has.

use crate::{
    event::{
        BootTime, Event, Scan, What,
        handle::HandleKind,
        id::{Fd, Tgid, Tid},
        scan::{ScanRole, SeenHandle, SeenTable, SeenThread},
        text::Comm,
    },
    ledger::{Ledger, LedgerRules},
};

const PROCESS: u32 = 100;

fn scan(role: ScanRole, at: u64, tables: &[(&[u32], &[u32])]) -> Event {
    let thread = |&tid: &u32| SeenThread {
        tid: Tid(tid),
        start_ticks: 0,
        comm: Comm::default(),
        state: b'S',
    };
    let table = |&(users, fds): &(&[u32], &[u32])| SeenTable {
        users: users.iter().copied().map(Tid).collect(),
        handles: Ok(fds.iter().map(|&fd| seen(fd)).collect()),
    };
    let threads = tables.iter().flat_map(|(users, _)| *users);
    let scan = Scan {
        role,
        tgid: Tgid(PROCESS),
        began: BootTime(at),
        ended: BootTime(at + 1),
        threads: Some(threads.map(thread).collect()),
        tables: tables.iter().map(table).collect(),
        limits: None,
    };
    Event {
        at: scan.ended,
        what: What::Scan(Box::new(scan)),
    }
}

fn seen(fd: u32) -> SeenHandle {
    SeenHandle {
        fd: Fd(fd),
        kind: HandleKind::Eventfd,
        cloexec: Some(false),
        target: b"anon_inode:[eventfd]".to_vec().into(),
    }
}

fn open(ledger: &Ledger) -> Vec<(u32, Vec<u32>)> {
    let mut tables: Vec<_> = ledger
        .tables()
        .filter(|(_, table)| table.dead.is_none())
        .map(|(key, table)| {
            let numbers = ledger.open_handles(key).into_iter().map(|(fd, _)| fd.0);
            (
                u32::try_from(table.user_count()).unwrap(),
                numbers.collect(),
            )
        })
        .collect();
    tables.sort();
    tables
}

#[test]
fn threads_with_tables_of_their_own_are_told_apart() {
    let mut ledger = Ledger::new(LedgerRules::default());
    let tables: [(&[u32], &[u32]); 3] = [(&[100, 101], &[3]), (&[102], &[3, 4]), (&[103], &[5])];
    ledger.apply(&scan(ScanRole::Baseline, 10, &tables));
    let expected = vec![(1, vec![3, 4]), (1, vec![5]), (2, vec![3])];
    assert_eq!(open(&ledger), expected);
    // What is known is what an audit finds.
    ledger.apply(&scan(ScanRole::Audit { heal: false }, 20, &tables));
    assert_eq!((ledger.drift().audits, ledger.drift().total()), (1, 0));
    assert_eq!(open(&ledger), expected);
}
