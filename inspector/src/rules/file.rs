//! The table `[check]` of `inspector.toml`, with the place of everything that is wrong.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Budget, Date, Glob, Ignore, Kind, Kinds, Limit, Rules, Whose};
use crate::{config::Origin, duration};

/// What the table may hold.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Check {
    grace: Option<Spanned<String>>,
    processes: Option<Spanned<Whose>>,
    open_at_exit: Option<Spanned<Value>>,
    outlive: Option<Spanned<bool>>,
    late: Option<Spanned<bool>>,
    suspects: Option<Spanned<bool>>,
    closes: Option<Spanned<bool>>,
    allow_unknown: Option<Spanned<bool>>,
    budget: BTreeMap<Spanned<String>, Spanned<Value>>,
    ignore: Vec<Spanned<IgnoreTable>>,
    growth: Vec<Spanned<GrowthTable>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct IgnoreTable {
    kind: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    expires: Option<Spanned<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GrowthTable {
    kind: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    call: Option<Spanned<String>>,
    most: Option<Spanned<Value>>,
}

/// Something wrong, at a byte of the file.
pub(crate) struct Wrong {
    pub(crate) at: usize,
    pub(crate) what: String,
}

/// The longest grace.
const MOST_GRACE: Duration = Duration::from_secs(600);

impl Check {
    /// The rules it makes; `origin` is what something at a byte of the file comes from.
    pub(crate) fn rules(self, origin: &dyn Fn(usize) -> Origin) -> Result<Rules, Wrong> {
        let mut rules = Rules::default();
        if let Some(text) = self.grace {
            rules.grace = Some(read(&text, |text| grace(text))?);
            rules.said.push(("grace", origin(text.span().start)));
        }
        if let Some(value) = self.open_at_exit {
            rules.open_at_exit = read(&value, kinds)?;
            rules
                .said
                .push(("open_at_exit", origin(value.span().start)));
        }
        if let Some(whose) = self.processes {
            rules.said.push(("processes", origin(whose.span().start)));
            rules.processes = whose.into_inner();
        }
        for (name, set, said) in [
            ("outlive", &mut rules.outlive, self.outlive),
            ("late", &mut rules.late, self.late),
            ("suspects", &mut rules.suspects, self.suspects),
            ("closes", &mut rules.closes, self.closes),
            (
                "allow_unknown",
                &mut rules.allow_unknown,
                self.allow_unknown,
            ),
        ] {
            if let Some(said) = said {
                rules.said.push((name, origin(said.span().start)));
                *set = said.into_inner();
            }
        }
        for (kind, most) in self.budget {
            rules.budgets.push(Budget {
                kind: read(&kind, |kind| kind.parse())?,
                most: read(&most, |most| number("a budget", most))?,
                from: origin(kind.span().start),
            });
        }
        for table in self.ignore {
            let from = origin(table.span().start);
            rules.ignores.push(ignore(table, from)?);
        }
        for table in self.growth {
            let from = origin(table.span().start);
            rules.growth.push(limit(table, from)?);
        }
        Ok(rules)
    }
}

/// What `make` makes of a value, or what is wrong at its place.
fn read<F, T, E: ToString>(
    found: &Spanned<F>,
    make: impl FnOnce(&F) -> Result<T, E>,
) -> Result<T, Wrong> {
    make(found.get_ref()).map_err(|error| Wrong {
        at: found.span().start,
        what: error.to_string(),
    })
}

fn ignore(table: Spanned<IgnoreTable>, from: Origin) -> Result<Ignore, Wrong> {
    let at = table.span().start;
    let wrong = |what: &str| Wrong {
        at,
        what: what.to_owned(),
    };
    let table = table.into_inner();
    if table.kind.is_none() && table.path.is_none() && table.name.is_none() {
        return Err(wrong("an ignore names a kind, a path or a name"));
    }
    let Some(reason) = table.reason else {
        return Err(wrong("an ignore needs a reason"));
    };
    let kind = table
        .kind
        .map(|kind| read(&kind, |kind| kind.parse::<Kind>()));
    let kind = kind.transpose()?;
    if let (Some(kind), Some(path)) = (kind, &table.path)
        && !kind.is_handle()
    {
        return read(path, |_| Err(format!("a {kind} has no path, but a name")));
    }
    Ok(Ignore {
        kind,
        path: glob(table.path.as_ref())?,
        name: glob(table.name.as_ref())?,
        reason: read(&reason, |reason| match reason.trim() {
            "" => Err("the reason is empty"),
            reason => Ok(reason.to_owned()),
        })?,
        expires: table
            .expires
            .map(|expires| read(&expires, date))
            .transpose()?,
        from,
    })
}

fn limit(table: Spanned<GrowthTable>, from: Origin) -> Result<Limit, Wrong> {
    let at = table.span().start;
    let table = table.into_inner();
    let Some(most) = table.most else {
        let what = "a growth rule needs most = NUMBER".to_owned();
        return Err(Wrong { at, what });
    };
    let kind = table.kind.map(|kind| {
        read(&kind, |kind| match kind.parse() {
            Ok(Kind::Process) => Err("processes are in no group: a budget limits them".to_owned()),
            Ok(kind) => Ok(kind),
            Err(error) => Err(error.to_string()),
        })
    });
    Ok(Limit {
        kind: kind.transpose()?,
        target: glob(table.target.as_ref())?,
        call: table.call.map(Spanned::into_inner),
        most: read(&most, |most| number("most", most))?,
        from,
    })
}

fn glob(text: Option<&Spanned<String>>) -> Result<Option<Glob>, Wrong> {
    let glob = text.map(|text| {
        read(text, |text| match text.as_str() {
            "" => Err("the pattern is empty"),
            text => Ok(Glob::new(text)),
        })
    });
    glob.transpose()
}

fn grace(text: &str) -> Result<Duration, String> {
    let ns = duration::parse_ns(text).map_err(|no| format!("grace can't be {text:?}: {no}"))?;
    let grace = Duration::from_nanos(ns);
    if grace <= MOST_GRACE {
        Ok(grace)
    } else {
        Err(format!("grace can't be {text:?}: it is at most 10m"))
    }
}

fn kinds(value: &Value) -> Result<Kinds, String> {
    let one = |value: &Value| match value {
        Value::String(word) => match word.parse::<Kind>() {
            Ok(kind) if kind.is_handle() => Ok(kind),
            Ok(kind) => Err(format!("a {kind} is no kind of handle")),
            Err(error) => Err(error.to_string()),
        },
        _ => Err("it is a list of kinds of handle, such as [\"socket\", \"file\"]".to_owned()),
    };
    match value {
        Value::Boolean(true) => Ok(Kinds::All),
        Value::Boolean(false) => Ok(Kinds::These(Vec::new())),
        Value::Array(kinds) => Ok(Kinds::These(
            kinds.iter().map(one).collect::<Result<_, _>>()?,
        )),
        _ => Err("it is true, false, or a list of kinds of handle".to_owned()),
    }
}

fn number(what: &str, value: &Value) -> Result<u64, String> {
    match *value {
        Value::Integer(number @ 0..) => Ok(number.unsigned_abs()),
        _ => Err(format!("{what} is a number from 0 on")),
    }
}

fn date(value: &Value) -> Result<Date, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Datetime(date) => date.to_string(),
        _ => String::new(),
    };
    text.parse()
        .map_err(|error: super::date::NoDate| error.to_string())
}
