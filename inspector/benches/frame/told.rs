//! The events that the worlds of this benchmark are made from.

use inspector::event::{
    Event, HandleEvent, Mark, ThreadEvent, WaitEvent, What,
    handle::{HandleChange, HandleKind},
    id::{BootTime, CallNumber, Fd, Tid},
    mark::{Declared, Key, MapId},
    text::{Comm, Text},
    thread::CloneFlags,
    wait::{Blocked, WaitSums, Waker, Waking},
};

use super::{HANDLES, PROCESS};

/// Events one microsecond apart.
pub(super) struct Told {
    pub(super) now_ns: u64,
    pub(super) events: Vec<Event>,
}

impl Told {
    pub(super) fn push(&mut self, what: What) {
        self.now_ns += 1_000;
        self.events.push(Event {
            at: BootTime(self.now_ns),
            what,
        });
    }

    pub(super) fn handle(&mut self, tid: u32, change: HandleChange) {
        self.push(What::Handle(HandleEvent {
            tid: Tid(tid),
            tgid: PROCESS,
            call: CallNumber(283),
            change,
        }));
    }

    pub(super) fn open(&mut self, fd: u32) {
        self.handle(
            100,
            HandleChange::Born {
                fd: Fd(fd),
                kind: HandleKind::Timerfd,
                cloexec: true,
                file: None,
            },
        );
    }

    pub(super) fn close(&mut self, fd: u32) {
        let returned = BootTime(self.now_ns + 1_500);
        self.handle(
            100,
            HandleChange::Closed {
                fd: Fd(fd),
                entry_seen: true,
                returned,
                references: Some(1),
            },
        );
    }

    pub(super) fn mark(&mut self, key: u32, what: Declared) {
        self.push(What::Mark(Box::new(Mark {
            tid: Tid(100),
            tgid: PROCESS,
            map: MapId(1),
            key: Key::whole(format!("task-{key:05}").as_bytes()),
            what,
        })));
    }

    pub(super) fn thread(&mut self, tid: u32, name: &str) {
        self.push(What::Thread(ThreadEvent::Born {
            parent: Tid(100),
            parent_tgid: PROCESS,
            child: Tid(tid),
            tgid: PROCESS,
            start: BootTime(self.now_ns),
            flags: CloneFlags(0x1_0500),
            files: None,
            comm: Comm::from_bytes(name.as_bytes()),
        }));
    }

    pub(super) fn store(&mut self, key: u32) {
        self.mark(key, Declared::StoreBegin { span: None });
        self.thread(1_000 + key, &format!("tick-{key:05}"));
        for fd in 0..HANDLES {
            self.open(3 + key * HANDLES + fd);
        }
        self.mark(key, Declared::StoreEnd { span: None });
    }

    pub(super) fn delete(&mut self, key: u32) {
        let policy = Some(Text::from(&b"bare"[..]));
        self.mark(key, Declared::DeleteBegin { policy });
        if key.is_multiple_of(2) {
            for fd in 0..HANDLES {
                self.close(3 + key * HANDLES + fd);
            }
        }
        self.mark(key, Declared::DeleteEnd);
    }

    /// What a thread does: half of them wait on one of a thousand futex words.
    pub(super) fn sample(&mut self, key: u32) {
        let at = BootTime(self.now_ns);
        let waker = Some(Waker {
            at,
            how: Waking::Thread(Tid(100)),
        });
        let on = u64::from(3 + key * HANDLES);
        let (call, on) = match key % 2 {
            0 => (0, on),
            _ => (202, 0x7f00_0000 + on % 1_000 * 8),
        };
        let blocked = Some(Blocked {
            since: Some(at),
            call: Some(call),
            args: [on, 0, 0, 0],
        });
        self.push(What::Wait(Box::new(WaitEvent::Sample {
            tid: Tid(1_000 + key),
            tgid: PROCESS,
            blocked,
            ran: None,
            waker,
            sums: WaitSums {
                count: 12,
                ..WaitSums::default()
            },
        })));
        if call == 202 {
            self.push(What::Wait(Box::new(WaitEvent::Futex {
                tgid: PROCESS,
                address: on,
                sums: WaitSums::default(),
                wakers: vec![(Waking::Thread(Tid(100)), 12)],
            })));
        }
    }
}
