//! Numbers that are closed twice.

use super::{found, nothing};
use crate::rules::Rules;

const CLOSED_TWICE: &str = "10 100 open 5 socket\n20 100 close 5 refs=1\n30 100 close-refused 5";

#[test]
fn a_number_closed_twice_is_found_and_one_closed_once_is_not() {
    let twice = found(CLOSED_TWICE, &Rules::default());
    assert_eq!(twice.len(), 1, "{twice:?}");
    assert!(
        twice[0].starts_with("closed wrongly: fd 5 closed twice, by thread 100"),
        "{twice:?}"
    );
    let once = "10 100 open 5 socket\n20 100 close 5 refs=1";
    assert_eq!(found(once, &Rules::default()), nothing());
    let rules = Rules {
        closes: false,
        ..Rules::default()
    };
    assert_eq!(found(CLOSED_TWICE, &rules), nothing());
}

#[test]
fn whoever_closes_all_numbers_there_may_be_closes_none_twice() {
    let all: String = (6..20)
        .map(|fd| format!("\n{} 100 close-refused {fd}", 30 + fd))
        .collect();
    assert_eq!(
        found(&format!("{CLOSED_TWICE}{all}"), &Rules::default()),
        nothing()
    );
}
