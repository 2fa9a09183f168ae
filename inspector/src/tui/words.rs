//! Durations, counts and names as screens show them.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{
    chronicle::STEP_NS,
    table::{Look, Order},
};
use crate::{
    event::{
        id::{BootTime, CallNumber, Fd, Tgid, Tid},
        target::TargetDetail,
        text::{Comm, Text},
        wait::{Blocked, Waker, Waking},
    },
    ledger::{Ledger, arena::Key, entry::Entry, handle::Descriptor, thread::Thread},
    verdict::wording::{CallWord, quantity::Duration},
};

const SECOND: u64 = 1_000_000_000;

/// Time that has passed, as a clock on the wall would tell it: tenths up to a hundred seconds,
/// then two units.
pub fn passed(ns: u64) -> String {
    let seconds = ns / SECOND;
    match seconds {
        0..100 => format!("{seconds}.{} s", ns % SECOND / 100_000_000),
        100..6_000 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        6_000..172_800 => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A count with its thousands set apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rate or a size with a unit prefix: `950`, `1.2 k`, `34 M`.
pub fn short(number: u64) -> String {
    let (value, unit) = match number {
        0..1_000 => return number.to_string(),
        1_000..1_000_000 => (number / 100, "k"),
        1_000_000..1_000_000_000 => (number / 100_000, "M"),
        _ => (number / 100_000_000, "G"),
    };
    if value < 100 {
        format!("{}.{} {unit}", value / 10, value % 10)
    } else {
        format!("{} {unit}", value / 10)
    }
}

/// How many more every minute; `?` = not known.
pub fn rate(per_minute: Option<f64>) -> String {
    let Some(rate) = per_minute else {
        return "?/min".to_owned();
    };
    let size = rate.abs();
    if size < 0.05 {
        "0/min".to_owned()
    } else if size < 10.0 {
        format!("{rate:+.1}/min")
    } else if size < 10_000.0 {
        format!("{rate:+.0}/min")
    } else {
        format!("{:+.0} k/min", rate / 1000.0)
    }
}

/// What a rate is sorted by, in thousandths, those below zero first.
pub fn rate_order(per_minute: f64) -> Order {
    /// What stands for no change.
    const ZERO: f64 = 1e15;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is beyond the number becomes its end"
    )]
    Order::Number((ZERO + per_minute * 1000.0) as u64)
}

/// The name of a process: its leader's, while that lives.
pub fn leader(ledger: &Ledger, process: Tgid) -> Option<Comm> {
    let leader = ledger.thread_by_tid(Tid(process.0))?;
    Some(ledger.thread(leader)?.comm)
}

/// A process's name and number.
pub fn process(ledger: &Ledger, process: Tgid) -> String {
    match leader(ledger, process) {
        Some(comm) => format!("{comm} {process}"),
        None => process.to_string(),
    }
}

/// An entry's key, with its generation from the second on.
pub fn key(entry: &Entry) -> String {
    let cut = if entry.key.is_whole() { "" } else { "…" };
    let text = &entry.key.text;
    match entry.generation {
        0 | 1 => format!("{text}{cut}"),
        generation => format!("{text}{cut}#{generation}"),
    }
}

/// A handle's kind and what it points at, where /proc has told.
pub fn handle(ledger: &Ledger, handle: &Descriptor) -> String {
    match ledger.description(handle.description) {
        Some(description) => description.kind.word().to_owned(),
        None => "unknown".to_owned(),
    }
}

/// What a handle points at, as far as that was read.
pub fn points_at(ledger: &Ledger, handle: &Descriptor) -> Option<String> {
    let description = ledger.description(handle.description)?;
    let detail = description.detail.as_deref().map(|read| &read.detail);
    target(description.known_as(), detail)
}

/// The same of what was read: what a link does not say, or else the link.
pub fn target(link: Option<&Text>, detail: Option<&TargetDetail>) -> Option<String> {
    match (detail, link) {
        (Some(detail), _) => Some(detail.to_string()),
        (None, link) => link.map(Text::to_string),
    }
}

/// A call's name.
pub fn call(number: Option<u16>) -> Cow<'static, str> {
    match number {
        Some(number) => CallWord(CallNumber(number)).to_string().into(),
        None => "fault or stop".into(),
    }
}

/// What a blocked thread waits on: the descriptor or the word among its call's arguments.
pub enum On {
    /// A descriptor, where the ledger knows it.
    Handle(Fd, Option<Key<Descriptor>>),
    /// A futex word.
    Word(u64),
    /// Nothing that can be named.
    Nothing,
}

/// What a wait is on.
pub fn waits_on(ledger: &Ledger, thread: Key<Thread>, blocked: &Blocked) -> On {
    match blocked.call {
        Some(202) => On::Word(blocked.args[0]),
        Some(number) if TAKES_DESCRIPTOR.contains(&number) => {
            let Ok(fd) = u32::try_from(blocked.args[0]) else {
                return On::Nothing;
            };
            let fd = Fd(fd);
            let table = ledger.table_used_by(thread);
            On::Handle(fd, table.and_then(|table| ledger.open_handle(table, fd)))
        }
        _ => On::Nothing,
    }
}

/// Calls that block on the descriptor that is their first argument: read, write, pread64,
/// pwrite64, readv, writev, accept, connect, sendto, recvfrom, sendmsg, recvmsg, flock, fsync,
/// fdatasync, epoll_wait, epoll_pwait, accept4, recvmmsg, sendmmsg, io_uring_enter, epoll_pwait2.
const TAKES_DESCRIPTOR: &[u16] = &[
    0, 1, 17, 18, 19, 20, 42, 43, 44, 45, 46, 47, 73, 74, 75, 232, 281, 288, 299, 307, 426, 441,
];

/// What a thread is blocked in, with what it waits on.
pub fn blocked(ledger: &Ledger, thread: Key<Thread>, blocked: &Blocked) -> String {
    let call = call(blocked.call);
    match waits_on(ledger, thread, blocked) {
        On::Handle(fd, Some(key)) => match ledger.handle(key) {
            Some(record) => format!("{call} {} (fd {fd})", handle(ledger, record)),
            None => format!("{call} (fd {fd})"),
        },
        On::Handle(fd, None) => format!("{call} (fd {fd})"),
        On::Word(address) => format!(
            "{call} {} {}",
            futex_operation(blocked.args[1]),
            word(address)
        ),
        On::Nothing => call.into_owned(),
    }
}

/// A futex word's address, short enough for a column.
pub fn word(address: u64) -> String {
    format!("{address:#x}")
}

/// `FUTEX_*` of linux/futex.h, without its flags.
fn futex_operation(operation: u64) -> &'static str {
    match operation & 0x7f {
        0 | 9 => "wait",
        6 | 13 => "lock",
        11 => "requeue",
        _ => "call",
    }
}

/// Who woke a thread.
pub fn waker(ledger: &Ledger, waker: &Waker) -> String {
    match waker.how {
        Waking::Interrupt => "interrupt".to_owned(),
        Waking::Thread(tid) => match ledger.thread_by_tid(tid).and_then(|key| ledger.thread(key)) {
            Some(thread) => format!("{tid} {}", thread.comm),
            // Dead, or of a process nobody watches.
            None => format!("{tid} ?"),
        },
    }
}

/// The wait from which an active thread was woken last, and how long ago.
pub fn woken(look: &Look<'_>, thread: Key<Thread>) -> Option<String> {
    let ledger = look.ledger();
    let waits = look
        .world
        .chronicle()
        .waits(thread, &ledger.thread(thread)?.name)?;
    let ended = waits.last.back()?;
    let ago = passed(look.now.since_ns(ended.ended));
    Some(format!(
        "{}, woke {ago} ago",
        blocked(ledger, thread, &ended.wait)
    ))
}

/// How often a thread was woken lately, as an addition to what it does; `None` = it was not.
pub fn wakes(look: &Look<'_>, thread: Key<Thread>) -> Option<String> {
    /// How much of the past is looked at.
    const LATELY_S: u64 = 2;
    let name = look.ledger().thread(thread)?.name;
    let waits = look.world.chronicle().waits(thread, &name)?;
    // Whole steps only: the last one is not over.
    let until = look.now.0 / STEP_NS * STEP_NS;
    let from = BootTime(until.saturating_sub(LATELY_S * SECOND));
    let wakes = waits.between(from, BootTime(until.saturating_sub(1)));
    (wakes > 0).then(|| format!(", {} wake-ups/s", wakes.div_ceil(LATELY_S)))
}

/// A length of time with two digits that count: `930 µs`, `2.1 s`, `28 s`.
pub fn length(ns: u64) -> String {
    match ns {
        0..SECOND => Duration(ns).to_string(),
        _ if ns < 10 * SECOND => format!("{}.{} s", ns / SECOND, ns % SECOND / 100_000_000),
        _ if ns < 120 * SECOND => format!("{} s", ns / SECOND),
        _ => passed(ns),
    }
}

/// A text whose middle is left out where there is no room: paths differ at their ends.
pub fn without_middle(text: &str, width: usize, cut: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(cut.width());
    let mut head = String::new();
    for character in text.chars() {
        if head.width() + character.width().unwrap_or(0) > room / 2 {
            break;
        }
        head.push(character);
    }
    let mut tail = Vec::new();
    let mut used = head.width();
    for character in text.chars().rev() {
        used += character.width().unwrap_or(0);
        if used > room {
            break;
        }
        tail.push(character);
    }
    head.push_str(cut);
    head.extend(tail.into_iter().rev());
    head
}

/// A time since boot as `HH:MM:SS.mmm` on the wall.
pub fn wall(at: BootTime, wall_of_boot_ns: u64, offset_seconds: i64) -> String {
    let ns = wall_of_boot_ns.saturating_add(at.0);
    let seconds = (i64::try_from(ns / SECOND).unwrap_or(i64::MAX))
        .saturating_add(offset_seconds)
        .rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds % 3600 / 60,
        seconds % 60,
        ns % SECOND / 1_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_time_reads_like_a_clock() {
        for (ns, words) in [
            (0, "0.0 s"),
            (12_480_000_000, "12.4 s"),
            (102 * SECOND, "1 m 42 s"),
            (7_860 * SECOND, "2 h 11 m"),
            (40 * 86_400 * SECOND, "40 d 00 h"),
        ] {
            assert_eq!(passed(ns), words);
        }
    }

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(
            [count(0), count(999), count(14_211), count(1_000_000)],
            ["0", "999", "14,211", "1,000,000"]
        );
        assert_eq!(
            [short(950), short(1_234), short(99_999), short(34_000_000)],
            ["950", "1.2 k", "99 k", "34 M"]
        );
        assert_eq!(
            [length(930_000), length(2_106_000_000), length(28 * SECOND)],
            ["930 µs", "2.1 s", "28 s"]
        );
        let rates = [None, Some(0.01), Some(3.12), Some(-41.2), Some(81_000.0)];
        assert_eq!(
            rates.map(rate),
            ["?/min", "0/min", "+3.1/min", "-41/min", "+81 k/min"]
        );
        assert_eq!(without_middle("/tmp/lab/one", 20, "…"), "/tmp/lab/one");
        assert_eq!(without_middle("/tmp/lab/one", 9, "…"), "/tmp…/one");
        assert_eq!(without_middle("日本語の名前", 7, "…"), "日…名前");
        assert_eq!(
            wall(BootTime(1_500_000_000), 3_600 * SECOND, 3_600),
            "02:00:01.500"
        );
    }
}
