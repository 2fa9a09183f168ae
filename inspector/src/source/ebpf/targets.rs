//! Whom the programs trace: the kernel's bitmap of targets, and who of them still lives.

use std::collections::BTreeSet;

use super::bits::Bits;
use crate::event::id::Tgid;

/// The targets.
pub(super) struct Targets {
    bits: Bits,
    /// Those named, and those that forks added to the bitmap since.
    followed: BTreeSet<u32>,
}

impl Targets {
    pub(super) fn new(bits: Bits) -> Self {
        Self {
            bits,
            followed: BTreeSet::new(),
        }
    }

    /// Traces a process from now on.
    pub(super) fn name(&mut self, tgid: Tgid) {
        self.bits.set(tgid.0);
        self.followed.insert(tgid.0);
    }

    /// Everyone known to be traced.
    pub(super) fn all(&self) -> Vec<Tgid> {
        self.followed.iter().copied().map(Tgid).collect()
    }

    /// Drops targets that are gone, and learns of those that forks added. True when none is left
    /// of some that were.
    pub(super) fn forget_the_dead(&mut self) -> bool {
        self.followed.extend(self.bits.iter());
        let had_some = !self.followed.is_empty();
        let dead: Vec<u32> = self
            .followed
            .iter()
            .copied()
            .filter(|&tgid| is_gone(Tgid(tgid)))
            .collect();
        for tgid in dead {
            self.followed.remove(&tgid);
            self.bits.clear(tgid);
        }
        had_some && self.followed.is_empty()
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
