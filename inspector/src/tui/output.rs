//! What a command printed last, as its file holds it: lines that drive no terminal.

use unicode_width::UnicodeWidthChar as _;

use crate::event::text::Text;

/// Bytes at the file's end that are read.
pub const TAIL: usize = 64 * 1024;
/// Cells from one tabulator stop to the next.
const STOP: usize = 8;

/// The last lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// They, escaped.
    lines: Vec<String>,
    /// Bytes of the file before them.
    before: u64,
}

impl Output {
    /// From the last bytes of a file of so many. A line whose beginning is not among them is left
    /// out, unless there is no other.
    pub fn of(tail: &[u8], size: u64) -> Self {
        let mut before = size.saturating_sub(tail.len() as u64);
        let mut tail = tail;
        if before > 0
            && let Some(end) = tail.iter().position(|&byte| byte == b'\n')
            && end + 1 < tail.len()
        {
            before += end as u64 + 1;
            tail = &tail[end + 1..];
        }
        let tail = tail.strip_suffix(b"\n").unwrap_or(tail);
        let lines = if tail.is_empty() {
            Vec::new()
        } else {
            tail.split(|&byte| byte == b'\n').map(shown).collect()
        };
        Self { lines, before }
    }

    /// Bytes that were printed before the lines that are here.
    pub fn before(&self) -> u64 {
        self.before
    }

    /// The lines, each in pieces of so many cells.
    pub fn pieces(&self, width: usize) -> Vec<&str> {
        let mut pieces = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let (mut from, mut cells) = (0, 0);
            for (at, character) in line.char_indices() {
                let takes = character.width().unwrap_or(0);
                if cells + takes > width && at > from {
                    pieces.push(&line[from..at]);
                    (from, cells) = (at, 0);
                }
                cells += takes;
            }
            pieces.push(&line[from..]);
        }
        pieces
    }
}

/// A line as a terminal would show it: what was written over by a carriage return is not there,
/// and tabulators are blanks.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.rsplit(|&byte| byte == b'\r').next().unwrap_or(line);
    let mut blanks = Vec::with_capacity(line.len());
    for &byte in line {
        if byte == b'\t' {
            let to = (blanks.len() / STOP + 1) * STOP;
            blanks.resize(to, b' ');
        } else {
            blanks.push(byte);
        }
    }
    Text::from(blanks).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(tail: &[u8], size: u64, width: usize) -> Vec<String> {
        let output = Output::of(tail, size);
        output
            .pieces(width)
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn lines_are_shown_as_a_terminal_would_and_drive_none() {
        let cases: [(&[u8], &[&str]); 7] = [
            (b"", &[]),
            (b"\n", &[]),
            (b"one\ntwo", &["one", "two"]),
            (b"one\n\ntwo\n", &["one", "", "two"]),
            (b"10 %\r20 %\r\nend\r\n", &["20 %", "end"]),
            (b"a\tb\n", &["a       b"]),
            (b"\x1b[31mred\xff\n", &[r"\u{1b}[31mred\xff"]),
        ];
        for (tail, lines) in cases {
            assert_eq!(pieces(tail, tail.len() as u64, 80), lines, "{tail:?}");
        }
    }

    #[test]
    fn a_line_that_began_earlier_is_left_out_unless_it_is_all_there_is() {
        assert_eq!(pieces(b"ginning\nwhole\n", 1_000, 80), ["whole"]);
        assert_eq!(Output::of(b"ginning\nwhole\n", 1_000).before(), 994);
        assert_eq!(pieces(b"no end", 1_000, 80), ["no end"]);
        assert_eq!(pieces(b"only its end\n", 1_000, 80), ["only its end"]);
    }

    #[test]
    fn long_lines_go_on_in_the_next() {
        assert_eq!(
            pieces("任务-task\nx".as_bytes(), 13, 4),
            ["任务", "-tas", "k", "x"]
        );
        assert_eq!(pieces(b"ab", 2, 0), ["a", "b"], "one character at least");
    }
}
