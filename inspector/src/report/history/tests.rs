//! The axis of stories, and that it stays bounded.

use super::{Lost, MOST, Moments};
use crate::{
    event::id::BootTime,
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
};

/// What a story's batches tell.
fn moments(story: &str) -> Moments {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let mut moments = Moments::default();
    for batch in Cast::default().batches(story) {
        pipeline.take(&batch);
        moments.take(&batch, pipeline.ledger());
    }
    moments
}

#[test]
fn a_story_is_sampled_and_its_deletes_and_gaps_are_noted() {
    let moments = moments(
        "1 100 baseline 100 | 0 1 2 began=0.5
         30 100 thread 101
         31 100 open 3
         60 100 store-begin k1
         70 100 store-end k1
         100 100 delete-begin k1
         110 100 delete-end k1
         200 100 lost call from=150 until=190",
    );
    let samples: Vec<_> = moments
        .samples()
        .iter()
        .map(|sample| (sample.at.0 / 1_000_000, sample.threads, sample.handles))
        .collect();
    assert_eq!(samples[..3], [(1, 1, 3), (30, 2, 3), (60, 2, 4)]);
    let deletes: Vec<_> = moments.deletes().iter().map(|one| one.at.0).collect();
    assert_eq!(deletes, [110_000_000]);
    let gap = Lost {
        from: BootTime(150_000_000),
        until: BootTime(190_000_000),
        count: 1,
    };
    assert_eq!(moments.losses(), [gap]);
}

#[test]
fn what_happens_to_nobody_is_no_moment() {
    let moments = moments("1 100 baseline 100 | 0 began=0.5\n5 100 open 3\n9 100 close 3");
    assert!(moments.deletes().is_empty() && moments.losses().is_empty());
}

#[test]
fn a_long_run_takes_the_room_of_a_short_one_and_keeps_its_peaks_and_sums() {
    let mut moments = Moments::default();
    let many = 10 * MOST as u64;
    for second in 0..many {
        let at = BootTime(second * 1_000_000_000);
        moments.add(at, if second == 5_001 { 77 } else { 1 }, 2);
        moments.deleted(at);
        moments.lost(at, at.plus_ns(1), 3);
    }
    assert!(moments.samples().len() <= MOST && moments.deletes().len() <= MOST);
    assert!(moments.losses().len() <= MOST);
    let most = moments.samples().iter().map(|sample| sample.threads).max();
    assert_eq!(most, Some(77));
    let deletes: u64 = moments.deletes().iter().map(|one| one.count).sum();
    let lost: u64 = moments.losses().iter().map(|one| one.count).sum();
    assert_eq!((deletes, lost), (many, 3 * many));
    assert_eq!(moments.samples()[0].at, BootTime(0));
}
