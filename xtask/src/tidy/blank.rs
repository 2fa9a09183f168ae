//! Rust source with its comments and strings blanked, so that a word found in it is code.

/// `text` with every character of a comment, string or character literal turned into a space;
/// line breaks stay, so lines keep their numbers.
pub(super) fn comments_and_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        // A prefix such as the r of r#"…"# begins a literal only where a word may begin.
        let in_word = before.is_alphanumeric() || before == '_';
        let length = if in_word { quoted(rest) } else { literal(rest) };
        let length = length.or_else(|| comment(rest)).unwrap_or(0);
        if length == 0 {
            out.push(letter);
            before = letter;
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        let (blanked, after) = rest.split_at(length);
        out.extend(
            blanked
                .chars()
                .map(|each| if each == '\n' { '\n' } else { ' ' }),
        );
        before = ' ';
        rest = after;
    }
    out
}

/// The length of the comment `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(rest.len())
}

/// The length of the string or character literal `rest` begins with, its prefix included.
fn literal(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|after| after.starts_with(['"', '\'']) || raw_start(prefix, after))
    })?;
    let after = &rest[prefix.len()..];
    let length = if prefix.ends_with('r') {
        raw(after)?
    } else {
        quoted(after)?
    };
    Some(prefix.len() + length)
}

/// Whether `after` a raw prefix begins a raw string (and not a raw name like `r#type`).
fn raw_start(prefix: &str, after: &str) -> bool {
    prefix.ends_with('r') && after.trim_start_matches('#').starts_with('"')
}

/// The length of the raw string that begins with `rest`'s hashes.
fn raw(rest: &str) -> Option<usize> {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |at| at + close.len());
    Some(hashes + 1 + end)
}

/// The length of the quoted string or character `rest` begins with; a lifetime is neither.
fn quoted(rest: &str) -> Option<usize> {
    let quote = rest
        .chars()
        .next()
        .filter(|each| matches!(each, '"' | '\''))?;
    let mut letters = rest.char_indices().skip(1);
    if quote == '\'' {
        // 'a' is a character, 'a alone a lifetime; an escape is always a character.
        let (_, first) = letters.clone().next()?;
        let (_, second) = letters.clone().nth(1)?;
        if first != '\\' && second != '\'' {
            return None;
        }
    }
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            _ if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of `text` when the blanks are taken for what they are.
    #[track_caller]
    fn leaves(text: &str, left: &str) {
        let blanked = comments_and_strings(text);
        assert_eq!(blanked.matches('\n').count(), text.matches('\n').count());
        let words: Vec<&str> = blanked.split_whitespace().collect();
        assert_eq!(words.join(" "), left);
    }

    #[test]
    fn comments_go() {
        leaves("a // b\nc", "a c");
        leaves("a /* b /* c */ d\n */ e", "a e");
        leaves("//! a\n/// b\nc", "c");
        leaves("a / b", "a / b");
    }

    #[test]
    fn strings_go() {
        leaves(r#"a "b // c" d"#, "a d");
        leaves(r#"a "b \" c" d"#, "a d");
        leaves(r##"a r#"b " c"# d"##, "a d");
        leaves(r#"a b"c" c"d" br"e\" f"#, "a f");
        leaves("a \"b\nc\" d", "a d");
    }

    #[test]
    fn characters_go_and_lifetimes_stay() {
        leaves("a '\"' b", "a b");
        leaves(r"a '\'' b '\\' c", "a b c");
        leaves("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        leaves("a b'\"' c", "a c");
        leaves("let var\"x\"", "let var");
        leaves("r#type 'static", "r#type 'static");
    }

    #[test]
    fn an_open_end_is_no_panic() {
        for text in ["\"a", "/* a", "'", "'\\", "r#\"a", "r##", "b'", "\"\\"] {
            comments_and_strings(text);
        }
    }
}
