//! Events as rows: a kind, a length, and the kind's fields.
//!
//! A reader passes over kinds and trailing fields that it does not know: fields are added at a row's
//! end and never change their type. A row's time is told against that of the row before it.

mod handle;
mod scan;
mod thread;
mod watch;

use super::field::{BadRow, Context, Field, Input, Output, unzigzag, zigzag};
use crate::event::{BootTime, Event, What};

/// The kinds of row and their names. Numbers are never used again.
pub const KINDS: [(u8, &str); 11] = [
    (1, "thread"),
    (2, "handle"),
    (3, "table"),
    (4, "wait"),
    (5, "mark"),
    (6, "named"),
    (7, "scan"),
    (8, "targets"),
    (9, "gap"),
    (10, "tick"),
    (11, "end"),
];

/// The kind's place in [`KINDS`].
pub(super) fn kind(what: &What) -> usize {
    match what {
        What::Thread(_) => 0,
        What::Handle(_) => 1,
        What::Table(_) => 2,
        What::Wait(_) => 3,
        What::Mark(_) => 4,
        What::Named(_) => 5,
        What::Scan(_) => 6,
        What::Targets(_) => 7,
        What::Gap(_) => 8,
        What::Tick => 9,
        What::End(_) => 10,
    }
}

/// Appends an event to the rows of a block.
pub(super) fn put(event: &Event, context: &mut Context, bytes: &mut Vec<u8>) {
    let (number, _) = KINDS[kind(&event.what)];
    bytes.push(number);
    let length_at = bytes.len();
    // Nearly every row is shorter than 128 bytes; the others make room when they are there.
    bytes.push(0);
    let difference = event.at.0.wrapping_sub(context.at);
    context.at = event.at.0;
    let mut row = Output { bytes, context };
    row.varint(zigzag(difference as i64));
    match &event.what {
        What::Thread(event) => event.put(&mut row),
        What::Handle(event) => event.put(&mut row),
        What::Table(event) => event.put(&mut row),
        What::Wait(event) => event.put(&mut row),
        What::Mark(event) => event.put(&mut row),
        What::Named(event) => event.put(&mut row),
        What::Scan(event) => event.put(&mut row),
        What::Targets(event) => event.put(&mut row),
        What::Gap(event) => event.put(&mut row),
        What::Tick => {}
        What::End(event) => event.put(&mut row),
    }
    let length = bytes.len() - length_at - 1;
    match u8::try_from(length) {
        Ok(length) if length < 0x80 => bytes[length_at] = length,
        _ => {
            let mut told = Vec::with_capacity(4);
            Output {
                bytes: &mut told,
                context,
            }
            .varint(length as u64);
            bytes.splice(length_at..=length_at, told);
        }
    }
}

/// Takes the next row; `None` = it is of a kind that this version does not know.
///
/// # Errors
/// [`BadRow`] where the bytes are no row.
pub(super) fn get<'a>(
    bytes: &mut &'a [u8],
    context: &mut Context,
) -> Result<Option<Event>, BadRow> {
    let mut rows: Input<'_, 'a> = Input { bytes, context };
    let number = rows.byte()?;
    let body = rows.raw()?;
    *bytes = rows.bytes;
    let mut row = Input {
        bytes: body,
        context,
    };
    let difference = unzigzag(row.varint()?);
    row.context.at = row.context.at.wrapping_add(difference as u64);
    let at = BootTime(row.context.at);
    let what = match number {
        1 => What::Thread(Field::get(&mut row)?),
        2 => What::Handle(Field::get(&mut row)?),
        3 => What::Table(Field::get(&mut row)?),
        4 => What::Wait(Field::get(&mut row)?),
        5 => What::Mark(Field::get(&mut row)?),
        6 => What::Named(Field::get(&mut row)?),
        7 => What::Scan(Field::get(&mut row)?),
        8 => What::Targets(Field::get(&mut row)?),
        9 => What::Gap(Field::get(&mut row)?),
        10 => What::Tick,
        11 => What::End(Field::get(&mut row)?),
        _ => return Ok(None),
    };
    Ok(Some(Event { at, what }))
}
