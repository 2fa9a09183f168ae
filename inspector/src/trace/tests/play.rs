//! Every place of a recording is reached, forward and back, and is what live was there.

use std::sync::Arc;

use super::{STORY, record};
use crate::{
    event::{BootTime, What},
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    trace::{
        block::Kind,
        find::{Direction, Found, Search, Want, is_bad},
        play::{Player, Position, Until},
        read::{Limits, Read, Recording},
        timeline::{Lives, Mark, Timeline},
        write::Options,
    },
};

/// The story, and more of its kind, each some blocks long.
fn story() -> String {
    let mut story = STORY.to_owned();
    for key in 0..5 {
        let ms = 4000 + 1500 * key;
        let fd = 20 + key;
        let lines = [
            format!("{ms} 100 store-begin k{key}"),
            format!("{ms} 100 open {fd} eventfd"),
            format!("{} 100 store-end k{key}", ms + 1),
            format!("{} 100 delete-begin k{key} bare", ms + 300),
            format!("{} 100 unlink k{key}", ms + 300),
            format!("{} 100 delete-end k{key}", ms + 301),
            format!("{} 100 tick", ms + 600),
            format!("{} 100 tick", ms + 1400),
        ];
        for line in lines {
            story.push_str(&line);
            story.push('\n');
        }
    }
    story
}

/// It in segments, each with its keyframe.
pub(crate) fn recording() -> (tempfile::TempDir, Arc<Recording>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.rec");
    let options = Options {
        segment_bytes: 1,
        ..Options::default()
    };
    let (mut cast, story) = (Cast::default(), story());
    let slowly = cast.batches(&story).inspect(|_| {
        // The thread that writes asks for keyframes.
        std::thread::sleep(std::time::Duration::from_millis(5));
    });
    record(&path, options, slowly);
    let recording = Arc::new(Recording::open(&path, Limits::default()).unwrap());
    let is_keyframe = |block: &&crate::trace::read::Block| block.header.kind == Kind::Keyframe;
    let keyframes = recording.blocks().iter().filter(is_keyframe).count();
    assert!(keyframes > 3, "{keyframes} keyframes");
    (folder, recording)
}

/// Everything that is known, whatever the order in which maps hold it.
fn state(pipeline: &Pipeline) -> Vec<String> {
    let text = super::state(pipeline);
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Says in few lines what differs.
#[track_caller]
fn same(pipeline: &Pipeline, expected: &[String], place: &str) {
    let state = state(pipeline);
    let mut lines = state.iter().zip(expected);
    if let Some((one, other)) = lines.find(|(one, other)| one != other) {
        panic!("{place}: {one} and not {other}");
    }
    assert_eq!(state.len(), expected.len(), "{place}");
}

/// Goes on to there.
fn play(player: &mut Player, pipeline: &mut Pipeline, until: Until, most: usize) {
    while let Some(read) = player.next(until, most) {
        match read {
            Read::Batch(batch) => drop(pipeline.take(&batch)),
            Read::State(state) => *pipeline = *state,
            Read::Note { .. } => {}
        }
    }
}

/// Each place with its time and what is known there.
fn every_place(recording: &Arc<Recording>) -> Vec<(Position, BootTime, Vec<String>)> {
    let mut player = Player::new(recording);
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let mut places = Vec::new();
    while let Some(read) = player.next(Until::END, 1) {
        match read {
            Read::Batch(batch) => drop(pipeline.take(&batch)),
            Read::State(state) => pipeline = *state,
            Read::Note { .. } => {}
        }
        let now = pipeline.ledger().now();
        places.push((player.position(), now, state(&pipeline)));
    }
    assert!(player.is_at_end());
    places
}

#[test]
fn every_place_is_reached_from_every_other() {
    let (_folder, recording) = recording();
    let places = every_place(&recording);
    assert!(places.is_sorted_by(|one, next| one.0 < next.0));
    for from in places.iter().step_by(3) {
        for (place, _, expected) in &places {
            let mut pipeline = Pipeline::new(LedgerRules::default());
            let mut player = Player::new(&recording);
            play(&mut player, &mut pipeline, Until::Position(from.0), 100);
            assert_eq!(player.position(), from.0);
            let until = Until::Position(*place);
            if let Some(other) = player.begin_before(until, from.1) {
                assert!(place < &from.0, "forward all is played");
                player = other;
            }
            play(&mut player, &mut pipeline, until, 7);
            assert_eq!(player.position(), *place);
            same(&pipeline, expected, &format!("{from:?} to {place:?}"));
        }
    }
}

#[test]
fn every_keyframe_is_what_playing_gives() {
    let (_folder, recording) = recording();
    for (place, _, expected) in every_place(&recording) {
        let mut player = Player::before(&recording, place);
        let mut pipeline = Pipeline::new(LedgerRules::default());
        play(&mut player, &mut pipeline, Until::Position(place), 100);
        assert_eq!(player.position(), place);
        same(&pipeline, &expected, &format!("{place:?}"));
    }
}

#[test]
fn a_time_is_reached_before_the_first_event_behind_it() {
    let (_folder, recording) = recording();
    for ms in [0, 1, 9, 10, 15, 1499, 1500, 2000, 3000, 4301, 9000, 20_000] {
        let until = Until::Time(BootTime(ms * 1_000_000));
        let mut player = Player::new(&recording);
        let mut pipeline = Pipeline::new(LedgerRules::default());
        play(&mut player, &mut pipeline, until, 100);
        assert!(pipeline.ledger().now() <= BootTime(ms * 1_000_000));
        let expected = state(&pipeline);
        // From behind it.
        play(&mut player, &mut pipeline, Until::END, 100);
        let now = pipeline.ledger().now();
        if let Some(back) = player.begin_before(until, now) {
            player = back;
            play(&mut player, &mut pipeline, until, 1);
        }
        same(&pipeline, &expected, &format!("at {ms} ms"));
    }
}

fn search(recording: &Arc<Recording>, want: Want, way: Direction, from: Position) -> Found {
    let mut search = Search::new(recording, want, way, from);
    loop {
        match search.work(5) {
            Found::NotYet => {}
            found => return found,
        }
    }
}

#[test]
fn everything_is_found_from_everywhere() {
    let (_folder, recording) = recording();
    let mut player = Player::new(&recording);
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let mut found: [Vec<Position>; 4] = [const { Vec::new() }; 4];
    let mut places = vec![Position::default()];
    while let Some(read) = player.next(Until::END, 1) {
        let place = player.position();
        places.push(place);
        match read {
            Read::Batch(batch) => {
                let event = &batch.events[0];
                let bad = pipeline.take(&batch).iter().any(is_bad);
                let is_delete = crate::trace::find::is_delete(event);
                let is_gap = matches!(event.what, What::Gap(_));
                let is = [event.is_news(), is_delete, is_gap, bad];
                for (found, _) in found.iter_mut().zip(is).filter(|(_, is)| *is) {
                    found.push(place);
                }
            }
            Read::State(state) => pipeline = *state,
            Read::Note { .. } => {}
        }
    }
    let counts = found.each_ref().map(Vec::len);
    assert_eq!(counts[1..], [7, 1, 6], "deletes, gaps and verdicts");
    let wants = [Want::Event, Want::Delete, Want::Gap, Want::Verdict];
    for (want, expected) in wants.into_iter().zip(found) {
        for &from in &places {
            let here =
                |place: Option<&Position>| place.map_or(Found::Nowhere, |at| Found::Here(*at));
            let next = expected.iter().find(|place| **place > from);
            let on = search(&recording, want, Direction::On, from);
            assert_eq!(on, here(next), "{want:?} on from {from:?}");
            let last = expected.iter().rfind(|place| **place < from);
            let back = search(&recording, want, Direction::Back, from);
            assert_eq!(back, here(last), "{want:?} back from {from:?}");
        }
    }
}

#[test]
fn a_timeline_has_what_lived_and_what_fell() {
    let (_folder, recording) = recording();
    let timeline = Timeline::of(&recording);
    assert_eq!(timeline.until, BootTime(11_400_000_000));
    let columns = timeline.columns(300);
    let marks: Vec<_> = columns.iter().filter_map(|column| column.mark).collect();
    let mut expected = vec![Mark::Delete, Mark::Verdict, Mark::Gap];
    expected.extend([Mark::Delete, Mark::Verdict].repeat(5));
    assert_eq!(marks, expected);
    let last = columns.last().unwrap().lives.unwrap();
    // Its thread and the one that it left behind; what it opened and did not close.
    let (threads, handles) = (2, 7);
    assert_eq!(last, Lives { threads, handles });
    for column in 0..300 {
        assert_eq!(timeline.column(timeline.time(column, 300), 300), column);
    }
}
