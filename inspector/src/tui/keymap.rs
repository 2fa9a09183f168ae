//! What each key does: the one table ([`TABLE`]) and what a user changed in it.

mod context;
mod key;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crossterm::event::{KeyEvent, KeyEventKind};

pub use self::{
    context::Context,
    key::{Key, NoKey},
    table::{Row, Section, TABLE},
};

/// What a key can ask for.
#[expect(missing_docs, reason = "the table says what each of them is")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    ColumnLeft,
    ColumnRight,
    NextScreen,
    PreviousScreen,
    /// The screen of this number.
    Screen(u8),
    Follow,
    Back,
    Escape,
    SwitchFocus,
    ZoomIn,
    ZoomOut,
    Earlier,
    Later,
    Sort,
    ReverseSort,
    Filter,
    ClearFilter,
    Help,
    Performance,
    UpdateTargets,
    Output,
    Pause,
    AcknowledgeAlarm,
    Copy,
    SaveText,
    Dump,
    Record,
    Refresh,
    Store,
    Delete,
    DeleteAll,
    Policy,
    EntryKind,
    MapKind,
    Burst,
    Auto,
    Reset,
    Play,
    Slower,
    Faster,
    StepBack,
    StepOn,
    DeleteBack,
    DeleteOn,
    VerdictBack,
    VerdictOn,
    GapBack,
    GapOn,
    ScrubBack,
    ScrubOn,
    ScrubFarBack,
    ScrubFarOn,
    ToStart,
    ToEnd,
    Goto,
    Redraw,
    Suspend,
    Quit,
}

/// The keys of an action that are to replace those of the table. None at all takes its keys away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The action's name.
    pub action: String,
    /// Its keys.
    pub keys: Vec<String>,
}

/// Why overrides make no keymap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// No such action.
    #[error(
        "there is no action {action:?} to bind {keys:?} to; there are {}",
        names()
    )]
    NoAction {
        /// What was named.
        action: String,
        /// Its keys.
        keys: Vec<String>,
    },
    /// No such key.
    #[error("{key:?} for {action} is no key: {why}")]
    NoKey {
        /// Whose it should be.
        action: String,
        /// What was named.
        key: String,
        /// Why.
        why: NoKey,
    },
    /// The key has another meaning.
    #[error("the key {key} is bound to both {action} and {other}")]
    Taken {
        /// Which, as it is shown.
        key: String,
        /// The overridden action that wants it.
        action: &'static str,
        /// The one that has it.
        other: &'static str,
    },
    /// Interrupting is not to be had for anything else.
    #[error(
        "the key {} can't be bound to {action}: it always quits",
        Key::INTERRUPT
    )]
    Interrupt {
        /// What wants it.
        action: &'static str,
    },
}

impl KeymapError {
    /// Which override is at fault.
    pub fn action(&self) -> &str {
        match self {
            Self::NoAction { action, .. } | Self::NoKey { action, .. } => action,
            Self::Taken { action, .. } | Self::Interrupt { action } => action,
        }
    }
}

/// One line of the help screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpLine {
    /// Every key that does it.
    pub keys: Vec<String>,
    /// What it does.
    pub help: &'static str,
}

/// Which key does what.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// Each action's keys, in the order of the table.
    keys: Vec<Vec<Key>>,
    /// Rows of the table.
    rows: HashMap<(Layer, Key), &'static Row>,
}

/// Keys of replays have other meanings elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Layer {
    Replay,
    Common,
}

impl Layer {
    fn of(row: &Row) -> Self {
        if row.section == Section::Replay {
            Self::Replay
        } else {
            Self::Common
        }
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&[]).expect("the table shares out no key twice, which a test checks")
    }
}

impl Keymap {
    /// The table with some of its keys replaced.
    ///
    /// # Errors
    /// See [`KeymapError`].
    pub fn new(overrides: &[Override]) -> Result<Self, KeymapError> {
        let mut keys: Vec<Vec<Key>> = TABLE
            .iter()
            .map(|row| row.keys.iter().map(|key| parsed(row.name, key)).collect())
            .collect::<Result<_, _>>()?;
        for over in overrides {
            let place = TABLE.iter().position(|row| row.name == over.action);
            let place = place.ok_or_else(|| KeymapError::NoAction {
                action: over.action.clone(),
                keys: over.keys.clone(),
            })?;
            let own = &mut keys[place];
            own.clear();
            for key in &over.keys {
                let key = parsed(&over.action, key)?;
                if !own.contains(&key) {
                    own.push(key);
                }
            }
            let quits = TABLE[place].action == Action::Quit;
            if !quits && own.contains(&Key::INTERRUPT) {
                return Err(KeymapError::Interrupt {
                    action: TABLE[place].name,
                });
            }
            if quits && !own.contains(&Key::INTERRUPT) {
                own.push(Key::INTERRUPT);
            }
        }
        let rows = by_key(&keys, overrides)?;
        Ok(Self { keys, rows })
    }

    /// What a key asks for. Letting go of a key asks for nothing, nor does a key that has its
    /// meaning elsewhere.
    pub fn action(&self, key: KeyEvent, context: Context) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        self.row(&key.into(), context).map(|row| row.action)
    }

    fn row(&self, key: &Key, context: Context) -> Option<&'static Row> {
        let layers = [Layer::Replay, Layer::Common].map(|layer| self.rows.get(&(layer, *key)));
        let mut rows = layers.into_iter().flatten();
        rows.find(|row| row.contexts.contains(&context)).copied()
    }

    /// The keys of an action, as far as they have no other meaning there.
    fn keys_in(&self, action: Action, context: Context) -> Vec<String> {
        let rows = TABLE.iter().zip(&self.keys);
        let keys = rows.filter(|(row, _)| row.action == action);
        let keys = keys.flat_map(|(_, keys)| keys);
        keys.filter(|key| {
            self.row(key, context)
                .is_some_and(|row| row.action == action)
        })
        .map(Key::to_string)
        .collect()
    }

    /// The keys of an action, as they are written in the configuration.
    pub fn keys_of(&self, action: Action) -> Vec<String> {
        let rows = TABLE.iter().zip(&self.keys);
        rows.filter(|(row, _)| row.action == action)
            .flat_map(|(_, keys)| keys.iter().map(Key::to_string))
            .collect()
    }

    /// The first of them, for hints; empty where an action has none.
    pub fn first_key(&self, action: Action) -> String {
        self.keys_of(action).into_iter().next().unwrap_or_default()
    }

    /// What the help screen says: each section with its lines. Actions without a key are left out.
    pub fn help(&self, context: Context) -> impl Iterator<Item = (Section, Vec<HelpLine>)> {
        let rows = TABLE.chunk_by(|one, next| one.section == next.section);
        rows.map(move |rows| {
            let mut lines: Vec<HelpLine> = Vec::new();
            for row in rows.iter().filter(|row| row.contexts.contains(&context)) {
                let keys = self.keys_in(row.action, context);
                match lines.last_mut().filter(|last| last.help == row.help) {
                    Some(last) => last.keys.extend(keys),
                    None => lines.push(HelpLine {
                        keys,
                        help: row.help,
                    }),
                }
            }
            lines.retain(|line| !line.keys.is_empty());
            (rows[0].section, lines)
        })
        .filter(|(_, lines)| !lines.is_empty())
    }

    /// What the screen's foot says: each label with its first key, neighbours of one label together.
    pub fn footer(&self, context: Context) -> impl Iterator<Item = (String, &'static str)> {
        let mut labels: Vec<(String, &'static str)> = Vec::new();
        for row in TABLE.iter().filter(|row| row.contexts.contains(&context)) {
            let key = self.keys_in(row.action, context).into_iter().next();
            let Some((key, label)) = key.zip(row.footer) else {
                continue;
            };
            match labels.last_mut().filter(|(_, last)| *last == label) {
                Some((keys, _)) => {
                    keys.push(' ');
                    keys.push_str(&key);
                }
                None => labels.push((key, label)),
            }
        }
        labels.into_iter()
    }
}

fn parsed(action: &str, key: &str) -> Result<Key, KeymapError> {
    key.parse().map_err(|why| KeymapError::NoKey {
        action: action.to_owned(),
        key: key.to_owned(),
        why,
    })
}

/// Turns the keys around.
fn by_key(
    keys: &[Vec<Key>],
    overrides: &[Override],
) -> Result<HashMap<(Layer, Key), &'static Row>, KeymapError> {
    let mut rows: HashMap<(Layer, Key), &'static Row> = HashMap::new();
    for (row, keys) in TABLE.iter().zip(keys) {
        for key in keys {
            let Some(other) = rows.insert((Layer::of(row), *key), row) else {
                continue;
            };
            // Blamed is one that the user wrote, for it can be changed.
            let written = overrides.iter().any(|over| over.action == row.name);
            let (action, other) = if written {
                (row.name, other.name)
            } else {
                (other.name, row.name)
            };
            return Err(KeymapError::Taken {
                key: key.to_string(),
                action,
                other,
            });
        }
    }
    Ok(rows)
}

fn names() -> String {
    let names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
    names.join(", ")
}
