//! Follows processes that join the groups that are watched: a container's later `exec`s are nobody's
//! children there.

use std::{collections::BTreeSet, io, path::PathBuf, sync::mpsc::Sender, thread, time::Duration};

use tokio::sync::oneshot;

use crate::{event::id::Tgid, source::Request, target};

/// Time between two looks at a group.
const LOOK: Duration = Duration::from_millis(500);

/// Looks at the groups now and then, and has new members followed, until the source has ended. A
/// group that vanishes has no more of them.
///
/// # Errors
/// Where no thread can be started.
pub(super) fn follow(groups: Vec<PathBuf>, requests: Sender<Request>) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let look = move || {
        let mut known: BTreeSet<u32> = BTreeSet::new();
        while let Ok(members) = target::members(&groups) {
            for &pid in &members {
                let (done, _nobody_waits) = oneshot::channel();
                let tgid = Tgid(pid);
                let request = Request::Follow { tgid, done };
                if !known.contains(&pid) && requests.send(request).is_err() {
                    return;
                }
            }
            known = members.into_iter().collect();
            thread::sleep(LOOK);
        }
    };
    let thread = thread::Builder::new().name("inspector-group".to_owned());
    thread.spawn(look).map(drop)
}
