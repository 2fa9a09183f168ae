//! What files say, what is said of their mistakes, and that what is printed can be read.

use std::{fs, io, path::Path, time::Duration};

use super::{
    Config, ConfigError, Origin, Place, Setting, Surroundings, Theme, file, is_absence,
    read::Rights,
};
use crate::{
    lab::{MapKind, entry::EntryKind, policy::Policy},
    rules::Rules,
    tui::keymap::Action,
};

const PATH: &str = "/home/u/inspector.toml";

/// A file with everything in it.
const FULL: &str = r#"theme = "light"
ascii = true
grace = "1.5s"
frames = 60
mouse = false
[lab]
map = "sharded"
entry = "watcher"
policy = "drop"
[alarms]
threads = 100
handles = 200
retained = false
[filters]
entries = 'state:retained "a\b"'
threads = "x"
handles = "kind:socket"
waits = "y"
events = "z"
[keys]
delete = "x"
quit = ["Q", "alt-q"]
clear-filter = ['\', '"']
dump = []
[check]
grace = "2s"
processes = "all"
open_at_exit = ["socket", "file"]
outlive = false
late = false
suspects = false
allow_unknown = true
[check.budget]
socket = 3
thread = 0
[[check.ignore]]
kind = "file"
path = "/var/log/*.log"
name = "a\"b"
reason = "the logger keeps it"
expires = 2027-01-31
[[check.growth]]
kind = "socket"
target = "tcp *:443"
call = "accept4"
most = 10
"#;

fn parse(text: &str) -> Config {
    file::parse(Path::new(PATH), text.as_bytes()).unwrap()
}

#[track_caller]
fn is_from_line<T>(setting: &Setting<T>, expected: usize) {
    let expected = Origin::File {
        path: Path::new(PATH).into(),
        line: expected,
    };
    assert_eq!(setting.from, expected);
}

/// The text is refused at `⟨`, which is not part of it.
#[track_caller]
fn refused(marked: &str, said: &str) {
    let (before, after) = marked.split_once('⟨').unwrap();
    let text = [before, after].concat();
    let error = file::parse(Path::new(PATH), text.as_bytes()).unwrap_err();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|one| *one != '\n').count() + 1;
    let place = format!("{PATH}:{line}:{column}: ");
    let message = error.to_string();
    let what = message
        .strip_prefix(&place)
        .unwrap_or_else(|| panic!("{message}, not at {place}"));
    assert!(what.contains(said), "{what}");
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(parse("").toml(), Config::default().toml());
}

#[test]
fn everything_can_be_set_and_knows_its_line() {
    let config = parse(FULL);
    assert_eq!(config.theme.value, Theme::Light);
    is_from_line(&config.theme, 1);
    assert!(config.ascii.value && !config.mouse.value);
    assert_eq!(config.grace.value, Duration::from_millis(1500));
    is_from_line(&config.grace, 3);
    assert_eq!(config.frames.value, 60);
    assert_eq!(config.lab.map.value, MapKind::Sharded);
    assert_eq!(config.lab.entry.value, EntryKind::Watcher);
    assert_eq!(config.lab.policy.value, Policy::Drop);
    is_from_line(&config.lab.policy, 9);
    assert_eq!(config.alarms.threads.value, Some(100));
    assert_eq!(config.alarms.handles.value, Some(200));
    assert_eq!(config.alarms.retained.value, None);
    is_from_line(&config.alarms.retained, 13);
    assert_eq!(config.filters.entries.value, r#"state:retained "a\b""#);
    is_from_line(&config.filters.events, 19);
    assert_eq!(config.keys.map.keys_of(Action::Delete), ["x"]);
    assert_eq!(
        config.keys.map.keys_of(Action::Quit),
        ["Q", "alt-q", "ctrl-c"]
    );
    assert_eq!(
        config.keys.origin(Action::Delete).to_string(),
        format!("{PATH}:21")
    );
    assert_eq!(*config.keys.origin(Action::Store), Origin::Default);
    assert!(config.check.allow_unknown);
    assert_eq!(config.check.budgets.len(), 2);
    let line = FULL.lines().position(|line| line == "[[check.ignore]]");
    assert_eq!(
        config.check.ignores[0].from.to_string(),
        format!("{PATH}:{}", line.unwrap() + 1)
    );
}

/// Rules without the places where they are said.
fn bare(mut rules: Rules) -> Rules {
    rules.said.clear();
    for budget in &mut rules.budgets {
        budget.from = Origin::Default;
    }
    for ignore in &mut rules.ignores {
        ignore.from = Origin::Default;
    }
    for limit in &mut rules.growth {
        limit.from = Origin::Default;
    }
    rules
}

#[test]
fn what_is_printed_is_read_again() {
    let odd = "[filters]\nentries = \"a\\nb\\u0000\\u202E\\u0007é\"\n";
    for text in ["", FULL, odd] {
        let printed = parse(text).toml();
        assert!(
            printed
                .lines()
                .all(|line| line.is_empty() || line.starts_with('[') || line.contains("  # ")),
            "{printed}"
        );
        let values = |text: &str| -> Vec<String> {
            let lines = text.lines().map(|line| line.split("  #").next());
            lines.flatten().map(|line| line.trim().to_owned()).collect()
        };
        assert_eq!(values(&parse(&printed).toml()), values(&printed));
        let rules = |text: &str| bare(parse(text).check);
        assert_eq!(rules(&printed), rules(text));
    }
    assert_eq!(
        parse(&parse(odd).toml()).filters.entries.value,
        "a\nb\0\u{202e}\u{7}é"
    );
}

#[test]
fn mistakes_are_told_with_their_place_and_what_there_is() {
    refused(
        "ascii = true\n⟨colour = 1\n",
        "unknown field `colour`, expected one of `theme`, `ascii`",
    );
    refused(
        "theme = ⟨\"blue\"",
        "unknown variant `blue`, expected one of `dark`, `light`, `mono`",
    );
    refused("[check]\n⟨later = true", "unknown field `later`");
    refused(
        "[[check.ignore]]\nkind = \"file\"\nreason = ⟨\"\"",
        "the reason is empty",
    );
    refused("[lab]\nmap = ⟨\"tree\"", "expected `mutex` or `sharded`");
    refused(
        "[lab]\n⟨keys = 1",
        "unknown field `keys`, expected one of `map`, `entry`, `policy`",
    );
    refused(
        "ascii = ⟨1",
        "invalid type: integer `1`, expected a boolean",
    );
    refused(
        "grace = ⟨\"5\"",
        "grace can't be \"5\": a time is a number and a unit",
    );
    refused("grace = ⟨\"11m\"", "it is from 1ms to 10m");
    refused(
        "frames = ⟨0",
        "frames can't be 0: it is from 1 to 60 a second",
    );
    refused("frames = ⟨61", "from 1 to 60");
    refused("frames = ⟨-300", "from 1 to 60");
    for value in ["0", "-1", "true", "\"5\"", "1.5"] {
        refused(
            &format!("[alarms]\nretained = ⟨{value}"),
            "from 1 on, or false",
        );
    }
    refused(
        "[filters]\n⟨sites = 'x'",
        "expected one of `entries`, `threads`",
    );
    refused("mouse = ⟨tru", "");
}

#[test]
fn mistakes_of_keys_are_told_at_the_key() {
    refused(
        "[keys]\n⟨destroy = 'x'",
        "there is no action \"destroy\" to bind [\"x\"] to; there are up,",
    );
    refused(
        "[keys]\nup = 'u'\ncopy = ⟨'hyper-y'",
        "\"hyper-y\" for copy is no key",
    );
    refused(
        "[keys]\ncopy = ⟨['c', 'd']",
        "the key d is bound to both copy and delete",
    );
    refused("[keys]\ncopy = ⟨'ctrl-c'", "it always quits");
    refused("[keys]\ncopy = ⟨3", "copy: keys are a text");
    refused("[keys]\ncopy = ⟨['c', 3]", "copy: keys are a text");
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let error = file::parse(Path::new("x"), b"ascii = true\n# \xff").unwrap_err();
    assert_eq!(error.to_string(), "x:2:3: this is no UTF-8");
}

#[test]
fn no_message_drives_a_terminal() {
    let error = file::parse(Path::new("a\x1bb"), b"theme = \"\\u001B[2J\"").unwrap_err();
    assert!(!error.to_string().contains('\x1b'), "{error}");
    let printed = parse("theme = 'mono'").toml();
    assert!(!printed.contains('\x1b'));
}

#[test]
fn no_color_overrides_the_default_and_not_the_file() {
    let around = Surroundings {
        no_color: true,
        ..Surroundings::default()
    };
    let mut config = parse("");
    config.heed(&around);
    assert_eq!(config.theme.value, Theme::Mono);
    assert_eq!(config.theme.from.to_string(), "NO_COLOR");
    let mut config = parse("theme = 'light'");
    config.heed(&around);
    assert_eq!(config.theme.value, Theme::Light);
    config.theme.set_from_cli(None);
    assert_eq!(config.theme.value, Theme::Light);
    config.theme.set_from_cli(Some(Theme::Dark));
    assert_eq!(config.theme.from, Origin::CommandLine);
}

#[test]
fn only_what_nobody_asked_for_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for missing in [folder.path().join("missing"), file.join("below")] {
        let usual = Config::at(&Place::Usual(missing.clone()), &Rights::Ordinary).unwrap();
        assert_eq!(usual.notice, None);
        let error = Config::at(&Place::Asked(missing), &Rights::Ordinary).unwrap_err();
        let ConfigError::Unreadable(_, error) = error else {
            panic!("{error}")
        };
        assert!(is_absence(&error));
    }
    let long = Config::at(&Place::Asked("/dev/zero".into()), &Rights::Ordinary).unwrap_err();
    assert!(
        long.to_string()
            .starts_with("/dev/zero is longer than the 64 KiB"),
        "{long}"
    );
    assert!(!is_absence(&io::Error::from(
        io::ErrorKind::PermissionDenied
    )));
}
