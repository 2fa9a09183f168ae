//! Numbers that were closed twice, or that belonged to another entry.

use std::collections::HashMap;

use super::{Checked, Class, Finding, Scene, Sieve, Unknown};
use crate::{
    event::{handle::HandleKind, text::Text},
    ledger::{
        finding::{Fact, Finding as Found, FindingKind},
        identity::ThreadName,
    },
    rules::Kind,
};

/// A thread that closes so many numbers of which nothing is known closes all there may be: that
/// some of them were open before is no mistake.
const LOOP: u64 = 8;

pub(super) fn judge(scene: &Scene<'_>, sieve: &mut Sieve<'_>, checked: &mut Checked) {
    if !scene.rules.closes {
        return;
    }
    let mut of_nothing: HashMap<ThreadName, u64> = HashMap::new();
    let findings = scene.ledger.findings();
    for found in findings.iter() {
        if found.kind() == FindingKind::CloseOfNothing {
            *of_nothing.entry(found.thread).or_default() += found.count;
        }
    }
    for found in findings.iter() {
        let is_loops = of_nothing
            .get(&found.thread)
            .is_some_and(|&count| count >= LOOP);
        let (kind, target) = match &found.fact {
            Fact::ForeignClose(foreign) => (foreign.handle.kind, foreign.handle.target.clone()),
            Fact::DoubleClose { former, .. } if !is_loops => {
                (former.handle.kind, former.handle.target.clone())
            }
            Fact::DoubleClose { .. } | Fact::CloseOfNothing { .. } | Fact::BirthRefused { .. } => {
                continue;
            }
        };
        tell(scene, found, kind, target, sieve, checked);
    }
}

fn tell(
    scene: &Scene<'_>,
    found: &Found,
    kind: HandleKind,
    target: Option<Text>,
    sieve: &mut Sieve<'_>,
    checked: &mut Checked,
) {
    let tgid = found.thread.tgid;
    let mut ran = scene.of_number(tgid).iter().copied();
    let Some(process) = ran.find(|&process| scene.is_judged(process)) else {
        return;
    };
    let (kind, program) = (Kind::Of(kind), scene.program(process));
    if sieve.ignores(kind, target.as_ref().map(Text::bytes), program.bytes()) {
        return;
    }
    let (class, words) = (Class::Close, found.to_string());
    if found.doubtful {
        checked.unknowns.push(Unknown { class, words });
        return;
    }
    checked.findings.push(Finding {
        class,
        kind,
        program,
        processes: vec![tgid],
        target,
        call: Some(found.call),
        count: found.count,
        members: Vec::new(),
        words,
    });
}
