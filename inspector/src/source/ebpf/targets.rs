//! Whom the programs trace: the kernel's bitmap of targets, kept free of the dead.

use std::collections::BTreeSet;

use super::bits::Bits;
use crate::event::id::Tgid;

/// The targets. Requests name some, forks add others inside the kernel.
pub(super) struct Targets {
    bits: Bits,
    /// How many were ever named.
    named: usize,
    /// Those that looked dead at the last look.
    dying: BTreeSet<u32>,
}

impl Targets {
    pub(super) fn new(bits: Bits) -> Self {
        Self {
            bits,
            named: 0,
            dying: BTreeSet::new(),
        }
    }

    /// Traces a process from now on. False where it is traced already.
    pub(super) fn add(&mut self, tgid: Tgid) -> bool {
        self.named += 1;
        !self.bits.set(tgid.0)
    }

    /// Takes back what was just added: it is as if it had never been named.
    pub(super) fn remove(&mut self, tgid: Tgid) {
        self.named -= 1;
        self.bits.clear(tgid.0);
    }

    /// Those traced now. The bitmap is the truth: forks add to it, and a number that a stranger
    /// was born with is taken from it.
    pub(super) fn now(&self) -> BTreeSet<u32> {
        self.bits.iter().collect()
    }

    /// Drops those that are gone. True when none is left of some that were.
    ///
    /// A thread is a zombie before it leaves the cpu for the last time, and the programs tell that
    /// of targets only: so a process is dropped when it looked dead at two looks in a row.
    pub(super) fn forget_the_dead(&mut self) -> bool {
        let mut left = self.now();
        let looks_dead: BTreeSet<u32> = left
            .iter()
            .copied()
            .filter(|&tgid| is_gone(Tgid(tgid)))
            .collect();
        for &tgid in looks_dead.intersection(&self.dying) {
            left.remove(&tgid);
            self.bits.clear(tgid);
        }
        self.dying = looks_dead;
        self.named > 0 && left.is_empty()
    }
}

/// Whether no thread of a process lives: it is not there, or a zombie through and through.
pub(super) fn is_gone(tgid: Tgid) -> bool {
    let lives = |stat: procfs::ProcResult<procfs::process::Stat>| {
        stat.is_ok_and(|stat| !matches!(stat.state, 'Z' | 'X' | 'x'))
    };
    let Ok(process) = i32::try_from(tgid.0)
        .map_err(drop)
        .and_then(|pid| procfs::process::Process::new(pid).map_err(drop))
    else {
        return true;
    };
    if lives(process.stat()) {
        return false;
    }
    let Ok(mut tasks) = process.tasks() else {
        return true;
    };
    !tasks.any(|task| lives(task.and_then(|task| task.stat())))
}
