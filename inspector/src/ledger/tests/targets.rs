//! Stories of what descriptors point at: which of them a reading may speak of.

use crate::{
    event::id::{BootTime, Fd, Tid},
    ledger::LedgerRules,
    pipeline::{
        Pipeline,
        story::{Cast, check},
    },
};

/// What number 3 points at after a story, and when that was read.
fn target(story: &str) -> Option<(String, BootTime)> {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for batch in Cast::default().batches(story) {
        let _fallen = pipeline.take(&batch);
    }
    let ledger = pipeline.ledger();
    let table = ledger.table_used_by(ledger.thread_by_tid(Tid(100))?)?;
    let handle = ledger.handle(ledger.open_handle(table, Fd(3))?)?;
    let (target, at) = ledger.description(handle.description)?.points_at()?;
    Some((target.to_string(), at))
}

#[test]
fn what_has_been_open_since_before_is_told() {
    let told = target("1 100 open 3 file\n4 100 point 3 /tmp/a file began=2");
    assert_eq!(told, Some(("/tmp/a".to_owned(), BootTime(4_000_000))));
}

#[test]
fn a_number_given_out_again_is_not_given_the_old_target() {
    for (why, story) in [
        (
            "it was born again while it was read",
            "1 100 open 3 file
             2.5 100 close 3 refs=1
             3 100 open 3 file
             4 100 point 3 /tmp/a file began=2",
        ),
        (
            "it was born while it was read",
            "3 100 open 3 file\n4 100 point 3 /tmp/a file began=2",
        ),
        (
            "it is another kind",
            "1 100 open 3\n4 100 point 3 socket:[1] socket began=2",
        ),
        (
            "it was closed",
            "1 100 open 3 file\n2 100 close 3 refs=1\n4 100 point 3 /tmp/a file began=3",
        ),
        (
            "the reader had left the table",
            "1 100 thread 101
             1 100 open 3 file
             2 101 read-unshare 4
             4 101 point 3 /tmp/a file began=3",
        ),
    ] {
        assert_eq!(target(story), None, "{why}");
    }
}

#[test]
fn a_table_is_read_through_any_of_its_threads() {
    let told = target(
        "1 100 thread 101
         2 100 open 3 file
         4 101 point 3 /tmp/a file began=3",
    );
    assert_eq!(told.unwrap().0, "/tmp/a");
}

#[test]
fn a_later_reading_without_a_detail_leaves_the_last_one() {
    check(
        "1 100 open 3
         3 100 point 3 anon_inode:[eventfd] began=2 count=5
         dump
         5 100 point 3 anon_inode:[eventfd] began=4
         7 100 point 3 anon_inode:[eventfd] began=6 count=7
         dump",
        "threads: 100 epoch 0 (unseen)
         table of 100 (1 users): 3 timerfd count 5, at 3 [no scan has read it]
         threads: 100 epoch 0 (unseen)
         table of 100 (1 users): 3 timerfd count 7, at 7 [no scan has read it]",
    );
}
