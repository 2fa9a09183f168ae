//! What /proc shows of the processes that a snapshot tells of: the witness of a quiet point.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

/// One process: its threads, and its descriptors with what they point at.
#[derive(Debug, Default, PartialEq, Eq)]
struct Process {
    threads: BTreeSet<u64>,
    handles: BTreeMap<u64, String>,
}

/// The live processes, by number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Live {
    processes: BTreeMap<u64, Process>,
    pub(crate) names: BTreeSet<String>,
}

/// What /proc shows now of the processes that live in a snapshot.
pub(crate) fn read(snapshot: &Value) -> Live {
    let mut live = Live::default();
    for process in array(snapshot, "processes").filter(|process| process["alive"] == true) {
        let pid = process["pid"].as_u64().unwrap();
        let folder = format!("/proc/{pid}");
        let mut seen = Process::default();
        for entry in fs::read_dir(format!("{folder}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            seen.threads.insert(number(&entry));
        }
        for entry in fs::read_dir(format!("{folder}/fd"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if let Ok(target) = fs::read_link(entry.path()) {
                seen.handles
                    .insert(number(&entry), target.to_string_lossy().into_owned());
            }
        }
        live.names
            .extend(fs::read_to_string(format!("{folder}/comm")).ok());
        live.processes.insert(pid, seen);
    }
    live
}

/// What a snapshot tells.
pub(crate) fn told(snapshot: &Value) -> Live {
    let mut live = Live::default();
    for process in array(snapshot, "processes").filter(|process| process["alive"] == true) {
        live.processes
            .insert(process["pid"].as_u64().unwrap(), Process::default());
    }
    for thread in array(snapshot, "threads") {
        let pid = thread["pid"].as_u64().unwrap();
        let process = live.processes.entry(pid).or_default();
        process.threads.insert(thread["tid"].as_u64().unwrap());
    }
    for table in array(snapshot, "tables") {
        let pid = table["pid"].as_u64().unwrap();
        for handle in array(table, "handles") {
            let target = handle["target"].as_str().unwrap_or("?").to_owned();
            let process = live.processes.entry(pid).or_default();
            process
                .handles
                .insert(handle["fd"].as_u64().unwrap(), target);
        }
    }
    live
}

/// What the two say differently, in lines. What a descriptor points at may not have been read.
pub(crate) fn differences(told: &Live, shown: &Live) -> Vec<String> {
    let mut lines = Vec::new();
    let pids: BTreeSet<_> = told
        .processes
        .keys()
        .chain(shown.processes.keys())
        .collect();
    let none = Process::default();
    for pid in pids {
        let told = told.processes.get(pid).unwrap_or(&none);
        let shown = shown.processes.get(pid).unwrap_or(&none);
        if told.threads != shown.threads {
            lines.push(format!(
                "{pid}: threads {:?}, in /proc {:?}",
                told.threads, shown.threads
            ));
        }
        let fds: BTreeSet<_> = told.handles.keys().chain(shown.handles.keys()).collect();
        for fd in fds {
            match (told.handles.get(fd), shown.handles.get(fd)) {
                (Some(told), Some(shown)) if told == shown || told == "?" => {}
                (told, shown) => lines.push(format!("{pid}: fd {fd} {told:?}, in /proc {shown:?}")),
            }
        }
    }
    lines
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name]
        .as_array()
        .unwrap_or_else(|| panic!("no {name}"))
        .iter()
}

fn number(entry: &fs::DirEntry) -> u64 {
    entry.file_name().to_str().unwrap().parse().unwrap()
}
