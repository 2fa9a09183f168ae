//! Parsing of stat lines, hostile names included.

use super::*;

const LINE: &[u8] =
    b"1234 (tick (7)) S 77 1234 1234 0 -1 4194564 1 2 3 4 5 6 7 8 20 0 3 0 987654 1 2 3\n";

#[test]
fn fields_of_a_stat_line() {
    let task = parse(LINE).expect("a stat line");
    assert_eq!(task.seen.tid, Tid(1234));
    assert_eq!(task.seen.comm.bytes(), b"tick (7)");
    assert_eq!((task.seen.state, task.parent), (b'S', 77));
    assert_eq!(task.seen.start_ticks, 987_654);
    assert!(task.exiting, "flag 0x4 is set");
    assert!(task.alive());
}

/// The kernel's own lines, compared with what the crate procfs reads from them.
#[test]
fn agrees_with_the_crate_procfs() {
    let theirs = procfs::process::Process::myself().and_then(|process| process.stat());
    let theirs = theirs.expect("our own stat");
    let bytes = std::fs::read(format!("/proc/{}/stat", theirs.pid)).expect("our own stat");
    let ours = parse(&bytes).expect("a stat line");
    assert_eq!(ours.seen.start_ticks, theirs.starttime);
    assert_eq!(ours.seen.comm.bytes(), theirs.comm.as_bytes());
    assert_eq!(i64::from(ours.parent), i64::from(theirs.ppid));
    assert!(!ours.exiting);
}

#[test]
fn truncated_lines_are_no_threads() {
    let needed = LINE.len() - b" 1 2 3\n".len() - b"987654".len();
    for len in 0..needed {
        assert_eq!(parse(&LINE[..len]), None, "{len}");
    }
    for line in [&b")("[..], b"1 )(", b"x (a) S 1", b"()", b"1 (a"] {
        assert_eq!(parse(line), None);
    }
}
