//! A timeline as a Perfetto trace: `TracePacket`s of track events, plain and uncompressed.
//!
//! All packets are of one sequence. Times are nanoseconds of `CLOCK_BOOTTIME`, with one snapshot
//! that ties it to the wall clock. Names, categories and the texts of arguments are spelled once
//! ([`intern`]). Lost events are told by slices on a track of their own, and by a `TraceStats`
//! packet: that is what trace_processor counts as data loss (`previous_packet_dropped` makes it
//! drop state without a word). The fields' numbers are those of Perfetto's `protos/perfetto/trace`.

mod intern;
mod message;

use std::io::{self, Write};

use self::{
    intern::{Interned, WordOf},
    message::Message,
};
use super::canvas::{Arg, Canvas, Drawn, Shape, Title, Track, TrackId};
use crate::event::id::BootTime;

/// The writer.
pub(super) struct Perfetto<'a> {
    out: &'a mut dyn Write,
    interned: Interned,
    packet: Message,
    event: Message,
    /// The reader's words are to be forgotten with the next event.
    begins_anew: bool,
}

/// `BUILTIN_CLOCK_BOOTTIME` and `BUILTIN_CLOCK_REALTIME`.
const BOOT: u64 = 6;
const REAL: u64 = 1;
/// The number of the one sequence.
const SEQUENCE: u64 = 1;
/// `SEQ_INCREMENTAL_STATE_CLEARED` and `SEQ_NEEDS_INCREMENTAL_STATE`.
const CLEARED: u64 = 1;
const NEEDED: u64 = 2;

/// `TrackEvent.Type`.
#[derive(Clone, Copy)]
enum Type {
    Begin = 1,
    End = 2,
    Instant = 3,
    Counter = 4,
}

impl<'a> Perfetto<'a> {
    /// A trace that begins here.
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            interned: Interned::default(),
            packet: Message::default(),
            event: Message::default(),
            begins_anew: true,
        }
    }

    /// A packet beside the events.
    fn packet(&mut self, fill: impl FnOnce(&mut Message)) -> io::Result<()> {
        self.packet.clear();
        self.packet.message(1, |packet| {
            packet.number(10, SEQUENCE);
            fill(packet);
        });
        self.out.write_all(self.packet.bytes())
    }

    fn event(
        &mut self,
        of: Type,
        track: TrackId,
        at: BootTime,
        fill: impl FnOnce(&mut Message, &mut Interned),
    ) -> io::Result<()> {
        if self.interned.is_full() {
            self.interned.forget();
            self.begins_anew = true;
        }
        self.event.clear();
        self.event.number(9, of as u64);
        self.event.number(11, track.0);
        fill(&mut self.event, &mut self.interned);
        let anew = std::mem::take(&mut self.begins_anew);
        let Self {
            packet,
            event,
            interned,
            ..
        } = self;
        packet.clear();
        packet.message(1, |packet| {
            packet.number(8, at.0);
            packet.number(10, SEQUENCE);
            packet.number(13, if anew { CLEARED | NEEDED } else { NEEDED });
            if anew {
                packet.message(59, |defaults| defaults.number(58, BOOT));
            }
            let spelled = interned.spelled();
            if !spelled.bytes().is_empty() {
                packet.bytes_field(12, spelled.bytes());
                spelled.clear();
            }
            packet.bytes_field(11, event.bytes());
        });
        self.out.write_all(self.packet.bytes())
    }
}

impl Canvas for Perfetto<'_> {
    fn open(&mut self, title: &Title<'_>) -> io::Result<()> {
        self.packet(|packet| {
            packet.message(6, |snapshot| {
                let mut clock = |id, time| {
                    snapshot.message(1, |clock| {
                        clock.number(1, id);
                        clock.number(2, time);
                    });
                };
                clock(BOOT, title.since.0);
                if let Some(wall) = title.boot_wall_ns {
                    clock(REAL, wall.saturating_add(title.since.0));
                }
                snapshot.number(2, BOOT);
            });
        })?;
        self.packet(|packet| {
            packet.message(45, |system| {
                system.message(1, |name| {
                    name.bytes_field(1, b"Linux");
                    name.bytes_field(4, b"x86_64");
                });
                system.bytes_field(17, title.host.as_bytes());
            });
        })
    }

    fn track(&mut self, track: &Track<'_>) -> io::Result<()> {
        self.packet(|packet| {
            packet.number(8, track.from.0);
            packet.number(58, BOOT);
            packet.message(60, |descriptor| {
                descriptor.number(1, track.id.0);
                if let Some(parent) = track.parent {
                    descriptor.number(5, parent.0);
                }
                match track.shape {
                    Shape::Process { pid, command } => descriptor.message(3, |process| {
                        process.number(1, pid.0.into());
                        for word in command {
                            process.bytes_field(2, word.as_bytes());
                        }
                        process.bytes_field(6, track.name.as_bytes());
                    }),
                    Shape::Thread { pid, tid } => descriptor.message(4, |thread| {
                        thread.number(1, pid.0.into());
                        thread.number(2, tid.0.into());
                        thread.bytes_field(5, track.name.as_bytes());
                    }),
                    Shape::Group => {
                        descriptor.bytes_field(2, track.name.as_bytes());
                        descriptor.number(11, EXPLICIT);
                    }
                    Shape::Lane { rank } => {
                        descriptor.bytes_field(2, track.name.as_bytes());
                        descriptor.number(12, rank.into());
                    }
                    Shape::Counter => {
                        descriptor.bytes_field(2, track.name.as_bytes());
                        descriptor.message(8, |counter| counter.number(3, UNIT_COUNT));
                    }
                }
            });
        })
    }

    fn begin(
        &mut self,
        track: TrackId,
        from: BootTime,
        _until: BootTime,
        drawn: &Drawn<'_>,
    ) -> io::Result<()> {
        self.event(Type::Begin, track, from, |event, interned| {
            say(event, interned, drawn);
        })
    }

    fn end(&mut self, track: TrackId, at: BootTime) -> io::Result<()> {
        self.event(Type::End, track, at, |_, _| ())
    }

    fn instant(&mut self, track: TrackId, at: BootTime, drawn: &Drawn<'_>) -> io::Result<()> {
        self.event(Type::Instant, track, at, |event, interned| {
            say(event, interned, drawn);
        })
    }

    fn counter(&mut self, track: TrackId, at: BootTime, value: u64) -> io::Result<()> {
        self.event(Type::Counter, track, at, |event, _| event.number(30, value))
    }

    fn close(&mut self, lost: u64) -> io::Result<()> {
        if lost == 0 {
            return Ok(());
        }
        self.packet(|packet| {
            packet.message(35, |stats| {
                // `trace_writer_packet_loss` of the one buffer there is.
                stats.message(1, |buffer| buffer.number(19, lost));
            });
        })
    }
}

/// `TrackDescriptor.ChildTracksOrdering`.
const EXPLICIT: u64 = 3;
/// `CounterDescriptor.Unit`.
const UNIT_COUNT: u64 = 2;

/// The name and everything beside it.
fn say(event: &mut Message, interned: &mut Interned, drawn: &Drawn<'_>) {
    let category = interned.number(WordOf::Category, drawn.category.word());
    event.number(3, category);
    event.number(10, interned.number(WordOf::Name, drawn.name));
    for (name, value) in drawn.args {
        let name = interned.number(WordOf::ArgName, name);
        event.message(4, |annotation| {
            annotation.number(1, name);
            match value {
                Arg::Number(number) => annotation.number(3, *number),
                Arg::Is(is) => annotation.number(2, u64::from(*is)),
                Arg::Address(address) => annotation.number(7, *address),
                Arg::Text(text) => {
                    annotation.number(17, interned.number(WordOf::ArgText, text));
                }
            }
        });
    }
    for &flow in drawn.leads_to {
        event.fixed(47, flow);
    }
    if let Some(flow) = drawn.led_by {
        event.fixed(48, flow);
    }
}
