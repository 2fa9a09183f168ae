//! What the running source reads of /proc: baselines, and audits where one is asked for or owed.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{Session, Stopped};
use crate::{
    event::{Event, What, id::Tgid, scan::ScanRole},
    source::{Followed, ebpf::targets::is_gone, procfs},
};

/// Where processes are read.
const PROC: &str = "/proc";
/// Time between two audits that losses cause, at least.
const AUDIT_EVERY: Duration = Duration::from_millis(50);
/// And as a multiple of what the last one took.
const AUDIT_REST: u32 = 4;

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
        let followed = self.marks.attach(&mut self.ebpf, &program);
        let scan = match procfs::scan(Path::new(PROC), tgid, ScanRole::Baseline) {
            Ok(scan) => scan,
            Err(error) => return Ok(Err(format!("can't read /proc/{tgid}: {error}"))),
        };
        if let Some(waits) = &mut self.waits {
            for thread in scan.threads.iter().flatten() {
                waits.seed(tgid, thread.tid);
            }
        }
        let event = Event {
            at: scan.ended,
            what: What::Scan(Box::new(scan)),
        };
        self.send(vec![event])?;
        Ok(followed)
    }

    /// Compares the targets with /proc.
    pub(super) fn audit(&mut self, heal: bool) -> Result<(), Stopped> {
        let began = Instant::now();
        for tgid in self.targets.now() {
            // A process that can't be read leaves what is unknown unknown.
            let Ok(scan) = procfs::scan(Path::new(PROC), Tgid(tgid), ScanRole::Audit { heal })
            else {
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
        Ok(())
    }

    /// Audits if something was lost: only /proc can tell now what became of it. Not again and
    /// again while more is lost: reading /proc takes the time that reading the ring lacks.
    pub(super) fn mend(&mut self, now: bool) -> Result<(), Stopped> {
        if !self.owes_audit || (!now && Instant::now() < self.audit_due) {
            return Ok(());
        }
        self.owes_audit = false;
        let began = Instant::now();
        self.audit(true)?;
        self.audit_due = Instant::now() + AUDIT_EVERY.max(began.elapsed() * AUDIT_REST);
        Ok(())
    }
}
