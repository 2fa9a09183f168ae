//! Rules of the file and of arguments, and what is said of their mistakes.

use std::time::Duration;

use super::{Budget, Glob, Ignore, Kind, Kinds, Rules, Whose, file::Check};
use crate::{config::Origin, event::handle::HandleKind};

const FULL: &str = r#"
grace = "2s"
processes = "all"
open_at_exit = ["socket", "file"]
outlive = false
late = false
suspects = false
closes = false
allow_unknown = true
[budget]
socket = 3
thread = 0
[[ignore]]
kind = "file"
path = "/var/log/*.log"
reason = "the logger keeps its file open until the end"
expires = "2027-01-31"
[[ignore]]
name = "jemalloc_bg*"
reason = " the allocator's "
expires = 2027-02-01
[[growth]]
kind = "socket"
target = "tcp *:443"
call = "accept4"
most = 10
"#;

fn origin(line: usize) -> Origin {
    let path = std::path::Path::new("r.toml").into();
    Origin::File { path, line }
}

fn parse(text: &str) -> Result<Rules, (usize, String)> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let check: Check = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (line(at), error.message().to_owned())
    })?;
    check
        .rules(&|at| origin(line(at)))
        .map_err(|wrong| (line(wrong.at), wrong.what))
}

#[test]
fn everything_can_be_said() {
    let rules = parse(FULL).unwrap();
    assert_eq!(rules.grace, Some(Duration::from_secs(2)));
    assert_eq!(rules.processes, Whose::All);
    let socket = Kind::Of(HandleKind::Socket);
    let file = Kind::Of(HandleKind::File);
    assert_eq!(rules.open_at_exit, Kinds::These(vec![socket, file]));
    assert!(
        !rules.outlive && !rules.late && !rules.suspects && !rules.closes && rules.allow_unknown
    );
    assert_eq!(rules.budget(socket).unwrap().most, 3);
    assert_eq!(rules.budget(Kind::Thread).unwrap().most, 0);
    assert_eq!(rules.budget(file), None);
    let [log, bg] = &rules.ignores[..] else {
        panic!("{:?}", rules.ignores)
    };
    assert_eq!(log.kind, Some(file));
    assert_eq!(log.path, Some(Glob::new("/var/log/*.log")));
    assert_eq!(log.from, origin(13));
    assert_eq!(bg.reason, "the allocator's");
    assert_eq!(bg.expires, Some("2027-02-01".parse().unwrap()));
    assert!(bg.holds("2027-02-01".parse().unwrap()));
    assert!(!bg.holds("2027-02-02".parse().unwrap()));
    let [limit] = &rules.growth[..] else {
        panic!("{:?}", rules.growth)
    };
    assert!(limit.is_about(socket, Some(b"tcp *:443"), Some("accept4")));
    assert!(!limit.is_about(socket, Some(b"tcp *:80"), Some("accept4")));
    assert!(!limit.is_about(socket, None, Some("accept4")));
    assert!(!limit.is_about(socket, Some(b"tcp *:443"), Some("socket")));
    assert_eq!(limit.most, 10);
}

#[test]
fn an_empty_table_says_nothing() {
    assert_eq!(parse(""), Ok(Rules::default()));
    assert_eq!(
        parse("open_at_exit = false").unwrap().open_at_exit,
        Kinds::These(vec![])
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, line, said) in [
        ("\ngrace = \"2\"", 2, "grace can't be \"2\""),
        ("grace = \"11m\"", 1, "at most 10m"),
        ("\nprocesses = \"both\"", 2, "main"),
        ("late = 1", 1, "boolean"),
        ("later = true", 1, "unknown field"),
        ("open_at_exit = [\"thread\"]", 1, "no kind of handle"),
        ("open_at_exit = \"socket\"", 1, "true, false, or a list"),
        ("[budget]\nsockets = 3", 2, "there is no kind \"sockets\""),
        ("[budget]\nsocket = -1", 2, "a number from 0 on"),
        (
            "[[ignore]]\nreason = \"x\"",
            1,
            "names a kind, a path or a name",
        ),
        ("\n[[ignore]]\nkind = \"file\"", 2, "needs a reason"),
        (
            "[[ignore]]\nkind = \"file\"\nreason = \" \"",
            3,
            "the reason is empty",
        ),
        (
            "[[ignore]]\nkind = \"thread\"\nreason = \"x\"\npath = \"/x\"",
            4,
            "has no path",
        ),
        (
            "[[ignore]]\nname = \"\"\nreason = \"x\"",
            2,
            "the pattern is empty",
        ),
        (
            "[[ignore]]\nkind = \"file\"\nreason = \"x\"\nexpires = \"2027-02-30\"",
            4,
            "YYYY-MM-DD",
        ),
        (
            "[[ignore]]\nkind = \"file\"\nreason = \"x\"\nstack = \"f\"",
            4,
            "unknown field",
        ),
        ("[[growth]]\nkind = \"file\"", 1, "needs most"),
        (
            "[[growth]]\nkind = \"process\"\nmost = 1",
            2,
            "a budget limits them",
        ),
    ] {
        let (found, what) = parse(text).unwrap_err();
        assert!(what.contains(said), "{text}: {what}");
        assert_eq!(found, line, "{text}: {what}");
    }
}

#[test]
fn arguments_are_rules_too() {
    let ignore: Ignore = "file:/var/log/*.log=it = so".parse().unwrap();
    assert_eq!(ignore.kind, Some(Kind::Of(HandleKind::File)));
    assert_eq!(ignore.path, Some(Glob::new("/var/log/*.log")));
    assert_eq!(ignore.reason, "it = so");
    let thread: Ignore = "thread:log-*=joined by the library".parse().unwrap();
    assert_eq!((thread.path, thread.name), (None, Some(Glob::new("log-*"))));
    let any: Ignore = "epoll=the runtime's".parse().unwrap();
    assert_eq!((any.path, any.name), (None, None));
    let budget: Budget = "socket=3".parse().unwrap();
    assert_eq!(
        (budget.kind, budget.most),
        (Kind::Of(HandleKind::Socket), 3)
    );
    for (text, said) in [
        ("file:/x", "KIND=REASON"),
        ("file:/x= ", "needs a reason"),
        ("file:=x", "is empty"),
        ("fil:/x=y", "there is no kind \"fil\""),
    ] {
        let error = text.parse::<Ignore>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    for text in ["socket", "socket=", "socket=-1", "socket=many"] {
        let error = text.parse::<Budget>().unwrap_err().to_string();
        assert!(error.contains("KIND=NUMBER"), "{text}: {error}");
    }
}

#[test]
fn a_kinds_own_budget_comes_before_that_of_all_handles() {
    let mut rules = Rules::default();
    for budget in ["handle=9", "socket=1", "socket=3"] {
        rules.set_budget(budget.parse().unwrap());
    }
    let most = |kind| rules.budget(kind).map(|budget| budget.most);
    assert_eq!(most(Kind::Of(HandleKind::Socket)), Some(3));
    assert_eq!(most(Kind::Of(HandleKind::Pipe)), Some(9));
    assert_eq!(most(Kind::Thread), None);
}
