//! Groups of like resources that grew: by more than a rule allows, or as a suspect does.

use super::{Checked, Class, Finding, Scene, Sieve, Unknown};
use crate::{
    event::text::Text,
    ledger::process::Process,
    rules::{Kind, Whose},
    verdict::{
        growth::{Group, Growth, What},
        wording::CallWord,
    },
};

pub(super) fn judge(
    scene: &Scene<'_>,
    growth: &Growth,
    sieve: &mut Sieve<'_>,
    checked: &mut Checked,
) {
    for group in growth.groups() {
        let Some(how) = grew(scene, group) else {
            continue;
        };
        let name = &group.name;
        let process = scene
            .ran()
            .find(|(_, process)| is_of(group, process))
            .map(|(key, _)| key);
        let program = process.map_or_else(Text::default, |process| scene.program(process));
        let (kind, target) = (kind_of(name.what), name.target.as_ref());
        // A thread goes by its own name, a handle by its process's.
        let known_as = match (name.what, target) {
            (What::Thread, Some(target)) => target,
            _ => &program,
        };
        let path = target.filter(|_| kind.is_handle()).map(Text::bytes);
        if sieve.ignores(kind, path, known_as.bytes()) {
            continue;
        }
        let whose = process.map_or_else(|| "several processes".to_owned(), |key| scene.name(key));
        let target_words = name
            .telling_target()
            .map_or_else(String::new, |target| format!(" {target}"));
        let call = name
            .call
            .map_or_else(String::new, |call| format!(", by {}", CallWord(call)));
        let words = format!("{kind}{target_words}{call}, of {whose}: {how}");
        if let Some(doubt) = process.and_then(|process| scene.doubt(process)) {
            let class = Class::Growth;
            let words = format!("whether {words}; {doubt}");
            checked.unknowns.push(Unknown { class, words });
            continue;
        }
        checked.findings.push(Finding {
            class: Class::Growth,
            kind,
            program,
            processes: name
                .process
                .map(|process| process.tgid)
                .into_iter()
                .collect(),
            target: name.target.clone(),
            call: name.call,
            count: u64::try_from(group.net()).unwrap_or_default(),
            members: Vec::new(),
            words,
        });
    }
}

/// How a group grew, if that is too much. The first rule about it decides, if there is one.
fn grew(scene: &Scene<'_>, group: &Group) -> Option<String> {
    let is_asked = match (group.name.process, scene.rules.processes) {
        (None, whose) => whose == Whose::All,
        (Some(_), Whose::All) => true,
        (Some(_), Whose::Main) => {
            let main = scene.ledger.process(scene.main?)?;
            is_of(group, main)
        }
    };
    if !is_asked {
        return None;
    }
    let name = &group.name;
    let call = name.call.map(|call| CallWord(call).to_string());
    let target = name.target.as_ref().map(Text::bytes);
    let mut limits = scene.rules.growth.iter();
    let limit = limits.find(|limit| limit.is_about(kind_of(name.what), target, call.as_deref()));
    match limit {
        Some(limit) => {
            let net = group.net();
            let most = limit.most;
            let is_more = u64::try_from(net).is_ok_and(|net| net > most);
            is_more.then(|| format!("{net} more at the end, where {} allows {most}", limit.from))
        }
        None => {
            let suspect = group.suspect().filter(|_| scene.rules.suspects)?;
            Some(format!("suspect, {suspect}"))
        }
    }
}

fn is_of(group: &Group, process: &Process) -> bool {
    let name = group.name.process;
    name.is_some_and(|name| (name.tgid, name.born) == (process.tgid, process.born.latest))
}

fn kind_of(what: What) -> Kind {
    match what {
        What::Thread => Kind::Thread,
        What::Handle(kind) => Kind::Of(kind),
    }
}
