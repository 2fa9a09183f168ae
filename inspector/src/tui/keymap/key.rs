//! One key as a person writes it: `g`, `PgUp`, `ctrl-c`, `alt-Enter`.
//!
//! A key is its modifiers and what it types, whatever the terminal reports of the way there: `G` is
//! `G`, with or without a word about shift, and so is `shift-g`.

use std::{fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// Nothing known.
    #[error(
        "a key is one character, or one of {}, F1 to F24; before it ctrl-, alt- or shift-",
        words()
    )]
    Unknown,
    /// Shift is part of what a character is.
    #[error("write the character that it types instead")]
    Shifted,
    /// Terminals send the same for both.
    #[error("terminals send the same for it as for {0}")]
    Same(&'static str),
}

/// The keys with a name, each first by the name that is shown.
const NAMED: &[(KeyCode, &str)] = &[
    (KeyCode::Up, "Up"),
    (KeyCode::Down, "Down"),
    (KeyCode::Left, "Left"),
    (KeyCode::Right, "Right"),
    (KeyCode::PageUp, "PgUp"),
    (KeyCode::PageUp, "PageUp"),
    (KeyCode::PageDown, "PgDn"),
    (KeyCode::PageDown, "PageDown"),
    (KeyCode::Home, "Home"),
    (KeyCode::End, "End"),
    (KeyCode::Insert, "Insert"),
    (KeyCode::Delete, "Delete"),
    (KeyCode::Enter, "Enter"),
    (KeyCode::Enter, "Return"),
    (KeyCode::Tab, "Tab"),
    (KeyCode::Backspace, "Backspace"),
    (KeyCode::Esc, "Esc"),
    (KeyCode::Esc, "Escape"),
    (KeyCode::Char(' '), "space"),
];

const MODIFIERS: [(KeyModifiers, &str); 3] = [
    (KeyModifiers::CONTROL, "ctrl-"),
    (KeyModifiers::ALT, "alt-"),
    (KeyModifiers::SHIFT, "shift-"),
];

impl Key {
    /// What always ends the program.
    pub const INTERRUPT: Self = Self {
        code: KeyCode::Char('c'),
        modifiers: KeyModifiers::CONTROL,
    };

    fn new(mut code: KeyCode, mut modifiers: KeyModifiers) -> Self {
        match code {
            KeyCode::BackTab => {
                code = KeyCode::Tab;
                modifiers.insert(KeyModifiers::SHIFT);
            }
            KeyCode::Char(character) if modifiers.contains(KeyModifiers::SHIFT) => {
                code = KeyCode::Char(upper(character).unwrap_or(character));
                // `shift-space` stays: a space types the same with it.
                modifiers.set(KeyModifiers::SHIFT, character == ' ');
            }
            _ => {}
        }
        Self { code, modifiers }
    }

    /// As a terminal reports it.
    #[cfg(test)]
    pub(crate) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((modifier, after)) = MODIFIERS.iter().find_map(|(modifier, prefix)| {
            let (head, after) = rest.split_at_checked(prefix.len())?;
            (head.eq_ignore_ascii_case(prefix) && !after.is_empty()).then_some((*modifier, after))
        }) {
            modifiers.insert(modifier);
            rest = after;
        }
        let code = code(rest).ok_or(NoKey::Unknown)?;
        if let KeyCode::Char(character) = code {
            if modifiers.contains(KeyModifiers::SHIFT)
                && character != ' '
                && upper(character).is_none()
            {
                return Err(NoKey::Shifted);
            }
            if modifiers == KeyModifiers::CONTROL {
                // What the ASCII control characters are, and so what a terminal makes of them.
                match character {
                    'i' | 'I' => return Err(NoKey::Same("Tab")),
                    'm' | 'M' => return Err(NoKey::Same("Enter")),
                    '[' => return Err(NoKey::Same("Esc")),
                    _ => {}
                }
            }
        }
        Ok(Self::new(code, modifiers))
    }
}

/// A letter as shift types it, if that is one character; nothing of what is no letter.
fn upper(character: char) -> Option<char> {
    let mut upper = character.to_uppercase();
    let one = upper.next().filter(|_| upper.next().is_none())?;
    (one != character || character.is_uppercase()).then_some(one)
}

fn code(text: &str) -> Option<KeyCode> {
    let mut characters = text.chars();
    if let (Some(one), None) = (characters.next(), characters.next()) {
        return (!one.is_control() && one != ' ').then_some(KeyCode::Char(one));
    }
    if let Some((code, _)) = NAMED
        .iter()
        .find(|(_, name)| name.eq_ignore_ascii_case(text))
    {
        return Some(*code);
    }
    let digits = text.strip_prefix(['F', 'f'])?;
    let number = digits.parse().ok().filter(|number| *number <= 24)?;
    (!digits.starts_with(['0', '+'])).then_some(KeyCode::F(number))
}

fn words() -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut last = None;
    for (code, name) in NAMED {
        if last.replace(code) != Some(code) {
            words.push(name);
        }
    }
    words.join(", ")
}

/// As it is parsed again.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, prefix) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        let named = NAMED.iter().find(|(code, _)| *code == self.code);
        match (named, self.code) {
            (Some((_, name)), _) => f.write_str(name),
            (None, KeyCode::Char(character)) => write!(f, "{character}"),
            (None, code) => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_as_it_is_written() {
        for text in [
            "g",
            "G",
            "-",
            "+",
            "ctrl--",
            "é",
            "space",
            "ctrl-c",
            "ctrl-alt-x",
            "PgUp",
            "F1",
            "F24",
            "shift-Tab",
            "alt-Enter",
            "\\",
            "ctrl-space",
            "shift-space",
            "ctrl-shift-Up",
            "1",
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        for (other, text) in [
            ("pageup", "PgUp"),
            ("ESCAPE", "Esc"),
            ("Ctrl-C", "ctrl-C"),
            ("shift-g", "G"),
            ("SHIFT-ctrl-left", "ctrl-shift-Left"),
            ("return", "Enter"),
            ("f5", "F5"),
        ] {
            assert_eq!(other.parse::<Key>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_key_is_said() {
        for text in [
            "", " ", "ctrl-", "hyper-x", "F0", "F25", "F01", "F+1", "\t", "ab", "éé",
        ] {
            assert_eq!(text.parse::<Key>(), Err(NoKey::Unknown), "{text:?}");
        }
        assert_eq!("shift-1".parse::<Key>(), Err(NoKey::Shifted));
        assert_eq!("ctrl-i".parse::<Key>(), Err(NoKey::Same("Tab")));
        assert!(
            NoKey::Unknown
                .to_string()
                .contains("PgDn, Home, End, Insert")
        );
    }

    #[test]
    fn shift_is_what_it_types_however_it_is_reported() {
        let event = |code, modifiers| Key::from(KeyEvent::new(code, modifiers));
        let big = "G".parse().unwrap();
        assert_eq!(event(KeyCode::Char('G'), KeyModifiers::NONE), big);
        assert_eq!(event(KeyCode::Char('G'), KeyModifiers::SHIFT), big);
        assert_eq!(event(KeyCode::Char('g'), KeyModifiers::SHIFT), big);
        assert_ne!(event(KeyCode::Char('g'), KeyModifiers::NONE), big);
        let question = "?".parse().unwrap();
        assert_eq!(event(KeyCode::Char('?'), KeyModifiers::SHIFT), question);
        let back = "shift-tab".parse().unwrap();
        assert_eq!(event(KeyCode::BackTab, KeyModifiers::SHIFT), back);
        assert_eq!(event(KeyCode::BackTab, KeyModifiers::NONE), back);
    }
}
