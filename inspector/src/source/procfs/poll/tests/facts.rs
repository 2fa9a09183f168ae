//! What a poll reads beside threads and numbers: targets on demand, and limits.

use super::*;

#[test]
fn what_descriptors_point_at_is_read_anew_on_demand() {
    let mut child = Child::start();
    let mut reader = Reader::start(&[child.tgid()]);
    let seen = reader.scan(child.tgid(), |_| true);
    let (done, answered) = tokio::sync::oneshot::channel();
    reader.ask(Request::Refresh {
        tgid: child.tgid(),
        fds: None,
        done,
    });
    answered.blocking_recv().expect("it answers");
    let targets = loop {
        let batch = reader.batch().expect("the source still runs");
        let found = batch.events.into_iter().find_map(|event| match event.what {
            What::Targets(targets) => Some(*targets),
            _ => None,
        });
        if let Some(targets) = found {
            break targets;
        }
    };
    assert_eq!(targets.tgid, child.tgid());
    assert!(targets.began <= targets.ended && targets.began >= seen.began);
    for read in &targets.read {
        let scanned = handle(&seen, read.fd.0).expect("nothing was opened meanwhile");
        assert_eq!((&read.target, read.kind), (&scanned.target, scanned.kind));
    }
    assert!(targets.read.len() >= 3, "{targets:?}");
    child.end_now();
}

#[test]
fn limits_are_read_with_the_first_scan_and_then_at_most_once_a_second() {
    let child = Child::start();
    let mut reader = Reader::start(&[child.tgid()]);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(400) {
        reader.scan(child.tgid(), |_| true);
    }
    let scans = reader.scans(child.tgid());
    assert!(scans.len() > 3, "{}", scans.len());
    let first = scans[0].limits.as_ref().expect("the first tells them");
    assert!(
        first.nofile.is_some() && first.start_ticks.is_some(),
        "{first:?}"
    );
    let later = scans[1..].iter().filter(|scan| scan.limits.is_some());
    assert!(
        later.count() <= 1,
        "a slow machine takes more than a second"
    );
}
