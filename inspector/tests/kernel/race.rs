//! Racing threads: numbers handed out again while the close that freed them is in flight leave
//! the ledger right at every quiet point, and no other order of the same events would.

use std::collections::{BTreeSet, HashMap};

use inspector::{
    event::{Event, What, handle::HandleChange, id::Tgid},
    source::ebpf::load::LoadOptions,
};

use crate::{oracle, program::Program, watch::Watch};

/// Rounds of each mode, and steps of each of the four threads in a round.
const ROUNDS: usize = 6;
const STEPS: usize = 7000;
/// Steps where fewer will do.
const FEW_STEPS: usize = 2500;

/// What a run came to.
#[derive(Debug, Default)]
struct Run {
    births: u64,
    deaths: u64,
    /// Impossible transitions with deaths at their call's entry, and at its exit.
    by_entry: u64,
    by_exit: u64,
    /// Quiet points at which the ledger differed from /proc.
    wrong: Vec<String>,
    closes_of_unseen: u64,
    nonsense: u64,
}

fn race(mode: char, options: &LoadOptions) -> Option<Run> {
    let mut program = Program::start("race");
    let mut watch = Watch::follow(options, &program)?;
    let mut run = Run::default();
    let steps = if matches!(mode, 'o' | 'f') {
        STEPS
    } else {
        FEW_STEPS
    };
    for _ in 0..ROUNDS {
        watch.events.clear();
        let told = program.tell(&format!("{mode} {steps}"));
        watch.drain();
        assert_eq!(watch.ledger.losses().total(), 0, "the ring was too small");
        let [births, deaths, _] = sums(&told[0]);
        let open: BTreeSet<u32> = told[1..].iter().map(|fd| fd.parse().unwrap()).collect();
        let real = oracle::table(program.tgid(), program.leader());
        let real: BTreeSet<u32> = real.into_keys().filter(|&fd| fd > 2).collect();
        let changes = changes(&watch.events, program.tgid());
        if mode != 'd' {
            // Which of these dup2s closed something, the program can't tell.
            assert_eq!(count(&changes, true), births, "births");
            assert_eq!(count(&changes, false), deaths, "deaths");
        }
        if matches!(mode, 'o' | 'f' | 'r') {
            assert_eq!(open, real, "the program's bookkeeping and /proc");
        } else if mode == 'b' {
            let run = run.births + births - run.deaths - deaths;
            assert_eq!(
                real.len() as u64,
                run,
                "the program's bookkeeping and /proc"
            );
        }
        run.births += births;
        run.deaths += deaths;
        run.by_entry += impossible(&changes, |change| change.entry);
        run.by_exit += impossible(&changes, |change| change.exit);
        let differences = oracle::differences(&watch.ledger, program.tgid());
        if !differences.is_empty() {
            run.wrong.push(differences);
            watch.audit(true);
            assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
        } else if run.wrong.is_empty() {
            watch.assert_no_drift("after a round");
        }
    }
    run.closes_of_unseen = watch.ledger.counters().closes_of_unseen;
    run.nonsense = watch.ledger.counters().nonsense;
    println!("mode {mode}, without {:?}: {run:#?}", options.without);
    Some(run)
}

/// Births, deaths, and dup2s onto open numbers (one of each), as the program counts them.
pub(crate) fn sums(line: &str) -> [u64; 3] {
    let mut words = line.split(' ').map(|word| word.parse().unwrap());
    std::array::from_fn(|_| words.next().unwrap())
}

/// A birth or death of a number.
struct Change {
    fd: u32,
    birth: bool,
    /// When it counts, by its call's entry (deaths) and by its exit.
    entry: u64,
    exit: u64,
}

fn changes(events: &[Event], tgid: Tgid) -> Vec<Change> {
    let mut changes = Vec::new();
    for event in events {
        let What::Handle(handle) = &event.what else {
            continue;
        };
        if handle.tgid != tgid {
            continue;
        }
        let at = event.at.0;
        let mut push = |fd: u32, birth, entry, exit| {
            changes.push(Change {
                fd,
                birth,
                entry,
                exit,
            });
        };
        match handle.change {
            HandleChange::Born { fd, .. } => push(fd.0, true, at, at),
            HandleChange::Duplicated { to, replaces, .. } => {
                let entry = replaces.and_then(|replaces| replaces.entry);
                push(to.0, false, entry.map_or(at, |entry| entry.0), at);
                push(to.0, true, at, at);
            }
            HandleChange::Closed { fd, returned, .. } => push(fd.0, false, at, returned.0),
            HandleChange::RangeClosed {
                first, returned, ..
            } => push(first.0, false, at, returned.0),
            HandleChange::CloseRefused { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    changes
}

fn count(changes: &[Change], birth: bool) -> u64 {
    changes
        .iter()
        .filter(|change| change.birth == birth)
        .count() as u64
}

/// Births on open numbers and deaths of closed ones, when the changes are taken in order of
/// `time`. A number's first change is always believed.
fn impossible(changes: &[Change], time: impl Fn(&Change) -> u64) -> u64 {
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by_key(|change| time(change));
    let mut alive: HashMap<u32, bool> = HashMap::new();
    let mut impossible = 0;
    for change in sorted {
        if alive.insert(change.fd, change.birth) == Some(change.birth) {
            impossible += 1;
        }
    }
    impossible
}

#[test]
fn each_thread_closes_its_own() {
    let Some(run) = race('o', &LoadOptions::default()) else {
        return;
    };
    assert!(run.births >= 100_000, "{}", run.births);
    assert_eq!(run.by_entry, 0);
    assert_eq!(run.wrong, [""; 0]);
    assert_eq!((run.closes_of_unseen, run.nonsense), (0, 0));
    // The negative control: the same events, deaths at their calls' exits.
    assert!(run.by_exit > 0);
}

#[test]
fn threads_close_what_others_made() {
    let Some(run) = race('f', &LoadOptions::default()) else {
        return;
    };
    assert!(run.births >= 100_000, "{}", run.births);
    assert_eq!(run.by_entry, 0);
    assert_eq!(run.wrong, [""; 0]);
    assert_eq!((run.closes_of_unseen, run.nonsense), (0, 0));
    assert!(run.by_exit > 0, "{run:?}");
}

/// Closes that hit a number while the call that makes it is still under way: only these can come
/// before their birth even by their entries.
#[test]
fn threads_close_numbers_blindly() {
    let Some(run) = race('b', &LoadOptions::default()) else {
        return;
    };
    assert_eq!(run.wrong, [""; 0]);
    assert_eq!((run.closes_of_unseen, run.nonsense), (0, 0));
    assert!(run.by_exit > run.by_entry, "{run:?}");
}

/// Two deaths of a number that overlap, or a birth within a close_range, may be left ambiguous,
/// and are settled by the audit; nothing is wrong.
#[test]
fn what_overlaps_beyond_that_is_at_most_ambiguous() {
    for mode in ['d', 'r'] {
        let Some(run) = race(mode, &LoadOptions::default()) else {
            return;
        };
        for differences in &run.wrong {
            assert_eq!(beyond_ambiguous(differences), [""; 0]);
        }
        assert_eq!(run.nonsense, 0);
    }
}

/// The negative control: with deaths known by their calls' exits only, impossible transitions
/// appear where there are none otherwise. The ledger has to call some numbers ambiguous then, and
/// may be wrong about one in a hundred thousand until an audit.
#[test]
fn without_the_entry_programs_the_order_is_lost() {
    let without = [
        "enter_close",
        "enter_close_range",
        "enter_dup2",
        "enter_dup3",
    ];
    let options = LoadOptions {
        without: without.map(str::to_owned).to_vec(),
        ..LoadOptions::default()
    };
    let Some(run) = race('o', &options) else {
        return;
    };
    assert!(run.by_entry > 0, "{run:?}");
}

/// The lines of `differences` about numbers that are not ambiguous.
fn beyond_ambiguous(differences: &str) -> Vec<&str> {
    let number = |line: &str| {
        let (_, rest) = line.split_once(": ")?;
        rest.split(' ').next()?.parse::<u32>().ok()
    };
    let ambiguous: BTreeSet<_> = differences
        .lines()
        .filter(|line| line.contains("Ambiguous"))
        .map(number)
        .collect();
    differences
        .lines()
        .filter(|line| !ambiguous.contains(&number(line)))
        .collect()
}
