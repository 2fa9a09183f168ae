//! Ownership rules 1 to 4, each by a program that is not the lab, and the verdicts they lead to.

use std::time::Duration;

use inspector::{
    event::{Batch, id::Tid},
    ledger::{
        LedgerRules,
        identity::{HandleName, ResourceName},
        own::Rule,
    },
    pipeline::Pipeline,
    source::ebpf::load::LoadOptions,
    verdict::{Judgement, Retained, Verdict, Why},
};

use crate::{oracle, program::Program, watch::Watch};

const GRACE: Duration = Duration::from_millis(150);

struct Owners {
    program: Program,
    watch: Watch,
    expected: Vec<String>,
}

impl Owners {
    fn start() -> Option<Self> {
        let program = Program::start("own");
        let mut watch = Watch::start(&LoadOptions::default())?;
        let followed = watch.also(program.tgid()).unwrap();
        assert_eq!((followed.marks, followed.unusable), (6, Vec::new()));
        Some(Self {
            program,
            watch,
            expected: Vec::new(),
        })
    }

    /// Gives an order; `{0}` and `{1}` in the verdicts to come of it are the numbers it tells.
    fn order(&mut self, order: &str, verdicts: &[&str]) {
        let told = self.program.tell(order);
        for verdict in verdicts {
            let mut line = (*verdict).to_owned();
            for (index, number) in told.iter().enumerate() {
                line = line.replace(&format!("{{{index}}}"), number);
            }
            self.expected.push(line);
        }
    }

    /// Compares with the verdicts that stand when every grace is over.
    #[track_caller]
    fn check(&mut self) {
        self.watch.take_for(GRACE + Duration::from_millis(50));
        self.watch.drain();
        let differences = oracle::differences(&self.watch.ledger, self.program.tgid());
        assert_eq!(differences, "");
        let mut pipeline = Pipeline::new(LedgerRules {
            grace_ns: u64::try_from(GRACE.as_nanos()).unwrap(),
            ..LedgerRules::default()
        });
        pipeline.take(&Batch {
            events: self.watch.events.clone(),
        });
        let mut judged: Vec<_> = pipeline.judgements().map(|one| line(&one)).collect();
        judged.sort();
        self.expected.sort();
        assert_eq!(judged, self.expected, "judged, then expected");
    }
}

fn line(judgement: &Judgement) -> String {
    let key = &judgement.entry.key.text;
    let resource = match judgement.resource {
        ResourceName::Thread(thread) => format!("thread {}", thread.tid),
        ResourceName::Handle(handle) => format!("handle {}", handle.fd),
    };
    let rule = judgement.evidence.rule.map_or("moved", |rule| match rule {
        Rule::Own => "own",
        Rule::Span => "span",
        Rule::Descent => "descent",
        Rule::SameDescription => "same description",
    });
    let verdict = match &judgement.verdict {
        Verdict::Gone(how) => format!("gone {how:?}"),
        Verdict::Late { .. } => "late".to_owned(),
        Verdict::Retained(Retained::Open) => "open".to_owned(),
        Verdict::Retained(Retained::Thread(_)) => "alive".to_owned(),
        Verdict::Retained(Retained::HeldBy { holders, count }) => {
            assert_eq!(holders.len(), *count);
            let holder = |held: &HandleName| format!("{} in {}", held.fd, Tid(held.tgid.0));
            let holders: Vec<_> = holders.iter().map(holder).collect();
            format!("held by {}", holders.join(", "))
        }
        Verdict::Reassigned { to, .. } => format!("reassigned to {}", to.key.text),
        Verdict::Unknown(Why::ClosedHere { references }) => {
            format!("closed here, {} references", references.unwrap_or(0))
        }
        other => format!("{other:?}"),
    };
    format!(
        "{key} {}: {resource} ({rule}) {verdict}",
        judgement.entry.generation
    )
}

#[test]
fn what_was_accepted_elsewhere_is_the_entrys_by_its_mark() {
    let Some(mut owners) = Owners::start() else {
        return;
    };
    owners.order("accepted, left", &["left 1: handle {0} (own) open"]);
    owners.order(
        "accepted, closed",
        &["closed 1: handle {0} (own) gone DuringDelete"],
    );
    owners.order(
        "moved",
        &[
            "from 1: handle {0} (moved) reassigned to to",
            "to 1: handle {0} (own) open",
        ],
    );
    owners.check();
}

#[test]
fn a_store_over_a_live_key_deletes_what_was_there() {
    let Some(mut owners) = Owners::start() else {
        return;
    };
    owners.order("overwritten, left", &["over 1: handle {0} (span) open"]);
    owners.order(
        "overwritten, closed",
        &["over closed 1: handle {0} (span) gone DuringDelete"],
    );
    owners.check();
}

#[test]
fn a_thread_that_works_for_several_keys_is_nobodys_until_its_mark() {
    let Some(mut owners) = Owners::start() else {
        return;
    };
    owners.order(
        "pool",
        &[
            "lazy 1: thread {0} (span) Unknown(Shared)",
            "worked for 1: handle {1} (span) gone DuringDelete",
        ],
    );
    owners.order(
        "pool, owned",
        &[
            "owned 1: thread {0} (own) alive",
            "worked for too 1: handle {1} (span) gone DuringDelete",
        ],
    );
    owners.order(
        "descent",
        &[
            "parent 1: thread {0} (span) alive",
            "parent 1: handle {1} (descent) open",
        ],
    );
    owners.check();
}

#[test]
fn a_closed_handle_is_held_by_whoever_has_its_description() {
    let Some(mut owners) = Owners::start() else {
        return;
    };
    let leader = owners.program.leader();
    owners.order(
        "inherited",
        &["inherited 1: handle {0} (span) held by {0} in {1}"],
    );
    owners.order(
        "duplicated",
        &[&format!(
            "copied 1: handle {{0}} (span) held by {{1}} in {leader}"
        )],
    );
    owners.check();
    // The heir ends after the grace.
    owners.order("heir ends", &["inherited 1: handle 4 (span) late"]);
    owners
        .expected
        .retain(|line| !line.contains("held by 4 in"));
    owners.check();
}

/// The kernel names no file where a message's descriptors arrive: the receiver is not known to
/// hold this one, and it is not claimed to be gone.
#[test]
fn a_closed_handle_that_was_passed_on_is_not_called_gone() {
    let Some(mut owners) = Owners::start() else {
        return;
    };
    owners.order(
        "passed",
        &["passed 1: handle {0} (span) closed here, 2 references"],
    );
    owners.check();
}
