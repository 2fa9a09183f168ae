//! Events as JSON Lines, `inspector-events/1`: a header, then one object a line for each event.
//!
//! `docs/export.md` tells users of every field, and `docs/events.schema.json` is the same for
//! programs. Times are nanoseconds since boot in fields that end in `_ns`; addresses are text
//! (`"0x…"`), since a JSON number of 64 bits is read exactly by few; text of other processes is
//! escaped. What is not known is `null`. Fields may be added; one that changes or goes raises the
//! schema's number.

mod handle;
mod observed;
mod scan;

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Subject, Totals, past};
use crate::event::{
    Event, ThreadEvent, WaitEvent, What,
    id::{BootTime, CallNumber},
    text::Text,
    wait::{Blocked, WaitSums, Waker, Waking},
};

/// The schema's name.
pub(super) const SCHEMA: &str = "inspector-events/1";

/// Writes the header and the window's events.
pub(super) fn write(
    subject: Subject<'_>,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let escaped = |text: String| Text::from(text.into_bytes()).to_string();
    let header = json!({
        "schema": SCHEMA,
        "host": escaped(subject.host),
        "command": subject.command.map(escaped),
        "since_ns": subject.since.0,
        "until_ns": subject.until.0,
        "boot_wall_ns": subject.boot_wall_ns,
    });
    line(out, &header)?;
    let mut totals = Totals {
        lines: 1,
        ..Totals::default()
    };
    for batch in subject.reads.filter_map(past::batch) {
        if let Some(last) = batch.events.last() {
            progress(last.at);
        }
        for event in batch.events {
            if event.at > subject.until {
                continue;
            }
            if let What::Gap(gap) = &event.what {
                totals.lost = totals.lost.saturating_add(gap.total());
            }
            line(out, &value(&event))?;
            totals.events += 1;
            totals.lines += 1;
        }
    }
    Ok(totals)
}

fn line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// An event as one object: `event` says which fields it has.
pub(super) fn value(event: &Event) -> Value {
    let mut value = match &event.what {
        What::Thread(event) => thread(event),
        What::Handle(event) => handle::change(event),
        What::Table(read) => handle::table(read),
        What::Wait(event) => wait(event),
        What::Mark(mark) => observed::mark(mark),
        What::Named(named) => handle::named(named),
        What::Scan(read) => scan::scan(read),
        What::Targets(targets) => scan::targets(targets),
        What::Gap(gap) => observed::gap(gap),
        What::Tick => json!({"event": "tick"}),
        What::End(end) => observed::end(end),
    };
    value["at_ns"] = json!(event.at.0);
    value
}

fn thread(event: &ThreadEvent) -> Value {
    match event {
        ThreadEvent::Born {
            parent,
            parent_tgid,
            child,
            tgid,
            start,
            flags,
            files,
            comm,
        } => json!({
            "event": "thread_born",
            "tid": child.0,
            "tgid": tgid.0,
            "start_ns": start.0,
            "parent": parent.0,
            "parent_tgid": parent_tgid.0,
            "flags": flags.0,
            "files": files.map(|files| address(files.0.get())),
            "comm": comm.to_string(),
        }),
        ThreadEvent::Renamed { tid, tgid, comm } => json!({
            "event": "thread_renamed",
            "tid": tid.0,
            "tgid": tgid.0,
            "comm": comm.to_string(),
        }),
        ThreadEvent::Exec {
            tgid,
            old_tid,
            start,
            files,
            comm,
        } => json!({
            "event": "exec",
            "tgid": tgid.0,
            "old_tid": old_tid.0,
            "start_ns": start.0,
            "files": files.map(|files| address(files.0.get())),
            "comm": comm.to_string(),
        }),
        ThreadEvent::Exiting { tid, tgid, start } => json!({
            "event": "thread_exiting",
            "tid": tid.0,
            "tgid": tgid.0,
            "start_ns": start.0,
        }),
        ThreadEvent::Gone { tid, tgid, start } => json!({
            "event": "thread_gone",
            "tid": tid.0,
            "tgid": tgid.0,
            "start_ns": start.0,
        }),
    }
}

fn wait(event: &WaitEvent) -> Value {
    match event {
        WaitEvent::Ended {
            tid,
            tgid,
            wait,
            waker,
        } => json!({
            "event": "wait_ended",
            "tid": tid.0,
            "tgid": tgid.0,
            "wait": blocked(wait),
            "waker": waker.map(waker_value),
        }),
        WaitEvent::Sample {
            tid,
            tgid,
            blocked: wait,
            ran,
            waker,
            sums,
        } => json!({
            "event": "wait_sample",
            "tid": tid.0,
            "tgid": tgid.0,
            "wait": wait.as_ref().map(blocked),
            "ran_ns": time(*ran),
            "waker": waker.map(waker_value),
            "sums": sums_value(sums),
        }),
        WaitEvent::Futex {
            tgid,
            address: word,
            sums,
            wakers,
        } => json!({
            "event": "futex",
            "tgid": tgid.0,
            "address": address(*word),
            "sums": sums_value(sums),
            "wakers": wakers
                .iter()
                .map(|&(how, times)| json!({"tid": waking(how), "times": times}))
                .collect::<Vec<_>>(),
        }),
    }
}

fn blocked(wait: &Blocked) -> Value {
    json!({
        "since_ns": time(wait.since),
        "call": wait.call,
        "call_name": wait.call.map(|number| call_name(CallNumber(number))),
        "args": wait.args.map(address),
    })
}

fn waker_value(waker: Waker) -> Value {
    json!({"at_ns": waker.at.0, "tid": waking(waker.how)})
}

/// The waking thread; `null` = an interrupt.
fn waking(how: Waking) -> Option<u32> {
    match how {
        Waking::Thread(tid) => Some(tid.0),
        Waking::Interrupt => None,
    }
}

fn sums_value(sums: &WaitSums) -> Value {
    json!({
        "count": sums.count,
        "total_ns": sums.total_ns,
        "histogram": sums.histogram,
    })
}

fn call_name(call: CallNumber) -> String {
    crate::verdict::wording::CallWord(call).to_string()
}

fn address(address: u64) -> String {
    format!("{address:#x}")
}

fn time(at: Option<BootTime>) -> Option<u64> {
    at.map(|at| at.0)
}
