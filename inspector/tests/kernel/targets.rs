//! What descriptors point at is told soon after their births, for any program, and anew on demand;
//! a number that is used again never has what it pointed at before.

use std::{fs, time::Duration};

use inspector::{
    event::id::Fd,
    ledger::{Ledger, handle::Description},
    source::{Request, ebpf::load::LoadOptions},
};

use crate::{oracle, program::Program, watch::Watch};

fn start() -> Option<(Program, Watch)> {
    let program = Program::start("targets");
    let watch = Watch::follow(&LoadOptions::default(), &program)?;
    Some((program, watch))
}

fn description(ledger: &Ledger, program: &Program, fd: u32) -> Option<Description> {
    let table = ledger.threads_of(ledger.process_by_tgid(program.tgid())?);
    let table = ledger.table_used_by(*table.first()?)?;
    let handle = ledger.handle(ledger.open_handle(table, Fd(fd))?)?;
    ledger.description(handle.description).cloned()
}

/// What is known of a number, as the program tells it: the detail's words, or the kind and the
/// last part of the target.
fn words(ledger: &Ledger, program: &Program, fd: u32) -> String {
    let Some(description) = description(ledger, program, fd) else {
        return "not known".to_owned();
    };
    if let Some(read) = &description.detail {
        return read.detail.to_string();
    }
    // The leader may be gone.
    let (tgid, threads) = (program.tgid(), oracle::threads(program.tgid()));
    let folder = threads
        .last()
        .and_then(|tid| fs::read_link(format!("/proc/{tgid}/task/{tid}/cwd")).ok());
    let folder = folder.unwrap_or_default().display().to_string();
    let Some((target, _)) = description.points_at() else {
        return format!("{} of no known target", description.kind.word());
    };
    let target = target.to_string();
    let short = match target.strip_prefix(&folder) {
        Some("") => ".",
        Some(path) => path.trim_start_matches('/'),
        None => &target,
    };
    format!("{} {short}", description.kind.word())
}

/// Waits until every number is known as the program told it.
#[track_caller]
fn until_known(watch: &mut Watch, program: &Program, told: &[String]) {
    for line in told {
        let (fd, expected) = line.split_once(' ').unwrap();
        let fd = fd.parse().unwrap();
        for _ in 0..300 {
            if words(&watch.ledger, program, fd) == expected {
                break;
            }
            watch.take_for(Duration::from_millis(10));
        }
        assert_eq!(words(&watch.ledger, program, fd), expected, "fd {fd}");
    }
}

#[test]
fn soon_after_birth_of_every_kind() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let told = program.tell("open");
    assert_eq!(told.len(), 17);
    until_known(&mut watch, &program, &told);
    let reading = watch.gauges.read();
    assert_eq!(reading.audits.count, 0, "nothing was scanned for it");
    assert_eq!(reading.targets.dropped, 0);
    let told = program.tell("by thread");
    until_known(&mut watch, &program, &told);
    let told = program.tell("leader ends");
    until_known(&mut watch, &program, &told);
}

/// The negative control: each number was read by whom it was open for at that time.
#[test]
fn a_number_used_again_has_its_own_target() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let told = program.tell("reuse");
    until_known(&mut watch, &program, &told);
    watch.take_for(Duration::from_millis(100));
    until_known(&mut watch, &program, &told);
    // Every one that was read, the closed ones too, has the name of its own turn.
    let (last, _) = told[0].split_once(' ').unwrap();
    let last: u32 = last.parse().unwrap();
    let mut births: Vec<_> = watch
        .ledger
        .handles()
        .filter(|(_, handle)| handle.fd == Fd(last) && handle.call.is_some())
        .map(|(_, handle)| (handle.generation, handle.description))
        .collect();
    births.sort_unstable_by_key(|(generation, _)| *generation);
    assert_eq!(births.len(), 2000);
    let mut read = 0;
    for (turn, (_, description)) in births.into_iter().enumerate() {
        let description = watch.ledger.description(description).unwrap();
        if let Some((target, _)) = description.points_at() {
            let target = target.to_string();
            assert!(target.ends_with(&format!("/f{turn}")), "{target}: {turn}");
            read += 1;
        }
    }
    println!("{read} of 2000 were read");
    assert!(read >= 1);
    assert_eq!(oracle::differences(&watch.ledger, program.tgid()), "");
}

#[test]
fn anew_on_demand() {
    let Some((mut program, mut watch)) = start() else {
        return;
    };
    let told = program.tell("open");
    until_known(&mut watch, &program, &told);
    let server: u32 = program.tell("half-close")[0].parse().unwrap();
    watch.drain();
    let tgid = program.tgid();
    watch.ask(|done| Request::Refresh {
        tgid,
        fds: Some(vec![Fd(server)]),
        done,
    });
    watch.drain();
    let state = words(&watch.ledger, &program, server);
    assert!(
        state.starts_with("tcp 127.0.0.1:") && state.ends_with(" CLOSE_WAIT"),
        "{state}"
    );
    watch.ask(|done| Request::Refresh {
        tgid,
        fds: None,
        done,
    });
    watch.drain();
    until_known(&mut watch, &program, &told);
}
