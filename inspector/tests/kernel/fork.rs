//! A process that forks while another of its threads opens and closes: every child's table is
//! the one the child itself finds, which the parent's at that moment is not.

use std::collections::BTreeMap;

use inspector::{
    event::{
        ThreadEvent, What,
        id::{Tgid, Tid},
    },
    ledger::Ledger,
    source::ebpf::load::LoadOptions,
};

use crate::{
    oracle::{self, Table},
    program::Program,
    watch::Watch,
};

#[test]
fn a_forked_childs_table_is_the_kernels_copy() {
    let mut program = Program::start("fork");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    watch.events.clear();
    let before = watch.ledger.clone();
    let told = program.tell("fork");
    watch.drain();
    let children: BTreeMap<u32, Table> = told.iter().map(|line| parse(line)).collect();
    assert_eq!(children.len(), 100);
    for (&child, table) in &children {
        let believed = oracle::believed(&watch.ledger, Tid(child)).unwrap();
        assert_eq!(&believed, table, "child {child}");
        assert_eq!(oracle::differences(&watch.ledger, Tgid(child)), "");
    }
    assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
    watch.assert_no_drift("after a hundred forks");
    let right = right_if_copied_from_the_parent(before, &watch, &children);
    println!("copied from the parent's table, {right} of 100 children would be right");
    assert!(right < 100, "there was no race");
}

/// The negative control: the parent's table as the ledger has it at each birth.
fn right_if_copied_from_the_parent(
    mut ledger: Ledger,
    watch: &Watch,
    children: &BTreeMap<u32, Table>,
) -> usize {
    let mut right = 0;
    for event in &watch.events {
        if let What::Thread(ThreadEvent::Born { parent, child, .. }) = event.what
            && let Some(table) = children.get(&child.0)
        {
            right += usize::from(oracle::believed(&ledger, parent).as_ref() == Some(table));
        }
        ledger.apply(event);
    }
    right
}

fn parse(line: &str) -> (u32, Table) {
    let (child, table) = line.split_once(' ').unwrap();
    let table = table.split(' ').map(|entry| {
        let (fd, cloexec) = entry.split_once(':').unwrap();
        (fd.parse().unwrap(), cloexec == "1")
    });
    (child.parse().unwrap(), table.collect())
}
