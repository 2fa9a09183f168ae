//! What /proc says of a process, read by the tests themselves: nothing of the code under test.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use inspector::{
    event::id::{Fd, Tgid, Tid},
    ledger::{Ledger, handle::State, thread::Thread},
};

/// Open numbers, each with its close-on-exec flag.
pub(crate) type Table = BTreeMap<u32, bool>;

/// The table a thread uses.
pub(crate) fn table(tgid: Tgid, tid: Tid) -> Table {
    let task = format!("/proc/{tgid}/task/{tid}");
    let mut table = Table::new();
    for entry in fs::read_dir(format!("{task}/fd")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let info = fs::read_to_string(format!("{task}/fdinfo/{name}")).unwrap();
        let flags = info
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        table.insert(name.parse().unwrap(), flags & 0o2_000_000 != 0);
    }
    table
}

/// The threads of a process that are not zombies.
pub(crate) fn threads(tgid: Tgid) -> BTreeSet<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{tgid}/task")) else {
        return BTreeSet::new();
    };
    tasks
        .filter_map(|task| {
            let name = task.ok()?.file_name().into_string().ok()?;
            let stat = fs::read_to_string(format!("/proc/{tgid}/task/{name}/stat")).ok()?;
            let state = stat[stat.rfind(')')? + 2..].chars().next()?;
            (!matches!(state, 'Z' | 'X')).then(|| name.parse().ok())?
        })
        .collect()
}

/// What the ledger believes of the table a thread uses; unknown flags read as false.
pub(crate) fn believed(ledger: &Ledger, tid: Tid) -> Option<Table> {
    let table = ledger.table_used_by(ledger.thread_by_tid(tid)?)?;
    let open = ledger.open_handles(table);
    Some(
        open.into_iter()
            .map(|(Fd(fd), key)| {
                let cloexec = ledger.handle(key).and_then(|handle| handle.cloexec);
                (fd, cloexec.unwrap_or(false))
            })
            .collect(),
    )
}

/// How the ledger differs from /proc in the threads of a process and in each one's table; empty
/// when it does not, and nothing is ambiguous or unsettled.
pub(crate) fn differences(ledger: &Ledger, tgid: Tgid) -> String {
    differences_but(ledger, tgid, |_| false)
}

/// The same, leaving out threads of the ledger that are as `expected`.
pub(crate) fn differences_but(
    ledger: &Ledger,
    tgid: Tgid,
    expected: impl Fn(&Thread) -> bool,
) -> String {
    let mut text = String::new();
    let live = threads(tgid);
    let held: BTreeSet<u32> = ledger
        .process_by_tgid(tgid)
        .map(|process| ledger.threads_of(process))
        .unwrap_or_default()
        .iter()
        .filter_map(|&thread| ledger.thread(thread))
        .filter(|thread| !expected(thread))
        .map(|thread| thread.name.tid.0)
        .collect();
    if held != live {
        writeln!(text, "threads: ledger {held:?}, /proc {live:?}").unwrap();
    }
    for &tid in &live {
        let Some(key) = ledger
            .thread_by_tid(Tid(tid))
            .and_then(|t| ledger.table_used_by(t))
        else {
            continue;
        };
        if let Some(unsettled) = ledger.table(key).unwrap().unsettled {
            writeln!(text, "thread {tid}: its table is unsettled: {unsettled:?}").unwrap();
        }
        for (Fd(fd), handle) in ledger.open_handles(key) {
            let state = ledger.handle(handle).unwrap().state;
            if state != State::Open {
                writeln!(text, "thread {tid}: {fd} is {state:?}").unwrap();
            }
        }
        difference(
            &mut text,
            tid,
            &believed(ledger, Tid(tid)).unwrap(),
            &table(tgid, Tid(tid)),
        );
    }
    text
}

fn difference(text: &mut String, tid: u32, believed: &Table, real: &Table) {
    for (fd, cloexec) in real {
        match believed.get(fd) {
            None => writeln!(text, "thread {tid}: {fd} is open, the ledger lacks it").unwrap(),
            Some(other) if other != cloexec => {
                writeln!(text, "thread {tid}: {fd} close-on-exec is {cloexec}").unwrap();
            }
            Some(_) => {}
        }
    }
    for fd in believed.keys().filter(|fd| !real.contains_key(fd)) {
        writeln!(text, "thread {tid}: {fd} is not open, the ledger holds it").unwrap();
    }
}
