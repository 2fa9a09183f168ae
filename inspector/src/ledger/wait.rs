//! What threads are doing and how their futex words fare, as the source last sampled them.

use super::{Ledger, resource::Resource};
use crate::event::{
    id::BootTime,
    wait::{Blocked, WaitEvent, WaitSums, Waker, Waking},
};

/// What a thread was last seen doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Activity {
    /// When it was seen.
    pub sampled: BootTime,
    /// What it was blocked in; `None` = it ran or was runnable.
    pub blocked: Option<Blocked>,
    /// When it last got a cpu after a block.
    pub ran: Option<BootTime>,
    /// Who woke it last.
    pub waker: Option<Waker>,
    /// Sums over its ended waits.
    pub sums: WaitSums,
}

/// How a process's threads waited on one futex word, since it was first waited on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FutexWord {
    /// When it was seen.
    pub sampled: BootTime,
    /// Sums over the ended waits on it.
    pub sums: WaitSums,
    /// Who woke its waiters, and how often. A wake-up whose waiter had not left the cpu yet is
    /// not among them.
    pub wakers: Vec<(Waking, u64)>,
}

impl Ledger {
    pub(super) fn wait_event(&mut self, at: BootTime, event: &WaitEvent) {
        match *event {
            WaitEvent::Ended {
                tid, tgid, waker, ..
            } => {
                let thread = self.thread_on_demand(tid, tgid, at);
                let live = self.live_mut(thread);
                let sums = live
                    .activity
                    .map_or_else(WaitSums::default, |seen| seen.sums);
                if live.activity.is_none_or(|seen| seen.sampled <= at) {
                    live.activity = Some(Activity {
                        sampled: at,
                        blocked: None,
                        ran: Some(at),
                        waker,
                        sums,
                    });
                }
                self.touch_thread(thread, at);
            }
            WaitEvent::Sample {
                tid,
                tgid: _,
                blocked,
                ran,
                waker,
                sums,
            } => {
                // A sample is read from a map: it may be of a thread that is gone by now.
                let Some(&thread) = self.by_tid.get(&tid.0) else {
                    return;
                };
                let live = self.live_mut(thread);
                if live.activity.is_some_and(|seen| seen.sampled > at) {
                    return;
                }
                live.activity = Some(Activity {
                    sampled: at,
                    blocked,
                    ran,
                    waker,
                    sums,
                });
                self.changed(Resource::Thread(thread));
            }
            WaitEvent::Futex {
                tgid,
                address,
                sums,
                ref wakers,
            } => {
                // As with threads: the process may be gone by now.
                let Some(&process) = self.by_tgid.get(&tgid.0) else {
                    return;
                };
                let futexes = &mut self.processes[process].futexes;
                if futexes.get(&address).is_some_and(|seen| seen.sampled > at) {
                    return;
                }
                let word = FutexWord {
                    sampled: at,
                    sums,
                    wakers: wakers.clone(),
                };
                futexes.insert(address, word);
            }
        }
    }
}
