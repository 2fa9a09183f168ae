//! Marks of a program that is not the lab: every argument place decoded, and children that pass
//! the sites survive.

use std::{path::Path, process::Command};

use inspector::{
    event::{
        Event, Mark, What,
        mark::{Declared, Owned},
    },
    source::ebpf::load::LoadOptions,
};

use crate::{
    program::{Program, compiled},
    watch::Watch,
};

const SITES: usize = 7;

#[test]
fn every_argument_is_read_where_it_lies() {
    for flags in [&[][..], &["-s"], &["-no-pie", "-O2"]] {
        let Some((mut program, mut watch)) = start(&compiled("marks", flags)) else {
            return;
        };
        for order in ["pass", "long", "unreadable"] {
            check(&mut program, &mut watch, order);
        }
    }
}

/// The parent has hit each site before it makes the child: a site that the kernel rewrote for it
/// would kill the child.
#[test]
fn a_child_survives_every_mark_and_its_marks_are_seen() {
    let Some((mut program, mut watch)) = start(&compiled("marks", &[])) else {
        return;
    };
    for order in ["pass", "fork", "pass", "vfork", "spawn", "fork"] {
        let told = check(&mut program, &mut watch, order);
        assert!(told >= SITES);
    }
}

#[test]
fn bpftrace_lists_the_same_probes() {
    let binary = compiled("marks", &["-s"]);
    let probes = format!("usdt:{}:lifecycle:*", binary.display());
    let Ok(listed) = Command::new("bpftrace").args(["-l", &probes]).output() else {
        println!("bpftrace is not installed");
        return;
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut names: Vec<_> = listed
        .lines()
        .filter_map(|line| line.rsplit(':').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut marks = inspector_ebpf::abi::mark::code::NAMES;
    marks.sort_unstable();
    assert_eq!(names, marks, "{listed}");
}

fn start(binary: &Path) -> Option<(Program, Watch)> {
    let program = Program::run(binary, &[]);
    let mut watch = Watch::start(&LoadOptions::default())?;
    let followed = watch.also(program.tgid()).unwrap();
    assert_eq!(followed.unusable, [""; 0]);
    assert_eq!(followed.marks, SITES);
    Some((program, watch))
}

/// Gives an order, and compares the marks told with those seen. Returns how many.
fn check(program: &mut Program, watch: &mut Watch, order: &str) -> usize {
    watch.events.clear();
    let mut told = program.tell(order);
    watch.drain();
    let mut seen: Vec<_> = watch.events.iter().filter_map(line).collect();
    // A vforked child tells its mark after it passed others.
    told.sort();
    seen.sort();
    assert_eq!(seen, told, "{order}");
    seen.len()
}

/// A mark as the program tells it.
fn line(event: &Event) -> Option<String> {
    let What::Mark(mark) = &event.what else {
        return None;
    };
    let Mark {
        tid,
        map,
        key,
        what,
        ..
    } = &**mark;
    let (name, rest) = match what {
        Declared::StoreBegin { span } => ("store_begin", spanned(*span)),
        Declared::StoreEnd { span } => ("store_end", spanned(*span)),
        Declared::Own(Owned::Handle(fd)) => ("own", format!("handle {fd}")),
        Declared::Own(Owned::Thread(tid)) => ("own", format!("thread {tid}")),
        Declared::DeleteBegin { policy } => (
            "delete_begin",
            policy
                .as_ref()
                .map_or("no policy".to_owned(), |policy| format!("policy {policy}")),
        ),
        Declared::DeleteUnlink => ("delete_unlink", String::new()),
        Declared::DeleteEnd => ("delete_end", String::new()),
    };
    let line = format!(
        "{tid} {name} map={} key={} of {} {rest}",
        map.0, key.text, key.len
    );
    Some(line.trim_end().to_owned())
}

fn spanned(span: Option<u64>) -> String {
    span.map_or("no span".to_owned(), |span| format!("span {span}"))
}
