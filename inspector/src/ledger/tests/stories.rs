//! Stories of tables and threads.

use crate::pipeline::story::check;

#[test]
fn debug_one() {
    check(
        "1 100 thread 101
         1.1 100 thread 102
         1.2 100 rename a
         1.3 101 rename a
         1.4 102 rename a
         2 100 close-range 2 3 until=3
         4 101 open 3
         dump
         5 102 close 3 until=8 refs=1
         dump
         6 100 close 3 until=7 refs=2
         dump
         7.9 100 dup 0 3
         dump",
        "",
    );
}
