//! Which rows pass, and what is said of filters that are none.

use std::borrow::Cow;

use proptest::prelude::*;

use super::{FieldInfo, FieldKind, Filter, FilterError, Row, parse};

const FIELDS: &[FieldInfo] = &[
    field("name", FieldKind::Text),
    field("site", FieldKind::Text),
    field("kind", FieldKind::Word(&["timerfd", "eventfd", "socket"])),
    field("fd", FieldKind::Number),
    field("age", FieldKind::Duration),
];

const fn field(name: &'static str, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        name,
        kind,
        about: "a field",
    }
}

struct Handle {
    name: &'static str,
    kind: &'static str,
    fd: u64,
    age_ns: Option<u64>,
}

impl Row for Handle {
    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        match field {
            "name" => Some(self.name.into()),
            "kind" => Some(self.kind.into()),
            _ => None,
        }
    }

    fn number(&self, field: &str) -> Option<u64> {
        match field {
            "fd" => Some(self.fd),
            "age" => self.age_ns,
            _ => None,
        }
    }
}

const TICK: Handle = Handle {
    name: "Tick-0007 of Größe",
    kind: "timerfd",
    fd: 9,
    age_ns: Some(12_000_000_000),
};

/// Its age is not known.
const ODD: Handle = Handle {
    age_ns: None,
    ..TICK
};

fn filter(text: &str) -> Filter {
    parse(text, FIELDS).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[track_caller]
fn passes(row: &Handle, text: &str) {
    assert!(filter(text).matches(row, FIELDS), "{text}");
}

#[track_caller]
fn is_left_out(row: &Handle, text: &str) {
    assert!(!filter(text).matches(row, FIELDS), "{text}");
}

/// `text` is refused at what stands between the brackets in `marked`.
#[track_caller]
fn refused(marked: &str, what: &str) {
    let (before, rest) = marked.split_once('⟨').unwrap();
    let (fault, after) = rest.split_once('⟩').unwrap();
    let error = parse(&[before, fault, after].concat(), FIELDS).unwrap_err();
    assert!(error.what.contains(what), "{}", error.what);
    assert_eq!(
        (error.at, error.len),
        (before.len(), fault.len()),
        "{error}"
    );
}

#[test]
fn nothing_lets_everything_pass() {
    for text in ["", "  ", "\t\n"] {
        assert!(filter(text).is_empty());
        passes(&TICK, text);
    }
    assert_eq!(filter(""), Filter::default());
}

#[test]
fn all_terms_must_hold() {
    passes(&TICK, "kind:timerfd age>10s name~tick");
    is_left_out(&TICK, "kind:timerfd age>20s name~tick");
}

#[test]
fn text_is_compared_whatever_its_case() {
    passes(&TICK, "tick");
    passes(&TICK, "TIMERFD");
    passes(&TICK, "name~GRÖ");
    passes(&TICK, "name:\"tick-0007 OF größe\"");
    is_left_out(&TICK, "name:tick-0007");
    is_left_out(&TICK, "absent");
    passes(&TICK, "Kind:TimerFD");
    passes(&TICK, "name~\"07 of\" \"07 of\"");
    is_left_out(&TICK, "site:\"\"");
    passes(&TICK, "name~\"\"");
}

#[test]
fn a_comma_is_any_of_both() {
    passes(&TICK, "kind:eventfd,timerfd");
    is_left_out(&TICK, "kind:eventfd,socket");
    passes(&TICK, "name:a,\"tick-0007 of größe\",b");
    passes(&TICK, "fd:8,9 age:12s");
    passes(&ODD, "-name~a,b");
}

#[test]
fn numbers_and_times_compare() {
    for text in [
        "fd>8",
        "fd>=9",
        "fd<=9",
        "fd<10",
        "fd=9",
        "age>1.5ms",
        "age<1h",
        "age=12s",
    ] {
        passes(&TICK, text);
    }
    for text in [
        "fd>9", "fd>=10", "fd<=8", "fd<9", "fd=8", "age>12s", "age<12s",
    ] {
        is_left_out(&TICK, text);
    }
}

#[test]
fn of_what_is_not_known_nothing_holds() {
    for text in ["age>0", "age<1h", "age=0", "age:12s", "site~\"\""] {
        is_left_out(&ODD, text);
        // What is left out by a term is what its negation shows: nothing hides from both.
        passes(&ODD, &format!("-{text}"));
    }
}

#[test]
fn terms_are_turned_round() {
    for sign in ["-", "!"] {
        is_left_out(&TICK, &format!("{sign}kind:timerfd"));
        passes(&TICK, &format!("{sign}kind:socket"));
        passes(&TICK, &format!("{sign}fd>9 tick"));
        is_left_out(&TICK, &format!("{sign}\"07 of\""));
    }
}

#[test]
fn signs_elsewhere_are_text() {
    assert!(parse("10.0.0.7:443 src/lab.rs:41 :x --x =", FIELDS).is_ok());
    assert!(parse("\"std::thread\" a-b a\"b name~a:b name:a\"b", FIELDS).is_ok());
    assert_eq!(filter(r#"name:"a\"\\b""#), filter(r#"name:a"\b"#));
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    refused(
        "tick ⟨nam⟩:x",
        "there is no field nam; there are name, site, kind, fd, age",
    );
    refused("⟨std⟩::thread", "goes in quotes");
    refused(
        "é kind:timerfd,⟨timer⟩ x",
        "kind is never \"timer\"; it is one of timerfd, eventfd, socket",
    );
    refused("kind:⟨\"\"⟩", "one of timerfd");
    refused("kind⟨>⟩timerfd", "kind takes : or ~ and one of timerfd");
    refused("name⟨>=⟩x", "name takes :text (is) and ~text (holds)");
    refused(
        "age⟨~⟩1",
        "age takes one of : = < <= > >= and a time such as 10s",
    );
    refused(
        "age>⟨10⟩",
        "age can't be \"10\": a time is a number and a unit of d, h, m",
    );
    refused("age>⟨999999999d⟩", "too long");
    refused("fd>⟨1k⟩", "fd can't be \"1k\": a number is digits only");
    refused("fd>⟨99999999999999999999⟩", "64 bits");
    refused("fd:1,⟨-2⟩", "digits only");
    refused("fd>⟨⟩", "a value is missing: fd takes");
    refused("kind:timerfd,⟨⟩ x", "a value is missing: kind takes");
    refused("kind:⟨⟩,timerfd", "a value is missing");
    refused("x ⟨-⟩", "- needs a term behind it");
    refused("x ⟨!⟩ y", "! needs a term behind it");
    refused("name~⟨\"tick 7⟩", "closing quote is missing");
    refused("\"a\"⟨b⟩ c", "a blank is missing");
}

/// Texts that are near to being filters.
fn near() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("name"),
        Just("kind"),
        Just("age"),
        Just("fd"),
        Just("timerfd"),
        Just("10s"),
        Just("7"),
        Just(":"),
        Just("~"),
        Just(">"),
        Just("<="),
        Just("="),
        Just(","),
        Just("\""),
        Just("\\"),
        Just("-"),
        Just("!"),
        Just(" "),
        Just("é"),
        Just("İ"),
        Just("\u{3000}"),
        Just("."),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn is_sound(text: &str) -> Result<(), TestCaseError> {
    match parse(text, FIELDS) {
        Ok(filter) => {
            filter.matches(&TICK, FIELDS);
            filter.matches(&ODD, FIELDS);
        }
        Err(FilterError { at, len, what }) => {
            prop_assert!(text.get(at..at + len).is_some(), "{at} {len} {what}");
            prop_assert!(!what.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_a_sound_error(text in any::<String>()) {
        is_sound(&text)?;
    }

    #[test]
    fn nearly_filters_are_filters_or_sound_errors(text in near()) {
        is_sound(&text)?;
    }

    #[test]
    fn a_term_and_its_negation_part_the_rows(text in near()) {
        let one = !text.contains(char::is_whitespace) && !text.starts_with(['-', '!']);
        if let (true, Ok(plain)) = (one && !text.is_empty(), parse(&text, FIELDS)) {
            let negated = filter(&format!("-{text}"));
            for row in [&TICK, &ODD] {
                prop_assert_ne!(plain.matches(row, FIELDS), negated.matches(row, FIELDS));
            }
        }
    }

    #[test]
    fn looking_for_a_part_finds_it(before in any::<String>(), part in any::<String>(), after in any::<String>()) {
        let whole = format!("{before}{part}{after}");
        for part in [part.clone(), part.to_ascii_uppercase(), part.to_ascii_lowercase()] {
            let needle = super::fold::Needle::new(&part);
            prop_assert!(needle.is_in(&whole));
            prop_assert!(needle.is(&part));
        }
    }
}
