//! Waits: what each thread is blocked in and since when, who woke it last, and the futex words
//! that threads wait on.

use std::borrow::Cow;

use ratatui::text::{Line, Span};
use rustc_hash::FxHashMap;

use super::{line, process_line};
use crate::{
    event::{
        BootTime,
        id::{Tgid, Tid},
        text::Comm,
        wait::{Blocked, WaitSums, Waker, Waking},
    },
    ledger::{arena::Key, thread::Thread},
    tui::{
        filter,
        subject::Place,
        table::{Column, Look, Order, TableRow},
        words,
        world::World,
    },
};

/// A thread's waits, or those on a futex word.
#[derive(Clone, Debug)]
pub struct WaitRow {
    who: Who,
    tgid: Tgid,
    /// How long the wait has lasted; of a word, the longest of those under way.
    for_ns: Option<u64>,
    sums: WaitSums,
}

#[derive(Clone, Debug)]
enum Who {
    Thread {
        thread: Key<Thread>,
        tid: Tid,
        comm: Comm,
        blocked: Option<Blocked>,
        waker: Option<Waker>,
    },
    Word {
        address: u64,
        waiters: u32,
        wakers: Vec<(Waking, u64)>,
    },
}

/// Live threads whose waits were sampled, and every futex word that was waited on.
pub fn rows(world: &World, now: BootTime) -> Vec<WaitRow> {
    let ledger = world.ledger();
    let mut rows = Vec::new();
    let mut waiting: FxHashMap<(Tgid, u64), (u32, Option<u64>)> = FxHashMap::default();
    for (thread, record) in ledger.threads() {
        let Some(activity) = record.activity() else {
            continue;
        };
        if !world.shows(record.process) {
            continue;
        }
        let for_ns = activity
            .blocked
            .and_then(|blocked| blocked.since)
            .map(|since| now.since_ns(since));
        if let Some(Blocked {
            call: Some(FUTEX),
            args,
            ..
        }) = activity.blocked
        {
            let (waiters, longest) = waiting.entry((record.name.tgid, args[0])).or_default();
            *waiters += 1;
            *longest = (*longest).max(for_ns);
        }
        rows.push(WaitRow {
            who: Who::Thread {
                thread,
                tid: record.name.tid,
                comm: record.comm,
                blocked: activity.blocked,
                waker: activity.waker,
            },
            tgid: record.name.tgid,
            for_ns,
            sums: activity.sums,
        });
    }
    for (tgid, address, word) in ledger.futexes() {
        let shown = ledger
            .process_by_tgid(tgid)
            .is_some_and(|process| world.shows(process));
        if !shown {
            continue;
        }
        let (waiters, for_ns) = waiting.get(&(tgid, address)).copied().unwrap_or_default();
        rows.push(WaitRow {
            who: Who::Word {
                address,
                waiters,
                wakers: word.wakers.clone(),
            },
            tgid,
            for_ns,
            sums: word.sums,
        });
    }
    rows
}

/// The number of futex.
const FUTEX: u16 = 202;

impl WaitRow {
    fn total_ns(&self) -> u64 {
        match self.who {
            Who::Thread { .. } => self.sums.total_ns.saturating_add(self.for_ns.unwrap_or(0)),
            Who::Word { .. } => self.sums.total_ns,
        }
    }

    /// What rows stand by: waits that have lasted, the longest first; then those that come and
    /// go, in one place; then words nobody waits on.
    fn lasting(&self) -> Option<u64> {
        match (&self.who, self.for_ns) {
            (_, Some(ns)) => Some(if ns >= LASTING_NS { ns } else { 0 }),
            (Who::Thread { .. }, None) => Some(0),
            (Who::Word { .. }, None) => None,
        }
    }
}

/// A wait that has lasted longer than this is told apart from those that come and go.
const LASTING_NS: u64 = 1_000_000_000;

impl TableRow for WaitRow {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            "WHO",
            22,
            "a thread, or a futex word that threads of the process wait on",
            "sched_switch; the futex call's first argument",
            |row: &WaitRow, look, _| match &row.who {
                Who::Thread { tid, comm, .. } => Line::from(vec![
                    Span::styled(format!("{tid} "), look.theme.strong),
                    Span::styled(comm.to_string(), look.theme.text),
                ]),
                Who::Word { address, .. } => Line::from(vec![
                    Span::styled("word ", look.theme.accent),
                    Span::styled(words::word(*address), look.theme.text),
                ]),
            },
            |row: &WaitRow| match &row.who {
                Who::Thread { tid, .. } => Order::Number(tid.0.into()),
                Who::Word { address, .. } => Order::Text(words::word(*address)),
            },
        ),
        Column::new(
            "PROCESS",
            20,
            "its process; there where several live",
            "task_newtask, or /proc",
            |row: &WaitRow, look, _| process_line(row.tgid, look),
            |row: &WaitRow| Order::Number(row.tgid.0.into()),
        )
        .many()
        .rank(3),
        Column::new(
            "FOR",
            9,
            "how long its wait has lasted; of a word, the longest under way",
            "sched_switch: the first block within the call; ? = since before the attach",
            |row: &WaitRow, look, _| match (row.for_ns, &row.who) {
                (Some(ns), _) => line(words::passed(ns), look.theme.text),
                (
                    None,
                    Who::Thread {
                        blocked: Some(_), ..
                    },
                ) => line("?", look.theme.dim),
                (None, _) => line(look.glyphs.none, look.theme.dim),
            },
            |row: &WaitRow| row.lasting().into(),
        )
        .right(),
        Column::new(
            "BLOCKED IN",
            24,
            "the call and what it waits on; of a word, how many threads wait on it now",
            "registers at sched_switch, read every 100 ms",
            |row: &WaitRow, look, _| match &row.who {
                Who::Thread {
                    thread,
                    blocked: Some(blocked),
                    ..
                } => line(
                    words::blocked(look.ledger(), *thread, blocked),
                    look.theme.text,
                ),
                Who::Thread {
                    thread,
                    blocked: None,
                    ..
                } => {
                    let ended = words::woken(look, *thread);
                    line(ended.unwrap_or_else(|| "active".to_owned()), look.theme.dim)
                }
                Who::Word { waiters: 1, .. } => line("1 waiter now", look.theme.text),
                Who::Word { waiters, .. } => {
                    line(format!("{waiters} waiters now"), look.theme.text)
                }
            },
            |row: &WaitRow| match &row.who {
                Who::Thread {
                    blocked: Some(blocked),
                    ..
                } => Order::Text(words::call(blocked.call).into_owned()),
                Who::Thread { .. } => Order::Unknown,
                Who::Word { waiters, .. } => Order::Number((*waiters).into()),
            },
        )
        .grows(),
        Column::new(
            "WOKEN BY",
            18,
            "who ended its last wait (? = no live thread of a watched process); of a word, who \
             woke its waiters and how often",
            "sched_waking, in the waker's context; an interrupt proves nothing about who could",
            |row: &WaitRow, look, _| match &row.who {
                Who::Thread {
                    waker: Some(waker), ..
                } => line(words::waker(look.ledger(), waker), look.theme.text),
                Who::Word { wakers, .. } if !wakers.is_empty() => {
                    line(self::wakers(wakers, look), look.theme.text)
                }
                Who::Thread { .. } | Who::Word { .. } => line(look.glyphs.none, look.theme.dim),
            },
            |row: &WaitRow| match &row.who {
                Who::Thread {
                    waker: Some(waker), ..
                } => Order::Number(waker.at.0),
                Who::Thread { .. } | Who::Word { .. } => Order::Unknown,
            },
        )
        .rank(2),
        Column::new(
            "WAITS",
            9,
            "waits that have ended: one under way is not among them",
            "counted in the kernel",
            |row: &WaitRow, look, _| line(words::count(row.sums.count), look.theme.text),
            |row: &WaitRow| Order::Number(row.sums.count),
        )
        .right()
        .rank(1),
        Column::new(
            "TOTAL",
            8,
            "time in its waits, the one under way included; of a word, in those that have ended",
            "summed in the kernel",
            |row: &WaitRow, look, _| line(words::length(row.total_ns()), look.theme.text),
            |row: &WaitRow| Order::Number(row.total_ns()),
        )
        .right()
        .rank(3),
        Column::new(
            "1 µs … 16 s",
            BUCKETS as u16,
            "how long its waits were: from 1 µs to 16 s, each cell four times the one before, the tallest \
             the commonest",
            "a log2 histogram in the kernel",
            |row: &WaitRow, look, _| line(histogram(&row.sums, look), look.theme.thread),
            |row: &WaitRow| Order::Number(row.sums.count),
        )
        .rank(4),
    ];
    const SORTED: (usize, bool) = (2, true);

    fn place(&self) -> Place {
        match &self.who {
            Who::Thread { thread, .. } => Place::Thread(*thread),
            Who::Word { address, .. } => Place::Word(self.tgid, *address),
        }
    }
}

/// Cells of a histogram, two powers of two each: 1 µs to 2^24 µs.
const BUCKETS: usize = 13;

/// Waits by how long they were.
pub fn histogram(sums: &WaitSums, look: &Look<'_>) -> String {
    let mut buckets = [0_u64; BUCKETS];
    for (index, &count) in sums.histogram.iter().enumerate() {
        buckets[(index / 2).min(BUCKETS - 1)] += u64::from(count);
    }
    let most = buckets.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&count: &u64| {
        // What happened at all is seen.
        let height = (count * 8).div_ceil(most);
        look.glyphs.bars[usize::try_from(height).unwrap_or(8)]
    };
    buckets.iter().map(bar).collect()
}

/// Who woke the waiters of a word, the busiest first.
fn wakers(wakers: &[(Waking, u64)], look: &Look<'_>) -> String {
    let mut sorted: Vec<_> = wakers.to_vec();
    sorted.sort_by_key(|&(_, times)| std::cmp::Reverse(times));
    let told = sorted.iter().take(3).map(|(how, times)| match how {
        Waking::Interrupt => format!("interrupt {times}×"),
        Waking::Thread(tid) => {
            let live = look.ledger().thread_by_tid(*tid).is_some();
            let cross = if live { "" } else { " ?" };
            format!("{tid}{cross} {times}×")
        }
    });
    let mut words = told.collect::<Vec<_>>().join(", ");
    if sorted.len() > 3 {
        words.push_str(look.glyphs.cut);
    }
    words
}

impl filter::Row for WaitRow {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match (field, &self.who) {
            ("kind", Who::Thread { .. }) => "thread".into(),
            ("kind", Who::Word { .. }) => "word".into(),
            ("name", Who::Thread { comm, .. }) => comm.to_string().into(),
            ("name", Who::Word { address, .. }) => words::word(*address).into(),
            (
                "in",
                Who::Thread {
                    blocked: Some(blocked),
                    ..
                },
            ) => words::call(blocked.call),
            _ => return None,
        })
    }

    fn number(&self, field: &str) -> Option<u64> {
        match (field, &self.who) {
            ("tid", Who::Thread { tid, .. }) => Some(tid.0.into()),
            ("pid", _) => Some(self.tgid.0.into()),
            ("for", _) => self.for_ns,
            ("waits", _) => Some(self.sums.count),
            ("total", _) => Some(self.total_ns()),
            ("waiters", Who::Word { waiters, .. }) => Some((*waiters).into()),
            _ => None,
        }
    }
}
