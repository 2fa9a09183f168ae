//! i386 calls of a 64-bit program are not taken for the 64-bit calls of their numbers: the table
//! they may change is unsettled until an audit.

use inspector::{
    event::{
        What,
        handle::{HandleChange, Unsettled},
    },
    ledger::table::WhyUnsettled,
    source::ebpf::load::LoadOptions,
};

use crate::{oracle, program::Program, watch::Watch};

fn changes(watch: &Watch) -> Vec<HandleChange> {
    let handles = watch.events.iter().filter_map(|event| match &event.what {
        What::Handle(handle) => Some(handle.change),
        _ => None,
    });
    handles.collect()
}

#[test]
fn a_compat_call_unsettles_the_table_until_an_audit() {
    let mut program = Program::start("compat");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &program) else {
        return;
    };
    let unsettled = HandleChange::Unsettled {
        why: Unsettled::CompatCall,
    };
    watch.events.clear();
    // read, whose number is close's, and which changes no table.
    let told = program.tell("read");
    watch.drain();
    if told != ["1"] {
        println!("this kernel has no i386 calls: {told:?}");
        return;
    }
    assert_eq!(changes(&watch), []);
    assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
    for order in ["open", "close"] {
        watch.events.clear();
        let told = program.tell(order);
        assert!(!told[0].starts_with('-'), "{order}: {told:?}");
        watch.drain();
        assert_eq!(changes(&watch), [unsettled], "{order}");
        let thread = watch.ledger.thread_by_tid(program.leader()).unwrap();
        let table = watch.ledger.table_used_by(thread).unwrap();
        let why = watch.ledger.table(table).unwrap().unsettled.unwrap().0;
        assert_eq!(why, WhyUnsettled::Call(Unsettled::CompatCall));
        assert_ne!(oracle::differences(&watch.ledger, program.tgid()), "");
        watch.audit(true);
        assert_eq!(
            oracle::differences(&watch.ledger, program.tgid()),
            "",
            "{order}"
        );
    }
    let drift = watch.ledger.drift();
    assert_eq!((drift.handles_missed, drift.handles_left), (1, 1));
}
