//! What is forgotten, and what is not.

use crate::pipeline::story::{check_with, keeping};

#[test]
fn the_past_is_forgotten_in_order() {
    check_with(
        keeping(1),
        "1 100 store-begin k1
         2 100 open 3
         3 100 open 4
         4 100 store-end k1
         5 100 close 3 refs=1
         6 100 open 9
         7 100 close 9 refs=1 // the oldest is forgotten
         8 100 delete-begin k1
         9 100 close 4 refs=1
         10 100 open 9
         11 100 close 9 refs=1 // 4 is kept: its verdict has not fallen
         12 100 delete-end k1
         1012 100 tick",
        "gone (during delete)  1:k1#1  fd 4 of 100",
    );
}

#[test]
fn an_entry_that_leaks_is_not_forgotten() {
    check_with(
        keeping(1),
        "1 100 store-begin k1
         2 100 open 3
         3 100 store-end k1
         4 100 delete-begin k1
         5 100 delete-end k1
         1006 100 tick
         2100 100 store-begin k2
         2101 100 store-end k2
         2102 100 delete-begin k2
         2103 100 delete-end k2
         2104 100 store-begin k3
         2105 100 store-end k3
         2106 100 delete-begin k3
         2107 100 delete-end k3
         5000 100 tick // the past is forgotten, and k1 would be
         5001 100 tick
         5002 100 close 3 refs=1
         5003 100 tick",
        "retained (open)  1:k1#1  fd 3 of 100
         late (gone 4997 ms after the delete)  1:k1#1  fd 3 of 100",
    );
}
