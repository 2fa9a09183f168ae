//! What lives on a page: processes and their limits, threads, and handles.

use std::io::{self, Write};

use rustc_hash::FxHashMap;

use super::{
    escape::Cut,
    table,
    time::{Count, Lasted},
};
use crate::{
    event::{
        id::{BootTime, CallNumber, Moment},
        limits::Ceiling,
    },
    ledger::{
        Ledger,
        handle::{Description, Descriptor, State},
        own::Owner,
        process::Process,
        thread::Thread,
    },
    report::document::{command_words, thread_state},
    verdict::wording::CallWord,
};

/// Most rows of threads, and of handles.
const MOST: u64 = 2_000;
/// Most rows of processes.
const MOST_PROCESSES: u64 = 500;

/// The processes that are remembered, those that live first, with what limits them.
pub(super) fn processes(out: &mut dyn Write, ledger: &Ledger) -> io::Result<()> {
    let leaders = ledger.leaders();
    let mut processes: Vec<_> = ledger.processes().collect();
    processes.sort_unstable_by_key(|(_, process)| (process.dead.is_some(), process.tgid));
    let mut open: FxHashMap<_, u32> = FxHashMap::default();
    for (_, table) in ledger.tables().filter(|(_, table)| table.dead.is_none()) {
        *open.entry(table.process).or_default() += table.open;
    }
    let all = processes.len() as u64;
    table::section(out, "processes", "Processes and their limits", all)?;
    let columns = [
        ("Process", true),
        ("Name", false),
        ("State", false),
        ("Threads", true),
        ("of user’s most", true),
        ("Handles", true),
        ("of most", true),
        ("User", true),
        ("Command", false),
    ];
    table::begin(out, "processes", "Processes", &columns)?;
    let mut shown = 0;
    for (key, process) in processes.into_iter().take(MOST_PROCESSES as usize) {
        shown += 1;
        let leader = leaders.get(&key).map(|leader| leader.comm);
        write!(out, "<tr><td class=n>{}</td><td>", process.tgid)?;
        match leader {
            Some(comm) => write!(out, "{}", Cut(comm))?,
            None => write!(out, "–")?,
        }
        let state = if process.dead.is_none() {
            "alive"
        } else {
            "ended"
        };
        let open = open.get(&key).copied().unwrap_or(0);
        write!(
            out,
            "</td><td>{state}</td><td class=n>{}</td>",
            Count(process.live_threads() as u64)
        )?;
        limits(out, process, open)?;
    }
    table::end(out, shown, all, "processes")?;
    out.write_all(b"</section>\n")
}

fn limits(out: &mut dyn Write, process: &Process, open: u32) -> io::Result<()> {
    let limits = process.facts.as_ref().map(|facts| &*facts.limits);
    ceiling(out, limits.and_then(|limits| limits.nproc))?;
    write!(out, "<td class=n>{}</td>", Count(open.into()))?;
    ceiling(out, limits.and_then(|limits| limits.nofile))?;
    match limits.and_then(|limits| limits.uid) {
        Some(uid) => write!(out, "<td class=n>{uid}</td>")?,
        None => write!(out, "<td class=n>–</td>")?,
    }
    match limits.and_then(|limits| limits.command.as_ref()) {
        Some(line) => {
            writeln!(out, "<td>{}</td></tr>", Cut(command_words(line).join(" ")))
        }
        None => writeln!(out, "<td>–</td></tr>"),
    }
}

fn ceiling(out: &mut dyn Write, ceiling: Option<Ceiling>) -> io::Result<()> {
    match ceiling {
        Some(Ceiling::At(most)) => write!(out, "<td class=n>{}</td>", Count(most)),
        Some(Ceiling::Unlimited) => write!(out, "<td class=n>no limit</td>"),
        None => write!(out, "<td class=n>–</td>"),
    }
}

/// The live threads, by process and number.
pub(super) fn threads(out: &mut dyn Write, ledger: &Ledger) -> io::Result<()> {
    let live = ledger.threads().filter(|(_, thread)| thread.gone.is_none());
    let mut live: Vec<_> = live.map(|(_, thread)| thread).collect();
    live.sort_unstable_by_key(|thread| (thread.name.tgid, thread.name.tid));
    let all = live.len() as u64;
    table::section(out, "threads", "Live threads", all)?;
    if all == 0 {
        return out.write_all(b"<p class=none>None lives.</p></section>\n");
    }
    let columns = [
        ("Thread", true),
        ("Process", true),
        ("Name", false),
        ("State", false),
        ("Blocked in", false),
        ("For", true),
        ("Age", true),
        ("Born", false),
        ("Owner", false),
    ];
    table::begin(out, "threads", "Live threads", &columns)?;
    let mut shown = 0;
    for thread in live.into_iter().take(MOST as usize) {
        shown += 1;
        self::thread(out, ledger, thread)?;
    }
    table::end(out, shown, all, "threads of higher numbers")?;
    out.write_all(b"</section>\n")
}

fn thread(out: &mut dyn Write, ledger: &Ledger, thread: &Thread) -> io::Result<()> {
    write!(
        out,
        "<tr><td class=n>{}</td><td class=n>{}</td><td>{}</td><td>{}</td>",
        thread.name.tid,
        thread.name.tgid,
        Cut(thread.comm),
        thread_state(thread).unwrap_or("–")
    )?;
    let blocked = thread.activity().and_then(|activity| activity.blocked);
    match blocked.and_then(|blocked| blocked.call) {
        Some(call) => write!(out, "<td>{}</td>", CallWord(CallNumber(call)))?,
        None => write!(out, "<td>–</td>")?,
    }
    match blocked.and_then(|blocked| blocked.since) {
        Some(since) => lasts(out, Moment::exact(since), ledger.now())?,
        None => write!(out, "<td class=n>–</td>")?,
    }
    lasts(out, thread.born, ledger.now())?;
    match thread.parent {
        Some(parent) => write!(out, "<td>{}, by {parent}</td>", thread.origin.word())?,
        None => write!(out, "<td>{}</td>", thread.origin.word())?,
    }
    owner(out, ledger, thread.owner)
}

/// The open handles, by table and number.
pub(super) fn handles(out: &mut dyn Write, ledger: &Ledger) -> io::Result<()> {
    let live = ledger.tables().filter(|(_, table)| table.dead.is_none());
    let mut live: Vec<_> = live.collect();
    live.sort_unstable_by_key(|(_, table)| (table.tgid, table.number));
    let all = live.iter().map(|(_, table)| u64::from(table.open)).sum();
    table::section(out, "handles", "Open handles", all)?;
    if all == 0 {
        return out.write_all(b"<p class=none>None is open.</p></section>\n");
    }
    let columns = [
        ("Handle", true),
        ("Process", true),
        ("Kind", false),
        ("Target", false),
        ("Opened by", false),
        ("Thread", true),
        ("Age", true),
        ("Born", false),
        ("Owner", false),
    ];
    table::begin(out, "handles", "Open handles", &columns)?;
    let mut shown = 0;
    for (key, table) in live {
        if shown == MOST {
            break;
        }
        let room = usize::try_from(MOST - shown).unwrap_or(0);
        for (_, key) in ledger.open_handles(key).into_iter().take(room) {
            let Some(handle) = ledger.handle(key) else {
                continue;
            };
            shown += 1;
            write!(
                out,
                "<tr><td class=n>{}</td><td class=n>{}</td>",
                handle.fd, table.tgid
            )?;
            self::handle(out, ledger, handle)?;
        }
    }
    table::end(out, shown, all, "handles")?;
    out.write_all(b"</section>\n")
}

fn handle(out: &mut dyn Write, ledger: &Ledger, handle: &Descriptor) -> io::Result<()> {
    let shared = ledger.description(handle.description);
    let kind = shared.map_or("unknown", |shared| shared.kind.word());
    write!(out, "<td>{kind}</td><td>")?;
    let detail = shared.and_then(|shared| shared.detail.as_deref());
    match (shared.and_then(Description::known_as), detail) {
        (Some(target), Some(read)) => write!(out, "{} · {}", Cut(target), Cut(&read.detail))?,
        (Some(target), None) => write!(out, "{}", Cut(target))?,
        (None, Some(read)) => write!(out, "{}", Cut(&read.detail))?,
        (None, None) => write!(out, "–")?,
    }
    let doubt = match handle.state {
        State::Ambiguous { .. } => " (perhaps closed)",
        _ => "",
    };
    match handle.call {
        Some(call) => write!(out, "{doubt}</td><td>{}</td>", CallWord(call))?,
        None => write!(out, "{doubt}</td><td>–</td>")?,
    }
    match handle.born_by {
        Some(by) => write!(out, "<td class=n>{by}</td>")?,
        None => write!(out, "<td class=n>–</td>")?,
    }
    lasts(out, handle.born, ledger.now())?;
    write!(out, "<td>{}</td>", handle.origin.word())?;
    owner(out, ledger, handle.owner)
}

/// For how long something has been; at least so long, where its beginning was not seen.
fn lasts(out: &mut dyn Write, since: Moment, now: BootTime) -> io::Result<()> {
    let ns = now.since_ns(since.latest);
    let least = if since.is_exact() { "" } else { "≥ " };
    write!(out, "<td class=n data-v={ns}>{least}{}</td>", Lasted(ns))
}

fn owner(out: &mut dyn Write, ledger: &Ledger, owner: Option<Owner>) -> io::Result<()> {
    match owner.filter(|owner| ledger.entry(owner.entry).is_some()) {
        Some(owner) => writeln!(
            out,
            "<td>{} <i>by {}</i></td></tr>",
            Cut(ledger.entry_name(owner.entry)),
            owner.rule.word()
        ),
        None => writeln!(out, "<td></td></tr>"),
    }
}
