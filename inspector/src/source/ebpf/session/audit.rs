//! What the running source reads of /proc: baselines, and audits where one is asked for or owed,
//! and now and then by a slow clock.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::{Session, Stopped};
use crate::{
    event::{Event, Scan, What, id::Tgid, scan::ScanRole},
    source::{AuditMode, Audits, Followed, ebpf::targets::is_gone, procfs},
};

/// Where processes are read.
const PROC: &str = "/proc";
/// Time between two audits that losses cause, at least.
const AUDIT_EVERY: Duration = Duration::from_millis(50);
/// And as a multiple of what the last one took.
const AUDIT_REST: u32 = 4;

/// How long after a process is followed it is compared first.
const FIRST_AFTER: Duration = Duration::from_millis(200);
/// A slow audit rests this many times as long as it took.
const SLOW_REST: u32 = 20;
/// A slow audit waits while a drain takes more records than this.
const QUIET_RECORDS: u64 = 1_000;
/// But for no longer than this many times its interval.
const MOST_WAITS: u32 = 6;

/// Threads whose waits are looked up before the ring is looked at again.
const AT_ONCE: usize = 500;

/// When audits are due.
pub(super) struct Auditing {
    audits: Audits,
    /// Something was lost since the last audit.
    is_owed: bool,
    /// Not audited for losses before this.
    owed_due: Instant,
    /// The slow clock's next audit; `None` = it has none.
    slow_due: Option<Instant>,
    /// Records that the last drain took.
    records: u64,
}

impl Auditing {
    pub(super) fn new(audits: Audits) -> Self {
        let now = Instant::now();
        Self {
            audits,
            is_owed: false,
            owed_due: now,
            slow_due: audits.every.map(|every| now + every),
            records: 0,
        }
    }

    /// Something was lost: only /proc can tell what became of it.
    pub(super) fn owe(&mut self) {
        self.is_owed = true;
    }

    /// A drain took so many records.
    pub(super) fn happened(&mut self, records: u64) {
        self.records = records;
    }

    /// A process is followed.
    fn followed(&mut self) {
        let soon = Instant::now() + FIRST_AFTER;
        self.slow_due = self.slow_due.map(|due| due.min(soon));
    }

    /// Whether the slow clock's audit is to be made now.
    fn is_slow_due(&self, now: Instant) -> bool {
        let (Some(due), Some(every)) = (self.slow_due, self.audits.every) else {
            return false;
        };
        now >= due && (self.records <= QUIET_RECORDS || now >= due + every * MOST_WAITS)
    }

    /// One was made, and took so long: the slow clock goes on from there.
    fn made(&mut self, now: Instant, took: Duration) {
        let next = |every: Duration| now + every.max(took * SLOW_REST);
        self.slow_due = self.audits.every.map(next);
    }
}

impl Session {
    /// Attach first, then the baseline: nothing is missed in between.
    pub(super) fn follow(&mut self, tgid: Tgid) -> Result<Result<Followed, String>, Stopped> {
        if is_gone(tgid) {
            return Ok(Err(format!("there is no process {tgid}")));
        }
        if !self.targets.add(tgid) {
            // A target's child, of which everything is known, or one that was named twice.
            return Ok(Ok(Followed::default()));
        }
        let program = PathBuf::from(format!("/proc/{tgid}/exe"));
        // A process whose first thread has ended shows no program, and lives in its others.
        let followed = self
            .marks
            .attach(&mut self.ebpf, &program)
            .unwrap_or_else(|why| Followed {
                marks: 0,
                unusable: vec![why],
            });
        let scan = match self.scan(tgid, ScanRole::Baseline) {
            Ok(scan) => scan,
            Err(error) => {
                // Of whom nothing is known at first nothing that follows can be told.
                self.targets.remove(tgid);
                return Ok(Err(format!("can't read /proc/{tgid}: {error}")));
            }
        };
        if scan.threads.is_none() {
            self.targets.remove(tgid);
            return Ok(Err(format!("process {tgid} has just ended")));
        }
        for threads in scan
            .threads
            .iter()
            .flat_map(|threads| threads.chunks(AT_ONCE))
        {
            for thread in threads {
                if let Some(waits) = &mut self.waits {
                    waits.seed(tgid, thread.tid);
                }
            }
            self.empty_ring();
        }
        let event = Event {
            at: scan.ended,
            what: What::Scan(Box::new(scan)),
        };
        self.send(vec![event])?;
        self.auditing.followed();
        Ok(Ok(followed))
    }

    /// Reads a process, and meanwhile keeps the ring from filling up: a big process takes seconds.
    /// What is taken from the ring is told when it would have been without that.
    fn scan(&mut self, tgid: Tgid, role: ScanRole) -> Result<Scan, Errno> {
        procfs::scan_pausing(Path::new(PROC), tgid, role, &mut || self.empty_ring())
    }

    /// Compares the targets with /proc.
    pub(super) fn audit(&mut self, heal: bool) -> Result<(), Stopped> {
        let began = Instant::now();
        let heal = heal && self.auditing.audits.mode == AuditMode::Heal;
        for tgid in self.targets.now() {
            // A process that can't be read leaves what is unknown unknown.
            let Ok(scan) = self.scan(Tgid(tgid), ScanRole::Audit { heal }) else {
                continue;
            };
            // What changed while /proc was read must reach the ledger before the audit does: it
            // leaves alone what had an event in between.
            self.drain(true)?;
            self.send(vec![Event {
                at: scan.ended,
                what: What::Scan(Box::new(scan)),
            }])?;
        }
        self.gauges.audited(began.elapsed());
        // Whoever asked for it: the clock has no need of another.
        self.auditing.made(Instant::now(), began.elapsed());
        Ok(())
    }

    /// Audits if something was lost: only /proc can tell now what became of it. Not again and
    /// again while more is lost: reading /proc takes the time that reading the ring lacks.
    pub(super) fn mend(&mut self, now: bool) -> Result<(), Stopped> {
        if !self.auditing.is_owed || (!now && Instant::now() < self.auditing.owed_due) {
            return Ok(());
        }
        self.auditing.is_owed = false;
        let began = Instant::now();
        self.audit(true)?;
        self.auditing.owed_due = Instant::now() + AUDIT_EVERY.max(began.elapsed() * AUDIT_REST);
        Ok(())
    }

    /// Audits by the slow clock: what no event announces is found by nothing else.
    pub(super) fn audit_now_and_then(&mut self) -> Result<(), Stopped> {
        let began = Instant::now();
        if self.auditing.is_slow_due(began) {
            self.audit(true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(10);

    fn auditing() -> Auditing {
        Auditing::new(Audits {
            mode: AuditMode::Heal,
            every: Some(EVERY),
        })
    }

    #[test]
    fn the_first_comes_soon_after_a_process_is_followed() {
        let mut auditing = auditing();
        let now = Instant::now();
        assert!(!auditing.is_slow_due(now + FIRST_AFTER * 2));
        auditing.followed();
        assert!(!auditing.is_slow_due(now));
        assert!(auditing.is_slow_due(now + FIRST_AFTER * 2));
        auditing.made(now, Duration::ZERO);
        assert!(!auditing.is_slow_due(now + FIRST_AFTER * 2));
        assert!(auditing.is_slow_due(now + EVERY));
    }

    #[test]
    fn it_waits_for_quiet_but_not_for_ever_and_rests() {
        let mut auditing = auditing();
        let now = Instant::now();
        auditing.made(now, EVERY);
        assert!(!auditing.is_slow_due(now + EVERY * 19));
        assert!(auditing.is_slow_due(now + EVERY * 20));
        auditing.happened(QUIET_RECORDS + 1);
        assert!(!auditing.is_slow_due(now + EVERY * 25));
        assert!(auditing.is_slow_due(now + EVERY * 26));
    }

    #[test]
    fn without_a_clock_there_is_none() {
        let mut auditing = Auditing::new(Audits {
            mode: AuditMode::Heal,
            every: None,
        });
        auditing.followed();
        assert!(!auditing.is_slow_due(Instant::now() + EVERY * 1000));
    }
}
