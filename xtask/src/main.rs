//! The project's chores, one file a verb.
fn main() {}
