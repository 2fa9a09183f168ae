//! Which rows a person wants to see: `kind:timerfd state:retained age>10s name~tick`.
//!
//! A filter is terms with blanks between them; a row must fit all of them. What a term can be:
//!
//! | term                    | which rows                                                       |
//! |-------------------------|------------------------------------------------------------------|
//! | `word`                  | those where any text holds the word                              |
//! | `field:value`           | those whose field is the value; `field:one,other` is any of both |
//! | `field~text`            | those whose field holds the text                                 |
//! | `field>value`, `<`, `>=`, `<=`, `=` | those whose number or time compares so               |
//! | `-term`, `!term`        | exactly those that `term` leaves out                             |
//!
//! Letters fit whatever their case. `"with blanks"` is one value; in quotes `\"` and `\\` are a quote
//! and a backslash. What begins like `field:` but isn't meant so is quoted: `"std::thread"`.

mod fold;
mod parse;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use self::fold::Needle;
pub use self::parse::parse;

/// What can be asked of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name: small letters, digits, `-` and `_`, and first a letter.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// What it is, for the help.
    pub about: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A count.
    Number,
    /// Nanoseconds.
    Duration,
    /// Some of these words, with blanks between them.
    Word(&'static [&'static str]),
}

impl FieldKind {
    /// Whether it is text, which a bare word looks into.
    fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Word(_))
    }
}

/// What a filter looks at. A row answers for the fields that it was parsed with.
pub trait Row {
    /// A field of text or of a word; `None` = it has none, so nothing is true of it.
    fn text(&self, field: &str) -> Option<Cow<'_, str>>;
    /// A number or nanoseconds; `None` = not known, so no comparison holds.
    fn number(&self, field: &str) -> Option<u64>;
}

/// A parsed filter. The default one lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Where in the text, in bytes; on a character's boundary.
    pub at: usize,
    /// How many bytes are at fault; 0 where something is missing.
    pub len: usize,
    /// What is wrong, and what there is.
    pub what: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for FilterError {}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Anywhere(Needle),
    Contains(&'static str, Needle),
    Is(&'static str, Vec<Needle>),
    Counts(&'static str, Vec<u64>),
    Compares(&'static str, Compare, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// A value in quotes, so that it means itself whatever is in it.
pub fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for letter in value.chars() {
        if matches!(letter, '"' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
    text
}

impl Filter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it asks for a field by its name.
    pub fn mentions(&self, name: &str) -> bool {
        self.terms.iter().any(|term| match &term.test {
            Test::Anywhere(_) => false,
            Test::Contains(field, _)
            | Test::Is(field, _)
            | Test::Counts(field, _)
            | Test::Compares(field, ..) => *field == name,
        })
    }

    /// Whether it lets pass only rows whose field is one of these words.
    pub fn pins(&self, name: &str, words: &[&str]) -> bool {
        let is_word = |needle: &Needle| words.iter().any(|word| needle.is(word));
        self.terms.iter().any(|term| match &term.test {
            Test::Is(field, any) => *field == name && !term.negated && any.iter().all(is_word),
            _ => false,
        })
    }

    /// Whether a row passes. `fields` are those that the filter was parsed with.
    pub fn matches(&self, row: &dyn Row, fields: &[FieldInfo]) -> bool {
        let mut terms = self.terms.iter();
        terms.all(|term| term.test.holds(row, fields) != term.negated)
    }
}

impl Test {
    fn holds(&self, row: &dyn Row, fields: &[FieldInfo]) -> bool {
        let text = |field: &str, fits: &dyn Fn(&str) -> bool| {
            row.text(field).is_some_and(|text| fits(&text))
        };
        match self {
            Self::Anywhere(needle) => fields
                .iter()
                .filter(|field| field.kind.is_text())
                .any(|field| text(field.name, &|text| needle.is_in(text))),
            Self::Contains(field, needle) => text(field, &|text| needle.is_in(text)),
            Self::Is(field, any) => {
                let is_word = |info: &FieldInfo| {
                    info.name == *field && matches!(info.kind, FieldKind::Word(_))
                };
                // More than one word may be true of a row at once.
                let many = fields.iter().any(is_word);
                text(field, &|text| {
                    let is = |text: &str| any.iter().any(|one| one.is(text));
                    is(text) || (many && text.split(' ').any(is))
                })
            }
            Self::Counts(field, any) => row
                .number(field)
                .is_some_and(|number| any.contains(&number)),
            Self::Compares(field, compare, value) => row
                .number(field)
                .is_some_and(|number| compare.holds(number, *value)),
        }
    }
}

impl Compare {
    fn holds(self, number: u64, value: u64) -> bool {
        match self {
            Self::Less => number < value,
            Self::LessOrEqual => number <= value,
            Self::Equal => number == value,
            Self::GreaterOrEqual => number >= value,
            Self::Greater => number > value,
        }
    }
}
