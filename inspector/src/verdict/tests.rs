//! Stories of deletes.

use crate::pipeline::story::check;

/// The story of a key with a thread and a timerfd, up to its delete's end at 20 ms.
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
    check(&ticker("20 100 delete-end k7\n 1020 100 tick"), "x");
}
