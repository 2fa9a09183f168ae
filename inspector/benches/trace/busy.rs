//! A busy server made up: connections that come, are read from, and go, beside files that are opened and
//! closed, and worker threads that wait.

use std::{collections::BTreeMap, num::NonZeroU64};

use inspector::event::{
    Batch, BootTime, Event, HandleEvent, Named, ThreadEvent, WaitEvent, What,
    handle::{HandleChange, HandleKind},
    id::{CallNumber, Fd, FileAddress, Tgid, Tid},
    text::{Comm, Text},
    thread::CloneFlags,
    wait::{Blocked, Waker, Waking},
};

const SERVER: Tgid = Tgid(41_200);
const WORKERS: u32 = 64;
const CONNECTIONS: u32 = 2000;

/// So many events, in batches as a source sends them.
pub(crate) fn batches(count: usize) -> Vec<Batch> {
    let mut server = Server {
        random: 0x9e37_79b9_7f4a_7c15,
        now: 3_600_000_000_000,
        open: (0..CONNECTIONS).map(|_| None).collect(),
        events: Vec::new(),
    };
    server.workers();
    while server.events.len() < count {
        server.serve();
    }
    let mut events = server.events.into_iter().peekable();
    let mut batches = Vec::new();
    while events.peek().is_some() {
        let mut events: Vec<_> = events.by_ref().take(4096).collect();
        let at = events.last().map_or(BootTime(0), |event| event.at);
        events.push(Event {
            at,
            what: What::Tick,
        });
        batches.push(Batch { events });
    }
    batches
}

/// How many of each kind.
pub(crate) fn kinds(batches: &[Batch]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for event in batches.iter().flat_map(|batch| &batch.events) {
        let kind = match &event.what {
            What::Thread(_) => "thread",
            What::Handle(_) => "handle",
            What::Wait(_) => "wait",
            What::Named(_) => "named",
            What::Tick => "tick",
            _ => "other",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

struct Server {
    random: u64,
    now: u64,
    open: Vec<Option<u64>>,
    events: Vec<Event>,
}

impl Server {
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn push(&mut self, what: What) {
        self.now += 500 + self.random(9_000);
        self.events.push(Event {
            at: BootTime(self.now),
            what,
        });
    }

    fn handle(&mut self, tid: Tid, call: u16, change: HandleChange) {
        self.push(What::Handle(HandleEvent {
            tid,
            tgid: SERVER,
            call: CallNumber(call),
            change,
        }));
    }

    fn workers(&mut self) {
        for worker in 1..=WORKERS {
            let name = format!("worker-{worker}");
            self.push(What::Thread(ThreadEvent::Born {
                parent: Tid(SERVER.0),
                parent_tgid: SERVER,
                child: Tid(SERVER.0 + worker),
                tgid: SERVER,
                start: BootTime(self.now),
                flags: CloneFlags(0x3d_0f00),
                files: NonZeroU64::new(0xffff_8881_0432_1000)
                    .map(inspector::event::id::FilesAddress),
                comm: Comm::from_bytes(name.as_bytes()),
            }));
        }
    }

    fn serve(&mut self) {
        let worker = Tid(SERVER.0 + 1 + self.random(u64::from(WORKERS)) as u32);
        let place = self.random(u64::from(CONNECTIONS)) as usize;
        let fd = Fd(16 + place as u32);
        if let Some(_file) = self.open[place].take() {
            let returned = BootTime(self.now + 3_000 + self.random(4_000));
            self.handle(
                worker,
                3,
                HandleChange::Closed {
                    fd,
                    entry_seen: true,
                    returned,
                    references: Some(1),
                },
            );
        } else {
            // Kernel objects of one cache, which are given out again and again.
            let file = 0xffff_8881_2000_0000 + self.random(8192) * 256;
            self.open[place] = Some(file);
            self.handle(
                worker,
                288,
                HandleChange::Born {
                    fd,
                    kind: HandleKind::Socket,
                    cloexec: true,
                    file: NonZeroU64::new(file).map(FileAddress),
                },
            );
        }
        if self.random(10) < 6 {
            self.wait(worker);
        }
        if self.random(10) < 3 {
            self.read_file(worker);
        }
    }

    fn wait(&mut self, worker: Tid) {
        let lasted = 1_000_000 + self.random(50_000_000);
        let is_futex = self.random(2) == 0;
        let waker = if is_futex {
            Waking::Thread(Tid(SERVER.0 + 1 + self.random(u64::from(WORKERS)) as u32))
        } else {
            Waking::Interrupt
        };
        let word = 0x7f3a_4400_0000 + self.random(64) * 64;
        let at = BootTime(self.now - self.random(20_000));
        let wait = Blocked {
            since: Some(BootTime(self.now - lasted)),
            call: Some(if is_futex { 202 } else { 232 }),
            args: if is_futex {
                [word, 0x80, 2, 0]
            } else {
                [5, 0x7ffd_1234_5000, 512, 0xffff_ffff]
            },
        };
        self.push(What::Wait(Box::new(WaitEvent::Ended {
            tid: worker,
            tgid: SERVER,
            wait,
            waker: Some(Waker { at, how: waker }),
        })));
    }

    fn read_file(&mut self, worker: Tid) {
        let (fd, call) = (Fd(2100 + worker.0 % 64), 257);
        let file = 0xffff_8881_2000_0000 + self.random(8192) * 256;
        let name = format!("/srv/www/static/{}.html", self.random(500));
        self.handle(
            worker,
            call,
            HandleChange::Born {
                fd,
                kind: HandleKind::Opened,
                cloexec: true,
                file: NonZeroU64::new(file).map(FileAddress),
            },
        );
        self.push(What::Named(Box::new(Named {
            tid: worker,
            tgid: SERVER,
            call: CallNumber(call),
            fd,
            name: Text::from(name.into_bytes()),
            is_cut: false,
        })));
        let returned = BootTime(self.now + 2_000);
        self.handle(
            worker,
            3,
            HandleChange::Closed {
                fd,
                entry_seen: true,
                returned,
                references: Some(1),
            },
        );
    }
}
