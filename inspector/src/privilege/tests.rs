//! What is shed is gone, and what is kept is enough for audits.

use super::*;
use crate::{
    event::{id::Tgid, scan::ScanRole},
    source::procfs::{PROC, scan},
};
use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

/// A process of another user, asleep; ends with its test.
struct Foreign(Child);

impl Foreign {
    fn start() -> Option<Self> {
        if !capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SETUID)) {
            eprintln!("skipped: only root can be another user");
            return None;
        }
        let child = Command::new("sleep")
            .arg("60")
            .uid(65534)
            .gid(65534)
            .stdin(Stdio::null())
            .spawn();
        Some(Self(child.expect("sleep is everywhere")))
    }

    /// Whether the calling thread can read its descriptors.
    fn can_be_audited(&self) -> bool {
        let scan = scan(Path::new(PROC), Tgid(self.0.id()), ScanRole::Baseline);
        let scan = scan.expect("its folder is open to all");
        scan.tables.len() == 1 && scan.tables[0].handles.as_ref().is_ok_and(|h| h.len() >= 3)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it is ours");
    }
}

/// Capabilities belong to a thread; a test sheds those of one of its own.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"))
}

#[test]
fn audits_work_after_the_rest_is_gone() {
    let Some(foreign) = Foreign::start() else {
        return;
    };
    assert!(foreign.can_be_audited());
    let keep = needed("6.18.0");
    assert!(on_a_thread(|| {
        assert_eq!(shed_thread(keep), Ok(keep));
        foreign.can_be_audited()
    }));
    // Each of the two is needed: without either the same audit is refused.
    for one in keep.iter() {
        assert!(
            !on_a_thread(|| {
                assert_eq!(shed_thread(keep - one), Ok(keep - one));
                foreign.can_be_audited()
            }),
            "{one:?} is kept for nothing"
        );
    }
}

#[test]
fn nothing_comes_back() {
    let (own, executed) = on_a_thread(|| {
        shed_thread(CapabilitySet::empty()).expect("anyone may give up what he has");
        let own = capabilities(None).expect("our own");
        assert!(
            set_capabilities(
                None,
                CapabilitySets {
                    permitted: CapabilitySet::KILL,
                    ..own
                }
            )
            .is_err()
        );
        let executed = Command::new("grep")
            .args(["CapEff", "/proc/self/status"])
            .output();
        (own, executed.expect("grep is everywhere").stdout)
    });
    assert_eq!(
        own.effective | own.permitted | own.inheritable,
        CapabilitySet::empty()
    );
    assert_eq!(
        String::from_utf8_lossy(&executed).trim(),
        "CapEff:\t0000000000000000"
    );
}

#[test]
fn other_threads_are_not_forgotten() {
    // The test runner itself has threads.
    let before = capabilities(None).expect("our own");
    assert!(matches!(shed(CapabilitySet::empty()), Err(ShedError::Threads(count)) if count > 1));
    assert_eq!(capabilities(None), Ok(before), "nothing changed");
}

#[test]
fn old_kernels_need_one_more() {
    assert!(needed("5.15.0-91-generic").contains(CapabilitySet::BPF));
    assert!(!needed("6.1.0-40-amd64").contains(CapabilitySet::BPF));
    assert!(!needed("5.19").contains(CapabilitySet::BPF));
    assert!(needed("unreadable").contains(CapabilitySet::BPF));
}
