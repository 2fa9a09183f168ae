//! Patterns that a user writes: `*` is anything, `?` one byte, everything else itself.

use std::{fmt, iter};

/// A pattern over bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Box<str>);

impl Glob {
    /// A pattern.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether all of `bytes` fits. Takes at most the product of the lengths, whatever the pattern.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        let pattern = self.0.as_bytes();
        let (mut at, mut in_pattern) = (0, 0);
        // Where the last star stands, and how far what it stands for reaches.
        let mut star: Option<(usize, usize)> = None;
        while at < bytes.len() {
            match pattern.get(in_pattern) {
                Some(b'*') => {
                    star = Some((in_pattern, at));
                    in_pattern += 1;
                }
                Some(&one) if one == b'?' || one == bytes[at] => {
                    at += 1;
                    in_pattern += 1;
                }
                _ => {
                    let Some((place, reach)) = star else {
                        return false;
                    };
                    star = Some((place, reach + 1));
                    (in_pattern, at) = (place + 1, reach + 1);
                }
            }
        }
        let rest = &pattern[in_pattern..];
        rest.iter().eq(iter::repeat_n(&b'*', rest.len()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::event::text::Text::from(self.0.as_bytes()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (glob, fits, not) in [
            ("/var/log/*.log", "/var/log/a/b.log", "/var/log/a.log.1"),
            ("*", "", "\u{0}never"),
            ("tcp *:443", "tcp 1.2.3.4:443", "tcp 1.2.3.4:4430"),
            ("t?ck-*", "tick-7", "tck-7"),
            ("a*b*c", "abbbc", "abb"),
            ("**", "x", "\u{0}never"),
            ("", "", "x"),
            ("[a]", "[a]", "a"),
            ("*ab", "aaab", "aaba"),
        ] {
            assert!(Glob::new(glob).fits(fits.as_bytes()), "{glob} fits {fits}");
            if not != "\u{0}never" {
                assert!(!Glob::new(glob).fits(not.as_bytes()), "{glob} not {not}");
            }
        }
        assert!(Glob::new("?").fits(b"\xff"));
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let glob = Glob::new(&"*a".repeat(200));
        assert!(!glob.fits(&[b'a'; 199]));
        assert!(!glob.fits(format!("{}b", "a".repeat(4000)).as_bytes()));
    }
}
