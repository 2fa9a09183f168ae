//! How many events a second the ledger applies on one core, and what its records weigh.
//!
//! `cargo bench -p inspector --bench ledger`

use std::num::NonZeroU64;

use divan::{Bencher, counter::ItemsCount};
use inspector::{
    event::{
        Batch, Event, HandleEvent, Mark, ThreadEvent, What,
        handle::{HandleChange, HandleKind},
        id::{BootTime, CallNumber, Fd, FileAddress, Tgid, Tid},
        mark::{Declared, Key, MapId},
        text::Comm,
        thread::CloneFlags,
    },
    ledger::{Ledger, LedgerRules, retain::Retain},
    pipeline::Pipeline,
    verdict::growth::Growth,
};

fn main() {
    weigh();
    divan::main();
}

const PROCESS: Tgid = Tgid(100);

/// Makes events, one microsecond apart.
struct Source {
    now_ns: u64,
    events: Vec<Event>,
}

impl Source {
    fn new() -> Self {
        let mut source = Self {
            now_ns: 0,
            events: Vec::new(),
        };
        source.thread(ThreadEvent::Renamed {
            tid: Tid(100),
            tgid: PROCESS,
            comm: Comm::default(),
        });
        source
    }

    fn push(&mut self, what: What) {
        self.now_ns += 1_000;
        self.events.push(Event {
            at: BootTime(self.now_ns),
            what,
        });
    }

    fn thread(&mut self, event: ThreadEvent) {
        self.push(What::Thread(event));
    }

    fn born(&mut self, tid: u32) {
        self.thread(ThreadEvent::Born {
            parent: Tid(100),
            parent_tgid: PROCESS,
            child: Tid(tid),
            tgid: PROCESS,
            start: BootTime(self.now_ns),
            flags: CloneFlags(0x1_0500),
            files: None,
            comm: Comm::default(),
        });
    }

    fn gone(&mut self, tid: u32, start: BootTime) {
        let (tid, tgid) = (Tid(tid), PROCESS);
        self.thread(ThreadEvent::Exiting { tid, tgid, start });
        self.thread(ThreadEvent::Gone { tid, tgid, start });
    }

    fn handle(&mut self, tid: u32, change: HandleChange) {
        self.push(What::Handle(HandleEvent {
            tid: Tid(tid),
            tgid: PROCESS,
            call: CallNumber(257),
            change,
        }));
    }

    fn open(&mut self, tid: u32, fd: u32) {
        let address = 0xffff_8880_0000_0000 + u64::from(fd) * 256;
        self.handle(
            tid,
            HandleChange::Born {
                fd: Fd(fd),
                kind: HandleKind::Timerfd,
                cloexec: true,
                file: NonZeroU64::new(address).map(FileAddress),
            },
        );
    }

    fn close(&mut self, tid: u32, fd: u32) {
        let change = HandleChange::Closed {
            fd: Fd(fd),
            entry_seen: true,
            returned: BootTime(self.now_ns + 1_500),
            references: Some(1),
        };
        self.handle(tid, change);
    }

    fn mark(&mut self, key: u32, what: Declared) {
        self.push(What::Mark(Box::new(Mark {
            tid: Tid(100),
            tgid: PROCESS,
            map: MapId(1),
            key: Key::whole(&key.to_le_bytes()),
            what,
        })));
    }
}

fn run(events: &[Event]) -> Ledger {
    let mut ledger = Ledger::new(LedgerRules::default());
    for event in events {
        ledger.apply(event);
    }
    ledger
}

/// Eight threads open and close descriptors among 1,000 that stay open.
#[divan::bench(sample_count = 20)]
fn open_and_close(bencher: Bencher<'_, '_>) {
    let mut source = Source::new();
    for tid in 101..=108 {
        source.born(tid);
    }
    for fd in 3..1_003 {
        source.open(100, fd);
    }
    for round in 0..250_000 {
        let tid = 101 + round % 8;
        let fd = 1_003 + round % 8;
        source.open(tid, fd);
        source.close(tid, fd);
    }
    let events = source.events;
    bencher
        .counter(ItemsCount::new(events.len()))
        .bench(|| run(&events).now());
}

/// Threads are born and exit, each opening and closing four descriptors.
#[divan::bench(sample_count = 20)]
fn threads_and_handles(bencher: Bencher<'_, '_>) {
    let mut source = Source::new();
    for round in 0..40_000 {
        let tid = 1_000 + round % 30_000;
        let start = BootTime(source.now_ns);
        source.born(tid);
        for fd in 3..7 {
            source.open(tid, fd);
        }
        for fd in 3..7 {
            source.close(tid, fd);
        }
        source.gone(tid, start);
    }
    let events = source.events;
    bencher
        .counter(ItemsCount::new(events.len()))
        .bench(|| run(&events).now());
}

/// The whole pipeline: keys stored with a thread and a descriptor, and deleted; half of them
/// leak both. 10,000 keys live at a time, a tick every 1,000 events.
#[divan::bench(sample_count = 10)]
fn keys_stored_and_deleted(bencher: Bencher<'_, '_>) {
    let mut source = Source::new();
    for round in 0..40_000u32 {
        let (tid, fd) = (1_000 + round, 3 + round);
        source.mark(round, Declared::StoreBegin { span: None });
        let start = BootTime(source.now_ns);
        source.born(tid);
        source.open(100, fd);
        source.mark(round, Declared::StoreEnd { span: None });
        if let Some(old) = round.checked_sub(10_000) {
            source.mark(old, Declared::DeleteBegin { policy: None });
            if old.is_multiple_of(2) {
                source.close(100, 3 + old);
            }
            source.mark(old, Declared::DeleteEnd);
        }
        if round.is_multiple_of(100) {
            source.push(What::Tick);
        }
        let _ = start;
    }
    let batch = Batch {
        events: source.events,
    };
    bencher
        .counter(ItemsCount::new(batch.events.len()))
        .bench(|| Pipeline::new(LedgerRules::default()).take(&batch).len());
}

/// One look at 200,000 open descriptors and as many closed ones, of which little changed.
#[divan::bench(sample_count = 20)]
fn growth_looks(bencher: Bencher<'_, '_>) {
    let mut source = Source::new();
    for fd in 0..200_000 {
        source.open(100, 10 + fd);
        source.open(100, 3);
        source.close(100, 3);
    }
    let ledger = run(&source.events);
    let mut growth = Growth::new();
    growth.sample(&ledger);
    bencher.bench_local(|| growth.sample(&ledger));
}

/// As many of each kind as fill the arenas' cells.
const EACH: u32 = (1 << 17) - 8;

/// Prints what a million dead and 200,000 live resources weigh, and one of each kind.
#[expect(clippy::print_stdout, reason = "figures are what a bench is for")]
fn weigh() {
    let rules = LedgerRules {
        retain: Retain { dead: 1_000_000 },
        ..LedgerRules::default()
    };
    let weight = |make: &dyn Fn(&mut Source)| {
        let mut source = Source::new();
        make(&mut source);
        let before = resident_bytes();
        let mut ledger = Ledger::new(rules);
        for event in source.events.drain(..) {
            ledger.apply(&event);
        }
        let grown = resident_bytes().saturating_sub(before);
        (ledger.bytes(), grown, ledger.kept())
    };
    let each = |bytes: usize| bytes / EACH as usize;
    let live_handles = weight(&|source| (3..3 + EACH).for_each(|fd| source.open(100, fd)));
    let dead_handles = weight(&|source| {
        for _ in 0..EACH {
            source.open(100, 3);
            source.close(100, 3);
        }
    });
    let live_threads = weight(&|source| (1_000..1_000 + EACH).for_each(|tid| source.born(tid)));
    let dead_threads = weight(&|source| {
        for tid in 1_000..1_000 + EACH {
            let start = BootTime(source.now_ns);
            source.born(tid);
            source.gone(tid, start);
        }
    });
    println!("bytes each, in the arenas:");
    for (what, (cells, ..)) in [
        ("live handle", live_handles),
        ("dead handle", dead_handles),
        ("live thread", live_threads),
        ("dead thread", dead_threads),
    ] {
        println!("  {what}: {}", each(cells));
    }
    let (cells, resident, kept) = weight(&|source| {
        for fd in 3..100_003 {
            source.open(100, fd);
        }
        for tid in 2_000_000..2_100_000 {
            source.born(tid);
        }
        for round in 0..700_000u32 {
            source.open(100, 200_000);
            source.close(100, 200_000);
            if round.is_multiple_of(2) {
                let start = BootTime(source.now_ns);
                source.born(1_000 + round);
                source.gone(1_000 + round, start);
            }
        }
    });
    println!(
        "1,050,000 died, 200,000 live: {} MB of cells, {} MB resident; kept: {kept:?}",
        cells / 1_000_000,
        resident / 1_000_000,
    );
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or_default();
    pages * 4096
}
