//! The names by which files are opened are told at once, whatever becomes of the descriptor.

use serde_json::Value;

use crate::{
    binary::{inspector, is_refused},
    watch::alone,
};

/// What `report` says of groups of a command that opens, and closes again.
fn groups(more: &[&str]) -> Vec<(String, Value)> {
    let script = "for n in 1 2 3 4; do read line < /etc/hostname; done";
    let mut arguments = vec!["report", "--json", "-o", "/dev/stdout"];
    arguments.extend(more);
    arguments.extend(["--", "sh", "-c", script]);
    let output = inspector(&arguments);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let groups = report["groups"].as_array().unwrap().iter();
    groups
        .map(|group| {
            let target = group["target"].as_str().unwrap_or("?");
            (target.to_owned(), group["births"].clone())
        })
        .collect()
}

#[test]
fn a_file_that_is_open_for_a_moment_has_a_name() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let named = ("/etc/hostname".to_owned(), Value::from(4));
    let told = groups(&[]);
    assert!(told.contains(&named), "{told:?}");
    // Nobody can look it up in that time.
    let told = groups(&["--no-names"]);
    assert!(!told.contains(&named), "{told:?}");
}
