//! Text for a page: what could be taken for markup is escaped, after what could drive a terminal was.

use std::fmt::{self, Display, Formatter, Write};

/// Longest text of a cell, in characters: a page of long paths is still a page.
const LONGEST: usize = 240;

/// As text of an element or of a quoted attribute. Text of other processes escapes its control
/// characters by itself, in its own `Display`; this does the rest.
pub(super) struct Html<T>(pub(super) T);

impl<T: Display> Display for Html<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// The same, without the middle of what is very long.
pub(super) struct Cut<T>(pub(super) T);

impl<T: Display> Display for Cut<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let count = text.chars().count();
        if count <= LONGEST {
            return Html(text).fmt(f);
        }
        let half = LONGEST / 2;
        let place = |count| text.char_indices().nth(count).map_or(0, |(place, _)| place);
        let (head, tail) = (&text[..place(half)], &text[place(count - half)..]);
        write!(f, "{}…{}", Html(head), Html(tail))
    }
}

struct Escaping<'a, 'b>(&'a mut Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(['&', '<', '>', '"', '\'']) {
            self.0.write_str(&rest[..place])?;
            self.0.write_str(match rest.as_bytes()[place] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[place + 1..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::text::Text;

    #[test]
    fn markup_is_escaped_and_so_is_what_drives_a_terminal() {
        let text = Text::from(&b"</script><script>alert(1)\x1b&\"'\xff"[..]);
        assert_eq!(
            Html(&text).to_string(),
            r"&lt;/script&gt;&lt;script&gt;alert(1)\u{1b}&amp;&quot;&#39;\xff"
        );
        assert_eq!(Html("任务-7 é").to_string(), "任务-7 é");
    }

    #[test]
    fn what_is_very_long_loses_its_middle_and_no_escape_is_cut() {
        let text = "<é".repeat(LONGEST);
        let cut = Cut(&text).to_string();
        assert_eq!(cut.matches('…').count(), 1);
        assert_eq!(cut.replace("&lt;", "").matches('&').count(), 0);
        assert!(cut.starts_with("&lt;é&lt;é") && cut.ends_with("&lt;é&lt;é"));
        let short = "é".repeat(LONGEST);
        assert_eq!(Cut(&short).to_string(), short);
    }
}
