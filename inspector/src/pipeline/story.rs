//! Tests' stories: lines of events in, the lines of the judgements that fell out.
//!
//! A line is `MS TID VERB ARGS…`: at MS milliseconds, thread TID does VERB. Process 100 and its
//! threads are there from the start; `thread` and `fork` make others. Instead of an event a verb
//! `dump` prints the live threads, the open handles and the futex words, and `findings` the
//! findings so far. Text after `//` is a remark. In keys, policies and names `%1b` is the byte
//! 1b, as in an address of the web.

mod args;
mod dump;
mod scan;
mod wait;

use std::{collections::HashMap, fmt::Write as _};

use self::{
    args::{Args, kind_name, time},
    dump::dump,
    wait::wait,
};
use crate::{
    event::{
        Batch, Event, Gap, HandleEvent, Mark, TableRead, ThreadEvent, What,
        handle::{HandleChange, Replaces, Unsettled},
        id::{BootTime, CallNumber, Tgid, Tid},
        loss::Layer,
        mark::{Declared, Key, MapId, Owned},
        table::TableWhy,
        text::{Comm, Text},
        thread::CloneFlags,
    },
    ledger::{LedgerRules, retain::Retain},
    pipeline::Pipeline,
    verdict::{Judgement, growth::Growth},
};

/// A whole story, of whose ledger growth is told once a second as the verbs do, and at its end.
pub(crate) fn watched(rules: LedgerRules, story: &str) -> (Pipeline, Growth) {
    let mut pipeline = Pipeline::new(rules);
    let mut growth = Growth::new();
    let mut next = BootTime(0);
    for batch in Cast::default().batches(story) {
        pipeline.take(&batch);
        let now = pipeline.ledger().now();
        if now >= next {
            growth.sample(pipeline.ledger());
            next = now.plus_ns(1_000_000_000);
        }
    }
    growth.sample(pipeline.ledger());
    (pipeline, growth)
}

/// Plays a story and compares what it prints: of each judgement its verdict, entry and resource.
#[track_caller]
pub(crate) fn check(story: &str, expected: &str) {
    compare(&play(LedgerRules::default(), story, false), expected);
}

/// The same, under other rules.
#[track_caller]
pub(crate) fn check_with(rules: LedgerRules, story: &str, expected: &str) {
    compare(&play(rules, story, false), expected);
}

/// The same, with the grounds of each judgement: the whole line of the report.
#[track_caller]
pub(crate) fn check_grounds(story: &str, expected: &str) {
    compare(&play(LedgerRules::default(), story, true), expected);
}

#[track_caller]
fn compare(printed: &str, expected: &str) {
    let expected: String = lines(expected).map(|line| format!("{line}\n")).collect();
    assert!(
        printed == expected,
        "\nprinted:\n{printed}\nexpected:\n{expected}"
    );
}

/// Rules that keep only so many dead resources.
pub(crate) fn keeping(dead: usize) -> LedgerRules {
    LedgerRules {
        retain: Retain { dead },
        ..LedgerRules::default()
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Lines without their remarks.
fn events_of(story: &str) -> impl Iterator<Item = &str> {
    lines(story)
        .map(|line| line.split("//").next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
}

fn play(rules: LedgerRules, story: &str, grounds: bool) -> String {
    let mut pipeline = Pipeline::new(rules);
    let mut cast = Cast::default();
    let mut printed = String::new();
    for line in events_of(story) {
        if line == "dump" {
            dump(pipeline.ledger(), &mut printed);
            continue;
        }
        if line == "findings" {
            for finding in pipeline.ledger().findings().iter() {
                writeln!(printed, "{finding}").unwrap();
            }
            continue;
        }
        for event in cast.events(line) {
            let batch = Batch {
                events: vec![event],
            };
            for judgement in pipeline.take(&batch) {
                if grounds {
                    printed.push_str(&in_full(&judgement));
                } else {
                    let (entry, resource) = (&judgement.entry, &judgement.resource);
                    writeln!(printed, "{}  {entry}  {resource}", judgement.verdict).unwrap();
                }
            }
        }
    }
    printed
}

/// Who is who in a story.
#[derive(Default)]
pub(crate) struct Cast {
    tgid: HashMap<u32, u32>,
    start: HashMap<u32, u64>,
}

impl Cast {
    /// A story's events, one a batch; a later story goes on with the same people.
    pub(crate) fn batches(&mut self, story: &str) -> impl Iterator<Item = Batch> {
        events_of(story).map(|line| Batch {
            events: self.events(line),
        })
    }

    fn tgid(&self, tid: u32) -> Tgid {
        Tgid(self.tgid.get(&tid).copied().unwrap_or(100))
    }

    fn start(&self, tid: u32) -> BootTime {
        BootTime(self.start.get(&tid).copied().unwrap_or(0))
    }

    fn events(&mut self, line: &str) -> Vec<Event> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = time(words[0]);
        let tid: u32 = words[1].parse().unwrap();
        let args = Args(&words[3..]);
        let (task, tgid) = (Tid(tid), self.tgid(tid));
        let handle = |call: u16, change| {
            What::Handle(HandleEvent {
                tid: task,
                tgid,
                call: CallNumber(call),
                change,
            })
        };
        let mark = |what| {
            What::Mark(Box::new(Mark {
                tid: task,
                tgid,
                map: MapId(1),
                key: Key::whole(&args.bytes(0)),
                what,
            }))
        };
        let closes = |at: BootTime| args.value("until").map_or(at, time);
        let what = match words[2] {
            "thread" | "fork" | "share-fork" => self.born(at, tid, words[2], &args),
            "rename" => What::Thread(ThreadEvent::Renamed {
                tid: task,
                tgid,
                comm: Comm::from_bytes(&args.bytes(0)),
            }),
            "exec" => {
                let start = self.start(tgid.0);
                self.tgid.insert(tgid.0, tgid.0);
                What::Thread(ThreadEvent::Exec {
                    tgid,
                    old_tid: task,
                    start,
                    files: args.files(),
                    comm: Comm::from_bytes(b"new"),
                })
            }
            "exiting" => What::Thread(ThreadEvent::Exiting {
                tid: task,
                tgid,
                start: self.start(tid),
            }),
            "gone" => What::Thread(ThreadEvent::Gone {
                tid: task,
                tgid,
                start: self.start(tid),
            }),
            "read-fork" | "read-exec" | "read-unshare" => {
                let why = match words[2] {
                    "read-fork" => TableWhy::Fork,
                    "read-exec" => TableWhy::Exec,
                    _ => TableWhy::Unshare,
                };
                let by = args.value("by").map_or(task, |by| Tid(by.parse().unwrap()));
                What::Table(Box::new(TableRead {
                    owner: task,
                    tgid,
                    by,
                    files: args.files(),
                    why,
                    open: args.numbers().map(|fd| (fd, false)).collect(),
                    complete: !args.has("part"),
                }))
            }
            "open" => handle(
                283,
                HandleChange::Born {
                    fd: args.fd(0),
                    kind: args.kind(),
                    cloexec: args.has("cloexec"),
                    file: args.file(),
                },
            ),
            "dup" => handle(
                32,
                HandleChange::Duplicated {
                    from: args.fd(0),
                    to: args.fd(1),
                    cloexec: false,
                    replaces: None,
                    file: args.file(),
                },
            ),
            "dup2" => handle(
                33,
                HandleChange::Duplicated {
                    from: args.fd(0),
                    to: args.fd(1),
                    cloexec: false,
                    replaces: Some(Replaces {
                        entry: args.value("entry").map(time),
                    }),
                    file: args.file(),
                },
            ),
            "receive" => handle(
                47,
                HandleChange::Received {
                    fd: args.fd(0),
                    cloexec: false,
                    file: args.file(),
                },
            ),
            "send" => handle(46, HandleChange::Shared { fd: args.fd(0) }),
            "close" => handle(
                3,
                HandleChange::Closed {
                    fd: args.fd(0),
                    entry_seen: !args.has("exit-only"),
                    returned: closes(at),
                    references: args.value("refs").map(|refs| refs.parse().unwrap()),
                },
            ),
            "close-range" => handle(
                436,
                HandleChange::RangeClosed {
                    first: args.fd(0),
                    last: args.fd(1),
                    entry_seen: true,
                    returned: closes(at),
                },
            ),
            "close-refused" => handle(3, HandleChange::CloseRefused { fd: args.fd(0) }),
            "birth-refused" => handle(
                283,
                HandleChange::BirthRefused {
                    errno: args.0[0].parse().unwrap(),
                },
            ),
            "compat" => handle(
                3,
                HandleChange::Unsettled {
                    why: Unsettled::CompatCall,
                },
            ),
            "store-begin" => mark(Declared::StoreBegin {
                span: args.value("span").map(|span| span.parse().unwrap()),
            }),
            "store-end" => mark(Declared::StoreEnd {
                span: args.value("span").map(|span| span.parse().unwrap()),
            }),
            "own-fd" => mark(Declared::Own(Owned::Handle(args.fd(1)))),
            "own-tid" => mark(Declared::Own(Owned::Thread(Tid(args.fd(1).0)))),
            "delete-begin" => mark(Declared::DeleteBegin {
                policy: (args.0.len() > 1).then(|| Text::from(args.bytes(1))),
            }),
            "unlink" => mark(Declared::DeleteUnlink),
            "delete-end" => mark(Declared::DeleteEnd),
            verb @ ("sample" | "waited" | "futex") => {
                What::Wait(Box::new(wait(at, task, tgid, verb, &args)))
            }
            "tick" => What::Tick,
            "lost" => What::Gap(Box::new(Gap {
                layer: Layer::Ring,
                cpu: Some(0),
                lost: vec![(kind_name(args.0[0]), 1)],
                from: time(args.value("from").unwrap()),
                until: time(args.value("until").unwrap()),
            })),
            "point" => self.point(at, tid, &args),
            "baseline" | "poll" | "audit" | "count-drift" => self.scan(at, tid, words[2], &args),
            verb => panic!("no verb {verb}"),
        };
        vec![Event { at, what }]
    }

    fn born(&mut self, at: BootTime, tid: u32, verb: &str, args: &Args<'_>) -> What {
        let child: u32 = args.0[0].parse().unwrap();
        let parent_tgid = self.tgid(tid);
        let is_thread = verb == "thread";
        let tgid = if is_thread { parent_tgid.0 } else { child };
        self.tgid.insert(child, tgid);
        self.start.insert(child, at.0);
        let flags = match verb {
            "thread" => 0x1_0500,
            "share-fork" => 0x400,
            _ => 0,
        };
        What::Thread(ThreadEvent::Born {
            parent: Tid(tid),
            parent_tgid,
            child: Tid(child),
            tgid: Tgid(tgid),
            start: at,
            flags: CloneFlags(flags),
            files: args.files(),
            comm: Comm::from_bytes(format!("t{child}").as_bytes()),
        })
    }
}

/// A judgement with everything it rests on, in one line.
fn in_full(judgement: &Judgement) -> String {
    let Judgement {
        entry,
        resource,
        verdict,
        evidence,
        at: _,
    } = judgement;
    format!(
        "{verdict}  {entry}  {resource}, {}: {evidence}\n",
        evidence.what
    )
}
