//! Rows of every kind come back as they were.

use crate::{
    event::{Event, What},
    pipeline::story::Cast,
    trace::{field::Context, row},
};

fn back(events: &[Event]) -> Vec<Event> {
    let (mut rows, mut context) = (Vec::new(), Context::default());
    for event in events {
        row::put(event, &mut context, &mut rows);
    }
    let (mut rest, mut context) = (&rows[..], Context::default());
    let mut read = Vec::new();
    while !rest.is_empty() {
        read.push(row::get(&mut rest, &mut context).unwrap().unwrap());
    }
    read
}

#[test]
fn the_events_of_a_story_come_back() {
    let mut cast = Cast::default();
    let batches = cast.batches(super::STORY);
    let events: Vec<_> = batches.flat_map(|batch| batch.events).collect();
    assert_eq!(back(&events), events);
}

#[test]
fn unknown_kinds_and_trailing_fields_are_passed_over() {
    let tick = Event {
        at: crate::event::BootTime(7),
        what: What::Tick,
    };
    let (mut rows, mut context) = (Vec::new(), Context::default());
    row::put(&tick, &mut context, &mut rows);
    // A field more than this version knows.
    rows[1] += 1;
    rows.push(99);
    // A kind that it does not know.
    rows.extend([200, 2, 0, 1]);
    let (mut rest, mut context) = (&rows[..], Context::default());
    assert_eq!(row::get(&mut rest, &mut context), Ok(Some(tick)));
    assert_eq!(row::get(&mut rest, &mut context), Ok(None));
    assert!(rest.is_empty());
}
