//! Keys as lanes: entries from store to delete, the deletes, the verdicts, and what outlived them.
//!
//! Entries of one key follow each other, but a store that overwrites one begins before that is
//! deleted: a slice that would overlap the one before gets another lane of the same name, so that
//! no slice is shortened.

use std::io;

use rustc_hash::FxHashMap;

use super::{
    Life,
    args::{ENDED_WHILE_LOST, entry_args},
    painter::Painter,
    verdict::{Fate, Judged},
};
use crate::{
    event::{
        id::{BootTime, Tgid},
        mark::{self, MapId},
    },
    export::canvas::{Arg, Category, Drawn, TrackId},
    ledger::{
        Ledger,
        arena::Key,
        entry::{Delete, Entry, Removal},
        identity::EntryName,
        resource::Resource,
    },
};

/// What became of the resources of deleted entries.
pub(super) type Fates = FxHashMap<Resource, Fate>;

/// An entry.
struct Stored<'a> {
    name: EntryName,
    record: &'a Entry,
    place: Key<Entry>,
}

/// The lanes of one name.
struct Lanes {
    parent: TrackId,
    name: String,
    rank: u32,
    /// Each with the end of its last slice.
    lanes: Vec<(TrackId, BootTime)>,
}

/// Draws every key, and tells what became of the resources.
pub(super) fn draw(painter: &mut Painter<'_>) -> io::Result<Fates> {
    let ledger = painter.ledger;
    let mut entries: Vec<_> = painter
        .era
        .entries()
        .map(|(place, record)| Stored {
            name: ledger.entry_name(place),
            record,
            place,
        })
        .filter(|entry| entry.life(painter).is_some() || !entry.record.resources().is_empty())
        .collect();
    entries.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
    let mut fates = Fates::default();
    let is_same_map = |one: &Stored<'_>, other: &Stored<'_>| {
        one.record.process == other.record.process && one.name.map == other.name.map
    };
    for of_map in entries.chunk_by(is_same_map) {
        let process = painter.process(of_map[0].record.process)?;
        let heading = format!("keys of map {}", of_map[0].name.map.0);
        let map = painter.heading(process, &heading)?;
        let mut rank = 0;
        for of_key in of_map.chunk_by(|one, other| one.name.key == other.name.key) {
            let key = &of_key[0].name.key;
            let cut = if key.is_whole() { "" } else { "…" };
            let name = format!("{}{cut}", key.text);
            let mut outlived = Lanes::new(map, format!("{name} outlived by"), rank + 1);
            let mut own = Lanes::new(map, name, rank);
            rank += 2;
            for entry in of_key {
                entry.draw(painter, &mut own, &mut outlived, &mut fates)?;
            }
        }
    }
    Ok(fates)
}

impl Stored<'_> {
    fn order(&self) -> (Tgid, usize, MapId, &mark::Key, u32) {
        let name = &self.name;
        let process = self.record.process.index();
        (name.tgid, process, name.map, &name.key, name.generation)
    }

    /// From its store to its delete's end.
    fn life(&self, painter: &Painter<'_>) -> Option<Life> {
        let record = self.record;
        let delete = record.delete.as_ref();
        let first = delete.and_then(|delete| delete.begin.or(delete.end));
        let from = record.store_began.or(record.stored).or(first);
        let from = from.unwrap_or(painter.window.since);
        let until = delete.and_then(|delete| delete.end).or(record.voided);
        let until = until.or(painter.era.ended().map(|ended| ended.latest.max(from)));
        painter.window.part_of(from, until)
    }

    fn draw(
        &self,
        painter: &mut Painter<'_>,
        own: &mut Lanes,
        outlived: &mut Lanes,
        fates: &mut Fates,
    ) -> io::Result<()> {
        let judged = self.judged(painter.ledger);
        let life = self.life(painter);
        let delete = life.and_then(|life| self.delete_part(painter, life));
        let flows = self.lead(painter, &judged, fates, delete);
        let lane = match life {
            Some(life) => {
                let lane = own.place(painter, life)?;
                self.draw_life(painter, lane, life, delete.map(|part| (part, &flows[..])))?;
                Some(lane)
            }
            None => None,
        };
        for judged in &judged {
            let args = judged.args(&self.name, painter.window);
            if let Some(at) = judged.at()
                && painter.window.has(at)
            {
                let lane = match lane {
                    Some(lane) => lane,
                    None => own.any(painter)?,
                };
                let name = judged.name();
                painter.instant(lane, at, &Drawn::new(&name, Category::Verdict, &args))?;
            }
            if let Some(life) = judged.outliving(painter.window) {
                let lane = outlived.place(painter, life)?;
                let drawn = Drawn::new(judged.kind(), Category::Outlived, &args);
                painter.slice(lane, life, &drawn)?;
            }
        }
        Ok(())
    }

    /// The verdicts on what it owns, and on what it owned and another was given.
    fn judged(&self, ledger: &Ledger) -> Vec<Judged> {
        let owned = self.record.resources().iter();
        let owned = owned.filter_map(|&resource| Judged::new(ledger, self.place, resource));
        let moved = self.record.moved.iter();
        let moved = moved.filter_map(|moved| Judged::moved(ledger, self.place, moved));
        owned.chain(moved).collect()
    }

    /// The part of its life that its delete takes.
    fn delete_part(&self, painter: &Painter<'_>, life: Life) -> Option<Life> {
        let delete = self.record.delete.as_ref()?;
        let begin = delete.begin.or(delete.end)?;
        let part = painter.window.part_of(begin, delete.end)?;
        Some(Life {
            from: part.from.clamp(life.from, life.until),
            until: part.until.min(life.until),
            ..part
        })
    }

    /// The entry, and its delete within it, from which these flows begin.
    fn draw_life(
        &self,
        painter: &mut Painter<'_>,
        lane: TrackId,
        life: Life,
        delete: Option<(Life, &[u64])>,
    ) -> io::Result<()> {
        let name = self.name.to_string();
        let mut args = entry_args(&self.name);
        let record = self.record;
        args.extend(Arg::times(&[
            ("store_began_ns", record.store_began),
            ("stored_ns", record.stored),
            ("voided_ns", record.voided),
        ]));
        args.push(("resources", Arg::Number(record.resources().len() as u64)));
        if record.contested {
            args.push(("contested", Arg::Is(true)));
        }
        if record.born_after_delete > 0 {
            let born = record.born_after_delete;
            args.push(("born_after_delete", Arg::Number(born)));
        }
        let has_end = record.voided.is_some()
            || record
                .delete
                .as_ref()
                .is_some_and(|delete| delete.end.is_some());
        if painter.era.ended().is_some() && !has_end {
            args.push(ENDED_WHILE_LOST);
        }
        painter.begin(lane, life, &Drawn::new(&name, Category::Entry, &args))?;
        if let Some((part, flows)) = delete
            && let Some(delete) = &record.delete
        {
            let args = delete_args(delete, &self.name);
            let drawn = Drawn {
                leads_to: flows,
                ..Drawn::new("delete", Category::Delete, &args)
            };
            painter.slice(lane, part, &drawn)?;
        }
        painter.end(lane, life)
    }

    /// What became of what it owned; and the flows to that from the delete, where it is drawn.
    fn lead(
        &self,
        painter: &mut Painter<'_>,
        judged: &[Judged],
        fates: &mut Fates,
        delete: Option<Life>,
    ) -> Vec<u64> {
        let mut flows = Vec::new();
        for judged in judged {
            let Some((at, died)) = judged.fate(painter.ledger) else {
                continue;
            };
            let is_led =
                delete.is_some_and(|delete| at >= delete.from) && painter.era.has(judged.resource);
            if painter.window.has(at) {
                let flow = is_led.then(|| painter.new_flow());
                let entry = self.place;
                let fate = Fate {
                    entry,
                    flow,
                    at,
                    died,
                };
                fates.insert(judged.resource, fate);
                flows.extend(flow);
            }
        }
        flows
    }
}

fn delete_args(delete: &Delete, entry: &EntryName) -> Vec<(&'static str, Arg<'static>)> {
    let mut args = entry_args(entry);
    match &delete.how {
        Removal::Overwritten => args.push(("how", Arg::word("overwritten"))),
        Removal::Deleted { policy } => {
            args.push(("how", Arg::word("deleted")));
            args.extend(policy.iter().map(|policy| ("policy", Arg::text(policy))));
        }
    }
    args.extend(Arg::times(&[
        ("begin_ns", delete.begin),
        ("unlink_ns", delete.unlink),
        ("end_ns", delete.end),
    ]));
    args
}

impl Lanes {
    fn new(parent: TrackId, name: String, rank: u32) -> Self {
        Self {
            parent,
            name,
            rank,
            lanes: Vec::new(),
        }
    }

    /// A lane that is free for a slice, which it is taken for.
    fn place(&mut self, painter: &mut Painter<'_>, life: Life) -> io::Result<TrackId> {
        let free = self.lanes.iter_mut().find(|(_, end)| *end <= life.from);
        if let Some((lane, end)) = free {
            *end = life.until;
            return Ok(*lane);
        }
        let lane = painter.lane(self.parent, &self.name, self.rank)?;
        self.lanes.push((lane, life.until));
        Ok(lane)
    }

    /// A lane for what has no length.
    fn any(&mut self, painter: &mut Painter<'_>) -> io::Result<TrackId> {
        if let Some(&(lane, _)) = self.lanes.first() {
            return Ok(lane);
        }
        let lane = painter.lane(self.parent, &self.name, self.rank)?;
        self.lanes.push((lane, BootTime(0)));
        Ok(lane)
    }
}
