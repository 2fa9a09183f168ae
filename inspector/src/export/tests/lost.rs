//! A loss that a keyframe follows: who is not known after it ended meanwhile, who is begins when he did.

use serde_json::json;

use super::{Lost, Told, genuine::asked, perfetto::WRONG, sketch::sketch};
use crate::export::Format;

const BEFORE: &str = "
        10 100 thread 101
        11 100 open 4 socket
        12 100 store-begin kept
        13 100 open 5
        14 100 store-end kept
        15 100 thread 102
        16 100 thread 103
        20 103 exiting
        21 103 gone
        22 100 open 6
        23 100 close 6 refs=1
        30 101 waited in=202 since=25 on=4096 by=100:1
        31 102 waited in=202 since=25 on=4096 by=100:1
        40 100 store-begin lost
        41 100 store-end lost
        90 100 tick";

const MISSED: &str = "
        100 100 rename main
        110 101 exiting
        111 101 gone
        112 100 close 4 refs=1
        120 100 store-begin new
        121 100 thread 104
        122 100 open 4 file
        123 100 store-end new
        130 100 delete-begin lost
        131 100 delete-end lost
        150 100 rename lab";

const AFTER: &str = "
        205 102 waited in=230 since=200
        310 100 delete-begin kept
        311 100 close 5 refs=1
        312 100 delete-end kept
        320 100 delete-begin new
        321 100 delete-end new
        2000 100 tick";

/// Some of it is lost.
pub(super) const LOST: Told<'_> = Told {
    before: "",
    story: BEFORE,
    since_ms: 1,
    until_ms: 2000,
    lost: Some(Lost {
        missed: MISSED,
        after: AFTER,
    }),
};

/// The same of which nothing is.
pub(super) fn with_whole<T>(check: impl FnOnce(Told<'_>) -> T) -> T {
    let story = [BEFORE, MISSED, AFTER].concat();
    check(Told {
        story: &story,
        lost: None,
        ..LOST
    })
}

const ARGS: &[&str] = &[
    "verdict",
    "lives_on",
    "gone_ns",
    "gone_after_ns",
    "gone_how",
    "closed_ns",
    "closed_after_ns",
    "cause",
    "ended_while_lost",
];

#[test]
fn who_is_not_known_any_more_ended_in_the_loss() {
    insta::assert_snapshot!(sketch(&LOST, ARGS));
}

/// The same without a loss: nobody ended in one, and everything has its own time.
#[test]
fn without_a_loss_all_times_are_known() {
    with_whole(|whole| insta::assert_snapshot!(sketch(&whole, ARGS)));
}

/// A keyframe behind the window tells of what the window does not have.
#[test]
fn what_is_known_behind_the_window_is_not_drawn() {
    let told = Told {
        until_ms: 100,
        ..LOST
    };
    let drawn = sketch(&told, ARGS);
    assert!(!drawn.contains("ended_while_lost"), "{drawn}");
    assert!(drawn.contains("thread 101 of 100"), "{drawn}");
    assert!(!drawn.contains("thread 104 of 100"), "{drawn}");
}

const LIVES: &str = "select name, ts / 1000000, (ts + dur) / 1000000,
    extract_arg(arg_set_id, 'debug.lives_on'), extract_arg(arg_set_id, 'debug.ended_while_lost')
    from slice where category in ('thread', 'handle', 'entry') order by 1, 2";

const LOST_SLICES: &str = "select name, ts / 1000000, dur / 1000000 from slice
    where category = 'lost'";

#[test]
fn trace_processor_finds_each_life_once() {
    let expected = json!([
        ["1:kept#1", 12, 312, null, null],
        ["1:lost#1", 40, 131, null, null],
        ["1:new#1", 120, 321, null, null],
        ["fd 4 opened", 122, 2000, 1, null],
        ["fd 4 socket", 11, 150, 0, 1],
        ["fd 5 timerfd", 13, 311, 0, null],
        ["fd 6 timerfd", 22, 23, 0, null],
        ["thread lab", 10, 2000, 1, null],
        ["thread t101", 10, 150, 0, 1],
        ["thread t102", 15, 2000, 1, null],
        ["thread t103", 16, 21, 0, null],
        ["thread t104", 121, 2000, 1, null],
    ]);
    for (format, prefix) in [(Format::Perfetto, "debug."), (Format::Chrome, "args.")] {
        let queries = [LIVES, LOST_SLICES, WRONG].map(|query| query.replace("debug.", prefix));
        let queries: Vec<_> = queries.iter().map(String::as_str).collect();
        let (bytes, totals) = LOST.written(format);
        assert_eq!(totals.lost, 11);
        let Some(answers) = asked(&bytes, &queries) else {
            return;
        };
        assert_eq!(answers[0], expected, "{format:?}");
        assert_eq!(answers[1], json!([["LOST 11 events", 100, 50]]));
        let (whole, _) = with_whole(|whole| whole.written(format));
        let answers = asked(&whole, &queries).unwrap();
        let lives = answers[0].as_array().unwrap();
        let meanwhile = [("fd 4 socket", 112), ("thread t101", 111)];
        for life in lives {
            let ended = meanwhile.iter().find(|(name, _)| life[0] == *name);
            assert!(ended.is_none_or(|(_, ms)| life[2] == *ms), "{life}");
            assert!(life[4].is_null(), "{life}");
        }
        assert_eq!(lives.len(), expected.as_array().unwrap().len());
        assert_eq!(answers[1..], [json!([]), json!([])]);
    }
}

/// It was retained before the loss; what it is after it nobody can say.
#[test]
fn a_verdict_on_who_is_not_known_any_more_is_unknown() {
    let told = Told {
        story: "
            10 100 store-begin k
            11 100 thread 101
            12 100 store-end k
            20 100 delete-begin k
            21 100 delete-end k
            2000 100 tick",
        until_ms: 6000,
        lost: Some(Lost {
            missed: "
                3000 101 exiting
                3001 101 gone
                4000 100 tick",
            after: "6000 100 tick",
        }),
        ..Told::default()
    };
    insta::assert_snapshot!(sketch(&told, ARGS));
}
