//! What is drawn of a story.

use super::{LAB, sketch::sketch};

#[test]
fn a_window_of_the_lab() {
    insta::assert_snapshot!(sketch(
        &LAB,
        &[
            "key",
            "verdict",
            "outlived_ns",
            "since_ns",
            "futex",
            "how",
            "cause",
            "lives_on"
        ]
    ));
}
