//! Whom the programs trace: the kernel's map of targets, and who of them still lives.

use std::collections::BTreeSet;

use aya::maps::{HashMap as BpfMap, MapData, MapError};
use inspector_ebpf::abi::config::Target;

use crate::event::id::Tgid;

type RawTarget = [u8; size_of::<Target>()];

/// The targets.
pub(super) struct Targets {
    map: BpfMap<MapData, u32, RawTarget>,
    /// Those named, and those that forks added to the map since.
    followed: BTreeSet<u32>,
}

impl Targets {
    pub(super) fn new(map: BpfMap<MapData, u32, RawTarget>) -> Self {
        Self {
            map,
            followed: BTreeSet::new(),
        }
    }

    /// Traces a process from now on.
    pub(super) fn name(&mut self, tgid: Tgid) -> Result<(), MapError> {
        let named = Target { origin: 1, pad: 0 };
        let raw: RawTarget = zerocopy::transmute!(named);
        self.map.insert(tgid.0, raw, 0)?;
        self.followed.insert(tgid.0);
        Ok(())
    }

    /// Everyone known to be traced.
    pub(super) fn all(&self) -> Vec<Tgid> {
        self.followed.iter().copied().map(Tgid).collect()
    }

    /// Drops targets that are gone, and learns of those that forks added. True when none is left
    /// of some that were.
    pub(super) fn forget_the_dead(&mut self) -> bool {
        let in_kernel: Vec<u32> = self.map.keys().filter_map(Result::ok).collect();
        self.followed.extend(in_kernel);
        let had_some = !self.followed.is_empty();
        let dead: Vec<u32> = self
            .followed
            .iter()
            .copied()
            .filter(|&tgid| is_gone(Tgid(tgid)))
            .collect();
        for tgid in dead {
            self.followed.remove(&tgid);
            let _the_kernel_side_may_have_been_first = self.map.remove(&tgid);
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
