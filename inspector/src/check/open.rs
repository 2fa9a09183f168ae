//! Descriptors that are open when their process ends, one by one or against their budget.
//!
//! What counts is what the process opened itself, within the run: not what it inherited, not
//! duplicates of that, and not 0–2, which every program leaves open.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::{Checked, Class, Finding, Scene, Sieve, Unknown};
use crate::{
    event::{
        handle::HandleKind,
        id::{CallNumber, Fd, Tgid},
        text::Text,
    },
    ledger::{
        arena::Key,
        handle::{ClosedHow, Description, State},
        identity::Origin,
        process::Process,
    },
    pattern::pattern,
    rules::{Budget, Kind, Kinds, Whose},
    verdict::wording::CallWord,
};

/// The last of the standard streams.
const LAST_STANDARD: Fd = Fd(2);
/// How many members a finding names.
pub(super) const MEMBERS: usize = 5;

/// A descriptor that was left open.
struct Left {
    process: Key<Process>,
    kind: Kind,
    target: Option<Text>,
    call: Option<CallNumber>,
    fd: Fd,
}

pub(super) fn judge(scene: &Scene<'_>, sieve: &mut Sieve<'_>, checked: &mut Checked) {
    let rules = scene.rules;
    let is_asked = rules.open_at_exit != Kinds::These(Vec::new())
        || rules.budgets.iter().any(|budget| budget.kind.is_handle());
    if !is_asked {
        return;
    }
    let (left, opened) = left(scene, checked);
    checked.judged.handles = opened;
    let mut alike: BTreeMap<_, Vec<Left>> = BTreeMap::new();
    let mut budgeted: BTreeMap<_, (&Budget, Vec<Left>)> = BTreeMap::new();
    for one in left {
        let program = scene.program(one.process);
        let path = one.target.as_ref().map(Text::bytes);
        if sieve.ignores(one.kind, path, program.bytes()) {
            continue;
        }
        if let Some(budget) = rules.budget(one.kind) {
            let tgid = tgid(scene, one.process);
            let of_budget = budgeted.entry((budget.kind, tgid));
            of_budget.or_insert((budget, Vec::new())).1.push(one);
        } else if rules.open_at_exit.contains(one.kind) {
            let target = path.map(pattern);
            let call = one.call.map(|call| call.0);
            alike
                .entry((program, one.kind, target, call))
                .or_default()
                .push(one);
        }
    }
    for ((program, _, target, _), left) in alike {
        checked
            .findings
            .push(open_at_exit(scene, program, target, &left));
    }
    for (budget, left) in budgeted.into_values() {
        let count = left.len() as u64;
        if count > budget.most {
            checked.findings.push(over_budget(scene, budget, &left));
        }
    }
}

/// What was left open, and how many descriptors the judged processes opened.
fn left(scene: &Scene<'_>, checked: &mut Checked) -> (Vec<Left>, u64) {
    let foreign = foreign(scene);
    let (mut left, mut opened) = (Vec::new(), 0);
    let mut doubtful: BTreeMap<Tgid, (Key<Process>, u64)> = BTreeMap::new();
    let mut unseen = 0_u64;
    for (process, record) in scene.judged() {
        if scene.doubt(process).is_some() {
            doubtful.insert(record.tgid, (process, 0));
        }
    }
    for (_, handle) in scene.ledger.handles() {
        let Some(process) = scene.process_of(handle).filter(|&key| scene.is_judged(key)) else {
            continue;
        };
        let is_within = scene.is_born_within(handle.origin, handle.born.latest);
        opened += u64::from(is_within);
        let is_left = matches!(
            handle.state,
            State::Closed {
                how: ClosedHow::TableDied,
                ..
            }
        );
        if !is_left || handle.fd <= LAST_STANDARD {
            continue;
        }
        let is_new = matches!(handle.origin, Origin::Polled | Origin::Unseen);
        let is_found_within = is_new && handle.born.latest >= scene.run.started;
        if !(is_within || is_found_within) {
            continue;
        }
        if let Some((_, count)) = doubtful.get_mut(&tgid(scene, process)) {
            *count += 1;
        } else if is_new {
            unseen += 1;
        } else if !foreign.contains(&(process, handle.description)) {
            let shared = scene.ledger.description(handle.description);
            left.push(Left {
                process,
                kind: Kind::Of(shared.map_or(HandleKind::Unknown, |shared| shared.kind)),
                target: shared.and_then(Description::known_as).cloned(),
                call: handle.call,
                fd: handle.fd,
            });
        }
    }
    let mut unknown = |words: String| {
        let class = Class::OpenAtExit;
        checked.unknowns.push(Unknown { class, words });
    };
    for (process, count) in doubtful.into_values() {
        let (name, why) = (
            scene.name(process),
            scene.doubt(process).unwrap_or_default(),
        );
        unknown(format!(
            "what {name} had open when it ended: {why} ({count} were believed open)"
        ));
    }
    if unseen > 0 {
        unknown(format!(
            "whether {unseen} descriptors that no event announced were opened within the run; they were open when their process ended"
        ));
    }
    match scene.main.and_then(|main| scene.ledger.process(main)) {
        None => {
            unknown("what the command had open when it ended: its process was not seen".to_owned());
        }
        Some(main) if main.dead.is_none() => {
            unknown("what the command had open when it ended: its end was not seen".to_owned());
        }
        Some(_) => {}
    }
    if let Some(forgotten) = forgotten(scene) {
        unknown(format!(
            "whether {forgotten} closed descriptors were open when their process ended: the ledger forgot them, as it keeps only the latest"
        ));
    }
    (left, opened)
}

/// How many closed descriptors were forgotten, if one that was left open may be among them: it
/// forgets the oldest, so none of the command's is while it keeps one that died before the
/// command did.
fn forgotten(scene: &Scene<'_>) -> Option<u64> {
    let forgotten = scene.ledger.counters().handles_forgotten;
    let main = scene.main.and_then(|main| scene.ledger.process(main));
    let ended = main.and_then(|main| main.dead).map(|dead| dead.earliest);
    let closed = scene
        .ledger
        .handles()
        .filter_map(|(_, handle)| handle.closed());
    let oldest = closed.map(|closed| closed.latest).min();
    let keeps_mains = scene.rules.processes == Whose::Main && oldest < ended && oldest.is_some();
    (forgotten > 0 && !keeps_mains).then_some(forgotten)
}

/// What each process held without having opened it.
fn foreign(scene: &Scene<'_>) -> FxHashSet<(Key<Process>, Key<Description>)> {
    let handles = scene.ledger.handles();
    let foreign = handles.filter_map(|(_, handle)| {
        let process = scene.process_of(handle)?;
        let is_own = scene.is_born_within(handle.origin, handle.born.latest);
        (!is_own && scene.is_judged(process)).then_some((process, handle.description))
    });
    foreign.collect()
}

fn tgid(scene: &Scene<'_>, process: Key<Process>) -> Tgid {
    let record = scene.ledger.process(process);
    record.map_or(Tgid(0), |record| record.tgid)
}

fn open_at_exit(scene: &Scene<'_>, program: Text, target: Option<Text>, left: &[Left]) -> Finding {
    let (kind, call) = (left[0].kind, left[0].call);
    let mut finding = finding(scene, Class::OpenAtExit, kind, left);
    finding.words = format!(
        "{} opened and left open at its end: {}{}",
        whose(scene, left),
        counted(left.len(), kind),
        of(target.as_ref(), call),
    );
    Finding {
        program,
        target,
        call,
        ..finding
    }
}

fn over_budget(scene: &Scene<'_>, budget: &Budget, left: &[Left]) -> Finding {
    let mut finding = finding(scene, Class::Budget, budget.kind, left);
    finding.words = format!(
        "{} opened and left open at its end: {}, where the budget allows {}",
        whose(scene, left),
        counted(left.len(), budget.kind),
        budget.most,
    );
    finding
}

fn finding(scene: &Scene<'_>, class: Class, kind: Kind, left: &[Left]) -> Finding {
    let mut processes: Vec<_> = left.iter().map(|one| tgid(scene, one.process)).collect();
    processes.sort_unstable();
    processes.dedup();
    processes.truncate(MEMBERS);
    let members = left.iter().take(MEMBERS).map(|one| match &one.target {
        Some(target) => format!("fd {} {target}", one.fd),
        None => format!("fd {}", one.fd),
    });
    Finding {
        class,
        kind,
        program: scene.program(left[0].process),
        processes,
        target: None,
        call: None,
        count: left.len() as u64,
        members: members.collect(),
        words: String::new(),
    }
}

fn whose(scene: &Scene<'_>, left: &[Left]) -> String {
    let mut processes: Vec<_> = left.iter().map(|one| tgid(scene, one.process)).collect();
    processes.sort_unstable();
    processes.dedup();
    match processes.len() {
        1 => scene.name(left[0].process),
        many => format!("{many} processes of {}", scene.program(left[0].process)),
    }
}

/// `3 socket` with what they have in common: `, /tmp/x-*, by openat`.
fn of(target: Option<&Text>, call: Option<CallNumber>) -> String {
    let target = target.map_or_else(String::new, |target| format!(", {target}"));
    let call = call.map_or_else(String::new, |call| format!(", by {}", CallWord(call)));
    target + &call
}

/// `1 socket`, `3 × socket`: kinds have no plural.
pub(super) fn counted(count: usize, kind: Kind) -> String {
    match count {
        1 => format!("1 {kind}"),
        count => format!("{count} × {kind}"),
    }
}
