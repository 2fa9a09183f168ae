//! Descriptors: each number of a table is a track, and who had the number are its slices.

use std::io;

use super::{
    Life,
    args::{ENDED_WHILE_LOST, moment_args, owner_args},
    keys::Fates,
    painter::{Counted, Painter},
};
use crate::{
    event::id::Fd,
    export::{
        canvas::{Arg, Category, Drawn},
        past::{Era, WHILE_LOST},
    },
    ledger::{
        Ledger,
        arena::Key,
        handle::{Descriptor, State},
        resource::Resource,
        table::Table,
    },
    verdict::wording::CallWord,
};

/// A descriptor that was open in the window.
struct Open<'a> {
    place: Key<Descriptor>,
    handle: &'a Descriptor,
    table: &'a Table,
    life: Life,
}

/// Draws every descriptor that was open in the window.
pub(super) fn draw(painter: &mut Painter<'_>, fates: &Fates) -> io::Result<()> {
    let ledger = painter.ledger;
    let window = painter.window;
    let era = painter.era;
    let mut handles: Vec<_> = era
        .handles()
        .filter_map(|(place, handle)| {
            let closed = match handle.state {
                State::Closed { at, .. } => Some(at.latest),
                State::Closing { replaced } => Some(replaced),
                State::Open | State::Ambiguous { .. } | State::Rival { .. } => {
                    era.ended_after(handle.born).map(|ended| ended.latest)
                }
            };
            Some(Open {
                place,
                handle,
                table: ledger.table(handle.table)?,
                life: window.part_of(handle.born.latest, closed)?,
            })
        })
        .collect();
    handles.sort_unstable_by_key(|open| {
        let handle = open.handle;
        (open.table.number, handle.fd, handle.generation)
    });
    for of_table in handles.chunk_by_mut(|one, other| one.table.number == other.table.number) {
        let table = of_table[0].table;
        let process = painter.process(table.process)?;
        let heading = format!("descriptors of table {}", table.number);
        let group = painter.heading(process, &heading)?;
        let mut elsewhere = None;
        for of_number in of_table.chunk_by_mut(|one, other| one.handle.fd == other.handle.fd) {
            one_after_the_other(of_number);
            let fd = of_number[0].handle.fd;
            let lane = painter.lane(group, &format!("fd {fd}"), rank(fd))?;
            for open in &*of_number {
                let life = open.life;
                painter.lives.push((process, Counted::Handles, life));
                let name = format!("fd {fd} {}", open.kind(ledger));
                let args = open.args(era);
                painter.begin(lane, life, &Drawn::new(&name, Category::Handle, &args))?;
                let resource = Resource::Handle(open.place);
                let fate = fates.get(&resource);
                if let Some(fate) = fate
                    && fate.at >= life.from
                    && fate.at <= life.until
                {
                    fate.draw(painter, lane, resource)?;
                    painter.end(lane, life)?;
                    continue;
                }
                painter.end(lane, life)?;
                if let Some(fate) = fate {
                    // Closed here, and its open file description lived on for others.
                    let track = match elsewhere {
                        Some(track) => track,
                        None => painter.lane(group, "released or held after the close", LAST)?,
                    };
                    elsewhere = Some(track);
                    fate.draw(painter, track, resource)?;
                }
            }
        }
    }
    Ok(())
}

/// The largest rank there is.
const LAST: u32 = i32::MAX.cast_unsigned();

fn rank(fd: Fd) -> u32 {
    fd.0.min(LAST - 1)
}

/// A descriptor ends where its number's next one begins: where calls overlapped, the close may be
/// known only to lie before some later time.
fn one_after_the_other(of_number: &mut [Open<'_>]) {
    for place in 1..of_number.len() {
        let next = of_number[place].life.from;
        let before = &mut of_number[place - 1].life;
        if before.until > next {
            before.until = next.max(before.from);
            before.lives_on = false;
        }
        let least = before.until;
        let after = &mut of_number[place].life;
        after.from = after.from.max(least);
        after.until = after.until.max(after.from);
    }
}

impl Open<'_> {
    fn kind(&self, ledger: &Ledger) -> &'static str {
        let description = ledger.description(self.handle.description);
        description.map_or("unknown", |description| description.kind.word())
    }

    fn args(&self, era: Era<'_>) -> Vec<(&'static str, Arg<'static>)> {
        let (ledger, handle) = (era.ledger, self.handle);
        let mut args = vec![
            ("fd", Arg::Number(handle.fd.0.into())),
            ("table", Arg::Number(self.table.number.into())),
            ("kind", Arg::word(self.kind(ledger))),
            ("origin", Arg::word(handle.origin.word())),
            ("lives_on", Arg::Is(self.life.lives_on)),
        ];
        args.extend(moment_args("born_ns", "born_after_ns", Some(handle.born)));
        if let Some(call) = handle.call {
            args.push(("call", Arg::text(CallWord(call))));
        }
        if let Some(by) = handle.born_by {
            args.push(("born_by", Arg::Number(by.0.into())));
        }
        args.extend(moment_args("closed_ns", "closed_after_ns", handle.closed()));
        if !matches!(handle.state, State::Closed { .. } | State::Closing { .. })
            && let Some(ended) = era.ended_after(handle.born)
        {
            args.extend(moment_args("closed_ns", "closed_after_ns", Some(ended)));
            args.push(("cause", Arg::word(WHILE_LOST)));
            args.push(ENDED_WHILE_LOST);
        }
        match handle.state {
            State::Closed { how, .. } => args.push(("cause", Arg::word(how.words()))),
            State::Closing { .. } => args.push(("closing", Arg::Is(true))),
            State::Ambiguous { .. } | State::Rival { .. } => {
                args.push(("ambiguous", Arg::Is(true)));
            }
            State::Open => {}
        }
        if let Some(by) = handle.closed_by {
            args.push(("closed_by", Arg::Number(by.0.into())));
        }
        if let Some(description) = ledger.description(handle.description) {
            let target = description.known_as();
            args.extend(target.map(|target| ("target", Arg::text(target))));
            if description.released != handle.closed() {
                let released = description.released;
                args.extend(moment_args("released_ns", "released_after_ns", released));
            }
            if description.released.is_some() {
                args.push(("proof", Arg::word(description.proof.words())));
            }
        }
        args.extend(owner_args(ledger, handle.owner));
        args
    }
}
