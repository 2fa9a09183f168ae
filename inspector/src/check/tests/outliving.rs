//! Processes and threads that outlive what they should not, and their budgets.

use super::{BEGIN, found, judged, nothing};
use crate::rules::Rules;

const DAEMON: &str = "10 100 fork 200\n10 200 read-fork by=100 0 1 2 3\n20 200 thread 201";

#[test]
fn a_process_that_outlives_the_command() {
    assert_eq!(
        found(DAEMON, &Rules::default()),
        ["outlives: 1 × process of t200 still there 1s after the command [pid 200 with 2 threads]".replace("1 × ", "1 ")]
    );
    let fixed = format!("{DAEMON}\n30 201 exiting\n31 201 gone\n32 200 exiting\n33 200 gone");
    assert_eq!(found(&fixed, &Rules::default()), nothing());
}

#[test]
fn a_process_that_goes_within_the_grace_does_not() {
    let until = |ms: u64| {
        format!(
            "{BEGIN}\n{DAEMON}\n2000 100 exiting\n2001 100 gone
             {ms} 201 exiting\n{ms} 201 gone\n{ms} 200 exiting\n{ms} 200 gone\n3500 100 tick"
        )
    };
    assert!(judged(&until(3000), &Rules::default()).findings.is_empty());
    let late = judged(&until(3400), &Rules::default());
    assert_eq!(late.findings.len(), 1, "gone now, but after the grace");
}

#[test]
fn a_budget_allows_a_daemon() {
    let mut rules = Rules::default();
    rules.set_budget("process=1".parse().unwrap());
    assert_eq!(found(DAEMON, &rules), nothing());
    rules.set_budget("process=0".parse().unwrap());
    assert!(found(DAEMON, &rules)[0].starts_with("over budget"));
    rules = Rules::default();
    rules
        .ignores
        .push("process:t2*=the daemon".parse().unwrap());
    assert_eq!(found(DAEMON, &rules), nothing());
}

#[test]
fn a_process_whose_death_may_be_lost_is_unknown() {
    let story = format!("{DAEMON}\n40 100 lost gone from=35 until=39");
    assert_eq!(
        found(&story, &Rules::default()),
        ["unknown outlives: whether t200 (pid 200) outlived the command: events were lost"]
    );
}

#[test]
fn a_grace_that_was_not_waited_for_is_unknown() {
    let story = format!("{BEGIN}\n{DAEMON}\n2000 100 exiting\n2001 100 gone\n2500 100 tick");
    let checked = judged(&story, &Rules::default());
    assert!(checked.findings.is_empty());
    assert!(
        checked.unknowns[0]
            .words
            .ends_with("the grace was not waited for")
    );
}

#[test]
fn threads_that_go_on_without_their_main_thread() {
    let story = |ms: u64| {
        format!(
            "{BEGIN}\n10 100 thread 101\n500 100 exiting\n501 100 gone
             {ms} 101 exiting\n{ms} 101 gone\n3500 100 tick"
        )
    };
    let late = super::lines(&judged(&story(1900), &Rules::default()));
    assert_eq!(
        late,
        [
            "outlives: 1 thread \"t*\" of t100 (pid 100) still there 1s after the main thread's exit [thread 101 \"t101\"]"
        ]
    );
    let soon = super::lines(&judged(&story(1400), &Rules::default()));
    assert_eq!(soon, nothing());
}

#[test]
fn threads_that_are_there_at_the_end_have_a_budget() {
    let mut rules = Rules::default();
    rules.set_budget("thread=0".parse().unwrap());
    // Ended by the exit of their process, as those of a pool that nobody shuts down.
    let pool = "10 100 thread 101\n11 100 thread 102\n2000 100 exiting
         2000.1 101 exiting\n2000.1 101 gone\n2000.1 102 exiting\n2000.1 102 gone";
    assert_eq!(
        found(pool, &rules),
        [
            "over budget: t100 (pid 100) ended with 2 × thread beside its main thread, where the budget allows 0 [thread 101 \"t101\", thread 102 \"t102\"]"
        ]
    );
    let joined = "10 100 thread 101\n1999 101 exiting\n1999.5 101 gone";
    assert_eq!(found(joined, &rules), nothing());
    assert_eq!(
        found(pool, &Rules::default()),
        nothing(),
        "no budget, no finding"
    );
}
