//! How long a frame of the screen takes with 10,000 keys that own 50,000 resources: drawing it,
//! making its rows anew, and taking in events.
//!
//! `cargo bench -p inspector --bench frame`

use std::sync::LazyLock;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use divan::{Bencher, black_box};
use inspector::{
    event::{
        Batch, Event, Scan, What,
        handle::HandleKind,
        id::{BootTime, Fd, Tgid, Tid},
        scan::{ScanRole, SeenHandle, SeenTable, SeenThread},
        text::{Comm, Text},
    },
    lab::{MapKind, entry::EntryKind, policy::Policy},
    ledger::LedgerRules,
    tui::{
        alarm::Alarms,
        keymap::Keymap,
        message::Message,
        model::{Clock, Model, Setting, Source},
        rows::Screen,
        theme::Palette,
        update::update,
        view,
        world::World,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
};

mod told;

use told::Told;

fn main() {
    divan::main();
}

const KEYS: u32 = 10_000;
/// Descriptors of each key, beside its thread.
const HANDLES: u32 = 4;
const PROCESS: Tgid = Tgid(100);
/// Keys that are deleted, the first ones; every second one leaves everything behind.
const DELETED: u32 = 2_500;
/// The last event's time, and what the screen shows as now.
const NOW_NS: u64 = 60_000_000_000;
const AREA: Rect = Rect::new(0, 0, 200, 60);

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut told = Told {
        now_ns: 1_000_000_000,
        events: Vec::new(),
    };
    (0..KEYS).for_each(|key| told.store(key));
    (0..KEYS).for_each(|key| told.sample(key));
    (0..DELETED).for_each(|key| told.delete(key));
    told.now_ns = NOW_NS;
    told.push(What::Tick);
    let mut world = World::new(LedgerRules::default());
    for events in told.events.chunks(1_000) {
        world.take(&Batch {
            events: events.to_vec(),
        });
    }
    let ledger = world.ledger();
    assert_eq!(ledger.entries().count(), KEYS as usize);
    let resources = ledger.threads().count() + ledger.handles().count();
    assert!(resources > (KEYS * (1 + HANDLES)) as usize);
    world
});

fn model(screen: Screen, alarms: Alarms) -> Model {
    let setting = Setting {
        rules: LedgerRules::default(),
        keymap: Keymap::default(),
        palette: Palette::Dark,
        ascii: false,
        alarms,
        lab: Some((MapKind::Mutex, EntryKind::Ticker, Policy::Bare)),
        watched: None,
        source: Source {
            probes: None,
            polls: None,
            ended: None,
        },
        replay: None,
        filters: Vec::new(),
    };
    let size = Size::new(AREA.width, AREA.height);
    let mut model = Model::new(setting, size, Clock::default());
    model.live = WORLD.clone();
    model.screen = screen;
    update(&mut model, Message::Tick(BootTime(NOW_NS)));
    update(&mut model, Message::Refresh);
    model
}

/// A process that is no lab, with so many threads and handles.
const MANY_THREADS: u32 = 20_000;
const MANY_HANDLES: u32 = 200_000;

static TARGET: LazyLock<World> = LazyLock::new(|| {
    let mut told = Told {
        now_ns: 1_000_000_000,
        events: Vec::new(),
    };
    let seen = (0..MANY_HANDLES).map(|fd| SeenHandle {
        fd: Fd(fd),
        kind: if fd % 4 == 0 {
            HandleKind::File
        } else {
            HandleKind::Socket
        },
        cloexec: Some(true),
        target: Text::from(match fd % 4 {
            0 => format!("/var/lib/server/{}/segment-{fd}.data", fd % 100).into_bytes(),
            _ => format!("socket:[{}]", 4_000_000 + fd).into_bytes(),
        }),
    });
    let at = BootTime(told.now_ns);
    let tables = vec![SeenTable {
        users: vec![Tid(PROCESS.0)],
        handles: Ok(seen.collect()),
    }];
    told.push(What::Scan(Box::new(Scan {
        role: ScanRole::Baseline,
        tgid: PROCESS,
        began: at,
        ended: at,
        threads: Some(vec![SeenThread {
            tid: Tid(PROCESS.0),
            start_ticks: at.ticks(),
            comm: Comm::default(),
            state: b'S',
        }]),
        tables,
        limits: None,
    })));
    for number in 0..MANY_THREADS {
        told.thread(1_000 + number, &format!("worker-{number}"));
    }
    (0..MANY_THREADS).for_each(|number| told.sample(number));
    told.now_ns = NOW_NS;
    told.push(What::Tick);
    let mut world = World::of_targets(LedgerRules::default());
    for events in told.events.chunks(1_000) {
        world.take(&Batch {
            events: events.to_vec(),
        });
    }
    let live = world.live();
    assert_eq!(live.handles, MANY_HANDLES);
    assert_eq!(live.threads, MANY_THREADS + 1);
    world
});

fn target(screen: Screen) -> Model {
    let mut model = model(Screen::Entries, Alarms::default());
    model.lab = None;
    model.live = TARGET.clone();
    model.screen = screen;
    update(&mut model, Message::Refresh);
    model
}

/// A whole frame of such a process: its rows made anew, and drawn.
#[divan::bench(args = [Screen::Triage, Screen::Threads, Screen::Handles, Screen::Waits])]
fn target_frame(bencher: Bencher<'_, '_>, screen: Screen) {
    let mut model = target(screen);
    let mut buffer = Buffer::empty(AREA);
    bencher.bench_local(|| {
        update(&mut model, Message::Refresh);
        buffer.reset();
        view::draw(&model, AREA, &mut buffer)
    });
}

/// The same, filtered by a pattern, as a group of the triage lists it.
#[divan::bench]
fn target_frame_of_a_group(bencher: Bencher<'_, '_>) {
    let mut model = target(Screen::Triage);
    press(&mut model, KeyCode::Home);
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.screen, Screen::Handles);
    let mut buffer = Buffer::empty(AREA);
    bencher.bench_local(|| {
        update(&mut model, Message::Refresh);
        buffer.reset();
        view::draw(&model, AREA, &mut buffer)
    });
}

/// Everything counted once more, as happens every second.
#[divan::bench]
fn target_counted(bencher: Bencher<'_, '_>) {
    let mut world = TARGET.clone();
    let mut now_ns = NOW_NS;
    bencher.bench_local(|| {
        now_ns += 2_000_000_000;
        world.take(&Batch {
            events: vec![Event {
                at: BootTime(now_ns),
                what: What::Tick,
            }],
        });
    });
}

fn press(model: &mut Model, code: KeyCode) {
    update(model, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

fn draws(bencher: Bencher<'_, '_>, model: &Model) {
    let mut buffer = Buffer::empty(AREA);
    bencher.bench_local(|| {
        buffer.reset();
        view::draw(black_box(model), AREA, &mut buffer)
    });
}

#[divan::bench(args = Screen::of(true))]
fn draw(bencher: Bencher<'_, '_>, screen: Screen) {
    draws(bencher, &model(screen, Alarms::default()));
}

/// The last row's story, with keys going to it.
#[divan::bench(args = Screen::of(true))]
fn draw_detail(bencher: Bencher<'_, '_>, screen: Screen) {
    let mut model = model(screen, Alarms::default());
    press(&mut model, KeyCode::End);
    press(&mut model, KeyCode::Enter);
    draws(bencher, &model);
}

#[divan::bench]
fn draw_help(bencher: Bencher<'_, '_>) {
    let mut model = model(Screen::Handles, Alarms::default());
    press(&mut model, KeyCode::F(1));
    draws(bencher, &model);
}

/// Rows made anew, with the last one selected.
#[divan::bench(args = Screen::of(true))]
fn refresh(bencher: Bencher<'_, '_>, screen: Screen) {
    let mut model = model(screen, Alarms::default());
    press(&mut model, KeyCode::End);
    bencher.bench_local(|| update(&mut model, Message::Refresh));
}

/// The same, while retained entries are counted.
#[divan::bench(args = [Screen::Handles])]
fn refresh_with_alarms(bencher: Bencher<'_, '_>, screen: Screen) {
    let mut model = model(screen, Alarms::new(Some(1), Some(1), Some(1)));
    bencher.bench_local(|| update(&mut model, Message::Refresh));
}

/// A thousand descriptors opened and closed again, as one batch.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn batch_of_2000(bencher: Bencher<'_, '_>) {
    let mut told = Told {
        now_ns: NOW_NS,
        events: Vec::new(),
    };
    for fd in 0..1_000 {
        told.open(900_000 + fd);
        told.close(900_000 + fd);
    }
    bencher
        .with_inputs(|| {
            let events = told.events.clone();
            (model(Screen::Entries, Alarms::default()), Batch { events })
        })
        .bench_local_values(|(mut model, batch)| {
            update(&mut model, Message::Batch(batch));
            model
        });
}

/// Holding the screen still keeps a copy of everything.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn pause(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| model(Screen::Entries, Alarms::default()))
        .bench_local_values(|mut model| {
            press(&mut model, KeyCode::Char(' '));
            model
        });
}
