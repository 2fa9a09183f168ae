//! The worlds that tests look at.

use std::fmt::Write as _;

/// Where a world's last event stands, in milliseconds.
pub(super) const NOW: u64 = 20_000;

/// The lab with one key of every fate: what its process is, then stores, deletes and waits.
pub(super) const FATES: &str = "
    1 100 baseline 100 101 | 0 1 2 began=0
    1000 101 store-begin retained   // a thread and a timerfd stay
    1001 101 thread 111
    1002 101 open 11
    1003 101 store-end retained
    1100 101 store-begin gone
    1101 101 thread 112
    1102 101 open 12 socket
    1103 101 store-end gone
    1200 101 store-begin late
    1201 101 thread 113
    1202 101 open 13 file
    1203 101 store-end late
    1300 101 store-begin unknown    // somebody holds it of whom nothing is known
    1301 101 open 14 socket
    1302 101 store-end unknown
    1400 101 store-begin reassigned
    1401 101 open 15
    1402 101 store-end reassigned
    1500 101 store-begin live
    1501 101 thread 116
    1502 101 open 16
    1503 101 open 17 socket
    1504 101 store-end live
    1600 101 store-begin pending
    1601 101 thread 117
    1602 101 open 18
    1603 101 store-end pending
    1700 101 store-begin deleting
    1701 101 open 19 socket
    1702 101 store-end deleting
    1800 101 store-begin empty
    1801 101 store-end empty
    5000 100 delete-begin retained bare
    5001 100 unlink retained
    5002 100 delete-end retained
    5100 100 delete-begin gone stop-wait-delete
    5101 112 close 12 refs=1
    5102 112 exiting
    5103 112 gone
    5105 100 delete-end gone
    5200 100 delete-begin late signal
    5201 100 delete-end late
    5300 100 delete-begin unknown bare
    5301 100 close 14 refs=2
    5302 100 delete-end unknown
    5400 100 delete-begin reassigned bare
    5401 100 delete-end reassigned
    5500 100 delete-begin empty bare
    5501 100 delete-end empty
    6000 101 own-fd live 15
    7000 113 close 13 refs=1
    7001 113 exiting
    7002 113 gone
    8000 100 fork 200
    8001 200 read-fork by=100 0 1 2 16
    9000 101 dup 17 20
    10000 111 waited in=0 since=9000 on=11
    11000 111 waited in=0 since=10000 on=11 by=101:1
    12000 100 sample in=232 since=11000 on=2 by=101:12
    12000 111 sample in=0 since=11000 on=11 by=101:2
    12000 116 sample in=202 since=6000 on=4096
    12000 117 sample in=202 on=4096
    12000 101 sample
    12000 100 futex 4096 12 by=101:7
    19700 100 delete-begin pending signal
    19703 100 delete-end pending
    19990 100 delete-begin deleting stop-wait-delete
    20000 100 tick
";

/// The lab with so many keys, each with a thread and a descriptor; every fourth is deleted.
pub(super) fn many(keys: u32) -> String {
    let mut story = "1 100 baseline 100 | 0 1 2 began=0\n".to_owned();
    for number in 0..keys {
        let (at, tid, fd) = (1000 + number, 1000 + number, 3 + number);
        write!(
            story,
            "{at} 100 store-begin task-{number:05}
             {at} 100 thread {tid}
             {at} 100 open {fd}
             {at} 100 store-end task-{number:05}\n"
        )
        .unwrap();
    }
    for number in (0..keys).step_by(4) {
        let at = 12_000 + number / 4;
        write!(
            story,
            "{at} 100 delete-begin task-{number:05} bare
             {at} 100 delete-end task-{number:05}\n"
        )
        .unwrap();
    }
    story + "20000 100 tick\n"
}

/// Names that want to drive the terminal, to turn text round, or to be wider than they look.
pub(super) const HOSTILE: [&str; 12] = [
    "%1b[2J%1b[31m",
    "\u{202e}gnissap\u{2066}x",
    "two%0alines%0d%07",
    "任务任务任务任务任务任务任务任务任务任务任务任务",
    "a任务b",
    "👩‍👩‍👧‍👦🇩🇪❤️👍🏽",
    "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}",
    "\u{301}\u{200d}\u{200b}",
    "%ff%fe%80",
    "%9b2J",
    "ﾞﾟｶﾞ",
    "%00",
];

/// The lab with keys, threads and policies of such names, and one of 200 bytes.
pub(super) fn hostile() -> String {
    let mut story = "1 100 baseline 100 | 0 1 2 began=0\n".to_owned();
    let long = "任务-k-".repeat(20);
    let names = HOSTILE.into_iter().chain([long.as_str()]);
    for (number, name) in (0..).zip(names) {
        let (at, tid, fd) = (1000 + number, 1000 + number, 3 + number);
        write!(
            story,
            "{at} 100 store-begin {name}
             {at} 100 thread {tid}
             {at} {tid} rename {name}
             {at} {tid} open {fd}
             {at} 100 store-end {name}
             {at} {tid} waited in=0 since=100 on={fd} by=1001:1
             {at} {tid} sample in=0 since=100 on={fd} by=1001:1
             {} 100 delete-begin {name} {name}
             {} 100 delete-end {name}\n",
            5000 + number,
            5000 + number,
        )
        .unwrap();
    }
    story + "20000 100 tick\n"
}
