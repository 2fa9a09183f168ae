//! Loss: a ring and maps too small for what happens are counted to the last record, told as
//! gaps, and mended by an audit.

use std::collections::BTreeMap;

use inspector::{
    event::{Gap, What, loss::Layer},
    ledger::thread::Thread,
    source::{ebpf::load::LoadOptions, gauges::RingReading},
};

use crate::{oracle, program::Program, race, watch::Watch};

fn gaps(watch: &Watch) -> impl Iterator<Item = &Gap> {
    watch.events.iter().filter_map(|event| match &event.what {
        What::Gap(gap) => Some(&**gap),
        _ => None,
    })
}

/// What gaps of the ring say was lost, by kind.
fn told(watch: &Watch) -> BTreeMap<&'static str, u64> {
    let mut lost = BTreeMap::new();
    for gap in gaps(watch).filter(|gap| gap.layer == Layer::Ring) {
        assert!(gap.from <= gap.until && gap.cpu.is_some(), "{gap:?}");
        for (kind, count) in &gap.lost {
            *lost.entry(*kind).or_default() += count;
        }
    }
    lost
}

#[test]
fn what_a_tiny_ring_loses_is_counted_by_kind() {
    let options = LoadOptions {
        ring_bytes: 4096,
        ..LoadOptions::default()
    };
    let mut racing = Program::start("race");
    let mut threads = Program::start("waits");
    let mut marking = Program::start("marks");
    let Some(mut watch) = Watch::follow(&options, &racing) else {
        return;
    };
    watch.also(threads.tgid()).unwrap();
    watch.also(marking.tgid()).unwrap();
    let mut calls = 0;
    for _ in 0..3 {
        racing.order("o 3000");
        threads.order("die 200");
        marking.order("pass");
        let [births, deaths, replacements] = race::sums(&racing.answer("race")[0]);
        calls += births + deaths - replacements;
        threads.answer("die");
        marking.answer("pass");
    }
    watch.drain();
    // Settled by /proc, on top of the audits that the gaps caused by themselves.
    watch.audit(true);
    for program in [&racing, &threads, &marking] {
        // What becomes of a thread whose exit was seen and whose last switch was lost: below.
        let is_exiting = |thread: &Thread| thread.exiting.is_some();
        let differences = oracle::differences_but(&watch.ledger, program.tgid(), is_exiting);
        // Where two births may both have a number, since the close between them was lost, /proc
        // shows that it is open (which is compared here) and can't show whose it is.
        let settled: Vec<_> = differences
            .lines()
            .filter(|line| !line.contains(" is Ambiguous "))
            .collect();
        assert_eq!(settled, [""; 0]);
    }
    assert!(watch.ledger.drift().total() > 0, "nothing to mend");
    let counts = watch.stop();
    println!("{counts:#?}");
    let lost = told(&watch);
    for (kind, count) in &counts {
        assert_eq!(count.produced, count.received + count.lost, "{kind}");
        assert_eq!(lost.get(kind).copied().unwrap_or(0), count.lost, "{kind}");
    }
    assert_eq!(counts["call"].produced, calls, "the program's own count");
    for kind in ["born", "exiting", "gone"] {
        assert_eq!(counts[kind].produced, 600, "{kind}");
    }
    assert_eq!(counts["mark"].produced, 30);
    assert!(counts["call"].lost > 0 && counts["call"].received > 0);
    assert_eq!(
        watch.ledger.losses().total(),
        counts.values().map(|count| count.lost).sum::<u64>()
    );
}

#[test]
fn a_lost_last_switch_is_mended_by_an_audit() {
    let options = LoadOptions {
        ring_bytes: 4096,
        ..LoadOptions::default()
    };
    let mut threads = Program::start("waits");
    let Some(mut watch) = Watch::follow(&options, &threads) else {
        return;
    };
    for _ in 0..5 {
        threads.tell("die 200");
    }
    watch.drain();
    watch.audit(true);
    assert!(told(&watch)["gone"] > 0);
    assert_eq!(oracle::differences(&watch.ledger, threads.tgid()), "");
}

/// The negative control: the same work loses nothing in a ring of the usual size.
#[test]
fn the_usual_ring_loses_nothing() {
    let mut racing = Program::start("race");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &racing) else {
        return;
    };
    let [births, deaths, replacements] = race::sums(&racing.tell("o 3000")[0]);
    watch.drain();
    assert_eq!(oracle::differences(&watch.ledger, racing.tgid()), "");
    assert_eq!(gaps(&watch).count(), 0);
    let counts = watch.stop();
    assert_eq!(counts["call"].received, births + deaths - replacements);
    assert!(counts.values().all(|count| count.lost == 0));
}

/// What the source says of itself while it runs agrees with what it says in the end.
#[test]
fn gauges_agree_with_the_counts() {
    let options = LoadOptions {
        ring_bytes: 1 << 20,
        ..LoadOptions::default()
    };
    let mut racing = Program::start("race");
    let Some(mut watch) = Watch::follow(&options, &racing) else {
        return;
    };
    let ring = |watch: &Watch| watch.gauges.read().ring.unwrap();
    let audits = watch.gauges.read().audits.count;
    let before: RingReading = ring(&watch);
    assert_eq!(before.size_bytes, 1 << 20);
    racing.tell("o 3000");
    watch.audit(true);
    let after = ring(&watch);
    assert!(after.drains > before.drains && after.decoded > before.decoded);
    assert!(after.most_drained_bytes >= after.drained_bytes.max(1));
    assert!(after.ns_per_record().is_some_and(|ns| ns > 0));
    let audited = watch.gauges.read().audits;
    assert!(audited.count > audits && audited.last_ns > 0);
    let counts = watch.stop();
    let told = watch.gauges.read();
    println!("{told:#?}");
    assert_eq!(
        told.records.iter().copied().collect::<BTreeMap<_, _>>(),
        counts
    );
    let received: u64 = counts.values().map(|count| count.received).sum();
    let ring = told.ring.unwrap();
    assert_eq!((ring.decoded, ring.damaged), (received, 0));
    assert_eq!(told.polls.count, 0);
}

#[test]
fn a_full_map_is_counted_by_its_name() {
    let options = LoadOptions {
        max_threads: 2,
        max_futexes: 1,
        ..LoadOptions::default()
    };
    let mut forking = Program::start("fork");
    let Some(mut watch) = Watch::follow(&options, &forking) else {
        return;
    };
    forking.tell("fork");
    watch.drain();
    let mut full = BTreeMap::<_, u64>::new();
    for gap in gaps(&watch) {
        // What the ring lost on a starved machine is counted elsewhere.
        if let Layer::Map(map) = gap.layer {
            *full.entry(map).or_default() += gap.total();
        }
    }
    println!("{full:?}");
    assert!(full["WAITS"] > 0);
}
