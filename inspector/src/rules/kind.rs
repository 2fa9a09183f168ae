//! The kinds of resource that a rule may name.

use std::{fmt, str::FromStr};

use crate::event::handle::HandleKind;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Threads.
    Thread,
    /// Processes.
    Process,
    /// Handles, whatever they are.
    Handle,
    /// Handles of one kind. `file` takes in those that open gave and nobody looked at closer.
    Of(HandleKind),
}

/// Why a text is no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind {kind:?}: it is one of {}", words())]
pub struct NoKind {
    /// The text.
    pub kind: String,
}

/// Kinds of handle that a rule may name; what is `opened` or `unknown` is no choice of a user's.
const HANDLES: [HandleKind; 23] = [
    HandleKind::File,
    HandleKind::Directory,
    HandleKind::Device,
    HandleKind::Socket,
    HandleKind::Pipe,
    HandleKind::Eventfd,
    HandleKind::Timerfd,
    HandleKind::Signalfd,
    HandleKind::Epoll,
    HandleKind::Inotify,
    HandleKind::Fanotify,
    HandleKind::Memfd,
    HandleKind::MemfdSecret,
    HandleKind::Pidfd,
    HandleKind::Userfaultfd,
    HandleKind::PerfEvent,
    HandleKind::Bpf,
    HandleKind::IoUring,
    HandleKind::FsContext,
    HandleKind::Mount,
    HandleKind::Landlock,
    HandleKind::Mqueue,
    HandleKind::Seccomp,
];

impl Kind {
    /// The word for it, everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Process => "process",
            Self::Handle => "handle",
            Self::Of(kind) => kind.word(),
        }
    }

    /// Whether it means handles.
    pub fn is_handle(self) -> bool {
        matches!(self, Self::Handle | Self::Of(_))
    }

    /// Whether a rule about this is one about `other`, which a resource is.
    pub fn takes_in(self, other: Self) -> bool {
        self == other
            || (self == Self::Handle && other.is_handle())
            || (self == Self::Of(HandleKind::File) && other == Self::Of(HandleKind::Opened))
    }
}

fn words() -> String {
    let handles = HANDLES.iter().map(|kind| kind.word());
    let words: Vec<_> = ["thread", "process", "handle"]
        .into_iter()
        .chain(handles)
        .collect();
    words.join(", ")
}

impl FromStr for Kind {
    type Err = NoKind;

    fn from_str(text: &str) -> Result<Self, NoKind> {
        let handle = || HANDLES.iter().find(|kind| kind.word() == text);
        match text {
            "thread" => Ok(Self::Thread),
            "process" => Ok(Self::Process),
            "handle" => Ok(Self::Handle),
            _ => match handle() {
                Some(&kind) => Ok(Self::Of(kind)),
                None => Err(NoKind {
                    kind: text.to_owned(),
                }),
            },
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_by_its_word() {
        for kind in HANDLES.map(Kind::Of) {
            assert_eq!(kind.word().parse(), Ok(kind));
            assert!(Kind::Handle.takes_in(kind) && !kind.takes_in(Kind::Handle));
        }
        let file: Kind = "file".parse().unwrap();
        assert!(file.takes_in(Kind::Of(HandleKind::Opened)));
        assert!(!file.takes_in(Kind::Of(HandleKind::Socket)));
        assert!(!Kind::Handle.takes_in(Kind::Thread));
        let error = "sockets".parse::<Kind>().unwrap_err().to_string();
        assert!(
            error.contains("\"sockets\"") && error.contains("socket,"),
            "{error}"
        );
    }
}
