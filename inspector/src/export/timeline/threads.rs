//! Threads: each one's life on its own track, its waits within that, and what befell it.

use std::io;

use rustc_hash::FxHashMap;

use super::{
    Life,
    args::{ENDED_WHILE_LOST, moment_args, owner_args},
    keys::Fates,
    painter::{Counted, Painter},
    seen::{Heard, Wait},
    verdict::Fate,
};
use crate::{
    event::{
        id::{BootTime, CallNumber},
        wait::Waking,
    },
    export::{
        canvas::{Arg, Category, Drawn, Shape, TrackId},
        past::{Era, WHILE_LOST},
    },
    ledger::{Ledger, arena::Key, resource::Resource, thread::Thread},
    verdict::wording::CallWord,
};

/// Instants of threads: execs, names, findings.
type Instants = FxHashMap<Key<Thread>, Vec<(BootTime, Instant)>>;

struct Instant {
    name: String,
    category: Category,
    args: Vec<(&'static str, Arg<'static>)>,
}

/// Draws every thread that lived in the window.
pub(super) fn draw(painter: &mut Painter<'_>, heard: &mut Heard, fates: &Fates) -> io::Result<()> {
    let ledger = painter.ledger;
    let window = painter.window;
    let era = painter.era;
    let mut threads: Vec<_> = era
        .threads()
        .filter_map(|(place, thread)| {
            let gone = thread.gone.or(era.ended_after(thread.born));
            let gone = gone.map(|gone| gone.latest);
            let life = window.part_of(thread.born.latest, gone)?;
            Some((thread.name.tgid, life.from, thread.name.tid, place, life))
        })
        .collect();
    threads.sort_unstable_by_key(|&(tgid, from, tid, place, _)| (tgid, from, tid, place.index()));
    heard
        .waits
        .sort_unstable_by_key(|wait| (wait.thread.index(), wait.ended));
    let mut instants = instants(ledger, heard);
    for (_, _, _, place, life) in threads {
        let Some(thread) = ledger.thread(place) else {
            continue;
        };
        let first = heard
            .waits
            .partition_point(|wait| wait.thread.index() < place.index());
        let waits = &heard.waits[first..];
        let waits = &waits[..waits.partition_point(|wait| wait.thread == place)];
        let of = OfThread {
            place,
            thread,
            life,
            waits,
            instants: instants.remove(&place).unwrap_or_default(),
            fate: fates.get(&Resource::Thread(place)),
        };
        of.draw(painter)?;
    }
    Ok(())
}

/// What is not a wait, by thread.
fn instants(ledger: &Ledger, heard: &mut Heard) -> Instants {
    let mut instants = Instants::default();
    for renamed in heard.renamed.drain(..) {
        let word = if renamed.by_exec { "exec" } else { "renamed" };
        let instant = Instant {
            name: format!("{word} {}", renamed.name),
            category: Category::Program,
            args: Vec::new(),
        };
        let of_thread = instants.entry(renamed.thread).or_default();
        of_thread.push((renamed.at, instant));
    }
    let findings = ledger.findings();
    if findings.iter().len() == 0 {
        return instants;
    }
    let by_name: FxHashMap<_, _> = ledger
        .threads()
        .map(|(place, thread)| (thread.name, place))
        .collect();
    for finding in findings.iter() {
        if let Some(&place) = by_name.get(&finding.thread) {
            let instant = Instant {
                name: finding.kind().words().to_owned(),
                category: Category::Finding,
                args: vec![
                    ("kind", Arg::word(finding.kind().word())),
                    ("words", Arg::text(finding)),
                    ("count", Arg::Number(finding.count)),
                    ("last_ns", Arg::Number(finding.last.0)),
                    ("doubtful", Arg::Is(finding.doubtful)),
                ],
            };
            let of_thread = instants.entry(place).or_default();
            of_thread.push((finding.first, instant));
        }
    }
    instants
}

struct OfThread<'a> {
    place: Key<Thread>,
    thread: &'a Thread,
    life: Life,
    /// In the order of their ends.
    waits: &'a [Wait],
    instants: Vec<(BootTime, Instant)>,
    fate: Option<&'a Fate>,
}

impl OfThread<'_> {
    fn draw(&self, painter: &mut Painter<'_>) -> io::Result<()> {
        let (thread, life) = (self.thread, self.life);
        let process = painter.process(thread.process)?;
        let name = thread.comm.to_string();
        let (pid, tid) = (thread.name.tgid, thread.name.tid);
        let track = painter.track(Some(process), life.from, &name, Shape::Thread { pid, tid })?;
        painter.lives.push((process, Counted::Threads, life));
        let args = self.args(painter.era);
        let name = if name.is_empty() { "?" } else { &name };
        let name = format!("thread {name}");
        painter.begin(track, life, &Drawn::new(&name, Category::Thread, &args))?;
        self.draw_waits(painter, track)?;
        for (at, instant) in &self.instants {
            if *at >= life.from && *at <= life.until {
                let drawn = Drawn::new(&instant.name, instant.category, &instant.args);
                painter.instant(track, *at, &drawn)?;
            }
        }
        if let Some(fate) = self.fate {
            fate.draw(painter, track, Resource::Thread(self.place))?;
        }
        painter.end(track, life)
    }

    fn draw_waits(&self, painter: &mut Painter<'_>, track: TrackId) -> io::Result<()> {
        // They follow each other; what overlaps after all, or began before the window, is cut.
        let mut free = self.life.from;
        for wait in self.waits {
            let until = wait.ended.clamp(free, self.life.until.max(free));
            let part = Life {
                from: wait.since.unwrap_or_default().clamp(free, until),
                until,
                lives_on: false,
            };
            wait.draw(painter, track, part)?;
            free = until;
        }
        // What it was seen waiting in last. Whether it waited on is not known.
        if let Some(activity) = self.thread.activity()
            && let Some(blocked) = activity.blocked
            && activity.sampled >= free
        {
            let until = activity.sampled.min(self.life.until.max(free));
            let part = Life {
                from: blocked.since.unwrap_or_default().clamp(free, until),
                until,
                lives_on: true,
            };
            let wait = Wait {
                thread: self.place,
                call: blocked.call,
                since: blocked.since,
                ended: until,
                on: blocked.args[0],
                waker: None,
            };
            wait.draw(painter, track, part)?;
        }
        Ok(())
    }

    fn args(&self, era: Era<'_>) -> Vec<(&'static str, Arg<'static>)> {
        let thread = self.thread;
        let mut args = vec![
            ("origin", Arg::word(thread.origin.word())),
            ("lives_on", Arg::Is(self.life.lives_on)),
        ];
        if thread.name.epoch > 0 {
            args.push(("epoch", Arg::Number(thread.name.epoch.into())));
        }
        args.extend(Arg::times(&[("start_ns", thread.name.start)]));
        args.extend(moment_args("born_ns", "born_after_ns", Some(thread.born)));
        args.extend(Arg::times(&[("exiting_ns", thread.exiting)]));
        args.extend(moment_args("gone_ns", "gone_after_ns", thread.gone));
        if thread.gone.is_some() {
            args.push(("gone_how", Arg::word(thread.gone_how.words())));
        } else if let Some(ended) = era.ended_after(thread.born) {
            args.extend(moment_args("gone_ns", "gone_after_ns", Some(ended)));
            args.push(("gone_how", Arg::word(WHILE_LOST)));
            args.push(ENDED_WHILE_LOST);
        }
        if let Some(parent) = thread.parent {
            args.push(("parent", Arg::Number(parent.0.into())));
        }
        args.extend(owner_args(era.ledger, thread.owner));
        args
    }
}

impl Wait {
    fn draw(&self, painter: &mut Painter<'_>, track: TrackId, part: Life) -> io::Result<()> {
        let name = match self.call {
            Some(call) => CallWord(CallNumber(call)).to_string(),
            None => "fault or stop".to_owned(),
        };
        let mut args = Vec::new();
        if self.since != Some(part.from) {
            args.extend(Arg::times(&[("since_ns", self.since)]));
        }
        match self.call {
            Some(FUTEX) => args.push(("futex", Arg::Address(self.on))),
            Some(_) => args.push(("argument", Arg::Number(self.on))),
            None => {}
        }
        if part.lives_on {
            args.push(("end_not_seen", Arg::Is(true)));
        }
        if let Some(waker) = self.waker {
            match waker.how {
                Waking::Thread(tid) => args.push(("woken_by", Arg::Number(tid.0.into()))),
                Waking::Interrupt => args.push(("woken_by_interrupt", Arg::Is(true))),
            }
            args.push(("woken_ns", Arg::Number(waker.at.0)));
        }
        painter.slice(track, part, &Drawn::new(&name, Category::Wait, &args))
    }
}

const FUTEX: u16 = 202;
