//! What a descriptor points at beyond its link: in one short line of words, and as JSON.
//!
//! ```text
//! tcp 10.0.0.7:443 CLOSE_WAIT · tcp 0.0.0.0:80 LISTEN · unix stream /run/a listening
//! armed, every 1 s · 3 members · count 5 · process 4711 · 2 watches
//! ```
//!
//! | `what` | members of the object |
//! |---|---|
//! | `tcp`, `udp` | `local`, `peer`, `state` |
//! | `unix` | `flow`, `path`, `state` |
//! | `timer` | `clock`, `left_ns` (`null` = not armed), `every_ns`, `unread` |
//! | `epoll`, `inotify` | `count`, `more` (there may be more than were read) |
//! | `eventfd` | `count` |
//! | `pidfd` | `pid` (`null` = reaped, or not in our pid namespace) |

use std::fmt::{self, Display, Formatter};

use serde_json::{Value, json};

use crate::{
    event::target::{InetSocket, Many, SocketState, TargetDetail, Timer, Transport, UnixSocket},
    verdict::wording::quantity::Duration,
};

const SECOND_NS: u64 = 1_000_000_000;

impl Display for TargetDetail {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(socket) => socket.fmt(f),
            Self::Unix(socket) => socket.fmt(f),
            Self::Timer(timer) => timer.fmt(f),
            Self::Epoll { members } => members.write(f, "member"),
            Self::Inotify { watches } => watches.write(f, "watch"),
            Self::Eventfd { count } => write!(f, "count {count}"),
            Self::Pidfd { pid: Some(pid) } => write!(f, "process {pid}"),
            Self::Pidfd { pid: None } => f.write_str("a process that is gone or not seen here"),
        }
    }
}

impl Display for InetSocket {
    /// Whom it talks to, or where it listens.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let address = self.peer.unwrap_or(self.local);
        write!(f, "{} {address}", self.transport.word())?;
        match (self.transport, self.state) {
            (Transport::Udp, SocketState::ESTABLISHED) => f.write_str(" connected"),
            (Transport::Udp, _) => Ok(()),
            (Transport::Tcp, state) => write!(f, " {}", state.word()),
        }
    }
}

impl Display for UnixSocket {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "unix {}", self.flow.word())?;
        if let Some(path) = &self.path {
            write!(f, " {path}")?;
        }
        write!(f, " {}", self.state.word())
    }
}

impl Display for Timer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.left_ns, self.every_ns) {
            (None, _) => f.write_str("not armed")?,
            (Some(left), 0) => write!(f, "armed, once in {}", Duration(left))?,
            (Some(_), every) if every % SECOND_NS == 0 => {
                write!(f, "armed, every {} s", every / SECOND_NS)?;
            }
            (Some(_), every) => write!(f, "armed, every {}", Duration(every))?,
        }
        match self.unread {
            0 => Ok(()),
            unread => write!(f, ", {unread} unread"),
        }
    }
}

impl Many {
    fn write(self, f: &mut Formatter<'_>, one: &str) -> fmt::Result {
        let some = if self.more { "at least " } else { "" };
        let ending = match (self.read, one) {
            (1, _) => "",
            (_, "watch") => "es",
            _ => "s",
        };
        write!(f, "{some}{} {one}{ending}", self.read)
    }
}

/// The object described above.
pub fn value(detail: &TargetDetail) -> Value {
    match detail {
        TargetDetail::Inet(socket) => json!({
            "what": socket.transport.word(),
            "local": socket.local.to_string(),
            "peer": socket.peer.map(|peer| peer.to_string()),
            "state": socket.state.word(),
        }),
        TargetDetail::Unix(socket) => json!({
            "what": "unix",
            "flow": socket.flow.word(),
            "path": socket.path.as_ref().map(ToString::to_string),
            "state": socket.state.word(),
        }),
        TargetDetail::Timer(timer) => json!({
            "what": "timer",
            "clock": timer.clock,
            "left_ns": timer.left_ns,
            "every_ns": timer.every_ns,
            "unread": timer.unread,
        }),
        TargetDetail::Epoll { members } => many("epoll", *members),
        TargetDetail::Inotify { watches } => many("inotify", *watches),
        TargetDetail::Eventfd { count } => json!({ "what": "eventfd", "count": count }),
        TargetDetail::Pidfd { pid } => json!({ "what": "pidfd", "pid": pid }),
    }
}

fn many(what: &str, many: Many) -> Value {
    json!({ "what": what, "count": many.read, "more": many.more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        target::{UnixFlow, UnixState},
        text::Text,
    };

    #[test]
    fn in_words_and_as_json() {
        let inet = |transport, peer: Option<&str>, state| {
            TargetDetail::Inet(InetSocket {
                transport,
                local: "0.0.0.0:80".parse().unwrap(),
                peer: peer.map(|peer| peer.parse().unwrap()),
                state: SocketState(state),
            })
        };
        let timer = |left_ns, every_ns, unread| {
            TargetDetail::Timer(Timer {
                clock: 1,
                left_ns,
                every_ns,
                unread,
            })
        };
        let many = |read, more| Many { read, more };
        let unix = TargetDetail::Unix(UnixSocket {
            flow: UnixFlow::Stream,
            path: Some(Text::from(&b"/run/a\n"[..])),
            state: UnixState::Listening,
        });
        for (detail, words) in [
            (
                inet(Transport::Tcp, Some("10.0.0.7:443"), 8),
                "tcp 10.0.0.7:443 CLOSE_WAIT",
            ),
            (inet(Transport::Tcp, None, 10), "tcp 0.0.0.0:80 LISTEN"),
            (inet(Transport::Udp, None, 7), "udp 0.0.0.0:80"),
            (
                inet(Transport::Udp, Some("[::1]:53"), 1),
                "udp [::1]:53 connected",
            ),
            (unix, r"unix stream /run/a\u{a} listening"),
            (timer(Some(1), 1_000_000_000, 0), "armed, every 1 s"),
            (timer(Some(5_000_000), 0, 0), "armed, once in 5 ms"),
            (timer(None, 0, 2), "not armed, 2 unread"),
            (
                TargetDetail::Epoll {
                    members: many(3, false),
                },
                "3 members",
            ),
            (
                TargetDetail::Epoll {
                    members: many(1, false),
                },
                "1 member",
            ),
            (
                TargetDetail::Inotify {
                    watches: many(800, true),
                },
                "at least 800 watches",
            ),
            (TargetDetail::Eventfd { count: 5 }, "count 5"),
            (TargetDetail::Pidfd { pid: Some(7) }, "process 7"),
        ] {
            assert_eq!(detail.to_string(), words);
            assert!(value(&detail)["what"].is_string());
        }
    }
}
