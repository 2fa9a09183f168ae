//! The polling source on real children: what it sees, and what falls between two readings.

mod facts;

use super::super::tests::child::Child;
use super::*;
use crate::event::{
    Scan,
    scan::{SeenHandle, SeenThread},
};
use std::path::Path;

/// Why these tests poll.
const WHY: &str = "this is a test of it";
const EVERY: Duration = Duration::from_millis(20);
/// Far more than any step takes; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Collects what a source sends.
struct Reader {
    running: Running,
    events: Vec<Event>,
    deadline: Instant,
}

impl Reader {
    fn start(pids: &[Tgid]) -> Self {
        let running = start(
            PathBuf::from(super::super::PROC),
            pids,
            EVERY,
            WHY.to_owned(),
        );
        Self {
            running: running.expect("the processes are there"),
            events: Vec::new(),
            deadline: Instant::now() + PATIENCE,
        }
    }

    fn follow(&self, tgid: Tgid) -> Result<Followed, String> {
        let (done, answer) = tokio::sync::oneshot::channel();
        self.ask(Request::Follow { tgid, done });
        answer.blocking_recv().expect("it answers")
    }

    fn ask(&self, request: Request) {
        self.running.requests.send(request).expect("it listens");
    }

    /// The next batch; `None` = the source closed its channel.
    fn batch(&mut self) -> Option<Batch> {
        loop {
            assert!(Instant::now() < self.deadline, "nothing came");
            match self.running.batches.try_recv() {
                Ok(batch) => {
                    self.events.extend(batch.events.iter().cloned());
                    return Some(batch);
                }
                Err(tokio::sync::mpsc::error::TryRecvError::Empty) => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => return None,
            }
        }
    }

    /// The next scan of a process that satisfies `wanted`.
    fn scan(&mut self, tgid: Tgid, wanted: impl Fn(&Scan) -> bool) -> Scan {
        loop {
            let batch = self.batch().expect("the source still runs");
            let found = batch.events.into_iter().find_map(|event| match event.what {
                What::Scan(scan) if scan.tgid == tgid && wanted(&scan) => Some(*scan),
                _ => None,
            });
            if let Some(scan) = found {
                return scan;
            }
        }
    }

    /// Reads to the end.
    fn end(&mut self) -> SourceEnd {
        while self.batch().is_some() {}
        match self.events.last().map(|event| &event.what) {
            Some(What::End(end)) => (**end).clone(),
            other => panic!("the last event is {other:?}"),
        }
    }

    fn scans(&self, tgid: Tgid) -> Vec<&Scan> {
        let scans = self.events.iter().filter_map(|event| match &event.what {
            What::Scan(scan) if scan.tgid == tgid => Some(&**scan),
            _ => None,
        });
        scans.collect()
    }
}

fn since(scan: &Scan) -> Option<BootTime> {
    match scan.role {
        ScanRole::Poll { since } => since,
        other => panic!("{other:?}"),
    }
}

fn thread(scan: &Scan, tid: u32) -> Option<&SeenThread> {
    scan.threads
        .iter()
        .flatten()
        .find(|thread| thread.tid.0 == tid)
}

fn handle(scan: &Scan, fd: u32) -> Option<&SeenHandle> {
    let handles = scan.tables.iter().flat_map(|table| table.handles.iter());
    handles.flatten().find(|handle| handle.fd.0 == fd)
}

#[test]
fn births_and_deaths_lie_in_the_intervals_told() {
    let mut child = Child::start();
    let tgid = child.tgid();
    let mut reader = Reader::start(&[tgid]);
    let first = reader.scan(tgid, |_| true);
    assert_eq!(since(&first), None);

    let before = boot_time();
    let fd = child.number("o");
    let tid = child.number("t");
    let after = boot_time();
    let born = reader.scan(tgid, |scan| {
        handle(scan, fd).is_some() && thread(scan, tid).is_some()
    });
    let fd_interval = reader
        .scans(tgid)
        .into_iter()
        .find(|scan| handle(scan, fd).is_some())
        .map(|scan| (since(scan).expect("not the first"), scan.ended));
    let (earliest, latest) = fd_interval.expect("it was seen");
    assert!(
        earliest <= after && latest >= before,
        "{earliest:?} {latest:?}"
    );
    assert_eq!(
        handle(&born, fd).map(|handle| handle.kind.word()),
        Some("timerfd")
    );

    let before = boot_time();
    child.tell(&format!("c{fd}"));
    child.tell("T");
    let after = boot_time();
    let dead = reader.scan(tgid, |scan| {
        handle(scan, fd).is_none() && thread(scan, tid).is_none()
    });
    assert!(since(&dead).expect("not the first") <= after && dead.ended >= before);
    // Each scan continues where the last one began; nothing lies between two of them.
    for pair in reader.scans(tgid).windows(2) {
        assert_eq!(since(pair[1]), Some(pair[0].began));
    }
}

#[test]
fn children_are_followed_and_their_deaths_seen() {
    let mut child = Child::start();
    let tgid = child.tgid();
    let mut stranger = Child::start();
    let mut reader = Reader::start(&[tgid]);
    reader.scan(tgid, |_| true);
    let before = boot_time();
    let strange = Tgid(stranger.number("f"));
    let grandchild = Tgid(child.number("f"));
    let after = boot_time();
    let seen = reader.scan(grandchild, |_| true);
    assert!(seen.threads.is_some());
    let earliest = since(&seen).expect("it was not there at the first reading");
    assert!(earliest <= after && seen.ended >= before);
    // A zombie is dead, though its parent has not asked yet.
    child.tell("z");
    let gone = reader.scan(grandchild, |scan| scan.threads.is_none());
    assert!(gone.tables.is_empty());
    reader.scan(tgid, |_| true);
    assert_eq!(
        reader.scans(grandchild).last(),
        Some(&&gone),
        "no news of the dead"
    );
    for other in [strange, stranger.tgid()] {
        assert!(reader.scans(other).is_empty(), "nobody asked for {other}");
    }
    stranger.tell("F");
    child.tell("F");
}

#[test]
fn a_life_within_one_interval_is_not_seen_and_the_rest_is_counted() {
    let mut child = Child::start();
    let tgid = child.tgid();
    let running = start(
        PathBuf::from("/proc"),
        &[tgid],
        Duration::from_secs(600),
        WHY.to_owned(),
    );
    let mut reader = Reader {
        running: running.expect("it is there"),
        events: Vec::new(),
        deadline: Instant::now() + PATIENCE,
    };
    reader.scan(tgid, |_| true);
    let fd = child.number("o");
    child.tell(&format!("c{fd}"));
    let fd_that_stays = child.number("o");
    assert_eq!(fd_that_stays, fd, "the lowest free number");
    let copy = child.number(&format!("d{fd}"));
    let (answer, answered) = tokio::sync::oneshot::channel();
    reader.ask(Request::Drain(answer));
    answered
        .blocking_recv()
        .expect("it answers once it has read");
    let drained = reader.scan(tgid, |_| true);
    assert!(handle(&drained, copy).is_some(), "what stays is in it");
    reader.ask(Request::Stop);
    let end = reader.end();
    assert_eq!(end.error, None);
    let scans = reader.scans(tgid).len() as u64;
    assert_eq!(scans, 2);
    let count = Count {
        produced: scans,
        received: scans,
        lost: 0,
    };
    assert_eq!(end.counts, [("scan", count)]);
}

#[test]
fn it_ends_with_its_last_target() {
    let mut child = Child::start();
    let mut other = Child::start();
    let mut reader = Reader::start(&[child.tgid(), other.tgid()]);
    let why = WHY.to_owned();
    assert_eq!(
        reader.running.kind,
        SourceKind::Polling { every: EVERY, why }
    );
    reader.scan(child.tgid(), |_| true);
    child.end_now();
    reader.scan(child.tgid(), |scan| scan.threads.is_none());
    reader.scan(other.tgid(), |scan| scan.threads.is_some());
    other.end_now();
    assert_eq!(reader.end().error, None);
    let last = reader.scans(other.tgid()).into_iter().last();
    assert_eq!(last.map(|scan| scan.threads.is_none()), Some(true));
    let times: Vec<BootTime> = reader.events.iter().map(|event| event.at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn audits_and_later_targets() {
    let mut child = Child::start();
    let mut later = Child::start();
    let tgid = child.tgid();
    let mut reader = Reader::start(&[tgid]);
    let (done, _answer) = tokio::sync::oneshot::channel();
    reader.ask(Request::Audit { heal: false, done });
    let audit = reader.scan(tgid, |scan| matches!(scan.role, ScanRole::Audit { .. }));
    assert_eq!(audit.role, ScanRole::Audit { heal: false });
    assert_eq!(reader.follow(later.tgid()), Ok(Followed::default()));
    let first = reader.scan(later.tgid(), |_| true);
    assert_eq!(since(&first), None);
    let tgid = later.tgid();
    later.end_now();
    reader.scan(tgid, |scan| scan.threads.is_none());
    let refused = reader.follow(tgid).expect_err("it is gone");
    assert_eq!(refused, format!("process {tgid} is not there"));
    child.end_now();
    reader.end();
}

#[test]
fn a_number_that_another_process_got_is_no_target() {
    let tree = tempfile::tempdir().expect("a folder");
    let process = |start: u64| {
        let folder = tree.path().join("7/task/7");
        std::fs::create_dir_all(&folder).expect("a folder");
        let stat = format!("7 (x) S 1 7 7 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 {start} 1 1\n");
        std::fs::write(folder.join("stat"), &stat).expect("a file");
        std::fs::write(tree.path().join("7/stat"), &stat).expect("a file");
    };
    process(100);
    let running =
        start(tree.path().to_owned(), &[Tgid(7)], EVERY, WHY.to_owned()).expect("it is there");
    let mut reader = Reader {
        running,
        events: Vec::new(),
        deadline: Instant::now() + PATIENCE,
    };
    reader.scan(Tgid(7), |scan| scan.threads.is_some());
    process(900);
    let gone = reader.scan(Tgid(7), |scan| scan.threads.is_none());
    assert!(gone.tables.is_empty());
    assert_eq!(reader.end().error, None);
}

#[test]
fn its_gauges_count_rounds_and_scans() {
    let mut child = Child::start();
    let mut reader = Reader::start(&[child.tgid()]);
    for _ in 0..3 {
        reader.scan(child.tgid(), |_| true);
    }
    let (done, audited) = tokio::sync::oneshot::channel();
    reader.ask(Request::Audit { heal: false, done });
    audited.blocking_recv().expect("it audits");
    reader.ask(Request::Stop);
    let end = reader.end();
    let reading = reader.running.gauges.read();
    assert!(reading.polls.count >= 3 && reading.polls.last_ns > 0);
    assert_eq!(reading.audits.count, 1);
    assert_eq!(reading.records, end.counts);
    assert_eq!(reading.ring, None);
    child.end_now();
}

#[test]
fn a_reader_that_left_stops_it() {
    let mut child = Child::start();
    let reader = Reader::start(&[child.tgid()]);
    let Running {
        batches, requests, ..
    } = reader.running;
    drop(batches);
    let deadline = Instant::now() + PATIENCE;
    // Its end of the channel of requests goes with its thread.
    let audit = || Request::Audit {
        heal: false,
        done: tokio::sync::oneshot::channel().0,
    };
    while requests.send(audit()).is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        thread::sleep(EVERY);
    }
    child.end_now();
}

#[test]
fn what_is_not_there_is_refused() {
    let none = Tgid(u32::MAX);
    let error = start(
        Path::new("/proc").to_owned(),
        &[none],
        EVERY,
        WHY.to_owned(),
    )
    .expect_err("no such process");
    assert!(matches!(error, PollError::Gone(tgid) if tgid == none));
    assert_eq!(error.to_string(), "process 4294967295 is not there");
}
