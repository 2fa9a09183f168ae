//! The ledger against the model: after any operations, told in any order the kernel and the
//! source allow, the ledger says what is true, or says that it does not know.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::{prelude::*, test_runner::RngSeed};

use super::world::{Settings, World};
use crate::{
    event::{
        Event, ThreadEvent, What,
        handle::HandleChange,
        id::{BootTime, Fd, Tid},
    },
    ledger::{
        Ledger, LedgerRules,
        arena::Key,
        handle::{Description, State},
        table::Table,
    },
};

/// How a run went.
#[derive(Default, Debug)]
struct Tally {
    /// Open descriptors compared at quiet points.
    compared: u64,
    /// Of these, those whose number the ledger calls ambiguous.
    ambiguous: u64,
    /// Pairs of open descriptors of one file.
    shared: u64,
    /// Of these, those the ledger can't link, and says so.
    unlinked: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.compared += other.compared;
        self.ambiguous += other.ambiguous;
        self.shared += other.shared;
        self.unlinked += other.unlinked;
    }
}

/// What a run gets wrong on purpose: a comparison that does not notice proves nothing.
#[derive(Clone, Copy, Debug)]
enum Spoil {
    None,
    /// Every fifth event of the kind is lost.
    Close,
    Birth,
    Gone,
    Table,
    /// The ledger does not let a close overtake the birth it closes.
    Rules,
}

impl Spoil {
    fn drops(self, told: usize, event: &Event) -> bool {
        let change = match &event.what {
            What::Handle(handle) => Some(handle.change),
            _ => None,
        };
        let is_kind = match self {
            Self::None | Self::Rules => false,
            Self::Close => matches!(change, Some(HandleChange::Closed { .. })),
            Self::Birth => matches!(change, Some(HandleChange::Born { .. })),
            Self::Gone => matches!(event.what, What::Thread(ThreadEvent::Gone { .. })),
            Self::Table => matches!(event.what, What::Table(_)) && told > 2,
        };
        is_kind && told.is_multiple_of(5)
    }
}

/// Orders arrivals as a source does that holds events back for `window` and sorts them.
fn sorted(events: Vec<Event>, window: u64) -> Vec<Event> {
    let mut held: Vec<Event> = Vec::new();
    let mut out = Vec::new();
    let mut latest = 0;
    for event in events {
        latest = latest.max(event.at.0);
        held.push(event);
        held.sort_by_key(|event| event.at);
        let ready = held.partition_point(|event| event.at.0 + window <= latest);
        out.extend(held.drain(..ready));
    }
    out.extend(held);
    out
}

/// Plays the choices and compares at every quiet point.
fn play(
    settings: Settings,
    window: u64,
    choices: &[Vec<u16>],
    spoil: &Spoil,
) -> Result<Tally, String> {
    let mut world = World::new(settings);
    let mut ledger = Ledger::new(LedgerRules::default());
    ledger.forgets_overtaking = matches!(spoil, Spoil::Rules);
    let mut tally = Tally::default();
    let mut told = 0;
    let mut log = Vec::new();
    // Where a thread that was silent meanwhile may have been in a call, doubt is right.
    let mut ranges = false;
    for stretch in choices {
        for &choice in stretch {
            let movable = world.movable();
            if movable.is_empty() {
                break;
            }
            let task = movable[usize::from(choice) % movable.len()];
            world.step(task, choice.rotate_right(3));
        }
        world.drain();
        for event in sorted(std::mem::take(&mut world.out), window) {
            told += 1;
            ranges |= is_range(&event);
            if !spoil.drops(told, &event) {
                log.push(format!("{} {:?}", event.at.0, event.what));
                ledger.apply(&event);
                ledger.check_sound().map_err(str::to_owned)?;
            }
        }
        world.clock += 1;
        ledger.apply(&Event {
            at: BootTime(world.clock),
            what: What::Tick,
        });
        compare(&world, &ledger, &mut tally)
            .and_then(|()| {
                if !settings.overlap && settings.entries && !ranges && tally.ambiguous > 0 {
                    return Err(format!("doubt without overlap: {tally:?}"));
                }
                Ok(())
            })
            .map_err(|wrong| format!("{wrong}, after\n{}", log.join("\n")))?;
    }
    Ok(tally)
}

fn is_range(event: &Event) -> bool {
    matches!(&event.what, What::Handle(handle)
        if matches!(handle.change, HandleChange::RangeClosed { .. }))
}

fn compare(world: &World, ledger: &Ledger, tally: &mut Tally) -> Result<(), String> {
    let live: BTreeSet<(u32, u32)> = world
        .tasks
        .iter()
        .filter(|task| !task.gone)
        .map(|task| (task.tid, task.tgid))
        .collect();
    let held: BTreeSet<(u32, u32)> = ledger
        .threads()
        .filter(|(_, thread)| thread.gone.is_none() && thread.name.tid != Tid(1))
        .map(|(_, thread)| (thread.name.tid.0, thread.name.tgid.0))
        .collect();
    if live != held {
        return Err(format!("threads: {live:?} live, {held:?} held"));
    }
    let mut tables: HashMap<usize, Key<Table>> = HashMap::new();
    for task in world.tasks.iter().filter(|task| !task.gone) {
        let thread = ledger.thread_by_tid(Tid(task.tid)).ok_or("no thread")?;
        let table = ledger.table_used_by(thread).ok_or("no table")?;
        let known = *tables.entry(task.table).or_insert(table);
        if known != table {
            return Err(format!("thread {} is said to use another table", task.tid));
        }
    }
    if tables
        .values()
        .collect::<std::collections::HashSet<_>>()
        .len()
        != tables.len()
    {
        return Err("two tables are taken for one".into());
    }
    let mut links: Vec<(usize, Key<Description>)> = Vec::new();
    for (&number, &table) in &tables {
        compare_table(world, ledger, (number, table), &mut links, tally)?;
    }
    for (index, &(file, description)) in links.iter().enumerate() {
        for &(other, with) in &links[..index] {
            if description == with && file != other {
                return Err(format!("files {file} and {other} are taken for one"));
            }
            if file == other {
                tally.shared += 1;
                let is_vague = |description| {
                    let record = ledger.description(description).expect("listed");
                    !record.reach.is_exclusive()
                };
                if description != with {
                    tally.unlinked += 1;
                    if !is_vague(description) || !is_vague(with) {
                        return Err(format!("file {file} is taken for two, without a doubt"));
                    }
                }
            }
        }
    }
    Ok(())
}

fn compare_table(
    world: &World,
    ledger: &Ledger,
    (number, table): (usize, Key<Table>),
    links: &mut Vec<(usize, Key<Description>)>,
    tally: &mut Tally,
) -> Result<(), String> {
    let truth = &world.tables[number].open;
    let mut held = BTreeMap::new();
    for (fd, key) in ledger.open_handles(table) {
        held.insert(fd, ledger.handle(key).expect("listed"));
    }
    for (&fd, &(file, cloexec)) in truth {
        tally.compared += 1;
        let Some(handle) = held.remove(&Fd(fd)) else {
            return Err(format!("fd {fd} of table {number} is open, not held"));
        };
        if matches!(handle.state, State::Ambiguous { .. }) {
            tally.ambiguous += 1;
            continue;
        }
        let description = ledger.description(handle.description).expect("listed");
        if description.released.is_some() {
            return Err(format!(
                "fd {fd} of table {number} is open, said to be released"
            ));
        }
        if !world.settings.overlap && handle.cloexec != Some(cloexec) {
            return Err(format!(
                "fd {fd} of table {number}: close-on-exec is {cloexec}"
            ));
        }
        // Without addresses a duplicate's source is only as certain as the order of the calls.
        if world.settings.addresses || !world.settings.overlap {
            links.push((file, handle.description));
        }
    }
    for (fd, handle) in held {
        match handle.state {
            State::Ambiguous { .. } => tally.ambiguous += 1,
            _ => return Err(format!("fd {fd} of table {number} is closed, held")),
        }
    }
    Ok(())
}

fn choices() -> impl Strategy<Value = Vec<Vec<u16>>> {
    prop::collection::vec(prop::collection::vec(any::<u16>(), 0..120), 1..6)
}

/// The same `cases` in every run; `LEDGER_MODEL_CASES=n` plays n new ones.
pub(super) fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("LEDGER_MODEL_CASES").ok();
    let asked = asked.and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(cases),
        rng_seed: match asked {
            Some(_) => RngSeed::Random,
            None => RngSeed::Fixed(18),
        },
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn one_call_at_a_time(choices in choices(), addresses: bool, entries: bool) {
        let settings = Settings { addresses, entries, overlap: false };
        play(settings, 0, &choices, &Spoil::None).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn overlapping_calls(
        choices in choices(),
        addresses: bool,
        window in prop::sample::select(vec![0, 3, 10, 1_000_000]),
    ) {
        let settings = Settings { addresses, entries: true, overlap: true };
        play(settings, window, &choices, &Spoil::None).map_err(TestCaseError::fail)?;
    }
}

/// Plays 100 runs; returns how many the comparison refused, and what it saw in the others.
fn refused(overlap: bool, window: u64, spoil: &Spoil) -> (u64, Tally) {
    let settings = Settings {
        addresses: true,
        entries: true,
        overlap,
    };
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as u16
    };
    let mut refused = 0;
    let mut sum = Tally::default();
    for _ in 0..100 {
        let choices: Vec<Vec<u16>> = (0..4).map(|_| (0..60).map(|_| next()).collect()).collect();
        match play(settings, window, &choices, spoil) {
            Ok(tally) => sum.add(&tally),
            Err(_) => refused += 1,
        }
    }
    (refused, sum)
}

#[test]
fn doubt_is_rare() {
    let (refused, tally) = refused(true, 10, &Spoil::None);
    assert_eq!(refused, 0);
    assert!(tally.compared > 2_000 && tally.shared > 500, "{tally:?}");
    // Eight threads on six numbers, every call overlapping others: far beyond real programs.
    assert!(tally.ambiguous * 10 < tally.compared, "{tally:?}");
    assert!(tally.unlinked * 2 < tally.shared, "{tally:?}");
}

#[test]
fn a_lost_event_is_noticed() {
    for spoil in [Spoil::Close, Spoil::Birth, Spoil::Gone, Spoil::Table] {
        let (refused, _) = refused(false, 0, &spoil);
        assert!(refused > 30, "{spoil:?}: {refused} of 100");
    }
}

#[test]
fn a_ledger_without_its_order_rules_is_noticed() {
    let (refused, _) = refused(true, 1_000_000, &Spoil::Rules);
    assert!(refused > 3, "{refused} of 100");
}
