//! Processes that outlive the command by the grace, threads that outlive their main thread by it,
//! and threads that were still there when it ended, against their budget.

use std::collections::BTreeMap;

use super::{
    Checked, Class, Finding, Scene, Sieve, Unknown,
    open::{MEMBERS, counted},
    scene::text_of,
};
use crate::{
    duration,
    event::{
        id::{BootTime, Tgid},
        text::Text,
    },
    ledger::{
        arena::Key,
        process::{Process, Watch},
        thread::Thread,
    },
    pattern::pattern,
    rules::{Budget, Kind},
};

pub(super) fn judge(scene: &Scene<'_>, sieve: &mut Sieve<'_>, checked: &mut Checked) {
    let budget = scene.rules.budget(Kind::Process);
    if scene.rules.outlive || budget.is_some() {
        processes(scene, budget, sieve, checked);
    }
    let budget = scene.rules.budget(Kind::Thread);
    if scene.rules.outlive || budget.is_some() {
        for (process, record) in scene.judged() {
            threads(scene, (process, record), budget, sieve, checked);
        }
    }
}

/// The command itself, where its time was over: nothing ignores that, however it ended then.
pub(super) fn overdue(scene: &Scene<'_>, checked: &mut Checked) {
    let Some(time) = scene.run.overdue_ns else {
        return;
    };
    checked.findings.push(Finding {
        class: Class::Outlives,
        kind: Kind::Process,
        program: scene
            .main
            .map_or_else(Text::default, |main| scene.program(main)),
        processes: scene.run.main.into_iter().collect(),
        target: None,
        call: None,
        count: 1,
        members: Vec::new(),
        words: format!(
            "the command had not ended after {}, and was told to",
            duration::written(time)
        ),
    });
}

fn unknown(checked: &mut Checked, words: String) {
    let class = Class::Outlives;
    checked.unknowns.push(Unknown { class, words });
}

/// Whether a process lived on after the deadline.
enum Lived {
    On,
    Not,
    /// It can't be told, for this reason.
    Perhaps(&'static str),
}

fn processes(
    scene: &Scene<'_>,
    budget: Option<&Budget>,
    sieve: &mut Sieve<'_>,
    checked: &mut Checked,
) {
    let deadline = scene.run.ended.plus_ns(scene.grace_ns());
    let mut alike: BTreeMap<Text, Vec<(Tgid, Key<Process>)>> = BTreeMap::new();
    for (key, process) in scene.ran() {
        if Some(key) == scene.main {
            continue;
        }
        match lived(scene, key, process, deadline) {
            Lived::Not => continue,
            Lived::Perhaps(why) => {
                let name = scene.name(key);
                unknown(
                    checked,
                    format!("whether {name} outlived the command: {why}"),
                );
                continue;
            }
            Lived::On => {}
        }
        let program = scene.program(key);
        if !sieve.ignores(Kind::Process, None, program.bytes()) {
            alike.entry(program).or_default().push((process.tgid, key));
        }
    }
    let count: usize = alike.values().map(Vec::len).sum();
    let (class, allowed) = match budget {
        Some(budget) if count as u64 <= budget.most => return,
        Some(budget) => (
            Class::Budget,
            format!(", where the budget allows {}", budget.most),
        ),
        None => (Class::Outlives, String::new()),
    };
    let after = duration::written(scene.grace_ns());
    for (program, mut processes) in alike {
        processes.sort_unstable_by_key(|(tgid, _)| *tgid);
        let count = counted(processes.len(), Kind::Process);
        checked.findings.push(Finding {
            class,
            kind: Kind::Process,
            processes: processes
                .iter()
                .map(|(tgid, _)| *tgid)
                .take(MEMBERS)
                .collect(),
            target: None,
            call: None,
            count: processes.len() as u64,
            members: processes
                .iter()
                .take(MEMBERS)
                .map(|&(_, key)| in_words(scene, key))
                .collect(),
            words: format!("{count} of {program} still there {after} after the command{allowed}"),
            program,
        });
    }
}

fn lived(scene: &Scene<'_>, key: Key<Process>, process: &Process, deadline: BootTime) -> Lived {
    if let Some(dead) = process.dead {
        return match (dead.earliest > deadline, dead.latest > deadline) {
            (true, _) => Lived::On,
            (false, true) => Lived::Perhaps("it ended around the grace's end"),
            (false, false) => Lived::Not,
        };
    }
    let ledger = scene.ledger;
    let is_polled = matches!(process.watch, Watch::Polls { .. });
    let mut threads = ledger.threads_of(key).iter();
    if threads.all(|&thread| ledger.thread_tainted(thread)) {
        Lived::Perhaps("events were lost")
    } else if ledger.known_until(key) < deadline {
        Lived::Perhaps(if is_polled {
            "no poll saw it after the grace"
        } else {
            "the grace was not waited for"
        })
    } else {
        Lived::On
    }
}

/// `pid 17 with 3 threads`.
fn in_words(scene: &Scene<'_>, key: Key<Process>) -> String {
    let process = scene.ledger.process(key);
    let tgid = process.map_or(Tgid(0), |process| process.tgid);
    match process.map_or(0, Process::live_threads) {
        0 | 1 => format!("pid {tgid}"),
        threads => format!("pid {tgid} with {threads} threads"),
    }
}

fn threads(
    scene: &Scene<'_>,
    (process, record): (Key<Process>, &Process),
    budget: Option<&Budget>,
    sieve: &mut Sieve<'_>,
    checked: &mut Checked,
) {
    let Some(ended) = scene.exit_began(process) else {
        if budget.is_some() {
            let name = scene.name(process);
            unknown(
                checked,
                format!("which threads {name} had at its end: its main thread's exit was not seen"),
            );
        }
        return;
    };
    let deadline = ended.plus_ns(scene.grace_ns());
    let mut left = Vec::new();
    let mut outlived: BTreeMap<Text, Vec<&Thread>> = BTreeMap::new();
    for (key, thread) in scene.threads(process) {
        let is_leader = thread.name.tid.0 == record.tgid.0;
        if is_leader || !scene.is_born_within(thread.origin, thread.born.latest) {
            continue;
        }
        let last = thread.exiting.or(thread.gone.map(|gone| gone.latest));
        if last.is_some_and(|last| last < ended) {
            continue;
        }
        let comm = text_of(thread.comm);
        if sieve.ignores(Kind::Thread, None, comm.bytes()) {
            continue;
        }
        if thread.gone.is_none() && scene.ledger.thread_tainted(key) {
            let name = scene.name(process);
            unknown(
                checked,
                format!(
                    "whether thread {} \"{comm}\" of {name} is gone: events were lost",
                    thread.name.tid
                ),
            );
            continue;
        }
        left.push(thread);
        if last.unwrap_or_else(|| scene.ledger.delivered()) > deadline {
            outlived
                .entry(pattern(comm.bytes()))
                .or_default()
                .push(thread);
        }
    }
    let name = scene.name(process);
    if scene.rules.outlive {
        for (target, threads) in outlived {
            let count = counted(threads.len(), Kind::Thread);
            let after = duration::written(scene.grace_ns());
            let words = format!(
                "{count} \"{target}\" of {name} still there {after} after the main thread's exit"
            );
            let mut finding = finding(scene, Class::Outlives, process, &threads, words);
            finding.target = Some(target);
            checked.findings.push(finding);
        }
    }
    if let Some(budget) = budget
        && left.len() as u64 > budget.most
    {
        let count = counted(left.len(), Kind::Thread);
        let words = format!(
            "{name} ended with {count} beside its main thread, where the budget allows {}",
            budget.most
        );
        checked
            .findings
            .push(finding(scene, Class::Budget, process, &left, words));
    }
}

fn finding(
    scene: &Scene<'_>,
    class: Class,
    process: Key<Process>,
    threads: &[&Thread],
    words: String,
) -> Finding {
    let mut sorted = threads.to_vec();
    sorted.sort_unstable_by_key(|thread| thread.name.tid);
    let member = |thread: &&Thread| format!("thread {} \"{}\"", thread.name.tid, thread.comm);
    let record = scene.ledger.process(process);
    Finding {
        class,
        kind: Kind::Thread,
        program: scene.program(process),
        processes: record.map(|record| record.tgid).into_iter().collect(),
        target: None,
        call: None,
        count: threads.len() as u64,
        members: sorted.iter().take(MEMBERS).map(member).collect(),
        words,
    }
}
