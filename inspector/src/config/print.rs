//! The configuration as it would be written: TOML that says of each line where it comes from.

use super::{Config, Origin, Setting};
use crate::{
    duration,
    event::text::is_hostile,
    rules::{Glob, Kind, Kinds, Rules},
    tui::keymap::TABLE,
};

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

    fn tables(&self) -> Vec<Table<'_>> {
        let (lab, alarms, filters) = (&self.lab, &self.alarms, &self.filters);
        let mut keys = Table::new(Some("keys"));
        for row in TABLE {
            let each = self.keys.map.keys_of(row.action);
            let each: Vec<_> = each.iter().map(|key| quoted(key)).collect();
            let value = format!("[{}]", each.join(", "));
            keys = keys.line(row.name, &value, self.keys.origin(row.action));
        }
        let mut tables = vec![
            Table::new(None)
                .setting("theme", &self.theme, |theme| quoted(theme.name()))
                .setting("ascii", &self.ascii, bool::to_string)
                .setting("grace", &self.grace, |grace| {
                    let ns = duration::as_ns(*grace);
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
        ];
        check(&self.check, &mut tables);
        tables
    }
}

/// `[check]` and its lists.
fn check<'a>(rules: &'a Rules, tables: &mut Vec<Table<'a>>) {
    let mut check = Table::new(Some("check"));
    if let Some(grace) = rules.grace {
        let ns = duration::as_ns(grace);
        let grace = quoted(&duration::written(ns));
        check = check.line("grace", &grace, rules.origin("grace"));
    }
    let kinds = match &rules.open_at_exit {
        Kinds::All => "true".to_owned(),
        Kinds::These(kinds) if kinds.is_empty() => "false".to_owned(),
        Kinds::These(kinds) => {
            let kinds: Vec<_> = kinds.iter().map(|kind| quoted(kind.word())).collect();
            format!("[{}]", kinds.join(", "))
        }
    };
    let processes = quoted(rules.processes.name());
    for (name, value) in [
        ("processes", processes),
        ("open_at_exit", kinds),
        ("outlive", rules.outlive.to_string()),
        ("late", rules.late.to_string()),
        ("suspects", rules.suspects.to_string()),
        ("closes", rules.closes.to_string()),
        ("allow_unknown", rules.allow_unknown.to_string()),
    ] {
        check = check.line(name, &value, rules.origin(name));
    }
    tables.push(check);
    let mut budgets = Table::new(Some("check.budget"));
    for budget in &rules.budgets {
        budgets = budgets.line(budget.kind.word(), &budget.most.to_string(), &budget.from);
    }
    if !rules.budgets.is_empty() {
        tables.push(budgets);
    }
    for ignore in &rules.ignores {
        let expires = ignore.expires.map(|day| day.to_string());
        let lines = [
            ("kind", ignore.kind.map(Kind::word)),
            ("path", ignore.path.as_ref().map(Glob::text)),
            ("name", ignore.name.as_ref().map(Glob::text)),
            ("reason", Some(ignore.reason.as_str())),
            ("expires", expires.as_deref()),
        ];
        tables.push(list("[check.ignore]", &lines, &ignore.from));
    }
    for limit in &rules.growth {
        let lines = [
            ("kind", limit.kind.map(Kind::word)),
            ("target", limit.target.as_ref().map(Glob::text)),
            ("call", limit.call.as_deref()),
        ];
        let table = list("[check.growth]", &lines, &limit.from);
        tables.push(table.line("most", &limit.most.to_string(), &limit.from));
    }
}

/// One table of a list: the lines that say something.
fn list<'a>(name: &'static str, lines: &[(&str, Option<&str>)], from: &'a Origin) -> Table<'a> {
    lines
        .iter()
        .fold(Table::new(Some(name)), |table, (name, value)| match value {
            Some(value) => table.line(name, &quoted(value), from),
            None => table,
        })
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
