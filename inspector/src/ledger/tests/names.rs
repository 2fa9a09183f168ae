//! The names by which files were opened: whose they are.

use crate::{
    event::{
        Event, Named, What,
        handle::{HandleChange, HandleKind},
        id::{BootTime, CallNumber, Fd, Tgid, Tid},
    },
    event::{HandleEvent, text::Text},
    ledger::{Ledger, LedgerRules},
};

const OPENAT: CallNumber = CallNumber(257);

/// A name, told by a call of this thread.
pub(super) fn named(tid: Tid, tgid: Tgid, fd: Fd) -> What {
    What::Named(Box::new(Named {
        tid,
        tgid,
        call: OPENAT,
        fd,
        name: Text::from(&b"/etc/hostname"[..]),
        is_cut: false,
    }))
}

fn at(ms: u64) -> BootTime {
    BootTime(ms * 1_000_000)
}

/// Thread `tid` of process 100 opens 3 at a time, or closes it.
fn changed(ms: u64, tid: u32, opens: bool) -> Event {
    let change = if opens {
        HandleChange::Born {
            fd: Fd(3),
            kind: HandleKind::Opened,
            cloexec: true,
            file: None,
        }
    } else {
        HandleChange::Closed {
            fd: Fd(3),
            entry_seen: true,
            returned: at(ms),
            references: Some(1),
        }
    };
    let event = HandleEvent {
        tid: Tid(tid),
        tgid: Tgid(100),
        call: if opens { OPENAT } else { CallNumber(3) },
        change,
    };
    Event {
        at: at(ms),
        what: What::Handle(event),
    }
}

fn name(ms: u64, tid: u32) -> Event {
    Event {
        at: at(ms),
        what: named(Tid(tid), Tgid(100), Fd(3)),
    }
}

/// The names of all descriptors, by birth.
fn names(events: &[Event]) -> Vec<Option<String>> {
    let mut ledger = Ledger::new(LedgerRules::default());
    for event in events {
        ledger.apply(event);
    }
    let mut handles: Vec<_> = ledger.handles().map(|(_, handle)| handle).collect();
    handles.sort_by_key(|handle| handle.generation);
    let name = |handle: &&crate::ledger::handle::Descriptor| {
        let shared = ledger.description(handle.description)?;
        shared.known_as().map(ToString::to_string)
    };
    handles.iter().map(name).collect()
}

#[test]
fn a_name_is_its_calls_descriptors_open_or_closed() {
    let told = Some("/etc/hostname".to_owned());
    assert_eq!(
        names(&[changed(1, 100, true), name(1, 100)]),
        vec![told.clone()]
    );
    let closed = [changed(1, 100, true), changed(2, 101, false), name(2, 100)];
    assert_eq!(names(&closed), vec![told.clone()]);
    // Another thread was given the number in between.
    let again = [
        changed(1, 100, true),
        changed(2, 101, false),
        changed(3, 101, true),
        name(3, 100),
    ];
    assert_eq!(names(&again), vec![told, None]);
}

#[test]
fn a_name_of_nothing_is_nobodys() {
    assert!(names(&[name(1, 100)]).is_empty());
    // Another thread's, and one that comes too late to be of this birth.
    assert_eq!(names(&[changed(1, 100, true), name(1, 101)]), vec![None]);
    assert_eq!(names(&[changed(1, 100, true), name(100, 100)]), vec![None]);
}
