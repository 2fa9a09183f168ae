//! What many targets or names have in common: `/tmp/job-17.log` and `/tmp/job-18.log` are both
//! `/tmp/job-*.log`.

use std::borrow::Cow;

use crate::event::{handle::HandleKind, text::Text};

/// Most bytes of a pattern.
const MOST: usize = 256;
/// Letters and digits of at least so many in a row that could all be hexadecimal are one number.
const HEX: usize = 8;

/// The pattern of what a handle points at; of one that was not read yet, what its kind tells.
pub fn of_handle(kind: HandleKind, target: Option<&Text>) -> Text {
    match target {
        Some(target) => of_target(target),
        None => Text::from(without_target(kind).as_bytes()),
    }
}

/// The same as it is shown: asked of every row by a filter, so nothing is copied without need.
pub fn shown_of_handle(kind: HandleKind, target: Option<&Text>) -> Cow<'_, str> {
    let bare = match target {
        Some(target) => bare(target.bytes()),
        None => return without_target(kind).into(),
    };
    let needs_nothing = |byte: &u8| matches!(byte, b' '..=b'~') && !byte.is_ascii_digit();
    match str::from_utf8(bare) {
        Ok(text) if text.len() <= MOST && bare.iter().all(needs_nothing) => text.into(),
        _ => starred(bare).to_string().into(),
    }
}

/// The pattern of a link's text in /proc/PID/fd.
pub fn of_target(target: &Text) -> Text {
    starred(bare(target.bytes()))
}

/// A link's text without what is different in each: `socket:[4711]`, `anon_inode:[timerfd]`.
fn bare(target: &[u8]) -> &[u8] {
    match target.strip_prefix(b"anon_inode:") {
        Some(name) => name
            .strip_prefix(b"[")
            .and_then(|name| name.strip_suffix(b"]"))
            .unwrap_or(name),
        None => numbered(target).unwrap_or(target),
    }
}

/// The pattern of a thread's name.
pub fn of_name(name: &[u8]) -> Text {
    starred(name)
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

/// The name before a bracketed number: `socket:[4711]`.
fn numbered(target: &[u8]) -> Option<&[u8]> {
    let colon = target.iter().position(|&byte| byte == b':')?;
    let (name, rest) = target.split_at(colon);
    let number = rest.strip_prefix(b":[")?.strip_suffix(b"]")?;
    let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    let is_name = name
        .iter()
        .all(|&byte| byte == b'_' || byte.is_ascii_lowercase());
    (is_number && is_name && !name.is_empty()).then_some(name)
}

/// The text with a star for each number.
fn starred(text: &[u8]) -> Text {
    let mut pattern = Vec::with_capacity(text.len().min(MOST));
    let mut rest = text;
    while let Some(&first) = rest.first() {
        if pattern.len() >= MOST {
            break;
        }
        let length = match rest.iter().position(|byte| !byte.is_ascii_alphanumeric()) {
            Some(0) => {
                pattern.push(first);
                rest = &rest[1..];
                continue;
            }
            Some(length) => length,
            None => rest.len(),
        };
        let (word, behind) = rest.split_at(length);
        if is_uuid(rest) {
            pattern.push(b'*');
            rest = &rest[UUID.len()..];
            continue;
        }
        rest = behind;
        let has_digit = word.iter().any(u8::is_ascii_digit);
        if word.len() >= HEX && has_digit && word.iter().all(u8::is_ascii_hexdigit) {
            pattern.push(b'*');
            continue;
        }
        for (index, &byte) in word.iter().enumerate() {
            match byte {
                b'0'..=b'9' if index > 0 && word[index - 1].is_ascii_digit() => {}
                b'0'..=b'9' => pattern.push(b'*'),
                byte => pattern.push(byte),
            }
        }
    }
    Text::from(pattern)
}

/// The form of a UUID.
const UUID: &[u8] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

fn is_uuid(text: &[u8]) -> bool {
    let fits = |(&byte, &form): (&u8, &u8)| match form {
        b'x' => byte.is_ascii_hexdigit(),
        form => byte == form,
    };
    text.len() >= UUID.len() && text.iter().zip(UUID).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_stars() {
        for (target, pattern) in [
            ("socket:[123]", "socket"),
            ("pipe:[9]", "pipe"),
            ("mnt:[4026531840]", "mnt"),
            ("anon_inode:[eventpoll]", "eventpoll"),
            ("anon_inode:inotify", "inotify"),
            ("/tmp/job-17.log", "/tmp/job-*.log"),
            ("/tmp/job-18.log (deleted)", "/tmp/job-*.log (deleted)"),
            ("/var/log/syslog", "/var/log/syslog"),
            ("/x/deadbeef/y", "/x/deadbeef/y"),
            ("/x/0badcafe1/y", "/x/*/y"),
            (
                "/run/550e8400-e29b-41d4-a716-446655440000.sock",
                "/run/*.sock",
            ),
            ("w1b22x333", "w*b*x*"),
            ("socket:[x]", "socket:[x]"),
            (":[1]", ":[*]"),
            ("", ""),
        ] {
            let target = Text::from(target.as_bytes());
            assert_eq!(of_target(&target).to_string(), pattern, "{target}");
            let shown = shown_of_handle(HandleKind::Unknown, Some(&target));
            assert_eq!(shown, pattern, "{target}");
        }
        assert_eq!(of_name(b"worker-12").to_string(), "worker-*");
    }

    #[test]
    fn what_is_read_later_is_no_other_pattern() {
        for (kind, target) in [
            (HandleKind::Socket, "socket:[1]"),
            (HandleKind::Pipe, "pipe:[1]"),
            (HandleKind::Epoll, "anon_inode:[eventpoll]"),
            (HandleKind::Timerfd, "anon_inode:[timerfd]"),
            (HandleKind::Signalfd, "anon_inode:[signalfd]"),
            (HandleKind::Pidfd, "pidfd:[77]"),
        ] {
            let target = Text::from(target.as_bytes());
            assert_eq!(of_handle(kind, None), of_handle(kind, Some(&target)));
        }
        assert_eq!(of_handle(HandleKind::Opened, None).to_string(), "?");
    }

    #[test]
    fn whatever_comes_is_bounded() {
        let long = of_target(&Text::from(vec![0xff; 10_000]));
        assert_eq!(long.bytes().len(), MOST);
        for target in [
            &b"/\x1b[2J"[..],
            b"/\xff7",
            &[b'x'; 1_000],
            b"/tmp/\xe2\x80\xae",
        ] {
            let target = Text::from(target);
            let shown = shown_of_handle(HandleKind::Unknown, Some(&target));
            assert_eq!(shown, of_target(&target).to_string());
        }
    }
}
