//! What deleted entries owned: retained, gone too late, or not known.

use std::collections::BTreeMap;

use super::{
    Checked, Class, Finding, Scene, Sieve, Unknown,
    open::{MEMBERS, counted},
};
use crate::{
    event::{id::Tgid, text::Text},
    ledger::{entry::Removal, handle::ClosedHow},
    pattern::pattern,
    rules::Kind as RuleKind,
    verdict::{
        How, Judgement, Verdict,
        evidence::{Kind, Last},
    },
};

/// What findings of deletes have in common.
type Alike = (Text, RuleKind, Option<Text>, String, &'static str);

pub(super) fn judge(
    scene: &Scene<'_>,
    judgements: impl IntoIterator<Item = Judgement>,
    sieve: &mut Sieve<'_>,
    checked: &mut Checked,
) {
    let mut bad: BTreeMap<Alike, Vec<Judgement>> = BTreeMap::new();
    let mut unknown: BTreeMap<(bool, String), Vec<Judgement>> = BTreeMap::new();
    for judgement in judgements {
        if judgement.evidence.delete.is_none() {
            continue;
        }
        checked.judged.verdicts += 1;
        let word = match &judgement.verdict {
            Verdict::Retained(_) => "retained",
            Verdict::Late { .. } if went_with_process(scene, &judgement) => {
                "retained until their process ended"
            }
            Verdict::Late { .. } if scene.rules.late => "gone later than the grace",
            Verdict::Unknown(_) | Verdict::Pending => "",
            Verdict::Gone(How::After(_)) if went_with_process(scene, &judgement) => "",
            Verdict::Gone(_) | Verdict::Late { .. } | Verdict::Reassigned { .. } => continue,
        };
        let program = scene.program_of(judgement.entry.tgid);
        let (kind, path, name) = match &judgement.evidence.what {
            Kind::Thread(comm) => (RuleKind::Thread, None, Text::from(comm.bytes())),
            Kind::Handle(kind, target) => (RuleKind::Of(*kind), target.clone(), program.clone()),
        };
        if sieve.ignores(kind, path.as_ref().map(Text::bytes), name.bytes()) {
            continue;
        }
        if word.is_empty() {
            let why = match &judgement.verdict {
                Verdict::Unknown(why) => (false, why.to_string()),
                Verdict::Gone(_) => (true, "their process ended before the grace did".to_owned()),
                _ => (true, "its delete or its grace had not ended".to_owned()),
            };
            unknown.entry(why).or_default().push(judgement);
            continue;
        }
        let target = match kind {
            RuleKind::Thread => Some(pattern(name.bytes())),
            _ => path.map(|path| pattern(path.bytes())),
        };
        let policy = policy(&judgement);
        bad.entry((program, kind, target, policy, word))
            .or_default()
            .push(judgement);
    }
    for ((program, kind, target, policy, word), judgements) in bad {
        let target_words = target
            .as_ref()
            .map_or_else(String::new, |target| format!(" {target}"));
        let words = format!(
            "{}{target_words} of deleted entries{policy}: {word}",
            counted(judgements.len(), kind),
        );
        checked.findings.push(Finding {
            class: Class::Delete,
            kind,
            program,
            processes: processes(&judgements),
            target,
            call: None,
            count: judgements.len() as u64,
            members: judgements.iter().take(MEMBERS).map(in_words).collect(),
            words,
        });
    }
    for ((_, why), judgements) in unknown {
        let some: Vec<_> = judgements.iter().take(MEMBERS).map(in_words).collect();
        let count = judgements.len();
        checked.unknowns.push(Unknown {
            class: Class::Delete,
            words: format!(
                "whether {count} of what deleted entries owned is gone: {why}: {}",
                some.join("; ")
            ),
        });
    }
    let forgotten = scene.ledger.counters().entries_forgotten;
    if forgotten > 0 {
        checked.unknowns.push(Unknown {
            class: Class::Delete,
            words: format!(
                "what became of {forgotten} deleted entries: the ledger forgot them, as it keeps only the latest"
            ),
        });
    }
}

/// Whether nobody ended it but its process's end.
fn went_with_process(scene: &Scene<'_>, judgement: &Judgement) -> bool {
    let processes = scene.of_number(judgement.entry.tgid).iter();
    let exits = processes.filter_map(|&process| scene.exit_began(process));
    let Some(exit) = exits.max() else {
        return false;
    };
    match judgement.evidence.last {
        Last::Gone {
            exiting: Some(exiting),
            ..
        } => exiting >= exit,
        Last::Closed { how, .. } | Last::Released { how, .. } => how == ClosedHow::TableDied,
        _ => judgement.evidence.last_at.latest >= exit,
    }
}

/// `, by policy bare`.
fn policy(judgement: &Judgement) -> String {
    match judgement.evidence.delete.as_ref().map(|delete| &delete.how) {
        Some(Removal::Deleted {
            policy: Some(policy),
        }) => format!(", by policy {policy}"),
        Some(Removal::Overwritten) => ", by a store over them".to_owned(),
        Some(Removal::Deleted { policy: None }) | None => String::new(),
    }
}

fn processes(judgements: &[Judgement]) -> Vec<Tgid> {
    let mut processes: Vec<_> = judgements.iter().map(|one| one.entry.tgid).collect();
    processes.sort_unstable();
    processes.dedup();
    processes.truncate(MEMBERS);
    processes
}

fn in_words(judgement: &Judgement) -> String {
    let Judgement {
        entry,
        resource,
        verdict,
        ..
    } = judgement;
    format!("{entry} {resource}: {verdict}")
}
