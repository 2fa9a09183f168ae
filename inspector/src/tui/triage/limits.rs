//! How near its limits a target is: its handles, and its threads against all that limits them.

use rustc_hash::FxHashMap;

use super::{Counts, live_processes};
use crate::{
    event::{
        BootTime,
        limits::{Ceiling, Limits},
    },
    ledger::{arena::Key, process::Process},
    tui::{words, world::World},
};

/// A limit and what counts against it.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitLine {
    /// What is limited.
    pub what: &'static str,
    /// Who is limited, in a word; empty = the process itself.
    pub of: &'static str,
    /// Whose limit it is, and its name.
    pub whose: String,
    /// How much there is.
    pub now: Option<u64>,
    /// Whether there may be more, which can't be seen from here.
    pub at_least: bool,
    /// How much there may be.
    pub max: Max,
    /// How much more there is every minute; `None` = not known yet.
    pub per_minute: Option<f64>,
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Max {
    /// This much.
    At(u64),
    /// Any number.
    Unlimited,
    /// It was not read, or could not be.
    Unknown,
}

/// A limit that is reached within this time needs somebody to act.
const SOON_NS: u64 = 3_600_000_000_000;
/// As does one of which this much is used.
const MUCH_PERCENT: u64 = 90;

impl LimitLine {
    /// How much of it is used; `None` = not known, or there is no limit.
    pub fn percent(&self) -> Option<u64> {
        match self.max {
            Max::At(max) => Some(self.now?.saturating_mul(100) / max.max(1)),
            Max::Unlimited | Max::Unknown => None,
        }
    }

    /// When it is reached if it goes on like this; `None` = it does not grow, or that is not known.
    pub fn left_ns(&self) -> Option<u64> {
        let (Max::At(max), Some(now)) = (self.max, self.now) else {
            return None;
        };
        let rate = self.per_minute.filter(|rate| *rate > 0.0)?;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a time for a person to read; what is too long for the number becomes its maximum"
        )]
        let left = (max.saturating_sub(now) as f64 / rate * 60e9) as u64;
        Some(left)
    }

    /// Whether somebody should act.
    pub fn is_near(&self) -> bool {
        self.left_ns().is_some_and(|left| left < SOON_NS)
            || self
                .percent()
                .is_some_and(|percent| percent >= MUCH_PERCENT)
    }
}

/// A live process with what is known of it.
struct Watched<'a> {
    name: String,
    limits: Option<&'a Limits>,
    read: BootTime,
    threads: u64,
    /// Open handles of its largest table: the limit is of each table.
    handles: u64,
    counts: Option<&'a Counts>,
}

/// The limits of the processes that are watched: the handles of the one that is nearest to its
/// limit, then those of threads, the nearest first.
pub fn lines(world: &World) -> Vec<LimitLine> {
    let ledger = world.ledger();
    let mut open: FxHashMap<Key<Process>, u32> = FxHashMap::default();
    for (_, table) in ledger.tables().filter(|(_, table)| table.dead.is_none()) {
        let most = open.entry(table.process).or_default();
        *most = table.open.max(*most);
    }
    let processes: Vec<Watched<'_>> = live_processes(ledger)
        .filter(|(key, _)| world.shows(*key))
        .map(|(key, process)| Watched {
            name: words::process(ledger, process.tgid),
            limits: process.facts.as_ref().map(|facts| &*facts.limits),
            read: process.facts.as_ref().map_or(BootTime(0), |facts| facts.at),
            threads: ledger.threads_of(key).len() as u64,
            handles: open.get(&key).copied().unwrap_or(0).into(),
            counts: world.triage().and_then(|triage| triage.counts(key)),
        })
        .collect();
    let handles = processes.iter().map(handles).max_by_key(nearness);
    let mut threads: Vec<_> = [
        of_cgroup(&processes),
        of_user(&processes),
        of_host(&processes),
    ]
    .into_iter()
    .flatten()
    .collect();
    threads.sort_by_key(|line| std::cmp::Reverse(nearness(line)));
    if threads.is_empty() && !processes.is_empty() {
        threads.push(LimitLine {
            what: "threads",
            of: "",
            whose: "limits not read yet".to_owned(),
            now: Some(processes.iter().map(|process| process.threads).sum()),
            at_least: false,
            max: Max::Unknown,
            per_minute: rate(&processes),
        });
    }
    handles.into_iter().chain(threads).collect()
}

/// What is used of it, in a millionth; the larger count where no limit is known.
fn nearness(line: &LimitLine) -> (u64, u64) {
    let now = line.now.unwrap_or(0);
    match line.max {
        Max::At(max) => (now.saturating_mul(1_000_000) / max.max(1), now),
        Max::Unlimited | Max::Unknown => (0, now),
    }
}

fn handles(process: &Watched<'_>) -> LimitLine {
    let limit = process.limits.and_then(|limits| limits.nofile);
    LimitLine {
        what: "handles",
        of: "",
        whose: format!("{} (RLIMIT_NOFILE)", process.name),
        now: Some(process.handles),
        at_least: false,
        max: limit.into(),
        per_minute: process
            .counts
            .and_then(|counts| counts.handles.per_minute()),
    }
}

/// The cgroup that has the least room left. Its threads were counted when /proc was read; those
/// that are watched are known at any time.
fn of_cgroup(processes: &[Watched<'_>]) -> Option<LimitLine> {
    let pids = |process: &Watched<'_>| process.limits.and_then(|limits| limits.pids.clone());
    let known = processes
        .iter()
        .filter_map(|process| Some((pids(process)?, process.read)));
    let mut latest: Vec<_> = known.collect();
    // Of one cgroup the latest reading is the true one.
    latest.sort_by_key(|(_, read)| std::cmp::Reverse(*read));
    let mut seen: Vec<_> = Vec::new();
    latest.retain(|(pids, _)| {
        let is_new = !seen.contains(&pids.cgroup);
        seen.push(pids.cgroup.clone());
        is_new
    });
    let lines = latest.into_iter().map(|(limit, _)| {
        let own = processes
            .iter()
            .filter(|process| pids(process).is_some_and(|pids| pids.cgroup == limit.cgroup));
        let watched: u64 = own.map(|process| process.threads).sum();
        LimitLine {
            what: "threads",
            of: "cgroup",
            whose: format!("cgroup {} (pids.max)", limit.cgroup),
            now: Some(limit.current.unwrap_or(0).max(watched)),
            at_least: limit.current.is_none_or(|current| current < watched),
            max: Max::At(limit.max),
            per_minute: rate(processes),
        }
    });
    lines.max_by_key(nearness)
}

/// The threads of a user, as far as they are watched. Root's are not limited.
fn of_user(processes: &[Watched<'_>]) -> Option<LimitLine> {
    let of = |process: &Watched<'_>| {
        let limits = process.limits?;
        let uid = limits.uid.filter(|uid| *uid != 0)?;
        Some((uid, limits.nproc?.number()?))
    };
    let lines = processes.iter().filter_map(|process| {
        let (uid, max) = of(process)?;
        let own = processes
            .iter()
            .filter(|other| other.limits.and_then(|limits| limits.uid) == Some(uid));
        Some(LimitLine {
            what: "threads",
            of: "user",
            whose: format!("user {uid} (RLIMIT_NPROC)"),
            now: Some(own.map(|process| process.threads).sum()),
            at_least: true,
            max: Max::At(max),
            per_minute: rate(processes),
        })
    });
    lines.max_by_key(nearness)
}

/// The whole host's: the lower one of two limits.
fn of_host(processes: &[Watched<'_>]) -> Option<LimitLine> {
    let latest = processes
        .iter()
        .filter(|process| process.limits.is_some())
        .max_by_key(|process| process.read)?;
    let limits = latest.limits?;
    let named = [
        (limits.threads_max, "kernel.threads-max"),
        (limits.pid_max, "kernel.pid_max"),
    ];
    let known = named
        .into_iter()
        .filter_map(|(max, name)| Some((max?, name)));
    let (max, name) = known.min_by_key(|(max, _)| *max)?;
    Some(LimitLine {
        what: "threads",
        of: "host",
        whose: format!("the host ({name})"),
        now: limits.host_threads,
        at_least: false,
        max: Max::At(max),
        per_minute: rate(processes),
    })
}

/// How many more threads there are every minute, of all that is watched.
fn rate(processes: &[Watched<'_>]) -> Option<f64> {
    let known = processes.iter().filter_map(|process| process.counts);
    let rates = known.map(|counts| counts.threads.per_minute());
    rates.flatten().reduce(|one, other| one + other)
}

impl From<Option<Ceiling>> for Max {
    fn from(ceiling: Option<Ceiling>) -> Self {
        match ceiling {
            Some(Ceiling::At(number)) => Self::At(number),
            Some(Ceiling::Unlimited) => Self::Unlimited,
            None => Self::Unknown,
        }
    }
}
