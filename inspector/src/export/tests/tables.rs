//! Tables, as Python's sqlite3 and DuckDB read them, held against JSON Lines and the judgements.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    CLEAN, LAB, Told,
    genuine::python,
    lost::{LOST, with_whole},
    ms,
};
use crate::{
    export::{Format, tables::Table},
    verdict::Verdict,
};

/// A way of writing tables, and the Python module that reads them.
struct Kind {
    format: Format,
    reader: &'static str,
}

const KINDS: &[Kind] = &[
    #[cfg(feature = "sqlite")]
    Kind {
        format: Format::Sqlite,
        reader: "sqlite3",
    },
    #[cfg(feature = "parquet")]
    Kind {
        format: Format::Parquet,
        reader: "duckdb",
    },
];

impl Kind {
    /// Each query's rows. `None` = the reader is lacking.
    fn asked(&self, told: &Told<'_>, queries: &[&str]) -> Option<Vec<Value>> {
        let folder = tempfile::tempdir().unwrap();
        let (place, _) = told.written_in(self.format, folder.path());
        let lines: Vec<String> = queries
            .iter()
            .map(|query| query.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let said = python(
            self.reader,
            "ask-tables.py",
            &place,
            lines.join("\n").as_bytes(),
        )?;
        let rows: Vec<Value> = said
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.len(), queries.len());
        Some(rows)
    }
}

/// A database's own words for yes and no differ.
fn is_true(value: &Value) -> bool {
    *value == json!(true) || *value == json!(1)
}

#[test]
fn events_are_those_of_the_json_lines() {
    let (lines, totals) = LAB.written(Format::Jsonl);
    let text = String::from_utf8(lines).unwrap();
    let events: Vec<Value> = text
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut counts = BTreeMap::new();
    for event in &events {
        let kind = event["event"].as_str().unwrap();
        *counts.entry(kind).or_insert(0_u64) += 1;
    }
    let counts: Vec<Value> = counts.iter().map(|count| json!(count)).collect();
    for kind in KINDS {
        let Some(answers) = kind.asked(
            &LAB,
            &[
                "select event, count(*) from events group by 1 order by 1",
                "select json from events",
                "select at_ns, tid, tgid, call, wait_since_ns, woken_by from events
                 where event = 'wait_ended' order by at_ns limit 1",
                "select tid, map, key from events where event = 'delete_begin' order by at_ns",
                "select fd, kind, file from events where event = 'handle_born' order by at_ns",
                "select layer, lost, hides_lives, from_ns, until_ns from gaps order by from_ns",
                "select schema, host, command, since_ns, until_ns, events, lost from meta",
            ],
        ) else {
            continue;
        };
        assert_eq!(answers[0], json!(counts));
        let whole: Vec<Value> = answers[1]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| serde_json::from_str(row[0].as_str().unwrap()).unwrap())
            .collect();
        assert_eq!(whole, events);
        assert_eq!(
            answers[2],
            json!([[30_000_000, 101, 100, "futex", 25_000_000, 100]])
        );
        assert_eq!(answers[3], json!([[100, 1, "tick"], [100, 1, "warm"]]));
        assert_eq!(answers[4][1][1], "socket");
        let gaps = answers[5].as_array().unwrap();
        assert_eq!((gaps.len(), &gaps[0][1]), (2, &json!(1)));
        assert!(is_true(&gaps[0][2]) && !is_true(&gaps[1][2]));
        assert_eq!(
            answers[6],
            json!([[
                "inspector-tables/1",
                r"host\u{1b}[2J",
                "lab --policy leak",
                10_000_000,
                2_000_000_000,
                totals.events,
                2
            ]])
        );
    }
}

#[test]
fn verdicts_are_the_judgements() {
    for told in [LAB, CLEAN] {
        let pipeline = told.pipeline_until(ms(told.until_ms));
        let mut expected: Vec<Value> = pipeline
            .judgements()
            .map(|judged| {
                json!([
                    judged.entry.key.text.to_string(),
                    judged.entry.generation,
                    judged.verdict.word(),
                    judged.verdict.to_string(),
                    judged.evidence.to_string(),
                ])
            })
            .collect();
        expected.sort_by_key(Value::to_string);
        let retained = pipeline
            .judgements()
            .filter(|judged| matches!(judged.verdict, Verdict::Retained(_)))
            .count();
        for kind in KINDS {
            let Some(answers) = kind.asked(
                &told,
                &[
                    "select key, generation, verdict, words, grounds from verdicts",
                    "select count(*) from verdicts join resources on resources.id = resource
                     join entries on entries.id = verdicts.entry
                     where resources.number = verdicts.number and entries.key = verdicts.key
                     and resources.kind = verdicts.kind",
                    "select resources.number from verdicts join resources on id = resource
                     where alive and verdict = 'retained'",
                ],
            ) else {
                continue;
            };
            let mut rows = answers[0].as_array().unwrap().clone();
            rows.sort_by_key(Value::to_string);
            assert_eq!(rows, expected);
            assert_eq!(answers[1], json!([[expected.len()]]));
            assert_eq!(answers[2].as_array().unwrap().len(), retained);
        }
    }
}

#[test]
fn a_life_says_whose_it_was_and_how_it_ended() {
    for kind in KINDS {
        let Some(answers) = kind.asked(
            &LAB,
            &[
                "select number, born_ns, died_ns, cause, owner_key, owner_generation, rule
                 from resources where kind = 'thread' and number in (101, 103) order by 1, 2",
                "select number, handle_kind, born_ns, birth_call, died_ns, cause, died_by, alive
                 from resources where kind = 'handle' and number = 5",
                "select key, generation, policy, removal, delete_end_ns, resources from entries
                 order by 1, 2",
                "select number, verdict, delete_end_ns, outlived_ns from verdicts
                 where outlived_ns > 0 order by number",
                "select count(*) from resources where alive and died_ns is not null
                 or not alive and state in ('open', 'alive')",
            ],
        ) else {
            continue;
        };
        let threads = answers[0].as_array().unwrap();
        assert_eq!(
            threads[0],
            json!([
                101,
                21_000_000,
                1_501_000_000,
                "last switch",
                "tick",
                1,
                "span"
            ])
        );
        assert_eq!(threads.len(), 3, "tid 103 was given twice");
        assert_eq!(
            (&threads[1][4], &threads[1][5]),
            (&json!("tick"), &json!(2))
        );
        assert_eq!(threads[2][4], Value::Null);
        let handle = &answers[1][0];
        let call = &handle[3];
        assert!(call.as_str().is_some_and(|call| !call.is_empty()));
        assert!(!is_true(&handle[7]));
        assert_eq!(
            *handle,
            json!([
                5, "socket", 23_000_000, call, 60_000_000, "close", 100, handle[7]
            ])
        );
        assert_eq!(
            answers[2][0],
            json!(["tick", 1, "stop", "deleted", 52_000_000, 3])
        );
        let outlived = answers[3].as_array().unwrap();
        assert!(outlived.contains(&json!([5, "gone", 52_000_000, 8_000_000])));
        assert!(outlived.contains(&json!([101, "late", 52_000_000, 1_449_000_000_u64])));
        assert_eq!(answers[4], json!([[0]]));
    }
}

/// What another process named is text, and text that does no harm.
#[test]
fn names_are_escaped_and_quote_nothing() {
    let told = Told {
        story: "
            10 100 rename a');%1b--
            11 100 store-begin %ff'x
            12 100 store-end %ff'x",
        until_ms: 20,
        ..Told::default()
    };
    for kind in KINDS {
        let Some(answers) = kind.asked(
            &told,
            &[
                "select name from resources",
                "select key, map from entries",
                "select comm from events where comm is not null",
            ],
        ) else {
            continue;
        };
        assert_eq!(answers[0], json!([[r"a');\u{1b}--"]]));
        assert_eq!(answers[1], json!([[r"\xff'x", 1]]));
        assert_eq!(answers[2], json!([[r"a');\u{1b}--"]]));
    }
}

/// Who was alive before a loss and is not known after it died at some time between.
#[test]
fn who_is_not_known_after_a_loss_ended_in_it() {
    let query =
        "select number, generation, alive, died_ns / 1000000, died_after_ns / 1000000, state, cause
        from resources where number in (4, 101, 102, 103) order by born_ns";
    for kind in KINDS {
        let ids = "select count(*), count(distinct id) from resources";
        let Some(answers) = kind.asked(&LOST, &[query, ids]) else {
            continue;
        };
        let rows = |answer: &Value| {
            let rows = answer.as_array().unwrap().iter();
            let rows = rows.map(|row| {
                let at = |place: usize| row[place].as_f64();
                let words = [&row[5], &row[6]].map(|word| word.as_str().unwrap_or("").to_owned());
                (at(0).unwrap(), is_true(&row[2]), at(3), at(4), words)
            });
            rows.collect::<Vec<_>>()
        };
        let words = |state: &str, cause: &str| [state.to_owned(), cause.to_owned()];
        let lost = words("gone", "while events were lost");
        let closed = words("closed", "while events were lost");
        assert_eq!(
            rows(&answers[0]),
            [
                (101.0, false, Some(150.0), Some(100.0), lost),
                (4.0, false, Some(150.0), Some(100.0), closed),
                (102.0, true, None, None, words("alive", "")),
                (103.0, false, Some(21.0), None, words("gone", "last switch")),
                (4.0, true, None, None, words("open", "")),
            ]
        );
        assert_eq!(answers[1][0][0], answers[1][0][1], "a number is used twice");
        let whole = with_whole(|whole| kind.asked(&whole, &[query])).unwrap();
        let whole = rows(&whole[0]);
        assert_eq!(whole[0].2, Some(111.0));
        assert_eq!(whole[1].2, Some(112.0));
        assert!(whole.iter().all(|row| row.3.is_none()), "{whole:?}");
    }
}

#[test]
fn the_manual_names_every_column() {
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md"));
    let (_, tables) = manual.split_once("inspector-tables/1").unwrap();
    for table in Table::ALL {
        let section = tables
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", table.name())));
        let section = section.unwrap_or_else(|| panic!("{}", table.name()));
        for column in table.columns() {
            let name = format!("`{}`", column.name);
            assert!(section.contains(&name), "{}: {name}", table.name());
        }
    }
}
