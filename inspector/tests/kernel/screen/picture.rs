//! What stands on a terminal's screen, asked for by its words and not by its places.

use std::fmt;

use inspector::tui::theme::UNICODE;

/// The lines of a screen at one moment.
#[derive(Clone)]
pub(super) struct Picture {
    lines: Vec<String>,
    width: usize,
}

impl Picture {
    pub(super) fn of(screen: &vt100::Screen) -> Self {
        let (_, width) = screen.size();
        Self {
            lines: screen.rows(0, width).collect(),
            width: width.into(),
        }
    }

    /// Whether some line has these words.
    pub(super) fn shows(&self, words: &str) -> bool {
        self.lines.iter().any(|line| line.contains(words))
    }

    /// Whether a column has this title: the sign of the order may stand behind it.
    pub(super) fn has_column(&self, title: &str) -> bool {
        let mut words = self.lines.iter().flat_map(|line| line.split_whitespace());
        let is_sign = |rest: &str| rest.is_empty() || UNICODE.sorted.contains(&rest);
        words.any(|word| word.strip_prefix(title).is_some_and(is_sign))
    }

    /// The row of an entry, which may be behind the cursor.
    pub(super) fn entry(&self, key: &str) -> Option<&str> {
        let mut lines = self.lines.iter();
        let is_its = |line: &&String| {
            let mut words = line.split_whitespace();
            words.find(|word| *word != UNICODE.cursor) == Some(key)
        };
        lines.find(is_its).map(String::as_str)
    }

    /// The number that stands behind a word.
    pub(super) fn number_behind(&self, word: &str) -> Option<f64> {
        let mut words = self.lines.iter().flat_map(|line| line.split_whitespace());
        words.find(|each| *each == word)?;
        words.next()?.parse().ok()
    }

    /// The line that the cursor is at, and which one it is. Of two, the lower is where keys go.
    pub(super) fn cursor(&self) -> Option<(usize, String)> {
        let is_at = |line: &&String| line.trim_start().starts_with(UNICODE.cursor);
        let at = self.lines.iter().rposition(|line| is_at(&line))?;
        Some((at, self.lines[at].clone()))
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "+{}+", "-".repeat(self.width))?;
        for line in &self.lines {
            writeln!(to, "|{line:<width$}|", width = self.width)?;
        }
        write!(to, "+{}+", "-".repeat(self.width))
    }
}
