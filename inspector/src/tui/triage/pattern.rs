//! The pattern of a handle or a thread, by which it is in its group: that of what it points at, and
//! of a socket whose addresses are known that of these.

use std::borrow::Cow;

use crate::{
    event::{handle::HandleKind, target::TargetDetail, text::Text},
    pattern::{essence, pattern},
};

/// The pattern of what a handle points at; of one that was not read yet, what its kind tells.
pub fn of_handle(kind: HandleKind, target: Option<&Text>, detail: Option<&TargetDetail>) -> Text {
    match (socket(detail), target) {
        (Some(socket), _) => pattern(socket.to_string().as_bytes()),
        (None, Some(target)) => pattern(target.bytes()),
        (None, None) => Text::from(without_target(kind).as_bytes()),
    }
}

/// The same as it is shown: asked of every row by a filter, so nothing is copied without need.
pub fn shown_of_handle<'a>(
    kind: HandleKind,
    target: Option<&'a Text>,
    detail: Option<&TargetDetail>,
) -> Cow<'a, str> {
    match (socket(detail), target) {
        (None, None) => without_target(kind).into(),
        (None, Some(target)) if let Some(text) = as_it_is(target) => text.into(),
        _ => of_handle(kind, target, detail).to_string().into(),
    }
}

/// What is left of a target without the kernel's wrapping, where that is plainly its own pattern: a
/// path of nothing but letters and signs, or a word of letters.
fn as_it_is(target: &Text) -> Option<&str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'0'..=b'9' | b'*');
    let essence = essence(target.bytes());
    let is_its_own = match essence.first() {
        Some(b'/') => essence.iter().all(is_plain),
        _ => essence.iter().all(u8::is_ascii_alphabetic),
    };
    str::from_utf8(essence).ok().filter(|_| is_its_own)
}

/// The pattern of a thread's name.
pub fn of_name(name: &[u8]) -> Text {
    pattern(name)
}

/// What tells sockets apart. What else there is to tell of a handle is a number that changes.
pub(super) fn socket(detail: Option<&TargetDetail>) -> Option<&TargetDetail> {
    detail.filter(|detail| matches!(detail, TargetDetail::Inet(_) | TargetDetail::Unix(_)))
}

/// What the target of a kind turns out to be where it has no name; `?` where it has.
fn without_target(kind: HandleKind) -> &'static str {
    match kind {
        HandleKind::Epoll => "eventpoll",
        HandleKind::Socket
        | HandleKind::Pipe
        | HandleKind::Eventfd
        | HandleKind::Timerfd
        | HandleKind::Signalfd
        | HandleKind::Inotify
        | HandleKind::Fanotify
        | HandleKind::Pidfd
        | HandleKind::Userfaultfd
        | HandleKind::PerfEvent
        | HandleKind::IoUring => kind.word(),
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::target::{InetSocket, SocketState, Transport};

    #[test]
    fn what_is_read_later_is_no_other_pattern() {
        for (kind, target) in [
            (HandleKind::Socket, "socket:[1]"),
            (HandleKind::Pipe, "pipe:[1]"),
            (HandleKind::Epoll, "anon_inode:[eventpoll]"),
            (HandleKind::Timerfd, "anon_inode:[timerfd]"),
            (HandleKind::Signalfd, "anon_inode:[signalfd]"),
            (HandleKind::Pidfd, "anon_inode:[pidfd]"),
            (HandleKind::Pidfd, "pidfd:[77]"),
        ] {
            let target = Text::from(target.as_bytes());
            let read = of_handle(kind, Some(&target), None);
            assert_eq!(of_handle(kind, None, None), read);
        }
        assert_eq!(of_handle(HandleKind::Opened, None, None).to_string(), "?");
    }

    #[test]
    fn what_is_shown_is_the_pattern() {
        for target in [
            "/var/log/syslog",
            "/tmp/job-17.log",
            "/a**b",
            "socket:[7]",
            "/\u{1b}[2J",
            "anon_inode:[eventfd]",
            "anon_inode:[io_uring]",
            "anon_inode:inotify",
            "tcp 1.2.3.4:80",
            "",
            "/x/\u{202e}",
        ] {
            let target = Text::from(target.as_bytes());
            let kind = HandleKind::Unknown;
            let shown = shown_of_handle(kind, Some(&target), None);
            assert_eq!(shown, of_handle(kind, Some(&target), None).to_string());
        }
    }

    #[test]
    fn sockets_are_told_apart_by_whom_they_talk_to_and_their_state() {
        let link = Text::from(&b"socket:[7]"[..]);
        let of = |peer: &str, state| {
            let detail = TargetDetail::Inet(InetSocket {
                transport: Transport::Tcp,
                local: "10.0.0.5:51234".parse().unwrap(),
                peer: Some(peer.parse().unwrap()),
                state,
            });
            of_handle(HandleKind::Socket, Some(&link), Some(&detail)).to_string()
        };
        assert_eq!(of("10.0.0.7:443", SocketState(8)), "tcp *:443 CLOSE_WAIT");
        assert_eq!(
            of("10.0.0.8:443", SocketState::ESTABLISHED),
            "tcp *:443 ESTABLISHED"
        );
        assert_eq!(
            of("10.0.0.8:40001", SocketState::ESTABLISHED),
            "tcp *:* ESTABLISHED"
        );
        let counts = TargetDetail::Eventfd { count: 5 };
        let link = Text::from(&b"anon_inode:[eventfd]"[..]);
        let counted = of_handle(HandleKind::Eventfd, Some(&link), Some(&counts));
        assert_eq!(counted.to_string(), "eventfd");
    }
}
