//! What targets and names of one kind have in common: `/tmp/x-123/file.45` is a `/tmp/x-*/file.*`.
//!
//! | in a target | in its pattern |
//! |---|---|
//! | `socket:[4711]`, `pipe:[4711]`, `pidfd:[4711]` | `socket`, `pipe`, `pidfd` |
//! | `anon_inode:[eventfd]` | `eventfd` |
//! | a UUID; eight or more hexadecimal digits; `0x` and digits | `*` |
//! | a word in which letters and digits alternate three times, as in `tmp.X7fG2k` | `*` |
//! | any other run of digits | `*` |
//! | an address of a `tcp` or `udp` socket | `*` |
//! | a port of such a socket below 32768, where services listen | as it is |
//!
//! Resources with equal patterns were most likely made by the same code. A pattern is never longer
//! than its target, and is its own pattern.

#![forbid(unsafe_code)]

use crate::event::text::Text;

/// From here on the kernel gives ports to clients, unless it is told otherwise.
const FIRST_CLIENT_PORT: u32 = 32_768;

/// A UUID's groups of hexadecimal digits.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Hexadecimal digits from which on they are no word.
const LEAST_HEX: usize = 8;

/// Changes between letters and digits from which on a word was made by a machine.
const LEAST_CHANGES: usize = 3;

/// What `target`, a descriptor's target or a thread's name, has in common with its like.
pub fn pattern(target: &[u8]) -> Text {
    let target = essence(target);
    let families = ["tcp ", "tcp6 ", "udp ", "udp6 "];
    let family = families
        .into_iter()
        .find(|family| target.starts_with(family.as_bytes()));
    let is_address = family.is_some();
    let mut made = Made::default();
    made.bytes
        .extend_from_slice(family.unwrap_or_default().as_bytes());
    let mut rest = &target[made.bytes.len()..];
    while let Some(&first) = rest.first() {
        let before = target.len() - rest.len();
        let length = if !first.is_ascii_alphanumeric() {
            if is_address && first == b'[' {
                address_in_brackets(rest, &mut made)
            } else {
                made.push(first);
                1
            }
        } else if let Some(length) = uuid(rest) {
            made.star();
            length
        } else if is_address && let Some(length) = dotted(rest) {
            made.star();
            length
        } else {
            let word = &rest[..run(rest, |byte| byte.is_ascii_alphanumeric())];
            let is_port = is_address && before > 0 && target[before - 1] == b':';
            if is_port && is_service(word) {
                made.bytes.extend_from_slice(word);
            } else {
                made.word(word);
            }
            word.len()
        };
        rest = &rest[length..];
    }
    Text::from(made.bytes)
}

/// The pattern so far.
#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
}

impl Made {
    fn push(&mut self, byte: u8) {
        if byte != b'*' || self.bytes.last() != Some(&b'*') {
            self.bytes.push(byte);
        }
    }

    fn star(&mut self) {
        self.push(b'*');
    }

    fn word(&mut self, word: &[u8]) {
        if is_made_up(word) {
            return self.star();
        }
        for &byte in word {
            self.push(if byte.is_ascii_digit() { b'*' } else { byte });
        }
    }
}

/// Without the kernel's wrapping and its inode numbers.
pub fn essence(mut target: &[u8]) -> &[u8] {
    for name in ["socket", "pipe", "pidfd"] {
        let inode = target
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b":["))
            .and_then(|rest| rest.strip_suffix(b"]"));
        if inode.is_some_and(|inode| inode.iter().all(u8::is_ascii_digit)) {
            return name.as_bytes();
        }
    }
    while let Some(inner) = target.strip_prefix(b"anon_inode:") {
        let bare = inner
            .strip_prefix(b"[")
            .and_then(|inner| inner.strip_suffix(b"]"));
        match bare.unwrap_or(inner) {
            [] => break,
            inner => target = inner,
        }
    }
    target
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    let end = bytes.iter().position(|&byte| !belongs(byte));
    end.unwrap_or(bytes.len())
}

/// The length of a UUID that `bytes` begin with.
fn uuid(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for (index, digits) in UUID.into_iter().enumerate() {
        if index > 0 {
            (bytes.get(at) == Some(&b'-')).then_some(())?;
            at += 1;
        }
        let group = bytes.get(at..at + digits)?;
        group.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        at += digits;
    }
    let goes_on = bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (!goes_on).then_some(at)
}

/// The length of an address of four numbers that `bytes` begin with.
fn dotted(bytes: &[u8]) -> Option<usize> {
    let length = run(bytes, |byte| byte.is_ascii_digit() || byte == b'.');
    let points = bytes[..length].iter().filter(|&&byte| byte == b'.').count();
    let ends = length > 0 && bytes[length - 1].is_ascii_digit();
    (points == 3 && ends).then_some(length)
}

/// An address between brackets, as version 6 has it.
fn address_in_brackets(bytes: &[u8], made: &mut Made) -> usize {
    let belongs = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    let length = run(&bytes[1..], belongs);
    if length > 0 && bytes.get(length + 1) == Some(&b']') {
        made.star();
        length + 2
    } else {
        made.push(b'[');
        1
    }
}

fn is_service(word: &[u8]) -> bool {
    let port = str::from_utf8(word).ok().and_then(|port| port.parse().ok());
    port.is_some_and(|port: u32| port < FIRST_CLIENT_PORT)
}

/// Whether a word of letters and digits was made by a machine rather than chosen.
fn is_made_up(word: &[u8]) -> bool {
    let has_digit = word.iter().any(u8::is_ascii_digit);
    let is_hex = |word: &[u8]| word.iter().all(u8::is_ascii_hexdigit);
    let is_address = word.len() > 2 && word.starts_with(b"0x") && is_hex(&word[2..]);
    let is_hash = has_digit && word.len() >= LEAST_HEX && is_hex(word);
    let pairs = word.windows(2);
    let changes = pairs.filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit());
    is_address || is_hash || changes.count() >= LEAST_CHANGES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_between_like_targets_goes() {
        for (target, expected) in [
            ("/tmp/x-123/file.45", "/tmp/x-*/file.*"),
            ("socket:[123456]", "socket"),
            ("pipe:[7]", "pipe"),
            ("pidfd:[7]", "pidfd"),
            ("anon_inode:[eventfd]", "eventfd"),
            ("anon_inode:inotify", "inotify"),
            (
                "/run/1b4e28ba-2fa1-11d2-883f-0016d3cca427.lock",
                "/run/*.lock",
            ),
            ("/cache/deadbeef01/blob", "/cache/*/blob"),
            ("/dev/shm/at-0x7ffd", "/dev/shm/at-*"),
            ("/tmp/tmp.X7fG2k", "/tmp/tmp.*"),
            ("/memfd:heap (deleted)", "/memfd:heap (deleted)"),
            ("tick-0001", "tick-*"),
            (
                "tcp 10.0.0.7:51234 -> 93.184.216.34:443",
                "tcp *:* -> *:443",
            ),
            (
                "tcp6 [2001:db8::1]:8080 -> [::1]:40000",
                "tcp6 *:8080 -> *:*",
            ),
        ] {
            let made = pattern(target.as_bytes());
            assert_eq!(made, Text::from(expected.as_bytes()), "{target}");
        }
    }

    #[test]
    fn what_was_chosen_stays() {
        for target in [
            "/etc/passwd",
            "/var/log/café.log",
            "deadbeef",
            "[eventfd]",
            "",
        ] {
            let made = pattern(target.as_bytes());
            assert_eq!(made, Text::from(target.as_bytes()), "{target}");
        }
    }

    #[test]
    fn different_files_keep_different_patterns() {
        assert_ne!(pattern(b"/tmp/log.1"), pattern(b"/tmp/lock.1"));
        assert_ne!(pattern(b"tcp 1.2.3.4:443"), pattern(b"tcp 1.2.3.4:80"));
    }

    fn target() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            prop::sample::select(vec![
                "socket:[",
                "pipe:[",
                "anon_inode:",
                "[",
                "]",
                "tcp ",
                "udp6 ",
                "0x",
                "*",
                "-",
                "1.2.3.4",
                ":",
                "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4),
            "[0-9a-f]{1,9}".prop_map(String::into_bytes),
        ];
        prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_pattern_is_its_own_and_never_longer(target in target()) {
            let once = pattern(&target);
            prop_assert!(once.bytes().len() <= target.len());
            let twice = pattern(once.bytes());
            prop_assert_eq!(twice, once);
        }
    }
}
