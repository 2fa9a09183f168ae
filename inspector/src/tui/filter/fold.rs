//! Text compared whatever the case of its letters, without making a copy of it.

/// What is looked for, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needle(Box<str>);

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        Self(folded(text).collect())
    }

    /// Whether `text` is it.
    pub(super) fn is(&self, text: &str) -> bool {
        if self.0.is_ascii() && text.is_ascii() {
            return text.eq_ignore_ascii_case(&self.0);
        }
        folded(text).eq(self.0.chars())
    }

    /// Whether it stands somewhere in `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        if self.0.is_ascii() && text.is_ascii() {
            let (text, needle) = (text.as_bytes(), self.0.as_bytes());
            return text
                .windows(needle.len())
                .any(|part| part.eq_ignore_ascii_case(needle));
        }
        // A letter may become several: the needle may begin with the second of them.
        let mut rest = folded(text);
        loop {
            let mut from_here = rest.clone();
            if self
                .0
                .chars()
                .all(|letter| from_here.next() == Some(letter))
            {
                return true;
            }
            if rest.next().is_none() {
                return false;
            }
        }
    }
}

/// Letter by letter, so that a letter becomes the same wherever it stands.
fn folded(text: &str) -> impl Iterator<Item = char> + Clone {
    text.chars().flat_map(char::to_lowercase)
}
