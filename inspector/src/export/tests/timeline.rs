//! What is drawn of a story.

use serde_json::json;

use super::{LAB, Told, genuine::asked, perfetto::WRONG, sketch::sketch};
use crate::export::Format;

/// What of the arguments the pictures show.
const ARGS: &[&str] = &[
    "key",
    "verdict",
    "outlived_ns",
    "since_ns",
    "futex",
    "how",
    "cause",
    "lives_on",
];

const OVERWRITTEN: &str = "
        10 100 store-begin k
        11 100 open 4
        12 100 store-end k
        20 100 store-begin k
        21 100 open 5
        22 100 store-end k
        2000 100 tick";

const DUPLICATED: &str = "
        10 100 store-begin k
        11 100 open 4 file=1
        12 100 store-end k
        13 100 dup 4 7 file=1
        20 100 delete-begin k
        21 100 close 4 refs=2
        22 100 delete-end k
        30 100 open 4 file=2
        300 100 close 7 refs=1
        2000 100 tick";

const REASSIGNED: &str = "
        10 100 store-begin k
        11 100 open 4
        12 100 store-end k
        13 100 store-begin l
        14 100 own-fd l 4
        15 100 store-end l
        20 100 delete-begin k
        22 100 delete-end k
        2000 100 tick";

const NUMBERS: &str = "
        10 100 open 4 file=1
        11 100 open 5 file=2
        31 100 dup2 4 5 entry=30 file=1
        40 100 close 5 exit-only refs=2
        41 100 open 5 socket
        50 100 tick";

const EXEC: &str = "
        10 100 thread 101
        20 101 waited in=230 since=12
        30 101 exec
        31 100 read-exec
        40 100 waited in=202 since=35 on=4096
        50 100 tick";

const GAPS: &str = "
        10 100 open 4
        20 100 lost call from=5 until=15
        21 100 lost mark from=12 until=18
        22 100 lost call from=15 until=90
        50 100 tick";

/// Its delete is over when the window begins.
const BEFORE: Told<'_> = Told {
    before: "
            10 100 store-begin k
            11 100 thread 101
            12 100 thread 102
            13 100 store-end k
            20 100 delete-begin k
            22 100 delete-end k",
    story: "
            600 102 waited in=202 since=30
            700 102 exiting
            701 102 gone
            3000 100 tick",
    since_ms: 500,
    until_ms: 3000,
    lost: None,
};

fn until(story: &str, since_ms: u64, until_ms: u64) -> String {
    let told = Told {
        story,
        since_ms,
        until_ms,
        ..Told::default()
    };
    sketch(&told, ARGS)
}

#[test]
fn a_window_of_the_lab() {
    insta::assert_snapshot!(sketch(&LAB, ARGS));
}

#[test]
fn an_overwritten_key_has_a_slice_for_each_entry() {
    insta::assert_snapshot!(until(OVERWRITTEN, 0, 2000));
}

#[test]
fn a_descriptor_that_lives_on_in_a_duplicate_dies_after_its_close() {
    insta::assert_snapshot!(until(DUPLICATED, 0, 2000));
}

#[test]
fn what_another_entry_was_given_is_reassigned() {
    insta::assert_snapshot!(until(REASSIGNED, 0, 2000));
}

#[test]
fn a_delete_before_the_window_leaves_what_outlives_it() {
    insta::assert_snapshot!(sketch(&BEFORE, ARGS));
}

#[test]
fn a_number_is_one_descriptors_after_the_other() {
    insta::assert_snapshot!(until(NUMBERS, 0, 50));
}

#[test]
fn an_exec_on_another_thread_ends_the_leader_and_goes_on_as_it() {
    insta::assert_snapshot!(until(EXEC, 0, 50));
}

/// Gaps of two cpus overlap, and one reaches beyond the window.
#[test]
fn gaps_have_lanes_of_their_own() {
    insta::assert_snapshot!(until(GAPS, 8, 50));
}

#[test]
fn trace_processor_finds_nothing_wrong_with_any_of_them() {
    let whole = |story| Told {
        story,
        until_ms: 2000,
        ..Told::default()
    };
    let stories = [OVERWRITTEN, DUPLICATED, REASSIGNED, NUMBERS, EXEC].map(whole);
    for told in stories.iter().chain([&BEFORE]) {
        let (perfetto, totals) = told.written(Format::Perfetto);
        let (chrome, _) = told.written(Format::Chrome);
        let count = "select count(*) from slice where dur >= 0";
        for trace in [perfetto, chrome] {
            let Some(answers) = asked(&trace, &[WRONG, count]) else {
                return;
            };
            assert_eq!(answers[0], json!([]), "{}", told.story);
            assert_eq!(answers[1], json!([[totals.slices + totals.instants]]));
        }
    }
}
