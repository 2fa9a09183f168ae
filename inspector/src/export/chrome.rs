//! A timeline as Chrome's trace events: one JSON object, an event a line.
//!
//! Times are microseconds with three decimals. The format knows processes and threads only: what is
//! neither is drawn as a thread of its process whose number no kernel gives
//! ([`NO_TASK`] and above), and what is of no process as one of such a process.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::{
    Map, Serializer, Value, json,
    ser::{CharEscape, CompactFormatter, Formatter},
};

use super::canvas::{Arg, Canvas, Drawn, Shape, Title, Track, TrackId};
use crate::event::id::BootTime;

/// The writer.
pub(super) struct Chrome<'a> {
    out: &'a mut dyn Write,
    /// By the number of the track.
    places: Vec<Place>,
    /// Processes' and threads' numbers that were used.
    threads: HashSet<(u32, u32)>,
    is_first: bool,
    title: Map<String, Value>,
}

/// Where a track is.
#[derive(Clone)]
struct Place {
    pid: u64,
    tid: u64,
    /// Counters have one.
    name: String,
}

/// Above every number of a task: `PID_MAX_LIMIT` of the kernel, twice.
const NO_TASK: u64 = 1 << 23;

impl<'a> Chrome<'a> {
    /// A file that begins here.
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            places: Vec::new(),
            threads: HashSet::new(),
            is_first: true,
            title: Map::new(),
        }
    }

    fn place(&self, track: TrackId) -> &Place {
        let index = usize::try_from(track.0 - 1).expect("tracks are in memory");
        &self.places[index]
    }

    fn event(&mut self, event: &Value) -> io::Result<()> {
        let before: &[u8] = if self.is_first { b"\n" } else { b",\n" };
        self.is_first = false;
        self.out.write_all(before)?;
        self.json(event)
    }

    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut serializer = Serializer::with_formatter(&mut *self.out, Backslashes);
        Ok(value.serialize(&mut serializer)?)
    }

    /// Something drawn, to which the caller adds what its phase needs.
    fn drawn(&mut self, phase: &str, track: TrackId, at: BootTime, drawn: &Drawn<'_>) -> Value {
        let place = self.place(track);
        let args: Map<_, _> = drawn
            .args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), arg(value)))
            .collect();
        json!({
            "ph": phase,
            "pid": place.pid,
            "tid": place.tid,
            "ts": micros(at.0),
            "name": drawn.name,
            "cat": drawn.category.word(),
            "args": args,
        })
    }

    fn flow(&mut self, phase: &str, track: TrackId, at: BootTime, flow: u64) -> io::Result<()> {
        let place = self.place(track);
        let event = json!({
            "ph": phase,
            "pid": place.pid,
            "tid": place.tid,
            "ts": micros(at.0),
            "name": "delete",
            "cat": "delete",
            "id": flow,
        });
        self.event(&event)
    }

    fn metadata(&mut self, what: &str, place: &Place, name: &str) -> io::Result<()> {
        if name.is_empty() {
            return Ok(());
        }
        let event = json!({
            "ph": "M",
            "pid": place.pid,
            "tid": place.tid,
            "name": what,
            "args": {"name": name},
        });
        self.event(&event)
    }
}

impl Canvas for Chrome<'_> {
    fn open(&mut self, title: &Title<'_>) -> io::Result<()> {
        self.title.insert("clock".into(), json!("CLOCK_BOOTTIME"));
        self.title.insert("host".into(), json!(title.host));
        let wall = title.boot_wall_ns;
        self.title.insert("boot_wall_ns".into(), json!(wall));
        self.out.write_all(b"{\"traceEvents\":[")
    }

    fn track(&mut self, track: &Track<'_>) -> io::Result<()> {
        let parent = track.parent.map(|parent| self.place(parent).pid);
        let name = track.name.to_owned();
        let own = |pid| Place {
            pid,
            tid: NO_TASK + track.id.0,
            name: name.clone(),
        };
        let place = match track.shape {
            Shape::Process { pid, .. } => Place {
                pid: pid.0.into(),
                tid: pid.0.into(),
                name: name.clone(),
            },
            Shape::Thread { pid, tid } if self.threads.insert((pid.0, tid.0)) => Place {
                pid: pid.0.into(),
                tid: tid.0.into(),
                name: name.clone(),
            },
            // The number was another's, who after an exec may have lived at the same time.
            Shape::Thread { pid, tid } => Place {
                name: format!("{name} {tid}"),
                ..own(pid.0.into())
            },
            Shape::Group | Shape::Lane { .. } | Shape::Counter => own(parent.unwrap_or(NO_TASK)),
        };
        self.places.push(place.clone());
        match (track.shape, parent) {
            (Shape::Process { .. }, _) | (Shape::Group, None) => {
                self.metadata("process_name", &place, &name)
            }
            (Shape::Thread { .. } | Shape::Lane { .. }, _) => {
                self.metadata("thread_name", &place, &place.name)
            }
            (Shape::Group | Shape::Counter, _) => Ok(()),
        }
    }

    fn begin(
        &mut self,
        track: TrackId,
        from: BootTime,
        until: BootTime,
        drawn: &Drawn<'_>,
    ) -> io::Result<()> {
        let mut event = self.drawn("X", track, from, drawn);
        event["dur"] = micros(until.since_ns(from));
        self.event(&event)?;
        for &flow in drawn.leads_to {
            self.flow("s", track, from, flow)?;
        }
        Ok(())
    }

    fn end(&mut self, _track: TrackId, _at: BootTime) -> io::Result<()> {
        Ok(())
    }

    fn instant(&mut self, track: TrackId, at: BootTime, drawn: &Drawn<'_>) -> io::Result<()> {
        if let Some(flow) = drawn.led_by {
            // It ends at the next slice of its track, and an instant is one to whoever reads it.
            self.flow("f", track, at, flow)?;
        }
        let mut event = self.drawn("i", track, at, drawn);
        event["s"] = json!("t");
        self.event(&event)
    }

    fn counter(&mut self, track: TrackId, at: BootTime, value: u64) -> io::Result<()> {
        let place = self.place(track);
        let event = json!({
            "ph": "C",
            "pid": place.pid,
            "name": place.name,
            "ts": micros(at.0),
            "args": {"value": value},
        });
        self.event(&event)
    }

    fn close(&mut self, lost: u64) -> io::Result<()> {
        self.title.insert("lost_events".into(), json!(lost));
        self.out
            .write_all(b"\n],\n\"displayTimeUnit\":\"ns\",\n\"otherData\":")?;
        let title = std::mem::take(&mut self.title);
        self.json(&title)?;
        self.out.write_all(b"}\n")
    }
}

/// Spells a backslash by its number. trace_processor takes a quote behind `\\` for an escaped one
/// (v52), and reads nothing more of a file where a name of another process ends with a backslash.
struct Backslashes;

impl Formatter for Backslashes {
    fn write_char_escape<W>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        match escape {
            CharEscape::ReverseSolidus => writer.write_all(br"\u005c"),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }
}

/// Nanoseconds as microseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact for the first hundred days since boot, and then within two nanoseconds"
)]
fn micros(ns: u64) -> Value {
    json!(ns as f64 / 1000.0)
}

fn arg(value: &Arg<'_>) -> Value {
    match value {
        Arg::Number(number) => json!(number),
        Arg::Is(is) => json!(is),
        Arg::Address(address) => json!(format!("{address:#x}")),
        Arg::Text(text) => json!(text),
    }
}
