//! What stands in `inspector.toml`, checked, with the place of everything that is wrong.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Config, ConfigError, Origin, Setting, Theme};
use crate::{
    duration,
    lab::{MapKind, entry::EntryKind, policy::Policy},
    rules::file::{Check, Wrong},
    tui::keymap::{Keymap, KeymapError, Override, TABLE},
};

/// Longest and shortest grace.
const GRACE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(600);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tables {
    theme: Option<Spanned<Theme>>,
    ascii: Option<Spanned<bool>>,
    grace: Option<Spanned<String>>,
    frames: Option<Spanned<i64>>,
    mouse: Option<Spanned<bool>>,
    lab: Lab,
    alarms: Alarms,
    filters: Filters,
    keys: BTreeMap<Spanned<String>, Spanned<Value>>,
    check: Check,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Lab {
    map: Option<Spanned<MapKind>>,
    entry: Option<Spanned<EntryKind>>,
    policy: Option<Spanned<Policy>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Alarms {
    threads: Option<Spanned<Value>>,
    handles: Option<Spanned<Value>>,
    retained: Option<Spanned<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Filters {
    entries: Option<Spanned<String>>,
    threads: Option<Spanned<String>>,
    handles: Option<Spanned<String>>,
    waits: Option<Spanned<String>>,
    events: Option<Spanned<String>>,
}

/// Something wrong, at a byte of the text.
struct Mistake {
    at: usize,
    what: String,
}

/// Where each setting's value ends up.
struct Reading<'a> {
    path: Arc<Path>,
    text: &'a str,
}

/// The configuration in a file of this name and content.
///
/// # Errors
/// [`ConfigError::Mistake`].
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Config, ConfigError> {
    let mistake = |text: &str, mistake: Mistake| {
        let before = &text[..text.floor_char_boundary(mistake.at)];
        let line = before.rsplit('\n').next().unwrap_or_default();
        ConfigError::Mistake {
            path: path.to_owned(),
            line: line_of(before),
            column: line.chars().count() + 1,
            what: mistake.what,
        }
    };
    match str::from_utf8(bytes) {
        Ok(text) => {
            let path = path.into();
            let reading = Reading { path, text };
            reading.config().map_err(|found| mistake(text, found))
        }
        Err(error) => {
            let (valid, _) = bytes.split_at(error.valid_up_to());
            let found = Mistake {
                at: valid.len(),
                what: "this is no UTF-8".to_owned(),
            };
            Err(mistake(&String::from_utf8_lossy(valid), found))
        }
    }
}

/// Of what comes behind `before`.
fn line_of(before: &str) -> usize {
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

impl Reading<'_> {
    fn config(&self) -> Result<Config, Mistake> {
        let tables: Tables = toml::from_str(self.text).map_err(|error| Mistake {
            at: error.span().map_or(0, |span| span.start),
            // Its lines are parts of one sentence.
            what: error.message().trim().replace('\n', ", "),
        })?;
        let mut config = Config::default();
        self.take(&mut config.theme, tables.theme);
        self.take(&mut config.ascii, tables.ascii);
        self.check(&mut config.grace, tables.grace, |text| grace(&text))?;
        self.check(&mut config.frames, tables.frames, frames)?;
        self.take(&mut config.mouse, tables.mouse);
        self.take(&mut config.lab.map, tables.lab.map);
        self.take(&mut config.lab.entry, tables.lab.entry);
        self.take(&mut config.lab.policy, tables.lab.policy);
        let Alarms {
            threads,
            handles,
            retained,
        } = tables.alarms;
        self.check(&mut config.alarms.threads, threads, |value| alarm(&value))?;
        self.check(&mut config.alarms.handles, handles, |value| alarm(&value))?;
        self.check(&mut config.alarms.retained, retained, |value| alarm(&value))?;
        self.take(&mut config.filters.entries, tables.filters.entries);
        self.take(&mut config.filters.threads, tables.filters.threads);
        self.take(&mut config.filters.handles, tables.filters.handles);
        self.take(&mut config.filters.waits, tables.filters.waits);
        self.take(&mut config.filters.events, tables.filters.events);
        self.keys(&mut config, tables.keys)?;
        let rules = tables.check.rules(&|at| self.origin(at));
        config.check = rules.map_err(|Wrong { at, what }| Mistake { at, what })?;
        Ok(config)
    }

    fn take<T>(&self, setting: &mut Setting<T>, found: Option<Spanned<T>>) {
        if let Some(found) = found {
            *setting = Setting {
                from: self.origin(found.span().start),
                value: found.into_inner(),
            };
        }
    }

    /// Takes what `read` makes of what was found, or says what is wrong with it.
    fn check<T, F>(
        &self,
        setting: &mut Setting<T>,
        found: Option<Spanned<F>>,
        read: impl FnOnce(F) -> Result<T, String>,
    ) -> Result<(), Mistake> {
        if let Some(found) = found {
            let at = found.span().start;
            *setting = Setting {
                from: self.origin(at),
                value: read(found.into_inner()).map_err(|what| Mistake { at, what })?,
            };
        }
        Ok(())
    }

    fn keys(
        &self,
        config: &mut Config,
        found: BTreeMap<Spanned<String>, Spanned<Value>>,
    ) -> Result<(), Mistake> {
        let mut overrides = Vec::new();
        let mut places = Vec::new();
        for (action, keys) in found {
            places.push((action.span().start, keys.span().start));
            overrides.push(Override {
                keys: keys_of(keys.into_inner()).map_err(|what| Mistake {
                    at: places.last().map_or(0, |(_, at)| *at),
                    what: format!("{}: {what}", action.get_ref()),
                })?,
                action: action.into_inner(),
            });
        }
        config.keys.map = Keymap::new(&overrides).map_err(|error| {
            let mut pairs = overrides.iter().zip(&places);
            let place = pairs.find(|(over, _)| over.action == error.action());
            let (action, keys) = place.map_or((0, 0), |(_, place)| *place);
            Mistake {
                at: match error {
                    KeymapError::NoAction { .. } => action,
                    _ => keys,
                },
                what: error.to_string(),
            }
        })?;
        for (over, (_, at)) in overrides.iter().zip(&places) {
            let rows = TABLE.iter().zip(&mut config.keys.origins);
            for (_, origin) in rows.filter(|(row, _)| row.name == over.action) {
                *origin = self.origin(*at);
            }
        }
        Ok(())
    }

    fn origin(&self, at: usize) -> Origin {
        Origin::File {
            path: Arc::clone(&self.path),
            line: line_of(&self.text[..at]),
        }
    }
}

fn grace(text: &str) -> Result<Duration, String> {
    let ns = duration::parse_ns(text).map_err(|no| format!("grace can't be {text:?}: {no}"))?;
    let grace = Duration::from_nanos(ns);
    if GRACE.contains(&grace) {
        Ok(grace)
    } else {
        Err(format!("grace can't be {text:?}: it is from 1ms to 10m"))
    }
}

fn frames(number: i64) -> Result<u8, String> {
    u8::try_from(number)
        .ok()
        .filter(|frames| (1..=60).contains(frames))
        .ok_or_else(|| format!("frames can't be {number}: it is from 1 to 60 a second"))
}

fn alarm(value: &Value) -> Result<Option<u64>, String> {
    match *value {
        Value::Boolean(false) => Ok(None),
        Value::Integer(number @ 1..) => Ok(Some(number.unsigned_abs())),
        _ => Err("an alarm is a number from 1 on, or false for none".to_owned()),
    }
}

fn keys_of(value: Value) -> Result<Vec<String>, String> {
    let several = match value {
        Value::Array(several) => several,
        one => vec![one],
    };
    let keys = several.into_iter().map(|one| match one {
        Value::String(key) => Ok(key),
        _ => Err("keys are a text such as \"ctrl-x\" or a list of them".to_owned()),
    });
    keys.collect()
}
