//! Follows processes that join the groups that are watched: a container's later `exec`s are nobody's
//! children there.

use std::{collections::BTreeSet, io, path::PathBuf, sync::mpsc::Sender, thread, time::Duration};

use tokio::sync::oneshot;

use crate::{
    event::id::Tgid,
    source::Request,
    target::{self, Roots},
};

/// Time between two looks at a group.
const LOOK: Duration = Duration::from_millis(500);

/// Looks at the groups now and then, and has new members followed, until the source has ended.
/// `known` are followed already. Groups that vanish have no more members: when all have, the source
/// ends with the last of its targets.
///
/// # Errors
/// Where no thread can be started.
pub(super) fn follow(
    groups: Vec<PathBuf>,
    known: &[Tgid],
    requests: Sender<Request>,
) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let mut known: BTreeSet<u32> = known.iter().map(|tgid| tgid.0).collect();
    let roots = Roots::here();
    let look = move || {
        loop {
            let (members, is_there) = target::members(&groups);
            for &pid in members.iter().filter(|&pid| !known.contains(pid)) {
                // Inspector itself may be a member, and the kernel's threads.
                let Ok(tgid) = roots.process(pid) else {
                    continue;
                };
                let (done, _nobody_waits) = oneshot::channel();
                if requests.send(Request::Follow { tgid, done }).is_err() {
                    return;
                }
            }
            if !is_there {
                let _may_have_ended = requests.send(Request::EndWithTargets);
                return;
            }
            known = members.into_iter().collect();
            thread::sleep(LOOK);
        }
    };
    let thread = thread::Builder::new().name("inspector-group".to_owned());
    thread.spawn(look).map(drop)
}
