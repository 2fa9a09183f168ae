//! What descriptors point at, as one reading of /proc saw it.

use std::net::SocketAddr;

use super::{
    handle::HandleKind,
    id::{BootTime, Fd, Tgid, Tid},
    text::Text,
};

/// Some descriptors of a process, read from /proc between two times. A descriptor that changed
/// between `began` and `ended` may or may not be what was read; one that closed is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// The process.
    pub tgid: Tgid,
    /// The thread whose table was read.
    pub reader: Tid,
    /// Before the first read.
    pub began: BootTime,
    /// After the last.
    pub ended: BootTime,
    /// What was read.
    pub read: Vec<SeenTarget>,
}

/// What one descriptor points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTarget {
    /// Its number.
    pub fd: Fd,
    /// What it is, from its link and the file behind it.
    pub kind: HandleKind,
    /// The link's text. A memfd's name stands in it.
    pub target: Text,
    /// What the link does not say; `None` = nothing more was read.
    pub detail: Option<TargetDetail>,
}

/// What a descriptor's link does not say of what it points at. It is as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TargetDetail {
    /// An internet socket, from the process's `/proc/PID/net` tables.
    Inet(InetSocket),
    /// A unix socket, from `/proc/PID/net/unix`.
    Unix(UnixSocket),
    /// A timerfd, from fdinfo.
    Timer(Timer),
    /// An epoll instance, from fdinfo.
    Epoll {
        /// Descriptors it watches.
        members: Many,
    },
    /// An eventfd, from fdinfo.
    Eventfd {
        /// Its count.
        count: u64,
    },
    /// A pidfd, from fdinfo.
    Pidfd {
        /// The process in our pid namespace; `None` = it was reaped, or lives in another.
        pid: Option<u32>,
    },
    /// An inotify instance, from fdinfo.
    Inotify {
        /// What it watches.
        watches: Many,
    },
}

/// An internet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct InetSocket {
    /// Its protocol.
    pub transport: Transport,
    /// Its own address.
    pub local: SocketAddr,
    /// Whom it is connected to.
    pub peer: Option<SocketAddr>,
    /// Its state, by the kernel's number (`include/net/tcp_states.h`); other protocols than TCP
    /// use 1 (connected) and 7 (not connected) of these.
    pub state: SocketState,
}

/// A protocol of internet sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A socket's state, by the kernel's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct SocketState(pub u8);

/// A unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct UnixSocket {
    /// How it carries data.
    pub flow: UnixFlow,
    /// Where it is bound; an abstract name begins with `@`.
    pub path: Option<Text>,
    /// What it does.
    pub state: UnixState,
}

/// How a unix socket carries data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum UnixFlow {
    /// As a stream.
    Stream,
    /// As datagrams.
    Datagram,
    /// As a sequence of packets.
    Packets,
}

/// What a unix socket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum UnixState {
    /// It listens.
    Listening,
    /// It is connected.
    Connected,
    /// It is neither.
    Unconnected,
}

/// How a timerfd is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timer {
    /// Its clock (`CLOCK_…` of `time.h`).
    pub clock: i32,
    /// Nanoseconds until it expires next; `None` = it is not armed.
    pub left_ns: Option<u64>,
    /// Nanoseconds from one expiry to the next; 0 = it expires once.
    pub every_ns: u64,
    /// Expiries that nobody has read.
    pub unread: u64,
}

/// How many, where a reading may have ended before they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Many {
    /// So many were read.
    pub read: u32,
    /// There may be more.
    pub more: bool,
}

impl Transport {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl SocketState {
    /// Two ends are connected.
    pub const ESTABLISHED: Self = Self(1);
    /// It waits for connections.
    pub const LISTEN: Self = Self(10);

    /// The kernel's name of a TCP socket's state.
    pub fn word(self) -> &'static str {
        const WORDS: [&str; 14] = [
            "UNKNOWN",
            "ESTABLISHED",
            "SYN_SENT",
            "SYN_RECV",
            "FIN_WAIT1",
            "FIN_WAIT2",
            "TIME_WAIT",
            "CLOSE",
            "CLOSE_WAIT",
            "LAST_ACK",
            "LISTEN",
            "CLOSING",
            "NEW_SYN_RECV",
            "BOUND_INACTIVE",
        ];
        WORDS.get(usize::from(self.0)).unwrap_or(&WORDS[0])
    }
}

impl UnixFlow {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Datagram => "datagram",
            Self::Packets => "seqpacket",
        }
    }
}

impl UnixState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Connected => "connected",
            Self::Unconnected => "unconnected",
        }
    }
}
