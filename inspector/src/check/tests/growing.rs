//! Groups that grow, and what deleted entries owned.

use super::{found, judged, nothing};
use crate::rules::{Kinds, Limit, Rules};

/// Descriptors are not judged one by one here.
fn rules() -> Rules {
    Rules {
        open_at_exit: Kinds::These(Vec::new()),
        ..Rules::default()
    }
}

fn limit(most: u64) -> Rules {
    let mut rules = rules();
    rules.growth.push(Limit {
        kind: Some("socket".parse().unwrap()),
        target: None,
        call: Some("timerfd_create".to_owned()),
        most,
        from: crate::config::Origin::CommandLine,
    });
    rules
}

fn sockets(count: u64) -> String {
    (0..count)
        .map(|n| format!("{} 100 open {} socket\n", 10 + n, 10 + n))
        .collect()
}

#[test]
fn a_group_grows_by_at_most_what_a_rule_allows() {
    assert_eq!(found(&sockets(10), &limit(10)), nothing());
    assert_eq!(
        found(&sockets(11), &limit(10)),
        [
            "grows: socket, by timerfd_create, of t100 (pid 100): 11 more at the end, where command line allows 10 []"
        ]
    );
    let closed = format!("{}100 100 close-range 10 99", sockets(11));
    assert_eq!(found(&closed, &limit(10)), nothing());
    let files = sockets(11).replace("socket", "file");
    assert_eq!(found(&files, &limit(10)), nothing());
}

/// Twelve seconds, in each of which a socket is opened, and perhaps closed again.
fn long(closes: bool) -> String {
    let mut story = format!("{}\n", super::BEGIN);
    for second in 0..12 {
        let at = second * 1000 + 10;
        story += &format!("{at} 100 open {} socket\n", 10 + second);
        if closes {
            story += &format!("{at} 100 close {}\n", 10 + second);
        }
        story += &format!("{} 100 tick\n", second * 1000 + 1000);
    }
    story + "12100 100 exiting\n12101 100 gone\n14000 100 tick"
}

#[test]
fn a_suspect_is_a_finding_unless_that_is_turned_off() {
    let leak = judged(&long(false), &rules());
    let words = &leak.findings[0].words;
    assert!(words.contains("suspect, grew in"), "{words}");
    let off = Rules {
        suspects: false,
        ..rules()
    };
    assert!(judged(&long(false), &off).findings.is_empty());
    assert!(judged(&long(true), &rules()).findings.is_empty());
    assert!(
        judged(&long(false), &limit(99)).findings.is_empty(),
        "a rule decides"
    );
}

#[test]
fn growth_is_unknown_where_events_were_lost() {
    let story = format!("{}900 100 lost call from=800 until=890", sockets(11));
    let found = found(&story, &limit(10));
    assert!(found[0].starts_with("unknown grows"), "{found:?}");
}

const STORED: &str = "10 100 store-begin k1\n11 100 open 5 socket\n12 100 store-end k1\n";

#[test]
fn what_a_deleted_entry_owned_is_gone() {
    let leak = format!("{STORED}20 100 delete-begin k1 bare\n21 100 delete-end k1\n1900 100 tick");
    assert_eq!(
        found(&leak, &rules()),
        [
            "not gone after its delete: 1 socket of deleted entries, by policy bare: retained until their process ended [1:k1#1 fd 5 of 100: late (gone between 1979 and 1980 ms after the delete)]"
        ]
    );
    let fixed =
        format!("{STORED}20 100 delete-begin k1 bare\n21 100 close 5\n22 100 delete-end k1");
    assert_eq!(found(&fixed, &rules()), nothing());
}

#[test]
fn the_end_of_the_process_within_the_grace_proves_nothing() {
    let stored = "10 100 store-begin k1\n11 100 thread 101\n12 100 store-end k1\n";
    let deleted = format!("{stored}1990 100 delete-begin k1\n1991 100 delete-end k1");
    let killed = format!("{deleted}\n2000 100 exiting\n2000.1 101 exiting\n2000.2 101 gone");
    assert_eq!(
        found(&killed, &rules()),
        [
            "unknown not gone after its delete: whether 1 of what deleted entries owned is gone: their process ended before the grace did: 1:k1#1 thread 101 of 100: gone (9.1 ms after the delete)"
        ]
    );
    let by_itself = format!("{deleted}\n1995 101 exiting\n1996 101 gone");
    assert_eq!(found(&by_itself, &rules()), nothing());
    let handle = format!("{STORED}1990 100 delete-begin k1\n1991 100 delete-end k1");
    assert!(found(&handle, &rules())[0].contains("their process ended"));
}

#[test]
fn what_went_after_the_grace_is_late_where_that_counts() {
    let story = format!("{STORED}20 100 delete-begin k1\n21 100 delete-end k1\n1500 100 close 5");
    assert!(found(&story, &rules())[0].contains("gone later than the grace"));
    let lenient = Rules {
        late: false,
        ..rules()
    };
    assert_eq!(found(&story, &lenient), nothing());
    let kept = format!("{STORED}20 100 delete-begin k1\n21 100 delete-end k1");
    assert_eq!(
        found(&kept, &lenient).len(),
        1,
        "its process's end is no mercy"
    );
}

#[test]
fn what_a_daemon_retains_is_found_while_it_lives() {
    let story = format!(
        "10 100 fork 200\n10 200 read-fork by=100 0 1 2 3\n{}",
        "20 200 store-begin k1\n21 200 open 5 socket\n22 200 store-end k1
         30 200 delete-begin k1\n31 200 delete-end k1"
    );
    let mut rules = rules();
    rules.outlive = false;
    assert_eq!(
        found(&story, &rules),
        [
            "not gone after its delete: 1 socket of deleted entries: retained [1:k1#1 fd 5 of 200: retained (open)]"
        ]
    );
}

#[test]
fn a_verdict_that_is_unknown_stays_so() {
    let story = format!(
        "{STORED}20 100 delete-begin k1\n21 100 delete-end k1\n30 100 lost call from=25 until=29"
    );
    let checked = judged(
        &format!("{}\n{story}\n3500 100 tick", super::BEGIN),
        &rules(),
    );
    assert!(checked.findings.is_empty());
    assert!(
        checked.unknowns[0].words.contains("1:k1#1 fd 5 of 100"),
        "{:?}",
        checked.unknowns
    );
}

#[test]
fn what_an_entry_still_has_is_no_finding() {
    assert_eq!(found(STORED, &rules()), nothing());
}
