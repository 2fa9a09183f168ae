//! Stories of tables and threads: what the ledger holds after a few events.

use crate::pipeline::story::check;

#[test]
fn exec_closes_what_it_should_and_keeps_the_rest() {
    check(
        "1 100 open 3
         2 100 open 4 cloexec
         3 100 exec
         3 100 read-exec 3
         dump",
        "threads: 100 epoch 1 (unseen)
         table of 100 (1 users): 3 timerfd",
    );
}

#[test]
fn exec_from_a_non_leader_takes_the_leaders_place() {
    // Threads 100 (the leader), 101 and 102; 101 executes. The leader's last switch is told
    // after the exec, with the number and start that 101 has now.
    check(
        "1 1 fork 100 files=7
         1 100 read-fork by=1 files=7
         2 100 thread 101 files=7
         3 100 thread 102 files=7
         10 100 exiting
         10 102 exiting
         11 102 gone
         12 101 exec files=7
         12 100 read-exec files=7
         12.1 100 gone
         dump
         20 100 exiting
         21 100 gone
         dump",
        "threads: 100 epoch 1 (announced)
         table of 100 (1 users):
         threads:",
    );
}

#[test]
fn a_process_ends_with_its_last_thread_whichever_it_is() {
    check(
        "1 100 fork 200
         1 200 read-fork by=100
         2 200 thread 201
         3 201 open 3
         4 200 exiting
         5 200 gone
         dump
         6 201 exiting
         7 201 gone
         dump",
        "threads: 100 epoch 0 (unseen), 201 epoch 0 (announced)
         table of 100 (1 users): [no scan has read it]
         table of 200 (1 users): 3 timerfd
         threads: 100 epoch 0 (unseen)
         table of 100 (1 users): [no scan has read it]",
    );
}

#[test]
fn a_childs_table_is_what_the_kernel_says() {
    check(
        "1 100 open 3
         2 100 open 4
         3 100 thread 101
         4 101 open 5 // while 100 forks: the child has not got it
         5 100 fork 200
         5 200 read-fork by=100 3 4 6 // and what nothing announced
         dump",
        "threads: 100 epoch 0 (unseen), 101 epoch 0 (announced), 200 epoch 0 (announced)
         table of 100 (2 users): 3 timerfd x2, 4 timerfd x2, 5 timerfd [no scan has read it]
         table of 200 (1 users): 3 timerfd x2, 4 timerfd x2, 6 unknown",
    );
}

#[test]
fn a_number_that_changed_while_it_was_copied_is_not_linked() {
    check(
        "1 100 thread 101
         2 100 open 3
         3 101 close 3 until=3.5 refs=1
         4 101 open 3
         5 100 fork 200 // may have begun at 2
         5 200 read-fork by=100 3
         dump",
        "threads: 100 epoch 0 (unseen), 101 epoch 0 (announced), 200 epoch 0 (announced)
         table of 100 (2 users): 3 timerfd [no scan has read it]
         table of 200 (1 users): 3 unknown",
    );
}

#[test]
fn threads_may_share_a_table_and_unshare_it() {
    check(
        "1 100 open 3
         2 100 share-fork 200
         3 200 open 4
         dump
         5 200 read-unshare 3 4
         6 200 open 5
         7 100 close 3 refs=2
         dump",
        "threads: 100 epoch 0 (unseen), 200 epoch 0 (announced)
         table of 100 (2 users): 3 timerfd, 4 timerfd [no scan has read it]
         threads: 100 epoch 0 (unseen), 200 epoch 0 (announced)
         table of 100 (1 users): 4 timerfd x2 [no scan has read it]
         table of 200 (1 users): 3 timerfd, 4 timerfd x2, 5 timerfd",
    );
}

#[test]
fn dup2_onto_an_open_number_closes_it() {
    check(
        "1 100 open 3
         2 100 open 4 socket
         3 100 dup2 4 3 entry=2.5
         dump",
        "threads: 100 epoch 0 (unseen)
         table of 100 (1 users): 3 socket x2, 4 socket x2 [no scan has read it]",
    );
}

#[test]
fn a_close_overtakes_the_birth_it_closes() {
    check(
        "0.5 100 baseline 100 | began=0.2
         1 100 thread 101
         2 100 thread 102
         10 101 close 5 refs=1 until=11
         12 102 open 5 // its number was closed before it returned
         dump
         13 101 open 5
         14 102 open 6
         dump",
        "threads: 100 epoch 0 (before attach), 101 epoch 0 (announced), 102 epoch 0 (announced)
         table of 100 (3 users):
         threads: 100 epoch 0 (before attach), 101 epoch 0 (announced), 102 epoch 0 (announced)
         table of 100 (3 users): 5 timerfd, 6 timerfd",
    );
}

#[test]
fn a_birth_on_an_open_number_leaves_the_old_one_closing() {
    check(
        "1 100 thread 101
         2 100 open 5
         10 101 open 5 // 100's close has not returned
         dump
         9 100 close 5 refs=1 until=500
         dump
         501 101 close 5 refs=1
         dump",
        "threads: 100 epoch 0 (unseen), 101 epoch 0 (announced)
         table of 100 (2 users): 5 timerfd [no scan has read it]
         threads: 100 epoch 0 (unseen), 101 epoch 0 (announced)
         table of 100 (2 users): 5 timerfd [no scan has read it]
         threads: 100 epoch 0 (unseen), 101 epoch 0 (announced)
         table of 100 (2 users): [no scan has read it]",
    );
}

#[test]
fn a_birth_within_a_close_range_is_ambiguous() {
    check(
        "1 100 thread 101
         2 100 open 3
         3 100 open 9
         10 101 open 5
         9 100 close-range 4 20 until=12
         dump
         20 101 close-refused 5
         dump",
        "threads: 100 epoch 0 (unseen), 101 epoch 0 (announced)
         table of 100 (2 users): 3 timerfd, 5? timerfd [no scan has read it]
         threads: 100 epoch 0 (unseen), 101 epoch 0 (announced)
         table of 100 (2 users): 3 timerfd [no scan has read it]",
    );
}

#[test]
fn numbers_come_again() {
    // Tids, table addresses and descriptor numbers, each before the old owner's end is told.
    check(
        "1 100 fork 200 files=7
         1 200 read-fork by=100 files=7
         2 200 open 3
         3 200 exiting
         4 100 fork 201 files=7
         4 201 read-fork by=100 files=7
         5 201 open 3 socket
         6 200 gone
         dump
         7 201 exiting
         8 100 fork 201
         8 201 read-fork by=100
         dump",
        "threads: 100 epoch 0 (unseen), 201 epoch 0 (announced)
         table of 100 (1 users): [no scan has read it]
         table of 201 (1 users): 3 socket
         threads: 100 epoch 0 (unseen), 201 epoch 0 (announced)
         table of 100 (1 users): [no scan has read it]
         table of 201 (1 users):",
    );
}

#[test]
fn what_was_received_is_linked_by_its_address() {
    check(
        "1 100 fork 200
         1 200 read-fork by=100
         2 100 open 3 socket file=64
         3 100 send 3
         4 200 receive 7 file=64
         dump
         5 100 close 3 refs=2
         6 200 close 7 refs=1
         dump",
        "threads: 100 epoch 0 (unseen), 200 epoch 0 (announced)
         table of 100 (1 users): 3 socket x2 [no scan has read it]
         table of 200 (1 users): 7 socket x2
         threads: 100 epoch 0 (unseen), 200 epoch 0 (announced)
         table of 100 (1 users): [no scan has read it]
         table of 200 (1 users):",
    );
}

#[test]
fn a_count_of_one_contradicts_a_wrong_link() {
    check(
        "1 100 open 3
         2 100 dup 3 4
         3 100 close 3 refs=1
         dump",
        "threads: 100 epoch 0 (unseen)
         table of 100 (1 users): 4 timerfd [no scan has read it]",
    );
}

#[test]
fn baseline_reconciles_with_what_came_before_it() {
    check(
        "1 101 open 7 // before the baseline is read
         2 101 close 8 // the scan may have seen it before
         10 100 baseline 100 101 | 3 7 8 began=1.5
         11 100 open 4
         dump",
        "threads: 100 epoch 0 (before attach), 101 epoch 0 (before attach)
         table of 100 (2 users): 3 timerfd, 4 timerfd, 7 timerfd",
    );
}

#[test]
fn an_audit_counts_before_it_heals() {
    check(
        "1 100 baseline 100 | 3 began=0.5
         2 100 open 4
         10 100 count-drift 100 101 | 3 5 began=9
         dump
         20 100 audit 100 101 | 3 5 began=19
         dump",
        "threads: 100 epoch 0 (before attach)
         table of 100 (1 users): 3 timerfd, 4 timerfd
         threads: 100 epoch 0 (before attach), 101 epoch 0 (unseen)
         table of 100 (2 users): 3 timerfd, 5 timerfd",
    );
}

#[test]
fn an_audit_compares_only_what_rests() {
    check(
        "1 100 baseline 100 | 3 began=0.5
         2 100 open 4
         10 100 open 5
         11 100 close 4 refs=1
         12 100 audit 100 | 3 4 began=9 // 4 was there still, 5 was not there yet
         dump",
        "threads: 100 epoch 0 (before attach)
         table of 100 (1 users): 3 timerfd, 5 timerfd",
    );
}

#[test]
fn numbers_beyond_any_table_cost_no_table() {
    check(
        "1 100 open 4294967295
         2 100 dup 4294967295 70000
         3 100 close-range 3 4294967295
         dump",
        "threads: 100 epoch 0 (unseen)
         table of 100 (1 users): [no scan has read it]",
    );
}

#[test]
fn a_futex_words_sums_are_replaced_by_later_ones() {
    check(
        "1 100 open 3
         2 100 futex 4096 2 by=101:2
         2 100 futex 8192 1
         3 100 futex 4096 5 by=101:4
         2.5 100 futex 4096 3 // told late
         dump",
        "threads: 100 epoch 0 (unseen)
         table of 100 (1 users): 3 timerfd [no scan has read it]
         word 4096 of 100: 5 waits, woken by 101 x4
         word 8192 of 100: 1 waits",
    );
}

#[test]
fn futex_words_go_with_their_memory() {
    // Of two processes with the same addresses, one executes and the other ends; a sample read
    // before an end may come after it, and makes no process.
    check(
        "1 100 fork 200
         1 200 read-fork by=100
         2 100 futex 4096 1
         2 200 futex 4096 2
         dump
         3 100 exec
         3 100 read-exec
         dump
         4 200 exiting
         5 200 gone
         5 200 futex 4096 3
         6 100 futex 8192 1
         dump",
        "threads: 100 epoch 0 (unseen), 200 epoch 0 (announced)
         table of 100 (1 users): [no scan has read it]
         table of 200 (1 users):
         word 4096 of 100: 1 waits
         word 4096 of 200: 2 waits
         threads: 100 epoch 1 (unseen), 200 epoch 0 (announced)
         table of 100 (1 users):
         table of 200 (1 users):
         word 4096 of 200: 2 waits
         threads: 100 epoch 1 (unseen)
         table of 100 (1 users):
         word 8192 of 100: 1 waits",
    );
}

/// Prints `cargo test -- --nocapture weights`; the bounds are what [`crate::ledger`] promises.
#[test]
fn weights() {
    use std::mem::size_of;

    use crate::ledger::{
        handle::{Description, Descriptor},
        resource::Resource,
        thread::{LiveThread, Thread},
    };

    let handle = size_of::<Option<Descriptor>>() + size_of::<Option<Description>>();
    let thread = size_of::<Option<Thread>>();
    let live = size_of::<LiveThread>();
    let queued = size_of::<Resource>();
    println!("handle {handle}, thread {thread}, live part {live}, dead {queued} more");
    assert!(handle <= 216, "{handle}");
    assert!(thread <= 160, "{thread}");
    assert!(live <= 480, "{live}");
    assert!(queued <= 8, "{queued}");
}
