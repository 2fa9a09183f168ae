//! What a user prefers, and where that is said: `inspector.toml`, the environment, the command line.
//!
//! Every setting has a default, and knows what it comes from ([`Origin`]): the file overrides the
//! default, the command line overrides both. `NO_COLOR` in the environment overrides the default
//! theme only: as <https://no-color.org> has it, what a user wrote for this program counts for more.

mod file;
mod place;
mod print;
mod read;
#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;

use self::place::{Place, Surroundings};
use crate::{
    duration,
    event::text::Text,
    lab::{
        MapKind,
        account::{self, AccountError, Invoker},
        entry::EntryKind,
        policy::Policy,
    },
    ledger::LedgerRules,
    rules::Rules,
    tui::keymap::{Action, Keymap, TABLE},
};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// The colours.
    pub theme: Setting<Theme>,
    /// Whether to draw with ASCII alone.
    pub ascii: Setting<bool>,
    /// How long after a delete a resource may live before it is retained.
    pub grace: Setting<Duration>,
    /// Most pictures a second, 1 to 60.
    pub frames: Setting<u8>,
    /// Whether the mouse is the program's.
    pub mouse: Setting<bool>,
    /// What the lab starts with.
    pub lab: Lab,
    /// When to raise an alarm.
    pub alarms: Alarms,
    /// What each screen shows at first.
    pub filters: Filters,
    /// Which key does what.
    pub keys: Keys,
    /// What `check` holds a run to.
    pub check: Rules,
    /// What the user should be told about where this comes from.
    pub notice: Option<String>,
}

/// `[lab]`.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Its kind of map.
    pub map: Setting<MapKind>,
    /// What its keys own.
    pub entry: Setting<EntryKind>,
    /// How it deletes.
    pub policy: Setting<Policy>,
}

/// `[alarms]`: from how many on; `None` = never.
#[derive(Clone, Debug)]
pub struct Alarms {
    /// Threads that live.
    pub threads: Setting<Option<u64>>,
    /// Handles that are open.
    pub handles: Setting<Option<u64>>,
    /// Resources that are retained.
    pub retained: Setting<Option<u64>>,
}

/// `[filters]`: each screen's first filter, as text ([`crate::tui::filter`]), not yet parsed. Empty
/// ones let everything pass.
#[derive(Clone, Debug)]
pub struct Filters {
    /// Of the entries.
    pub entries: Setting<String>,
    /// Of the threads.
    pub threads: Setting<String>,
    /// Of the handles.
    pub handles: Setting<String>,
    /// Of the waits.
    pub waits: Setting<String>,
    /// Of the events.
    pub events: Setting<String>,
}

/// `[keys]`.
#[derive(Clone, Debug)]
pub struct Keys {
    /// What they do.
    pub map: Keymap,
    /// Of each row of the table.
    origins: Vec<Origin>,
}

/// A value and what it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting<T> {
    /// What is in force.
    pub value: T,
    /// Why.
    pub from: Origin,
}

/// What a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    #[default]
    Default,
    /// The configuration file.
    File {
        /// Which.
        path: Arc<Path>,
        /// Counted from 1.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(&'static str),
    /// An argument.
    CommandLine,
}

/// The colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// For dark terminals.
    Dark,
    /// For light ones.
    Light,
    /// None.
    Mono,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file says something wrong.
    #[error("{}:{line}:{column}: {}", shown(path), text_of(what))]
    Mistake {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// What, and what there is instead.
        what: String,
    },
    /// The file can't be read.
    #[error("the configuration {} can't be read", shown(.0))]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file is no configuration.
    #[error("{} is longer than the {} KiB that a configuration may have", shown(.0), read::MOST_BYTES / 1024)]
    TooLong(PathBuf),
    /// The invoking user is not to be found.
    #[error("it can't be told whose configuration to read")]
    Account(#[from] AccountError),
}

impl Theme {
    /// As it is written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Mono => "mono",
        }
    }
}

impl<T> Setting<T> {
    /// What holds unless somebody says otherwise.
    pub(crate) fn default_to(value: T) -> Self {
        Self {
            value,
            from: Origin::Default,
        }
    }

    /// Takes what the command line says, if it says something.
    pub fn set_from_cli(&mut self, value: Option<T>) {
        if let Some(value) = value {
            *self = Self {
                value,
                from: Origin::CommandLine,
            };
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            theme: Setting::default_to(Theme::Dark),
            ascii: Setting::default_to(false),
            grace: Setting::default_to(Duration::from_secs(1)),
            frames: Setting::default_to(20),
            mouse: Setting::default_to(true),
            lab: Lab {
                map: Setting::default_to(MapKind::Mutex),
                entry: Setting::default_to(EntryKind::Ticker),
                policy: Setting::default_to(Policy::Bare),
            },
            alarms: Alarms {
                threads: Setting::default_to(None),
                handles: Setting::default_to(None),
                retained: Setting::default_to(Some(5)),
            },
            filters: Filters {
                entries: Setting::default(),
                threads: Setting::default(),
                handles: Setting::default(),
                waits: Setting::default(),
                // There are so many waits that little else would be seen.
                events: Setting::default_to("-kind:wait".to_owned()),
            },
            keys: Keys {
                map: Keymap::default(),
                origins: vec![Origin::Default; TABLE.len()],
            },
            check: Rules::default(),
            notice: None,
        }
    }
}

impl Keys {
    /// What the keys of an action come from.
    pub fn origin(&self, action: Action) -> &Origin {
        let place = TABLE.iter().position(|row| row.action == action);
        place.map_or(&Origin::Default, |place| &self.origins[place])
    }
}

impl Config {
    /// The rules of verdicts.
    pub fn ledger_rules(&self) -> LedgerRules {
        LedgerRules {
            grace_ns: duration::as_ns(self.grace.value),
            ..LedgerRules::default()
        }
    }

    /// Reads what is in force for whoever started this process: the file `asked` for, else the one
    /// that `INSPECTOR_CONFIG` names, else the invoking user's own, which need not be there.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(asked: Option<&Path>) -> Result<Self, ConfigError> {
        let invoker = Invoker::of_this_process(None);
        let user = account::through_sudo(&invoker)?;
        let around = Surroundings::of_this_process(user.as_ref());
        let place = place::find(asked, &around);
        let rights = read::Rights::of(&invoker, user);
        let mut config = Self::at(&place, &rights)?;
        config.heed(&around);
        Ok(config)
    }

    fn at(place: &Place, rights: &read::Rights) -> Result<Self, ConfigError> {
        let (path, asked) = match place {
            Place::Asked(path) => (path, true),
            Place::Usual(path) => (path, false),
            Place::Nowhere => return Ok(Self::default()),
        };
        let bytes = match rights.read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(ConfigError::TooLong(path.clone())),
            Err(error) if !asked && is_absence(&error) => return Ok(Self::default()),
            // Home may be another's, as after `setpriv` or `su -m`.
            Err(error) if !asked && error.kind() == io::ErrorKind::PermissionDenied => {
                let notice = format!(
                    "whether there is a configuration {} can't be told ({error}): the defaults hold",
                    shown(path)
                );
                return Ok(Self {
                    notice: Some(notice),
                    ..Self::default()
                });
            }
            Err(error) => return Err(ConfigError::Unreadable(path.clone(), error)),
        };
        file::parse(path, &bytes)
    }

    /// Takes what the environment says.
    fn heed(&mut self, around: &Surroundings) {
        if around.no_color && self.theme.from == Origin::Default {
            self.theme = Setting {
                value: Theme::Mono,
                from: Origin::Environment("NO_COLOR"),
            };
        }
    }
}

/// The file that [`Config::load`] would read, whether it is there or not; `None` = nobody knows a
/// home for it.
///
/// # Errors
/// When the invoking user can't be found.
pub fn path(asked: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    let user = account::through_sudo(&Invoker::of_this_process(None))?;
    let around = Surroundings::of_this_process(user.as_ref());
    Ok(match place::find(asked, &around) {
        Place::Asked(path) | Place::Usual(path) => Some(path),
        Place::Nowhere => None,
    })
}

/// As it is shown by `inspector config --print`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", shown(path)),
            Self::Environment(name) => f.write_str(name),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn shown(path: &Path) -> Text {
    Text::from(path.as_os_str().as_bytes())
}

fn text_of(what: &str) -> Text {
    Text::from(what.as_bytes())
}
