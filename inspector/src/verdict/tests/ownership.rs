//! The rules of ownership, in their order.

use crate::pipeline::story::{check, check_grounds};

/// Ends with the delete of k1 and its grace.
fn deleted(story: &str) -> String {
    format!(
        "{story}
         100 100 delete-begin k1
         110 100 delete-end k1
         1110 100 tick"
    )
}

#[test]
fn rule_1_own_gives_what_was_born_elsewhere() {
    check_grounds(
        &deleted(
            "1 100 open 5 socket // accepted, then stored
             2 100 store-begin k1
             3 100 store-end k1
             4 100 own-fd k1 5
             5 100 thread 101
             6 100 own-tid k1 101",
        ),
        "retained (state not known)  1:k1#1  thread 101 of 100, \"t101\": owner by own mark; born 105 ms before the delete's end by thread 100; deleted in 10 ms; nothing since; not known: what it does (no waits sampled)
         retained (open)  1:k1#1  fd 5 of 100, socket: owner by own mark; born 109 ms before the delete's end by thread 100 in timerfd_create; deleted in 10 ms; nothing since",
    );
}

#[test]
fn rule_1_a_later_own_moves_it() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 open 5
             3 100 store-end k1
             4 100 own-fd k2 5",
        ),
        "reassigned (to 1:k2#1)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn rule_1_moved_after_the_verdict() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 open 5
             3 100 store-end k1",
        )
        .replace(
            "1110 100 tick",
            "1110 100 tick\n1200 100 own-fd k2 5\n 1300 100 tick",
        ),
        "retained (open)  1:k1#1  fd 5 of 100
         reassigned (to 1:k2#1)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn rule_2_the_innermost_span_owns() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 open 5
             3 100 store-begin k2
             4 100 open 6
             5 100 store-end k2
             6 100 open 7
             7 101 open 8 // another thread
             8 100 store-end k1
             9 100 open 9",
        ),
        "retained (open)  1:k1#1  fd 5 of 100
         retained (open)  1:k1#1  fd 7 of 100",
    );
}

#[test]
fn rule_2_a_span_with_an_id_crosses_threads() {
    check(
        &deleted(
            "1 100 store-begin k1 span=7
             2 100 open 5
             3 101 store-begin k1 span=7
             4 101 open 6
             5 100 open 8 // no longer its thread
             6 102 store-end k1 span=7
             7 101 open 9",
        ),
        "retained (open)  1:k1#1  fd 5 of 100
         retained (open)  1:k1#1  fd 6 of 100",
    );
}

#[test]
fn rule_3_what_its_threads_make_is_its_own() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 thread 101
             3 100 store-end k1
             4 101 open 5
             5 101 thread 102
             6 102 open 6
             105 102 open 7 // while it is deleted
             ",
        )
        .replace("1110 100 tick", "200 102 open 8 // after it\n1110 100 tick"),
        "retained (state not known)  1:k1#1  thread 101 of 100
         retained (state not known)  1:k1#1  thread 102 of 100
         retained (open)  1:k1#1  fd 5 of 100
         retained (open)  1:k1#1  fd 6 of 100
         retained (open)  1:k1#1  fd 7 of 100",
    );
}

#[test]
fn rule_4_duplicates_follow_their_description() {
    check_grounds(
        &deleted(
            "1 100 store-begin k1
             2 100 open 5 socket
             3 100 store-end k1
             4 100 dup 5 6
             5 100 close 5 refs=2",
        )
        .replace("1110 100 tick", "1110 100 tick\n1500 100 close 6 refs=1"),
        "retained (closed here, held by fd 6 of 100)  1:k1#1  fd 5 of 100, socket: owner by span; born 108 ms before the delete's end by thread 100 in timerfd_create; deleted in 10 ms; closed by close of thread 100 105 ms before the delete's end
         late (gone 1390 ms after the delete)  1:k1#1  fd 5 of 100, socket: owner by span; born 108 ms before the delete's end by thread 100 in timerfd_create; deleted in 10 ms; released 1390 ms after the delete (close of thread 100: it was the last reference)",
    );
}

#[test]
fn rule_4_a_forked_child_holds_it() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 open 5 socket
             3 100 store-end k1
             4 100 fork 200
             4 200 read-fork by=100 5
             5 100 close 5 refs=2",
        )
        .replace(
            "1110 100 tick",
            "1110 100 tick\n1500 200 exiting\n1501 200 gone",
        ),
        "retained (closed here, held by fd 5 of 200)  1:k1#1  fd 5 of 100
         late (gone between 1390 and 1391 ms after the delete)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_thread_of_several_keys_is_shared() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 thread 101 // a pool grows by chance
             3 100 store-end k1
             4 101 store-begin k2
             5 101 open 5
             6 101 store-end k2
             7 101 open 6",
        ),
        "unknown (shared)  1:k1#1  thread 101 of 100",
    );
}

#[test]
fn own_settles_who_a_shared_thread_belongs_to() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 thread 101
             3 100 store-end k1
             4 101 store-begin k2
             5 101 store-end k2
             6 100 own-tid k1 101",
        ),
        "retained (state not known)  1:k1#1  thread 101 of 100",
    );
}

#[test]
fn overwriting_deletes_the_first_value() {
    check_grounds(
        "1 100 store-begin k1
         2 100 open 5
         3 100 store-end k1
         10 100 store-begin k1
         11 100 open 6
         12 100 store-end k1
         1012 100 tick",
        "retained (open)  1:k1#1  fd 5 of 100, timerfd: owner by span; born 10 ms before the delete's end by thread 100 in timerfd_create; overwritten in 2 ms; nothing since",
    );
}

#[test]
fn a_store_that_deletes_what_it_replaces() {
    check(
        "1 100 store-begin k1
         2 100 open 5
         3 100 store-end k1
         10 100 store-begin k1
         11 100 delete-begin k1
         12 100 close 5 refs=1
         13 100 delete-end k1
         14 100 open 5
         15 100 store-end k1
         1015 100 tick",
        "gone (during delete)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_program_executed_since_knows_nothing_of_the_entry() {
    check(
        &deleted(
            "1 100 store-begin k1
             2 100 fork 200
             2 200 read-fork by=100
             3 100 store-end k1
             4 200 exec
             4 200 read-exec
             5 200 open 5",
        ),
        "retained (state not known)  1:k1#1  thread 200 of 200",
    );
}
