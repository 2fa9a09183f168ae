//! Which threads share a table, asked of the kernel.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn tids(threads: &[u32]) -> Vec<Tid> {
    threads.iter().copied().map(Tid).collect()
}

#[test]
fn what_cannot_be_compared_is_taken_as_shared() {
    for errno in [Errno::PERM, Errno::NOSYS] {
        let groups = groups(&tids(&[5, 6, 7]), |_, _| Err(errno), |_| true);
        assert_eq!(groups, [tids(&[5, 6, 7])]);
    }
    assert_eq!(
        groups(&[], |_, _| Ok(Ordering::Equal), |_| true),
        Vec::<Vec<Tid>>::new()
    );
}

#[test]
fn one_table_costs_one_comparison_a_thread() {
    let mut compared = 0;
    let threads: Vec<Tid> = (0..1000).map(Tid).collect();
    let groups = groups(
        &threads,
        |_, _| {
            compared += 1;
            Ok(Ordering::Equal)
        },
        |_| true,
    );
    assert_eq!((groups.len(), compared), (1, 999));
}

#[test]
fn one_that_leaves_has_no_table_of_its_own_to_compare_with() {
    let leaving = Tid(5);
    let compare = |one: Tid, other: Tid| {
        let has_none = [one == leaving, other == leaving];
        Ok(has_none[0].cmp(&has_none[1]))
    };
    let threads = tids(&[5, 6, 7, 8]);
    let apart = groups(&threads, compare, |tid| tid != leaving);
    assert_eq!(apart, [tids(&[6, 7, 8])]);
    let other_table = groups(&threads, compare, |_| true);
    assert_eq!(other_table, [tids(&[5]), tids(&[6, 7, 8])]);
}

proptest! {
    /// Threads with tables, some of which die after some number of comparisons. Whoever is alive
    /// at the end is in a group with exactly those that share its table (and perhaps the dead).
    #[test]
    fn groups_are_right_while_threads_die(
        tables in prop::collection::vec(0..4u8, 0..20),
        deaths in prop::collection::btree_map(0..20u32, 0..60usize, 0..15),
    ) {
        let threads: Vec<Tid> = (0..tables.len() as u32).map(Tid).collect();
        let clock = std::cell::Cell::new(0usize);
        let dead = |tid: Tid| deaths.get(&tid.0).is_some_and(|death| *death <= clock.get());
        let table = |tid: Tid| tables[tid.0 as usize];
        let groups = groups(
            &threads,
            |one, other| {
                clock.set(clock.get() + 1);
                if dead(one) || dead(other) {
                    return Err(Errno::SRCH);
                }
                Ok(table(one).cmp(&table(other)))
            },
            |tid| !dead(tid),
        );
        let mut by_table: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (index, group) in groups.iter().enumerate() {
            for &tid in group {
                prop_assert_eq!(table(tid), table(group[0]), "{:?}", &groups);
                if !dead(tid) {
                    by_table.entry(table(tid)).or_default().push(index);
                }
            }
        }
        for &tid in threads.iter().filter(|tid| !dead(**tid)) {
            let places = &by_table[&table(tid)];
            prop_assert!(places.iter().all(|place| *place == places[0]), "{:?}", &groups);
            prop_assert!(groups[places[0]].contains(&tid));
        }
    }
}
