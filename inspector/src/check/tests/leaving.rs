//! Descriptors that are open when their process ends, and their budgets.

use super::{BEGIN, END, found, judged, judged_by, nothing};
use crate::pipeline::story::keeping;
use crate::rules::{Kinds, Rules, Whose};

fn all() -> Rules {
    Rules {
        processes: Whose::All,
        ..Rules::default()
    }
}

#[test]
fn what_the_run_opened_and_never_closed() {
    let leak = "10 100 open 5 socket\n11 100 open 6 socket\n12 100 open 7 file";
    assert_eq!(
        found(leak, &Rules::default()),
        [
            "open at exit: t100 (pid 100) opened and left open at its end: 2 × socket, by timerfd_create [fd 5, fd 6]",
            "open at exit: t100 (pid 100) opened and left open at its end: 1 opened, by timerfd_create [fd 7]",
        ]
    );
    let fixed = format!("{leak}\n20 100 close 5\n21 100 close 6\n22 100 close-range 7 9");
    assert_eq!(found(&fixed, &Rules::default()), nothing());
}

#[test]
fn standard_streams_and_what_was_inherited_are_not_its_own() {
    let story = "10 100 close 0\n11 100 open 0 file // stdin anew
         12 100 dup 3 9 // of what it was started with
         13 100 dup2 3 10";
    assert_eq!(found(story, &Rules::default()), nothing());
}

#[test]
fn a_duplicate_of_its_own_is_its_own() {
    let story = "10 100 open 5 socket\n11 100 dup 5 9\n12 100 close 5";
    assert_eq!(found(story, &Rules::default()).len(), 1);
}

#[test]
fn what_exec_closed_was_not_left_and_what_it_kept_was() {
    let story = "10 100 open 5 socket\n11 100 open 6 socket
         20 100 exec
         21 100 read-exec 0 1 2 3 6";
    assert_eq!(
        found(story, &Rules::default()),
        [
            "open at exit: new (pid 100) opened and left open at its end: 1 socket, by timerfd_create [fd 6]"
        ]
    );
}

#[test]
fn children_are_judged_when_asked_and_only_for_their_own() {
    let story = "10 100 open 5 socket
         20 100 fork 200
         20 200 read-fork by=100 0 1 2 3 5
         21 200 open 6 file
         22 200 dup 5 7 // of what it inherited
         30 200 exiting
         31 200 gone
         40 100 fork 300
         40 300 read-fork by=100 0 1 2 3 5
         41 300 open 6 file
         42 300 close 6
         43 300 exiting
         44 300 gone
         50 100 close 5";
    assert_eq!(found(story, &Rules::default()), nothing());
    assert_eq!(
        found(story, &all()),
        [
            "open at exit: t200 (pid 200) opened and left open at its end: 1 opened, by timerfd_create [fd 6]"
        ]
    );
    let checked = judged(&format!("{BEGIN}\n{story}\n{END}"), &all());
    assert_eq!((checked.judged.processes, checked.judged.ran), (3, 3));
    assert_eq!(checked.judged.handles, 4);
}

#[test]
fn a_killed_process_is_judged_alike() {
    // A thread that is killed tells its exit like any other.
    let story = "10 100 thread 101\n11 101 open 5 socket\n1990 101 exiting\n1991 101 gone";
    assert_eq!(found(story, &Rules::default()).len(), 1);
}

#[test]
fn kinds_are_chosen() {
    let story = "10 100 open 5 socket\n11 100 open 6 file";
    let of = |open_at_exit| Rules {
        open_at_exit,
        ..Rules::default()
    };
    let sockets = Kinds::These(vec!["socket".parse().unwrap()]);
    let files = Kinds::These(vec!["file".parse().unwrap()]);
    assert_eq!(found(story, &of(sockets)).len(), 1);
    assert_eq!(found(story, &of(files)).len(), 1);
    assert_eq!(found(story, &of(Kinds::These(vec![]))), nothing());
}

#[test]
fn a_budget_takes_the_place_of_one_by_one() {
    let three = "10 100 open 5 socket\n11 100 open 6 socket\n12 100 open 7 socket\n13 100 open 8";
    let mut rules = Rules::default();
    rules.set_budget("socket=3".parse().unwrap());
    rules.set_budget("handle=1".parse().unwrap());
    assert_eq!(found(three, &rules), nothing());
    let four = format!("{three}\n14 100 open 9 socket");
    assert_eq!(
        found(&four, &rules),
        [
            "over budget: t100 (pid 100) opened and left open at its end: 4 × socket, where the budget allows 3 [fd 5, fd 6, fd 7, fd 9]"
        ]
    );
}

#[test]
fn what_is_ignored_is_told_with_its_reason() {
    let story = format!("{BEGIN}\n10 100 open 5 socket\n11 100 open 6 file\n{END}");
    let mut rules = Rules::default();
    for text in ["socket=the pool's", "pipe=never there"] {
        rules.ignores.push(text.parse().unwrap());
    }
    let mut expired: crate::rules::Ignore = "file=until the mend".parse().unwrap();
    expired.expires = Some("2026-06-30".parse().unwrap());
    rules.ignores.push(expired);
    let checked = judged(&story, &rules);
    assert_eq!(checked.findings.len(), 1, "the file: its ignore expired");
    let told: Vec<_> = checked
        .ignored
        .iter()
        .map(|one| (one.reason.as_str(), one.count, one.expired.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            ("the pool's", 1, false),
            ("never there", 0, false),
            ("until the mend", 1, true)
        ]
    );
}

#[test]
fn a_path_that_is_known_can_be_ignored() {
    let story = "10 100 open 5\n1500 100 audit 100 | 0 1 2 3 5 began=1400";
    let with = |text: &str| {
        let mut rules = Rules::default();
        rules.ignores.push(text.parse().unwrap());
        found(story, &rules)
    };
    assert_eq!(with("timerfd:anon_inode:*=the loop's"), nothing());
    assert_eq!(
        with("timerfd:/tmp/*=another"),
        [
            "open at exit: t100 (pid 100) opened and left open at its end: 1 timerfd, timerfd, by timerfd_create [fd 5 anon_inode:[timerfd]]"
        ]
    );
}

#[test]
fn where_events_were_lost_nothing_is_claimed() {
    let lost = "10 100 open 5\n20 100 lost call from=15 until=19";
    assert_eq!(
        found(lost, &Rules::default()),
        [
            "unknown open at exit: what t100 (pid 100) had open when it ended: events were lost (1 were believed open)"
        ]
    );
    let settled = format!("{lost}\n30 100 audit 100 | 0 1 2 3 5 began=25");
    assert_eq!(found(&settled, &Rules::default()).len(), 1);
    assert!(found(&settled, &Rules::default())[0].starts_with("open at exit"));
    let wait = "20 100 lost wait from=15 until=19";
    assert_eq!(found(wait, &Rules::default()), nothing());
}

#[test]
fn where_the_end_was_not_seen_nothing_is_claimed() {
    let checked = judged(
        &format!("{BEGIN}\n10 100 open 5\n3500 100 tick"),
        &Rules::default(),
    );
    assert!(!checked.is_clean());
    assert!(checked.unknowns[0].words.contains("its end was not seen"));
    let none = judged("3500 100 tick", &Rules::default());
    assert!(none.unknowns[0].words.contains("its process was not seen"));
}

#[test]
fn polls_do_not_see_the_end() {
    let story = "1000 100 poll 100 | 0 1 2 3 7 began=999 since=1";
    let found = found(story, &Rules::default());
    assert!(found[0].contains("only polled"), "{found:?}");
}

#[test]
fn what_was_forgotten_is_unknown_where_it_may_have_been_left() {
    // Six die with the command: four of its own and 5 and 6.
    let story = format!(
        "{BEGIN}\n10 100 open 4\n11 100 close 4\n12 100 open 4\n13 100 close 4\n14 100 open 5\n15 100 open 6\n{END}"
    );
    let unknowns = |keep: usize, rules: &Rules| judged_by(keeping(keep), &story, rules).unknowns;
    assert!(unknowns(100, &all()).is_empty());
    let enough = judged_by(keeping(8), &story, &Rules::default());
    assert_eq!((enough.unknowns.len(), enough.findings.len()), (0, 1));
    assert!(
        unknowns(8, &all())[0].words.contains("forgot"),
        "whose they were is not known"
    );
    assert!(unknowns(5, &Rules::default())[0].words.contains("forgot"));
}
