//! Stories of findings, and of what looks like one and is none.

use crate::{
    event::{Batch, id::Tgid},
    ledger::{LedgerRules, finding::FindingKind},
    pipeline::{
        Pipeline,
        story::{Cast, check},
    },
    report::finding,
};

#[test]
fn a_number_closed_twice_is_told_with_its_first_close() {
    check(
        "1 100 thread 101
         2 100 open 3 socket
         3 100 close 3 until=3.1 refs=1
         4 101 close-refused 3
         5 101 close-refused 3
         findings",
        r#"fd 3 closed twice, by thread 101 of 100 "t101" in close at 0.004000 s, 2 times, last at 0.005000 s; socket, born at 0.002000 s by thread 100 in timerfd_create, was closed by close of thread 100 at 0.003000 s"#,
    );
}

#[test]
fn a_number_given_out_again_meanwhile_is_told_with_the_close_before() {
    // The refused close was before the new birth, although it is told after it.
    check(
        "1 100 thread 101
         2 100 open 3
         3 100 close 3 refs=1
         4 100 open 3
         4.1 101 close-refused 3
         findings",
        r#"fd 3 closed twice, by thread 101 of 100 "t101" in close at 0.004100 s; timerfd, born at 0.002000 s by thread 100 in timerfd_create, was closed by close of thread 100 at 0.003000 s"#,
    );
}

#[test]
fn a_number_that_nothing_had_is_one_finding_however_many() {
    check(
        "1 100 rename a%1b
         1 100 close-refused 4294967295
         2 100 close-refused 4
         3 100 close-refused 5
         findings",
        r#"fd -1 closed, which is not open, by thread 100 of 100 "a\u{1b}" in close at 0.001000 s, 3 times, last at 0.003000 s; no descriptor of this number is known"#,
    );
}

#[test]
fn refused_births_say_whose_limit_it_was() {
    check(
        "1 100 open 3
         2 100 birth-refused 24
         3 100 birth-refused 23
         4 100 birth-refused 24
         findings",
        r#"no descriptor to be had (EMFILE), by thread 100 of 100 "" in timerfd_create at 0.002000 s, 2 times, last at 0.004000 s; the process's limit, with 1 open
           no descriptor to be had (ENFILE), by thread 100 of 100 "" in timerfd_create at 0.003000 s; the system's limit, with 1 open here"#,
    );
}

/// Entry `a` had 7; its delete closes the number again, when it is `b`'s.
const FOREIGN: &str = "1 100 thread 101
     2 100 store-begin a
     3 100 open 7 socket
     4 100 store-end a
     5 100 close 7 refs=1
     6 101 store-begin b
     7 101 open 7 file
     8 101 store-end b
     9 100 delete-begin a
     10 100 close 7 refs=1
     11 100 delete-end a";

#[test]
fn a_delete_that_closes_another_entrys_number_is_found() {
    check(
        &format!("{FOREIGN}\nfindings"),
        r#"gone (before delete)  1:a#1  fd 7 of 100
           fd 7 of 1:b#1 closed for 1:a#1, by thread 100 of 100 "" in close at 0.010000 s; opened, born at 0.007000 s by thread 101 in timerfd_create, belongs to 1:b#1 by span; closed in the delete of 1:a#1; 1:a#1 had the number before: socket, born at 0.003000 s by thread 100 in timerfd_create, was closed by close of thread 100 at 0.005000 s"#,
    );
}

#[test]
fn a_thread_that_is_the_deleted_entrys_own_closes_for_it() {
    check(
        "1 100 thread 101
         2 100 own-fd a 7 // of nothing yet
         2 101 open 7
         3 100 own-fd a 7
         3 100 own-tid a 101
         4 100 delete-begin a
         5 101 close 7 refs=1
         6 100 open 7
         6 100 own-fd b 7
         7 101 close 7 refs=1
         findings",
        r#"fd 7 of 1:b#1 closed for 1:a#1, by thread 101 of 100 "t101" in close at 0.007000 s; timerfd, born at 0.006000 s by thread 100 in timerfd_create, belongs to 1:b#1 by own mark; closed by 1:a#1's own thread after its delete began; 1:a#1 had the number before: timerfd, born at 0.002000 s by thread 101 in timerfd_create, was closed by close of thread 101 at 0.005000 s"#,
    );
}

#[test]
fn an_acceptor_that_hands_numbers_to_workers_is_no_finding() {
    // The worker closes what the acceptor was handed with the number it had just closed itself:
    // what tells this from a double close is no event.
    check(
        "1 100 thread 101
         2 100 open 7 socket
         2 100 own-fd a 7
         3 101 close 7 refs=1
         3.1 100 open 7 socket
         3.2 100 own-fd b 7
         3.3 101 close 7 refs=1
         3.4 100 open 7 socket
         3.5 101 close 7 refs=1
         findings",
        "",
    );
}

#[test]
fn a_pools_thread_born_in_a_store_accuses_nobody() {
    check(
        "1 100 store-begin a
         2 100 thread 101 // the pool starts its first worker when it is needed
         3 100 open 7 socket
         4 100 store-end a
         5 100 delete-begin a
         6 101 close 7 refs=1
         7 100 open 7 socket
         7 100 own-fd b 7
         8 101 close 7 refs=1
         findings",
        "",
    );
}

#[test]
fn what_a_delete_may_close_is_no_finding() {
    for (why, story) in [
        (
            "a deleter closes its own",
            "1 100 open 7
             2 100 own-fd a 7
             3 100 delete-begin a
             4 100 close 7 refs=1
             5 100 open 7 // a journal of the delete
             6 100 close 7 refs=1
             findings",
        ),
        (
            "a delete that goes on to delete what hangs on it",
            "1 100 open 7
             2 100 own-fd a 7
             3 100 close 7 refs=1
             4 100 open 7
             5 100 own-fd b 7
             6 100 delete-begin a
             7 100 delete-begin b
             8 100 close 7 refs=1
             findings",
        ),
        (
            "a thread helps with a delete that another began",
            "1 100 thread 101
             1 100 open 7
             2 100 own-fd a 7
             3 100 close 7 refs=1
             4 100 open 7
             5 100 own-fd b 7
             6 101 delete-begin b
             7 100 delete-begin a
             8 100 close 7 refs=1
             findings",
        ),
        (
            "the same key stored again",
            "1 100 open 7
             2 100 own-fd a 7
             3 100 close 7 refs=1
             4 100 delete-begin a
             5 100 unlink a
             6 101 store-begin a
             7 101 open 7
             8 101 store-end a
             9 100 close 7 refs=1
             findings",
        ),
        (
            "an entry that never had the number",
            "1 100 open 8
             2 100 own-fd a 8
             4 100 open 7
             5 100 own-fd b 7
             6 100 delete-begin a
             8 100 close 7 refs=1
             findings",
        ),
    ] {
        println!("{why}");
        check(story, "");
    }
}

#[test]
fn what_was_lost_meanwhile_accuses_nobody() {
    // The close of b's descriptor and a's new birth may be among it.
    let lost = FOREIGN.replace(
        "9 100 delete-begin a",
        "8.9 100 lost call from=8.1 until=8.8
         9 100 delete-begin a",
    );
    check(
        &format!("{lost}\nfindings"),
        "gone (before delete)  1:a#1  fd 7 of 100",
    );
    let later = format!("{FOREIGN}\n12 100 lost call from=9 until=12");
    let finding = play(&later).ledger().findings().iter().next().cloned();
    assert!(finding.unwrap().doubtful);
}

#[test]
fn sums_outlive_what_is_forgotten() {
    let mut story = "1 100 fork 200\n1 200 read-fork by=100\n".to_owned();
    for fd in 0..1_500 {
        let at = fd + 10;
        story += &format!("{at} 200 open {fd}\n{at} 200 close {fd} refs=1\n");
        story += &format!("{at}.1 200 close-refused {fd}\n");
    }
    let pipeline = play(&story);
    let findings = pipeline.ledger().findings();
    assert_eq!(findings.iter().len(), 1_000);
    assert_eq!(findings.made(), 1_500);
    assert_eq!(findings.totals().of(FindingKind::DoubleClose), 1_500);
    assert_eq!(findings.totals_of(Tgid(200)), *findings.totals());
    assert_eq!(findings.totals_of(Tgid(100)).double_closes, 0);
    let latest = findings.iter().next_back().unwrap();
    assert_eq!(findings.get(latest.number), Some(latest));
    assert_eq!(findings.get(499), None);
    assert_eq!(findings.get(1_500), None);
}

#[test]
fn as_json() {
    let pipeline = play(FOREIGN);
    let found = pipeline.ledger().findings();
    let value = finding::value(found.iter().next().unwrap());
    assert_eq!(value["finding"], "foreign_close");
    assert_eq!(value["owner"]["key"], "b");
    assert_eq!(value["closed_for"]["key"], "a");
    assert_eq!(value["former"]["closed_by"], 100);
    assert_eq!(value["handle"]["born_by"], 101);
    assert_eq!(value["ground"], "in_delete");
    assert_eq!(finding::totals(found.totals())["foreign_close"], 1);
    let nothing = play("1 100 close-refused 4294967295");
    let nothing = nothing.ledger().findings().iter().next().cloned().unwrap();
    assert_eq!(finding::value(&nothing)["fd"], -1);
}

fn play(story: &str) -> Pipeline {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    for batch in Cast::default().batches(story) {
        let _fallen = pipeline.take(&Batch {
            events: batch.events,
        });
    }
    pipeline
}
