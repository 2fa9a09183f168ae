//! Strings of other processes: hostile bytes, escaped at the one place where they leave.

use std::{fmt, sync::Arc};

/// Bytes another process chose (a name, a path, a key). Kept raw; [`fmt::Display`] escapes what
/// could drive a terminal or reorder text: C0, DEL, C1, bidirectional controls and invalid UTF-8.
/// Clones share the bytes: rows of a screen hold a text each, a hundred thousand of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Arc<[u8]>);

/// A thread's name: up to 15 bytes, as the kernel keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Comm([u8; 16]);

impl Text {
    /// The raw bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Comm {
    /// From the kernel's NUL-padded field.
    pub fn new(padded: [u8; 16]) -> Self {
        Self::from_bytes(&padded)
    }

    /// From bytes such as /proc/PID/comm holds; the rest, and what is behind a NUL, is cut off.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut padded = [0; 16];
        let end = bytes.iter().take(15).position(|&byte| byte == 0);
        let kept = end.unwrap_or(bytes.len().min(15));
        padded[..kept].copy_from_slice(&bytes[..kept]);
        Self(padded)
    }

    /// The name without its padding.
    pub fn bytes(&self) -> &[u8] {
        let end = self
            .0
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(self.0.len());
        &self.0[..end]
    }
}

impl<T: Into<Arc<[u8]>>> From<T> for Text {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(&self.0, f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Display for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.bytes(), f)
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.bytes()))
    }
}

fn escape(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write as _;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_hostile(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Controls of terminals (C0, DEL, C1) and of bidirectional text, and the line separators.
pub(crate) fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            // Invisible, so that two names would look alike. Joiners are left: scripts need them.
            | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_could_drive_a_terminal() {
        let text = Text::from(&b"a\x1b[2J\x7f\xff\xc2\x9b\xe2\x80\xaez"[..]);
        assert_eq!(text.to_string(), r"a\u{1b}[2J\u{7f}\xff\u{9b}\u{202e}z");
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        assert_eq!(Text::from("任务-7 é".as_bytes()).to_string(), "任务-7 é");
        assert_eq!(Comm::from_bytes(b"tick-0007").to_string(), "tick-0007");
    }
}
