//! The configuration as it would be written: TOML that says of each line where it comes from.

use super::{Config, Origin, Setting};
use crate::{duration, event::text::is_hostile, tui::keymap::TABLE};

/// A table's lines, each with its origin.
struct Table<'a> {
    name: Option<&'static str>,
    lines: Vec<(String, &'a Origin)>,
}

impl<'a> Table<'a> {
    fn new(name: Option<&'static str>) -> Self {
        let lines = Vec::new();
        Self { name, lines }
    }

    fn line(mut self, name: &str, value: &str, from: &'a Origin) -> Self {
        self.lines.push((format!("{name} = {value}"), from));
        self
    }

    fn setting<T>(self, name: &str, setting: &'a Setting<T>, show: impl Fn(&T) -> String) -> Self {
        self.line(name, &show(&setting.value), &setting.from)
    }
}

impl Config {
    /// What is in force, as a file that would bring it about.
    pub fn toml(&self) -> String {
        let mut text = String::new();
        for table in self.tables() {
            if let Some(name) = table.name {
                text += &format!("\n[{name}]\n");
            }
            let lengths = table.lines.iter().map(|(line, _)| line.chars().count());
            let width = lengths.max().unwrap_or_default();
            for (line, from) in table.lines {
                text += &format!("{line:width$}  # {from}\n");
            }
        }
        text
    }

    fn tables(&self) -> [Table<'_>; 5] {
        let (lab, alarms, filters) = (&self.lab, &self.alarms, &self.filters);
        let mut keys = Table::new(Some("keys"));
        for row in TABLE {
            let each = self.keys.map.keys_of(row.action);
            let each: Vec<_> = each.iter().map(|key| quoted(key)).collect();
            let value = format!("[{}]", each.join(", "));
            keys = keys.line(row.name, &value, self.keys.origin(row.action));
        }
        [
            Table::new(None)
                .setting("theme", &self.theme, |theme| quoted(theme.name()))
                .setting("ascii", &self.ascii, bool::to_string)
                .setting("grace", &self.grace, |grace| {
                    let ns = u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX);
                    quoted(&duration::written(ns))
                })
                .setting("frames", &self.frames, u8::to_string)
                .setting("mouse", &self.mouse, bool::to_string),
            Table::new(Some("lab"))
                .setting("map", &lab.map, |map| quoted(map.name()))
                .setting("entry", &lab.entry, |entry| quoted(entry.name()))
                .setting("policy", &lab.policy, |policy| quoted(policy.name())),
            Table::new(Some("alarms"))
                .setting("threads", &alarms.threads, alarm)
                .setting("handles", &alarms.handles, alarm)
                .setting("retained", &alarms.retained, alarm),
            Table::new(Some("filters"))
                .setting("entries", &filters.entries, |text| quoted(text))
                .setting("threads", &filters.threads, |text| quoted(text))
                .setting("handles", &filters.handles, |text| quoted(text))
                .setting("waits", &filters.waits, |text| quoted(text))
                .setting("events", &filters.events, |text| quoted(text)),
            keys,
        ]
    }
}

fn alarm(from: &Option<u64>) -> String {
    from.map_or_else(|| "false".to_owned(), |from| from.to_string())
}

/// A string of TOML on one line, and of nothing that drives a terminal.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if is_hostile(letter) => quoted += &format!("\\U{:08X}", u32::from(letter)),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
