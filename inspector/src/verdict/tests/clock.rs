//! The delete clock.

use crate::pipeline::story::{check, check_grounds};

/// A key with a timerfd (5) and a thread (101), deleted from 10 ms on; the delete has not ended.
fn ticker(rest: &str) -> String {
    format!(
        "1 100 store-begin k7
         2 100 open 5
         3 100 thread 101
         4 100 store-end k7
         10 100 delete-begin k7 bare
         11 100 unlink k7
         {rest}"
    )
}

#[test]
fn a_bare_delete_retains_both() {
    let story = ticker(
        "20 100 delete-end k7
         990 101 sample in=0 on=5 since=900
         1020 100 tick",
    );
    check_grounds(&story, "retained (active)  1:k7#1  thread 101 of 100, \"t101\": owner by span; born 17 ms before the delete's end by thread 100; deleted (bare) in 10 ms; blocked in read since 880 ms after the delete
         retained (open)  1:k7#1  fd 5 of 100, timerfd: owner by span; born 18 ms before the delete's end by thread 100 in timerfd_create; deleted (bare) in 10 ms; nothing since");
}

#[test]
fn what_dies_before_the_delete_is_gone_before_it() {
    check(
        "1 100 store-begin k7
         2 100 open 5
         3 100 thread 101
         4 100 store-end k7
         5 101 exiting
         6 101 gone
         7 100 close 5 refs=1
         10 100 delete-begin k7
         20 100 delete-end k7
         1020 100 tick",
        "gone (before delete)  1:k7#1  thread 101 of 100
         gone (before delete)  1:k7#1  fd 5 of 100",
    );
}

#[test]
fn begin_and_end_belong_to_the_delete() {
    check(
        &ticker(
            "11 100 close 5 refs=1
             20 101 exiting
             20.1 101 gone
             20 100 delete-end k7",
        ),
        "gone (during delete)  1:k7#1  thread 101 of 100
         gone (during delete)  1:k7#1  fd 5 of 100",
    );
}

#[test]
fn a_thread_counts_from_its_exits_entry() {
    let story = ticker(
        "15 100 close 5 refs=1
         19 101 exiting
         20 100 delete-end k7
         20.3 101 gone
         1020 100 tick",
    );
    check_grounds(&story, "gone (during delete)  1:k7#1  fd 5 of 100, timerfd: owner by span; born 18 ms before the delete's end by thread 100 in timerfd_create; deleted (bare) in 10 ms; released 5 ms before the delete's end (close of thread 100: it was the last reference)
         gone (during delete)  1:k7#1  thread 101 of 100, \"t101\": owner by span; born 17 ms before the delete's end by thread 100; deleted (bare) in 10 ms; exit began 1 ms before the delete's end, last switch 300 µs after the delete");
}

#[test]
fn the_graces_end_is_within_the_grace() {
    check(
        &ticker(
            "20 100 delete-end k7
             1020 100 close 5 refs=1
             1020 101 exiting
             1020 101 gone
             1021 100 tick",
        ),
        "gone (1000 ms after the delete)  1:k7#1  fd 5 of 100
         gone (1000 ms after the delete)  1:k7#1  thread 101 of 100",
    );
}

#[test]
fn what_goes_after_the_grace_is_late() {
    check(
        &ticker(
            "20 100 delete-end k7
             1020 100 tick
             1300 100 close 5 refs=1
             1300 101 exiting
             1301 101 gone",
        ),
        "retained (state not known)  1:k7#1  thread 101 of 100
         retained (open)  1:k7#1  fd 5 of 100
         late (gone 1280 ms after the delete)  1:k7#1  fd 5 of 100
         retained (exiting)  1:k7#1  thread 101 of 100
         late (gone 1281 ms after the delete)  1:k7#1  thread 101 of 100",
    );
}

#[test]
fn an_exit_that_hangs_is_retained() {
    check(
        &ticker(
            "15 100 close 5 refs=1
             16 101 exiting
             20 100 delete-end k7
             1020 100 tick
             1500 101 gone",
        ),
        "gone (during delete)  1:k7#1  fd 5 of 100
         retained (exiting)  1:k7#1  thread 101 of 100
         late (gone 1480 ms after the delete)  1:k7#1  thread 101 of 100",
    );
}

#[test]
fn a_delete_without_its_end_is_not_judged() {
    check(&ticker("5000 100 tick"), "");
}

#[test]
fn nothing_is_retained_before_the_tick() {
    check(&ticker("20 100 delete-end k7\n 1500 100 rename x"), "");
}

#[test]
fn a_close_told_after_the_grace_counts_when_it_was_made() {
    // A close that blocked after it freed its number is told when it returns.
    check(
        &ticker(
            "20 100 delete-end k7
             21 101 exiting
             22 101 gone
             30 102 open 5 // another key's: number 5 is free again
             1020 100 tick
             25 100 close 5 refs=1 until=2000",
        ),
        "gone (1 ms after the delete)  1:k7#1  thread 101 of 100
         unknown (the call that closed it has not returned)  1:k7#1  fd 5 of 100
         gone (5 ms after the delete)  1:k7#1  fd 5 of 100",
    );
}

#[test]
fn active_parked_and_not_known() {
    let story = |sample: &str| {
        ticker(&format!(
            "15 100 close 5 refs=1
             20 100 delete-end k7
             {sample}
             1020 100 tick"
        ))
    };
    check(
        &story(""),
        "gone (during delete)  1:k7#1  fd 5 of 100
         retained (state not known)  1:k7#1  thread 101 of 100",
    );
    // Every 100 ms it runs.
    check(
        &story("1000 101 sample in=0 on=9 since=950"),
        "gone (during delete)  1:k7#1  fd 5 of 100
         retained (active)  1:k7#1  thread 101 of 100",
    );
    check(
        &story("1000 101 sample"),
        "gone (during delete)  1:k7#1  fd 5 of 100
         retained (active)  1:k7#1  thread 101 of 100",
    );
    check(
        &story("1000 101 sample in=202 since=5"),
        "gone (during delete)  1:k7#1  fd 5 of 100
         retained (parked in futex)  1:k7#1  thread 101 of 100",
    );
    // Before the attach.
    check(
        &story("1000 101 sample in=202"),
        "gone (during delete)  1:k7#1  fd 5 of 100
         retained (parked in futex)  1:k7#1  thread 101 of 100",
    );
}

#[test]
fn a_parked_thread_that_runs_again_is_told() {
    check(
        &ticker(
            "15 100 close 5 refs=1
             20 100 delete-end k7
             1000 101 sample in=202 since=5
             1020 100 tick
             1100 101 sample in=202 since=1090
             1110 100 tick
             1200 101 sample in=202 since=1190 // no news
             3000 101 sample in=202 since=1190
             3000 100 tick",
        ),
        "gone (during delete)  1:k7#1  fd 5 of 100
         retained (parked in futex)  1:k7#1  thread 101 of 100
         retained (active)  1:k7#1  thread 101 of 100",
    );
}

#[test]
fn two_deleters_end_together() {
    check(
        &ticker(
            "11 102 delete-begin k7
             15 100 close 5 refs=1
             20 100 delete-end k7
             25 101 exiting
             26 101 gone
             30 102 delete-end k7
             1030 100 tick",
        ),
        "gone (during delete)  1:k7#1  thread 101 of 100
         gone (during delete)  1:k7#1  fd 5 of 100",
    );
}

#[test]
fn polling_gives_intervals() {
    check(
        "1 100 poll 100 | began=1
         2 100 store-begin k7
         3 100 own-fd k7 5
         4 100 own-fd k7 6
         5 100 own-fd k7 7
         6 100 store-end k7
         7 100 poll 100 | 5 6 7 began=7 since=1
         100 100 delete-begin k7
         110 100 delete-end k7
         250 100 poll 100 | 6 7 began=249 since=7
         500 100 poll 100 | 6 7 began=499 since=249
         1105 100 poll 100 | 6 7 began=1104 since=499
         1109 100 tick // proves nothing: nobody looked
         1150 100 poll 100 | 7 began=1149 since=1104
         1400 100 poll 100 | began=1399 since=1149",
        "gone (at most 140 ms after the delete)  1:k7#1  fd 5 of 100
         unknown (gone between 994 and 1040 ms after the delete, around the grace's end)  1:k7#1  fd 6 of 100
         retained (open)  1:k7#1  fd 7 of 100
         late (gone between 1039 and 1290 ms after the delete)  1:k7#1  fd 7 of 100",
    );
}

#[test]
fn an_interval_after_the_delete() {
    check(
        "1 100 poll 100 | 4 began=1
         3 100 own-fd k7 4
         4 100 own-fd k7 5
         7 100 poll 100 | 4 5 began=7 since=1
         100 100 delete-begin k7
         110 100 delete-end k7
         120 100 poll 100 | 4 5 began=120 since=7
         250 100 poll 100 | began=249 since=120
         1110 100 poll 100 | began=1110 since=249",
        "gone (between 10 and 140 ms after the delete)  1:k7#1  fd 5 of 100
         unknown (closed here; other holders can't be seen)  1:k7#1  fd 4 of 100",
    );
}
