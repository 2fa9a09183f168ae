//! From text to a filter, or to what is wrong with it and where.

use std::ops::Range;

use super::{Compare, FieldInfo, FieldKind, Filter, FilterError, Needle, Term, Test};
use crate::duration;

/// Reads a filter over these fields. Empty text lets everything pass.
///
/// # Errors
/// What is wrong, where, and what there is instead.
pub fn parse(text: &str, fields: &[FieldInfo]) -> Result<Filter, FilterError> {
    let mut reader = Reader { text, at: 0 };
    let mut terms = Vec::new();
    loop {
        reader.skip(char::is_whitespace);
        if reader.rest().is_empty() {
            return Ok(Filter { terms });
        }
        terms.push(reader.term(fields)?);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    Contains,
    Compares(Compare),
}

/// Longer ones before what they begin with.
const OPERATORS: [(&str, Operator); 7] = [
    (":", Operator::Is),
    ("~", Operator::Contains),
    (">=", Operator::Compares(Compare::GreaterOrEqual)),
    ("<=", Operator::Compares(Compare::LessOrEqual)),
    (">", Operator::Compares(Compare::Greater)),
    ("<", Operator::Compares(Compare::Less)),
    ("=", Operator::Compares(Compare::Equal)),
];

/// A value with its place in the text, which quotes belong to.
struct Value {
    text: String,
    place: Range<usize>,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|letter| !which(letter)).unwrap_or(rest.len());
    }

    fn take(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn term(&mut self, fields: &[FieldInfo]) -> Result<Term, FilterError> {
        let start = self.at;
        let negated = self.take("-") || self.take("!");
        if negated && (self.rest().is_empty() || self.rest().starts_with(char::is_whitespace)) {
            let what = format!(
                "{} needs a term behind it to turn round",
                self.text_of(start)
            );
            return Err(error(start..self.at, what));
        }
        let test = match self.field() {
            Some((name, operator)) => self.asked(fields, name, operator)?,
            None => Test::Anywhere(Needle::new(&self.value(false)?.text)),
        };
        Ok(Term { negated, test })
    }

    fn text_of(&self, start: usize) -> &str {
        &self.text[start..self.at]
    }

    /// A field's name and an operator, if they are next.
    fn field(&mut self) -> Option<(Range<usize>, Operator)> {
        let rest = self.rest();
        let end = rest.find(|letter: char| !is_of_name(letter))?;
        if !rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            return None;
        }
        let mut operators = OPERATORS.iter();
        let (sign, operator) = operators.find(|(sign, _)| rest[end..].starts_with(sign))?;
        let name = self.at..self.at + end;
        self.at = name.end + sign.len();
        Some((name, *operator))
    }

    /// What is asked of the field at `name`.
    fn asked(
        &mut self,
        fields: &[FieldInfo],
        name: Range<usize>,
        operator: Operator,
    ) -> Result<Test, FilterError> {
        let written = &self.text[name.clone()];
        let mut known = fields.iter();
        let Some(field) = known.find(|field| field.name.eq_ignore_ascii_case(written)) else {
            let names: Vec<_> = fields.iter().map(|field| field.name).collect();
            let what = format!(
                "there is no field {written}; there are {} (text with a sign in it goes in \
                 quotes)",
                names.join(", ")
            );
            return Err(error(name, what));
        };
        let sign = name.end..self.at;
        let missing = |sign| error(sign, format!("{} {}", field.name, can_be_asked(field.kind)));
        match (operator, field.kind) {
            (Operator::Is, FieldKind::Text) => {
                let values = self.values(field)?;
                let needles = values.iter().map(|value| Needle::new(&value.text));
                Ok(Test::Is(field.name, needles.collect()))
            }
            (Operator::Is, FieldKind::Word(words)) => {
                let values = self.values(field)?;
                let is_word = |value: &Value| {
                    let mut words = words.iter();
                    words.any(|word| word.eq_ignore_ascii_case(&value.text))
                };
                if let Some(wrong) = values.iter().find(|value| !is_word(value)) {
                    let what = format!(
                        "{} is never {:?}; it is one of {}",
                        field.name,
                        wrong.text,
                        words.join(", ")
                    );
                    return Err(error(wrong.place.clone(), what));
                }
                let needles = values.iter().map(|value| Needle::new(&value.text));
                Ok(Test::Is(field.name, needles.collect()))
            }
            (Operator::Is, FieldKind::Number | FieldKind::Duration) => {
                let values = self.values(field)?;
                let numbers = values.iter().map(|value| number(field, value));
                Ok(Test::Counts(field.name, numbers.collect::<Result<_, _>>()?))
            }
            (Operator::Contains, FieldKind::Text | FieldKind::Word(_)) => {
                let needle = Needle::new(&self.needed(field, false)?.text);
                Ok(Test::Contains(field.name, needle))
            }
            (Operator::Compares(compare), FieldKind::Number | FieldKind::Duration) => {
                let value = self.needed(field, false)?;
                Ok(Test::Compares(field.name, compare, number(field, &value)?))
            }
            (Operator::Contains, FieldKind::Number | FieldKind::Duration)
            | (Operator::Compares(_), FieldKind::Text | FieldKind::Word(_)) => Err(missing(sign)),
        }
    }

    /// Values with commas between them.
    fn values(&mut self, field: &FieldInfo) -> Result<Vec<Value>, FilterError> {
        let mut values = vec![self.needed(field, true)?];
        while self.take(",") {
            values.push(self.needed(field, true)?);
        }
        Ok(values)
    }

    /// A value that must be there.
    fn needed(&mut self, field: &FieldInfo, listed: bool) -> Result<Value, FilterError> {
        let value = self.value(listed)?;
        if value.place.is_empty() {
            let what = format!(
                "a value is missing: {} {}",
                field.name,
                can_be_asked(field.kind)
            );
            return Err(error(value.place, what));
        }
        Ok(value)
    }

    /// A value, quoted or up to the next blank, and up to the next comma where there may be more.
    fn value(&mut self, listed: bool) -> Result<Value, FilterError> {
        let start = self.at;
        let ends = |letter: char| letter.is_whitespace() || listed && letter == ',';
        if !self.take("\"") {
            self.skip(|letter| !ends(letter));
            return Ok(Value {
                text: self.text_of(start).to_owned(),
                place: start..self.at,
            });
        }
        let mut text = String::new();
        let mut letters = self.rest().char_indices();
        let end = loop {
            match letters.next() {
                None => {
                    let what = "the closing quote is missing".to_owned();
                    return Err(error(start..self.text.len(), what));
                }
                Some((place, '"')) => break place + 1,
                Some((_, '\\')) if letters.as_str().starts_with(['"', '\\']) => {
                    text.extend(letters.next().map(|(_, letter)| letter));
                }
                Some((_, letter)) => text.push(letter),
            }
        };
        self.at += end;
        let after = self.at;
        if !self.rest().is_empty() && !self.rest().starts_with(ends) {
            self.skip(|letter| !letter.is_whitespace());
            let what = "a blank is missing behind the closing quote".to_owned();
            return Err(error(after..self.at, what));
        }
        Ok(Value {
            text,
            place: start..after,
        })
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')
}

/// Of a field of numbers or times.
fn number(field: &FieldInfo, value: &Value) -> Result<u64, FilterError> {
    let read = if field.kind == FieldKind::Duration {
        duration::parse_ns(&value.text).map_err(|no| no.to_string())
    } else if !value.text.is_empty() && value.text.bytes().all(|letter| letter.is_ascii_digit()) {
        let read = value.text.parse();
        read.map_err(|_| "a number is digits, and not more than 64 bits hold".to_owned())
    } else {
        Err("a number is digits only".to_owned())
    };
    read.map_err(|why| {
        let what = format!("{} can't be {:?}: {why}", field.name, value.text);
        error(value.place.clone(), what)
    })
}

/// What goes with a field, as the rest of a sentence.
fn can_be_asked(kind: FieldKind) -> String {
    match kind {
        FieldKind::Text => "takes :text (is) and ~text (holds)".to_owned(),
        FieldKind::Word(words) => format!("takes : or ~ and one of {}", words.join(", ")),
        FieldKind::Number => "takes one of : = < <= > >= and a number".to_owned(),
        FieldKind::Duration => {
            "takes one of : = < <= > >= and a time such as 10s or 1.5ms".to_owned()
        }
    }
}

fn error(place: Range<usize>, what: String) -> FilterError {
    FilterError {
        at: place.start,
        len: place.len(),
        what,
    }
}
