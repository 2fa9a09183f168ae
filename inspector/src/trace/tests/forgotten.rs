//! Keyframes of ledgers that have forgotten: what stands where in them differs from live, and nothing
//! else does.

use super::story::long_story;
use crate::{
    ledger::{LedgerRules, retain::Retain},
    pipeline::{Pipeline, story::Cast},
    trace::keyframe,
};

/// What is known, without where it stands.
fn known(pipeline: &Pipeline) -> Vec<String> {
    let ledger = pipeline.ledger();
    let owner = |owner: Option<crate::ledger::own::Owner>| {
        owner.map(|owner| (ledger.entry_name(owner.entry), owner.rule))
    };
    let threads = ledger.threads().map(|(_, one)| {
        let process = ledger.process(one.process).map(|process| process.tgid);
        format!(
            "{:?} {:?} {:?} {process:?} {:?}",
            one.name,
            one.born,
            one.gone,
            owner(one.owner)
        )
    });
    let handles = ledger.handles().map(|(_, one)| {
        let shared = ledger.description(one.description);
        let shared = shared.map(|shared| (shared.kind, shared.file, shared.live));
        let table = ledger
            .table(one.table)
            .map(|table| (table.tgid, table.open));
        let owner = owner(one.owner);
        format!(
            "{:?} {:?} {:?} {shared:?} {table:?} {owner:?}",
            one.fd, one.born, one.state
        )
    });
    let judgements = pipeline
        .judgements()
        .map(|judgement| format!("{judgement:?}"));
    let mut lines: Vec<_> = threads.chain(handles).chain(judgements).collect();
    lines.sort();
    lines.push(format!(
        "{:?} {:?}",
        ledger.counters(),
        ledger.losses().total()
    ));
    lines
}

#[test]
fn who_was_forgotten_leaves_no_trace() {
    let rules = LedgerRules {
        retain: Retain { dead: 3 },
        ..LedgerRules::default()
    };
    let story = long_story(40);
    let batches: Vec<_> = Cast::default().batches(&story).collect();
    let mut live = Pipeline::new(rules);
    let mut trimmed_kept_less = false;
    for (number, batch) in batches.iter().enumerate() {
        live.take(batch);
        if number % 11 != 10 {
            continue;
        }
        let whole = keyframe::parse(&keyframe::bytes(&live)).unwrap();
        assert_eq!(known(&whole), known(&live), "after {number}");
        let trimmed = keyframe::bytes(&live.clone().without_old_dead(1));
        let trimmed = keyframe::parse(&trimmed).unwrap();
        trimmed_kept_less |= known(&trimmed).len() < known(&live).len();
        let (mut on, mut whole, mut trimmed) = (live.clone(), whole, trimmed);
        for batch in &batches[number + 1..] {
            let fallen = on.take(batch);
            assert_eq!(whole.take(batch), fallen, "from {number}");
            // How often a key was stored is not known where more was forgotten.
            let mut again = trimmed.take(batch);
            for (judgement, live) in again.iter_mut().zip(&fallen) {
                judgement.entry.generation = live.entry.generation;
            }
            assert_eq!(again, fallen, "from {number}");
        }
        assert_eq!(known(&whole), known(&on), "from {number}");
    }
    let counters = live.ledger().counters();
    assert!(
        counters.threads_forgotten > 5 && counters.handles_forgotten > 5,
        "{counters:?}"
    );
    assert!(
        counters.entries_forgotten > 5 && trimmed_kept_less,
        "{counters:?}"
    );
}
