//! What is not known is said, and settled by what can settle it.

use crate::pipeline::story::{check, check_grounds};

/// A key with a timerfd (5) that another thread (101) reads.
fn timer(rest: &str) -> String {
    format!(
        "1 100 thread 101
         2 100 store-begin k1
         3 100 open 5
         4 100 store-end k1
         5 101 rename reader
         {rest}"
    )
}

#[test]
fn closed_here_while_a_call_holds_it() {
    check(
        &timer(
            "100 100 delete-begin k1
             101 100 close 5 refs=2
             110 100 delete-end k1
             500 101 sample in=0 on=5 since=50
             1120 100 tick
             2000 101 rename back // it left the call
             2001 100 tick",
        ),
        "retained (closed here, held by thread 101 in read)  1:k1#1  fd 5 of 100
         late (gone between 1010 and 1891 ms after the delete)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_call_that_ended_in_time_released_it() {
    check_grounds(
        &timer(
            "100 100 delete-begin k1
             101 100 close 5 refs=2
             110 100 delete-end k1
             500 101 sample in=202 since=300
             510 100 tick
             1110 100 tick",
        ),
        "gone (at most 400 ms after the delete)  1:k1#1  fd 5 of 100, timerfd: owner by span; born 107 ms before the delete's end by thread 100 in timerfd_create; deleted in 10 ms; released around the delete's end (close of thread 100: the calls in progress on it have ended)",
    );
}

#[test]
fn closed_here_where_no_waits_are_sampled() {
    check_grounds(
        &timer(
            "100 100 delete-begin k1
             101 100 close 5 refs=2
             110 100 delete-end k1
             1110 100 tick",
        ),
        "unknown (closed here; 1 other reference existed)  1:k1#1  fd 5 of 100, timerfd: owner by span; born 107 ms before the delete's end by thread 100 in timerfd_create; deleted in 10 ms; closed by close of thread 100 9 ms before the delete's end; not known: who else holds it",
    );
}

#[test]
fn a_file_may_be_mapped() {
    check(
        "1 100 store-begin k1
         2 100 open 5 file
         3 100 store-end k1
         100 100 delete-begin k1
         101 100 close 5 refs=2
         110 100 delete-end k1
         1110 100 tick",
        "unknown (closed here; 1 other reference existed)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn what_was_sent_may_be_held_anywhere() {
    check(
        &timer(
            "6 100 send 5
             100 100 delete-begin k1
             101 100 close 5
             110 100 delete-end k1
             1110 100 tick",
        ),
        "unknown (closed here; other holders can't be seen)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_reused_address_proves_the_release() {
    check(
        &timer(
            "100 100 delete-begin k1
             101 100 close 5 refs=2
             110 100 delete-end k1
             200 100 open 9 file=64
             1110 100 tick",
        )
        .replace("open 5", "open 5 file=64"),
        "gone (at most 90 ms after the delete)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_gap_hides_deaths_until_an_audit() {
    check(
        "1 100 store-begin k1
         2 100 open 5
         3 100 open 6
         4 100 thread 101
         5 100 thread 102
         6 100 store-end k1
         7 100 delete-begin k1
         8 100 delete-end k1
         50 100 lost call from=20 until=30
         50 100 lost gone from=20 until=30
         60 102 rename alive
         1008 100 tick
         1100 100 audit 100 102 | 5 began=1099",
        "unknown (unseen events may hide its death)  1:k1#1  thread 101 of 100
         retained (state not known)  1:k1#1  thread 102 of 100
         unknown (unseen events may hide its death)  1:k1#1  fd 5 of 100
         unknown (unseen events may hide its death)  1:k1#1  fd 6 of 100
         unknown (gone at most 1092 ms after the delete, around the grace's end)  1:k1#1  thread 101 of 100
         retained (open)  1:k1#1  fd 5 of 100
         unknown (gone at most 1092 ms after the delete, around the grace's end)  1:k1#1  fd 6 of 100",
    );
}

#[test]
fn a_gap_told_late_takes_back_a_verdict() {
    check(
        &timer(
            "100 100 delete-begin k1
             110 100 delete-end k1
             1110 100 tick
             1200 100 lost call from=500 until=600
             1300 100 audit 100 101 | 5 began=1299",
        ),
        "retained (open)  1:k1#1  fd 5 of 100
         unknown (unseen events may hide its death)  1:k1#1  fd 5 of 100
         retained (open)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_lost_mark_may_have_moved_it() {
    check(
        &timer(
            "100 100 delete-begin k1
             110 100 delete-end k1
             200 100 lost mark from=20 until=30
             1110 100 tick",
        ),
        "unknown (unseen marks may have moved it)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_compat_call_unsettles_the_table() {
    check(
        &timer(
            "6 101 compat
             7 100 own-fd k1 5
             100 100 delete-begin k1
             110 100 delete-end k1
             1110 100 tick
             1300 100 audit 100 101 | 5 began=1299",
        ),
        "unknown (its table is not certain: an i386 call changed it)  1:k1#1  fd 5 of 100
         retained (open)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_close_under_way_is_no_close() {
    // Thread 101's close of 5 freed the number and has not returned.
    check(
        &timer(
            "100 100 delete-begin k1
             110 100 delete-end k1
             120 100 open 5
             1110 100 tick",
        ),
        "unknown (the call that closed it has not returned)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn overlapping_calls_leave_the_number_ambiguous() {
    check(
        "1 100 thread 101
         2 100 open 7
         3 100 store-begin k1
         10 100 dup2 7 5 entry=5
         8 101 close 5 until=12 // before the dup2 or after it
         20 100 store-end k1
         100 100 delete-begin k1
         110 100 delete-end k1
         1110 100 tick
         1120 100 close-refused 5",
        "unknown (calls on its number overlapped)  1:k1#1  fd 5 of 100
         retained (closed here, held by fd 7 of 100)  1:k1#1  fd 5 of 100",
    );
}

#[test]
fn a_store_and_a_delete_that_overlap() {
    check(
        "1 100 store-begin k1
         2 100 open 5
         3 101 delete-begin k1
         4 100 store-end k1
         5 101 delete-end k1
         1005 100 tick",
        "unknown (a store and a delete of the key overlapped)  1:k1#1  fd 5 of 100",
    );
}
