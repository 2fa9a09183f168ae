//! What a timeline is drawn with, whatever file it goes into: tracks, slices, instants, flows,
//! counters.

use std::{borrow::Cow, io};

use crate::event::id::{BootTime, Tgid, Tid};

/// A file that a timeline is drawn into.
///
/// Of one track, slices are begun and ended in the order in which they nest; beyond that nothing
/// is told in the order of time.
pub(super) trait Canvas {
    /// The window, before all else.
    fn open(&mut self, title: &Title<'_>) -> io::Result<()>;

    /// A track, before anything that is on it or below it.
    fn track(&mut self, track: &Track<'_>) -> io::Result<()>;

    /// A slice begins that will end at `until`.
    fn begin(
        &mut self,
        track: TrackId,
        from: BootTime,
        until: BootTime,
        drawn: &Drawn<'_>,
    ) -> io::Result<()>;

    /// The innermost open slice ends.
    fn end(&mut self, track: TrackId, at: BootTime) -> io::Result<()>;

    /// Something without a length.
    fn instant(&mut self, track: TrackId, at: BootTime, drawn: &Drawn<'_>) -> io::Result<()>;

    /// A counter has another value from now on.
    fn counter(&mut self, track: TrackId, at: BootTime, value: u64) -> io::Result<()>;

    /// The end: so many events were lost, all gaps together.
    fn close(&mut self, lost: u64) -> io::Result<()>;
}

/// What a whole timeline is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Title<'a> {
    pub(super) since: BootTime,
    pub(super) boot_wall_ns: Option<u64>,
    /// Escaped.
    pub(super) host: &'a str,
}

/// A track's number, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrackId(pub(super) u64);

/// A track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Track<'a> {
    pub(super) id: TrackId,
    pub(super) parent: Option<TrackId>,
    /// When what it stands for begins: a thread's number may have been another's before.
    pub(super) from: BootTime,
    /// Escaped; empty = not known.
    pub(super) name: &'a str,
    pub(super) shape: Shape<'a>,
}

/// What a track is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// A process, with the words of its command, escaped.
    Process { pid: Tgid, command: &'a [String] },
    /// A thread.
    Thread { pid: Tgid, tid: Tid },
    /// A heading over other tracks, which stand below it by their ranks.
    Group,
    /// A place for slices.
    Lane { rank: u32 },
    /// A counter.
    Counter,
}

/// What a slice or an instant says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn<'a> {
    /// Escaped.
    pub(super) name: &'a str,
    pub(super) category: Category,
    pub(super) args: &'a [(&'static str, Arg<'a>)],
    /// Flows that begin here.
    pub(super) leads_to: &'a [u64],
    /// A flow that ends here.
    pub(super) led_by: Option<u64>,
}

/// A value beside a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arg<'a> {
    Number(u64),
    Is(bool),
    /// An address of a process's memory.
    Address(u64),
    /// Escaped.
    Text(Cow<'a, str>),
}

/// What a slice or an instant is: the word to ask for in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Thread,
    Wait,
    Handle,
    Entry,
    Delete,
    Outlived,
    Verdict,
    /// A death that a delete led to.
    Death,
    /// Something that lived on after a delete, where it lives.
    Retained,
    /// An exec or another name.
    Program,
    Finding,
    Lost,
    Window,
}

impl<'a> Drawn<'a> {
    /// Without flows.
    pub(super) fn new(
        name: &'a str,
        category: Category,
        args: &'a [(&'static str, Arg<'a>)],
    ) -> Self {
        Self {
            name,
            category,
            args,
            leads_to: &[],
            led_by: None,
        }
    }
}

impl Category {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Wait => "wait",
            Self::Handle => "handle",
            Self::Entry => "entry",
            Self::Delete => "delete",
            Self::Outlived => "outlived",
            Self::Verdict => "verdict",
            Self::Death => "death",
            Self::Retained => "retained",
            Self::Program => "program",
            Self::Finding => "finding",
            Self::Lost => "lost",
            Self::Window => "window",
        }
    }
}

impl<'a> Arg<'a> {
    /// A word of this program's own.
    pub(super) fn word(word: &'a str) -> Self {
        Self::Text(Cow::Borrowed(word))
    }

    /// Text that escapes itself.
    pub(super) fn text(text: impl std::fmt::Display) -> Self {
        Self::Text(Cow::Owned(text.to_string()))
    }

    /// Those of some times that are known.
    pub(super) fn times(
        times: &[(&'static str, Option<BootTime>)],
    ) -> impl Iterator<Item = (&'static str, Self)> {
        let known = |&(name, time): &(_, Option<BootTime>)| Some((name, Self::Number(time?.0)));
        times.iter().filter_map(known)
    }
}
